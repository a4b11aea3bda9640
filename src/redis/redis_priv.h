/*
 * The parts of the client: where Redis is (url.c), one connection (link.c), what it answers (reply.c). redis.c has
 * the connections, the keeper and the calls.
 */
#ifndef TENFOLD_REDIS_REDIS_PRIV_H
#define TENFOLD_REDIS_REDIS_PRIV_H

#include "base/buf.h"
#include "redis/redis.h"

#include <hiredis/hiredis.h>

/* ---- url.c ---- */

struct redis_address {
	char *host, *user, *password; /* user and password NULL when there is none */
	char *name;                   /* host:port/db */
	int port, db;
};

enum err redis_address_parse(struct str url, struct redis_address *out, struct problem *p);
void redis_address_free(struct redis_address *a); /* wipes the password */

/* ---- reply.c ---- */

/* What hiredis' reader builds replies with: in an arena, straight from its buffer. */
struct redis_builder {
	struct arena *arena;
};

/* A reader whose replies are made in the arena that `b` names at the time; never NULL. */
redisReader *redis_reader_new(struct redis_builder *b);

/* An error that says that Redis itself is not well, so that this connection is of no use. */
bool redis_reply_is_unwell(const struct redis_reply *r);
bool redis_reply_is_noscript(const struct redis_reply *r);

/* ---- link.c ---- */

/* A connection. One thread at a time. */
struct redis_link {
	struct redis_link *next; /* of those at rest */
	redisContext *context;   /* has the socket */
	redisReader *reader;
	struct redis_builder builder;
};

/* What went wrong, for the log: never anything of the url. */
struct redis_why {
	char text[160];
};

/* Connects and introduces itself. Blocks: the name is looked up, then connecting takes at most CONNECT_MS. */
enum err redis_link_open(const struct redis_address *a, int timeout_ms, struct redis_link **out,
			 struct redis_why *why);
void redis_link_close(struct redis_link **l);

/* Still open, and nothing came that nobody asked for. */
bool redis_link_is_quiet(const struct redis_link *l);

/* Sends the bytes and reads `count` replies; after an error the link is of no use. */
enum err redis_link_exchange(struct redis_link *l, struct arena *a, struct str bytes, struct redis_reply *replies,
			     size_t count, int64_t deadline_ns, bool *timed_out);

/* Appends a command as Redis reads it; a script by its hash, or in full. */
void redis_encode(struct buf *b, const struct redis_command *c, bool in_full);

#endif
