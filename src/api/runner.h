/*
 * Runs calls on the queue's thread: the bridge between the executor, which knows only tasks, and the handlers.
 *
 * A SLOT call is applied to memory by its handler, waits for the batch's commit, and is then finished. A claim that
 * finds nothing is parked: it stays with the core as a waiter and is finished in the batch that serves it. Calls of
 * one batch that carry an Idempotency-Key have their answer written with the batch. Apart from calls there are
 * jobs: small things the loops need done on this thread (a client hung up, a session ended).
 */
#ifndef TENFOLD_API_RUNNER_H
#define TENFOLD_API_RUNNER_H

#include "api/app.h"
#include "store/chore.h"

enum { TASK_CALL, TASK_JOB, TASK_CHORE, TASK_GATHER, TASK_IDENTIFY };

/* The first member of what its poster allocated; freed here, after it was run or when it cannot be any more
 * (stopping, not the owner). It may be run a second time when the first batch was undone. */
struct job {
	struct task task;
	struct app *app;
	void (*run)(struct job *job);
	void (*done)(struct job *job); /* or NULL: it will not be run (again) */
};
void runner_post(struct app *app, struct job *job); /* any thread; job->app is set */

/* A transaction of the server's own, with the batch on SQLite, on a connection of the pool on PostgreSQL. Any
 * thread; app is a struct app. */
void runner_post_chore(void *app, struct chore *chore);

struct runner *runner_new(struct app *app);
void runner_destroy(struct runner **r);
extern const struct executor_ops runner_ops; /* ctx is the runner */

/* For http_hooks: takes the call over; the client of a waiting call hung up; a claim's answer was not delivered. */
enum err runner_dispatch(struct call *c);
void runner_hung_up(struct call *c);
void runner_undelivered(struct call *c);
enum err runner_fetch(struct call *c);

/* For handlers that do something for each item of their input: those to be done now. With `refused` nothing is
 * done, each of them failed with it. What the earlier parts left in the call is still there. */
struct part {
	size_t from, to;
	enum err refused;
};
struct part runner_part(const struct call *c);

/* Has a call's handler run where writes run. */
enum err runner_post_write(struct call *c);
/* c->outcome is that of the transaction on db: runs or forgets what was to be done after it, and turns to the
 * verdict. */
void runner_end_write(struct call *c, struct db *db);

/* The functions of app->pool, app->hashing and app->compute; ctx is the app. */
void runner_pool_run(void *ctx, struct task *t, struct db *db, enum err why);
void runner_hash_run(void *ctx, struct task *t, struct db *db, enum err why);
void runner_compute_run(void *ctx, struct task *t, struct db *db, enum err why);

/* A READ on a replica's connection. False: the store failed; the call can be run again elsewhere. */
bool runner_read_replica(struct call *c, struct db *db);

/* app->bulk, once there is a pool; and when there is none any more. */
void runner_bulk_init(struct app *app);
void runner_bulk_destroy(struct app *app);

/* For the claim handler: waits. Sets c->wait. ERR_TOO_MANY when too many wait already. */
enum err runner_park(struct call *c, const struct work_claim *claim, int64_t wait_ms);
/* A claimed item that does not fit into the answer goes back, as soon as the command that claimed it is over. */
void runner_unclaim(struct call *c, const struct item *item);
/* Ends all waiting claims with an empty answer, at a stop. Any thread. */
void runner_end_waits(struct app *app);
/* For persist_config.served; ctx is the app. */
void runner_served(void *ctx, void *who, struct item *const *items, size_t count);
/* For persist_config.owner; ctx is the app. */
void runner_owner(void *ctx, struct str url, int64_t epoch);
/* As struct flow_tail_config.is_wanted. ctx: the app. */
bool runner_wants_tail(void *ctx);

/* Given by api/work.c: what a waiting claim is answered. */
void work_claim_serve(struct call *c, struct item *const *items, size_t count);
/* Given by api/work.c: the leases of a claim that was answered before, as far as they are still valid. */
enum err work_claim_replay(struct call *c, struct str stored);
/* Given by api/work.c: what is stored of a claim's answer: ids and tokens, no bodies. */
void work_claim_stored(const struct work_claim_out *out, struct buf *b);

#endif
