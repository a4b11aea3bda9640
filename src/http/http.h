/*
 * The HTTP server: libmicrohttpd driven by loops of our own (docs/adr/0005).
 *
 * It parses, finds the route, authenticates, checks scope and size, decodes `in`, hands the call to whoever runs
 * it, and encodes what comes back. It knows nothing of work or agents: what to do with a decoded call is the
 * `hooks`. Life of a call: made on a loop when the headers are there; decoded when the body is; HERE and STREAM
 * handlers run at once; all others are suspended and given to hooks.dispatch, and come back through http_finish()
 * from any thread. A connection is resumed only on its own loop.
 */
#ifndef TENFOLD_HTTP_HTTP_H
#define TENFOLD_HTTP_HTTP_H

#include "http/call.h"

struct http_server;
struct metrics;

typedef enum err http_handler_fn(struct call *c, const void *in, void *out);

/* What a limit says of a call. */
struct rate {
	int64_t limit;     /* calls that are allowed at once; 0: there is no limit, and nothing is told of it */
	int64_t remaining; /* of these */
	int32_t window_s, reset_s; /* until all are allowed again: from none, from now */
	int32_t retry_after_s;     /* until this one would be */
	const char *policy;        /* the limit's name, which lives on */
};

struct http_hooks {
	/* Bearer secret ("" when there was none) and the X-Tenant header ("" likewise) → c->caller; without a secret
	 * one without key and with scope none.
	 * ERR_UNAUTHENTICATED when the secret is given but not valid. ERR_NOT_CACHED when only the store can tell:
	 * then `identify` does once the body is there. Runs on the loop, so under a microsecond. */
	enum err (*authenticate)(struct call *c, struct str secret, struct str tenant);
	/* Takes the call over until http_finish() with c->caller filled, or an error. May be NULL when authenticate
	 * never asks for it. */
	enum err (*identify)(struct call *c);
	/* May this caller make a call now? OK or ERR_RATE_LIMITED. Runs after authenticate, for calls that need a
	 * key or would without --public-directory and the like; on the loop, so under a microsecond. NULL: always. */
	enum err (*admit)(struct call *c, struct rate *out);
	/* SLOT, SLOT_READ, SLOT_WRITE, READ, CACHED, WRITE, BULK, COMPUTE: takes the call over until http_finish(). An
	 * error is answered at once. */
	enum err (*dispatch)(struct call *c);
	/* The client of a call that was dispatched and whose route WAITS has hung up; c->gone is set. The call must
	 * be finished soon. Another thread may be doing that just now: keep c->number, not c. On the loop. */
	void (*hung_up)(struct call *c);
	/* A dispatched call ended well, and its answer was not sent whole (after a claim: nobody knows of the
	 * lease). On the loop; c->out is valid until the hook returns. Not after http_server_drain(). */
	void (*undelivered)(struct call *c);
	/* A stream is about to go on: may its caller still see it? ERR_UNAUTHENTICATED with its words ends it.
	 * *again_ms: ask once more after so long, even when there is nothing to send; 0: no need. On the loop.
	 * NULL: always. */
	enum err (*recheck)(struct call *c, int64_t *again_ms);
	/* A stream said STREAM_FETCH: run ops->fetch on a READ thread, then http_fetched(). */
	enum err (*fetch)(struct call *c);
};

struct http_config {
	const char *listen;                     /* ADDRESS:PORT, [::1]:PORT; port 0 takes a free one */
	const char *tls_cert_pem, *tls_key_pem; /* contents; NULL for plain HTTP */
	unsigned loops;
	unsigned max_connections;
	unsigned idle_timeout_s;
	unsigned heartbeat_ms;            /* of resting streams; 0: 15 s */
	int64_t body_bytes_max;           /* of all requests being read, together; 0: 512 MiB */
	http_handler_fn *const *handlers; /* in the order of routes; NULL for those only dispatched */
	/* Of CACHED routes, likewise: on the loop, under 10 µs. OK with c->ready_blob, an error, or
	 * ERR_NOT_CACHED: then the call is dispatched. May be NULL when no route is CACHED. */
	http_handler_fn *const *first_halves;
	unsigned proxy_hops;        /* trusted proxies before the server, each of which adds to X-Forwarded-For */
	unsigned keyless;           /* flags of the routes that need no key: ROUTE_PUBLIC, ROUTE_OPEN */
	const struct route *routes; /* NULL: those of api/routes.def */
	unsigned route_count;       /* of routes */
	struct http_hooks hooks;
	void *app;
	struct metrics *metrics;
};

/* Listens; the loops do not answer before http_server_start(). A taken port: ERR_IN_USE naming it. */
enum err http_server_new(const struct http_config *config, struct http_server **out, struct problem *p);
const char *http_server_url(const struct http_server *s); /* http://127.0.0.1:7010, with the real port */
enum err http_server_start(struct http_server *s, struct problem *p);

/* What a request said, for who passes it on to another process; path and query still escaped. Valid until the call
 * is finished. */
struct http_request {
	struct str path, query, authorization, tenant, content_type;
	struct str forwarded; /* X-Tenfold-Forwarded: another process passed it on */
};
struct http_request http_request_of(const struct call *c);
/* What a call of a route that takes TICKETS gave as ?ticket=, still escaped; empty: nothing. */
struct str http_ticket_of(const struct call *c);
/* The value of a header that this server reads, of a SIGNED route of any; p is NULL when it did not come, came more
 * than once, or is not among them. */
struct str http_header_of(const struct call *c, struct str name);

/* The call is done: c->outcome, c->out and the rest are final. Any thread; the call may be gone at return. */
void http_finish(struct call *c);
void http_fetched(struct call *c); /* any thread */
/* Any thread, cheap when nobody listens: streams without a topic, those of a topic, all. */
void http_wake_streams(struct http_server *s);
void http_wake_topic(struct http_server *s, unsigned topic);
void http_wake_every_stream(struct http_server *s);

enum { HTTP_TOPICS = 4096 };
/* Two things may have the same topic: then streams are now and then asked for nothing. Never 0, which is none. */
static inline unsigned http_topic(uint64_t hash)
{
	return 1 + (unsigned)(hash % (HTTP_TOPICS - 1));
}

/* Graceful stop, in steps: refuse new connections and calls (503 shutting_down, Connection: close); wait until the
 * running ones are answered or deadline_ms (monotonic from now) has passed; end streams; join the loops.
 * Long polls must be finished by their owner meanwhile. */
void http_server_drain(struct http_server *s, int64_t deadline_ms);
/* By now nobody may finish calls any more; what is left of them is closed unanswered. */
void http_server_destroy(struct http_server **s);

#endif
