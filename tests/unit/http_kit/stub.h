/*
 * A real server whose work is done by a stub: one thread that finishes what is dispatched, as a queue's thread
 * would.
 *
 * What it does with a call depends on the call:
 *   POST /v1/work          by "type": "park" stays until stub_release(), "refuse" is refused by the dispatch hook,
 *                          "conflict" fails, "big" is answered with a body of about 4 MiB; others are answered at
 * once POST /v1/work/claim    with wait_ms: parked until stub_release() or its client hangs up; else answered at
 * once GET  /v1/work/events   the events of stub_publish(), from Last-Event-ID; by "type": "fetch" fetches before
 * each, "flood" has always more, "one" ends after one event GET  /health/live      waits on its loop while
 * stub_gate() is shut GET  /openapi.json  a text everybody may see GET  /v1/work/{id}   an item; that of id 7 has
 * the tag "7-1" Keys: "reader", "worker", "admin" have that scope; others are not valid.
 */
#ifndef TENFOLD_TESTS_STUB_H
#define TENFOLD_TESTS_STUB_H

#include "http/http.h"

/* What has happened, counted. */
enum stub_event {
	STUB_DISPATCHED,
	STUB_PARKED,
	STUB_HUNG_UP,
	STUB_UNDELIVERED,
	STUB_OPENED, /* streams */
	STUB_CLOSED,
	STUB_FETCHED,
	STUB_AT_GATE,
	STUB_RELEASED, /* blobs */
	STUB_EVENTS
};

struct stub_config {
	unsigned loops, max_connections, idle_timeout_s; /* 0: 1, 1000, 60 */
	const char *listen;                              /* NULL: a free port */
	const char *cert, *key;
	struct metrics *metrics;
	unsigned heartbeat_ms;
	int64_t body_bytes_max;
	unsigned proxy_hops,
		calls_allowed; /* from each address, which whoever asks for /v1/whoami is told; 0: any */
	unsigned keyless;      /* GET /v1/work is PUBLIC there, POST is OPEN */
};

struct stub;

/* Given as it is written: stub_new(&(struct stub_config){.loops = 2}). */
struct stub *stub_new(const struct stub_config *config);
enum err stub_try(const struct stub_config *config, struct stub **out, struct problem *p);
void stub_free(struct stub **s); /* parked calls are released while draining */
/* As stub_free, but nobody finishes what is parked before the server is destroyed. */
void stub_abandon(struct stub **s);

struct http_server *stub_server(struct stub *s);
const char *stub_url(const struct stub *s);

/* Waits until an event has happened n times in all; fails the test after ten seconds. */
void stub_await(struct stub *s, enum stub_event event, unsigned n);
unsigned stub_count(struct stub *s, enum stub_event event);

void stub_release(struct stub *s); /* parked calls are finished, by the stub's thread */
void stub_gate(struct stub *s, bool open);
void stub_publish(struct stub *s, const char *text);

#endif
