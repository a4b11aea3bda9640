/*
 * Answers that are kept ready to be sent: which they are, and what makes them void.
 *
 *   answer                      kept by            void when                                     for
 *   GET /v1/agents/{ag_ id}     id                 the agent or its status changes               5 min, in Redis too
 *   GET /v1/agents?…            tenant and query   an agent of the tenant, or a public one, does 1 min
 *   GET /v1/capabilities?…      tenant and query   a capability of the tenant does               1 h
 *
 * What this process commits makes them void before it is answered; what others commit, as soon as the follower of
 * changes has read it. While that has not heard from the store for a second, nothing kept is sent.
 */
#ifndef TENFOLD_API_KEPT_H
#define TENFOLD_API_KEPT_H

#include "api/app.h"
#include "cache/cache.h"
#include "directory/follower.h"

enum { KEPT_AGENT_MS = 300000, KEPT_AGENTS_MS = 60000, KEPT_CAPABILITIES_MS = 3600000 };

/* Which answer a call asks for; the name lies in `room` or the call's arena. */
struct kept_key {
	struct cache_key key;
	char room[32];
};
/* False: it is not kept, such as that of an agent addressed by its handle. */
bool kept_agent_key(struct str ref, struct kept_key *out);
bool kept_agents_key(struct call *c, struct kept_key *out);
bool kept_capabilities_key(struct call *c, struct kept_key *out);

/* On the loop: hands out what is kept, or ERR_NOT_CACHED. */
enum err kept_here(struct call *c, const struct kept_key *k);

/* On a connection: true when somebody else had it meanwhile, and it is handed out. Else the handler answers as
 * usual, and gives the answer to kept_put(), or, when there is none, kept_not(). */
bool kept_begin(struct call *c, const struct kept_key *k, struct cache_fill *fill);
/* `version` grows with every change of what is shown, 0 for lists. The answer is then handed out encoded. */
void kept_put(struct call *c, struct cache_fill *fill, int64_t version, int64_t tenant, int64_t visibility,
	      int64_t ttl_ms);
void kept_not(struct cache_fill *fill);

/* For changes_on_commit() and follower_listen(); ctx is the app. */
void kept_committed(void *ctx, const struct change_fact *facts, size_t count);
enum err kept_follow(void *ctx, struct db *db, const struct change_row *rows, size_t count);

/* Has the cache's figures shown among the metrics. */
void kept_show(struct app *app);

#endif
