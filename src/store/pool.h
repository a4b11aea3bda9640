/*
 * A few threads with a connection each, for calls that read, and on PostgreSQL for calls that write.
 *
 * Tasks run in order of arrival. The queue is bounded: when it is full the answer is ERR_OVERLOADED at once. A
 * connection that broke is renewed before its next task; while that fails tasks are given a NULL db and `why`.
 * A pool without a store has no connections: its tasks only compute.
 */
#ifndef TENFOLD_STORE_POOL_H
#define TENFOLD_STORE_POOL_H

#include "base/task.h"
#include "store/store.h"

struct pool;

/* Runs one task to its end on the pool's thread. db is NULL when there is no connection; why says why (OK: the pool
 * has no store). */
typedef void pool_run_fn(void *ctx, struct task *t, struct db *db, enum err why);

enum err pool_new(struct store *s, enum db_mode mode, unsigned threads, unsigned queue_max, pool_run_fn *run,
		  void *ctx, struct pool **out, struct problem *p);
enum err pool_post(struct pool *p, struct task *t); /* any thread */
void pool_destroy(struct pool **p);                 /* runs what is queued, then joins */

#endif
