/*
 * Answers that are kept ready to be sent, those of CACHED calls: which they are, and what makes them void.
 *
 *   answer                          kept by                  void when                               for
 *   GET /v1/agents/{ag_ id}         id                       the agent or its status changes         5 min, Redis too
 *   GET /v1/agents?…                tenant and query         an agent of the tenant, or public, does 1 min
 *   GET /v1/capabilities?…          tenant and query         a capability of the tenant does         1 h
 *   GET /v1/squads/{id}             id                       the squad does                          1 h, Redis too
 *   GET /v1/squads/{id}/members?…   tenant, squad and query  a member in the tenant does             1 h
 *   GET /v1/squad-members/{id}      id                       the member, with its prompt, does       24 h, Redis too
 *   GET /v1/plan                    tenant                   the plan does                           5 min
 *
 * (Redis keeps none longer than 5 min.) What this process commits makes them void before it is answered; what others
 * commit, as soon as the follower of changes has read it. While that has not heard from the store for a second, nothing
 * kept is sent; nor is it to a session that has seen more than the follower has (api/reads.h).
 */
#ifndef TENFOLD_API_KEPT_H
#define TENFOLD_API_KEPT_H

#include "api/app.h"
#include "cache/cache.h"
#include "directory/follower.h"

/* An answer that a handler looks for or makes, in its frame. */
struct kept {
	struct cache_key key; /* the name lies in `room` or the call's arena */
	char room[32];
	struct cache_fill fill;
	uint64_t statements; /* of the connection, before it is made */
};

/* On the loop, for every CACHED call: hands out what is kept, or ERR_NOT_CACHED. */
enum err kept_here(struct call *c, const void *in, void *out);

/* On a connection: true when somebody else had it meanwhile, and it is handed out. Else the handler answers as
 * usual, and gives the answer to kept_put(), or, when there is none, calls kept_not(). */
bool kept_begin(struct call *c, struct kept *k);
/* `version` grows with every change of what is shown, 0 for lists. The answer is then handed out encoded. */
void kept_put(struct call *c, struct kept *k, int64_t version, int64_t tenant, int64_t visibility);
enum err kept_not(struct kept *k, enum err why); /* returns why */

/* For changes_on_commit() and follower_listen(); ctx is the app. */
void kept_committed(void *ctx, const struct change_fact *facts, size_t count);
enum err kept_follow(void *ctx, struct db *db, const struct change_row *rows, size_t count);
/* Another process has done what the call asked for. */
void kept_relayed(struct call *c);

/* Has the cache's figures shown among the metrics. */
void kept_show(struct app *app);

#endif
