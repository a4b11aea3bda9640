/*
 * Redis as something that may be away: every call is bounded, and none waits for a connection to be made.
 *
 * A thread of the client, the keeper, keeps a few connections open (looking up the name, connecting, AUTH, SELECT,
 * PING) and hands them to whoever calls. A call takes one, sends its commands in one write, reads their replies,
 * and is over after timeout_ms in all, come what may; whatever goes wrong on a connection ends that connection.
 * After failures_max failures in a row the breaker (redis/breaker.h) leaves Redis alone for a while: calls are then
 * refused at once.
 *
 * Any thread may call, but never a loop thread of http/: a call blocks for as long as timeout_ms. Replies are
 * bounded by the arena they are read into. A command that Redis answers with an error is a reply like others:
 * REDIS_ERROR. The password is never logged and never in a problem. Errors:
 *   ERR_UNREACHABLE  not connected, left alone, too slow, hung up, or not well (LOADING, READONLY, …); what was sent
 *                    may have been done
 *   ERR_INTERNAL     what came is not the protocol, or does not fit the arena
 *   ERR_INVALID      of redis_new(): the url
 */
#ifndef TENFOLD_REDIS_REDIS_H
#define TENFOLD_REDIS_REDIS_H

#include "base/arena.h"
#include "base/problem.h"
#include "redis/breaker.h"

#include <stddef.h>
#include <stdint.h>

enum {
	REDIS_TIMEOUT_MS = 50,
	REDIS_CONNECTIONS = 8,
	REDIS_FAILURES_MAX = 5,
	REDIS_REST_MS = 250,
	REDIS_COMMANDS_MAX = 1024, /* in one call */
};

/* What is 0 is as above. */
struct redis_config {
	struct str url;        /* redis://[[user]:password@]host[:port][/db]; %XX in user and password */
	unsigned connections;  /* at most; calls beyond wait for one, within their time */
	int timeout_ms;        /* of a call */
	unsigned failures_max; /* in a row, until it is left alone */
	int rest_ms;           /* for how long at first; doubled up to 32 times while it stays away */
};

struct redis;

/* Copies the url and starts the keeper; does not wait for a connection. */
enum err redis_new(const struct redis_config *config, struct redis **out, struct problem *p);
void redis_destroy(struct redis **r); /* nobody may be calling */

/* For tests: waits until a connection is there; false when none was in time. */
bool redis_wait(struct redis *r, int timeout_ms);

/* A Lua script: sent by its hash, and in full when Redis does not know it. */
struct redis_script {
	const char *text; /* must stay */
	char sha1[41];
};
struct redis_script redis_script(const char *text);

/* A command and its arguments, bytes of any kind: GET key. Of a script: its keys, then its other arguments. */
struct redis_command {
	const struct redis_script *script; /* or NULL */
	const struct str *args;
	size_t count;
	size_t keys; /* of a script: so many of args are keys */
};

enum redis_kind { REDIS_NIL, REDIS_INTEGER, REDIS_TEXT, REDIS_ERROR, REDIS_ARRAY };

struct redis_reply {
	enum redis_kind kind;
	int64_t integer;
	struct str text;           /* of REDIS_TEXT and REDIS_ERROR */
	struct redis_reply *items; /* of REDIS_ARRAY */
	size_t count;
};

/* Runs the commands in their order, others' perhaps between them, and gives a reply for each: all of them or an
 * error. Replies live in `a`. 1 <= count <= REDIS_COMMANDS_MAX. */
enum err redis_run(struct redis *r, struct arena *a, const struct redis_command *commands, size_t count,
		   struct redis_reply *replies);

/* For tests: counted since redis_new(). */
struct redis_stats {
	uint64_t calls;    /* of redis_run(), refused ones too */
	uint64_t refused;  /* at once: no connection, or left alone */
	uint64_t timeouts; /* not over in time */
	uint64_t failures; /* lost, not the protocol, not well */
	uint64_t error_replies;
	uint64_t connects;
	uint64_t call_ns_sum; /* of the calls that were answered */
	uint64_t call_ns_max;
	unsigned connections; /* open now */
	enum breaker_state breaker;
};
void redis_stats_get(struct redis *r, struct redis_stats *out);

#endif
