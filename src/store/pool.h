/*
 * A pool of connections, a thread each, for calls that read, and on PostgreSQL for calls that write.
 *
 * `size` connections are opened as they are needed and kept; up to `overflow` more while all are busy and somebody
 * waits, closed again when nobody needs them. Tasks get a connection in the order they came. One that got none
 * within `wait_ms` is given none and ERR_OVERLOADED, even while every connection hangs; so is one that finds the
 * queue full, at once. A connection that broke is renewed before its next task, and so is one older than
 * `recycle_ms`; one that has rested a while is asked for a sign of life first. While there is none to be had tasks
 * are given a NULL db and `why`. A pool without a store has threads and no connections: its tasks only compute.
 */
#ifndef TENFOLD_STORE_POOL_H
#define TENFOLD_STORE_POOL_H

#include "base/task.h"
#include "store/store.h"

struct metrics;
struct pool;

/* Runs one task to its end on a thread of the pool. db is NULL when there is no connection; why says why (OK: the
 * pool has no store). */
typedef void pool_run_fn(void *ctx, struct task *t, struct db *db, enum err why);

struct pool_limits {
	unsigned size;      /* connections kept, at least 1 */
	unsigned overflow;  /* and so many more while tasks wait */
	unsigned queue_max; /* tasks waiting */
	int64_t wait_ms;    /* for a connection */
	int64_t idle_ms;    /* after that a connection of the overflow is closed */
	int64_t check_ms;   /* rested so long it is asked before it is used */
	int64_t recycle_ms; /* its age when it is renewed; each a little sooner, so that they do not go at once */
};

struct pool_config {
	struct store *store; /* NULL: none */
	enum db_mode mode;
	struct pool_limits limits;
	pool_run_fn *run;
	void *ctx;
	struct metrics *metrics; /* NULL: this pool is not counted */
};

enum err pool_new(const struct pool_config *config, struct pool **out, struct problem *p); /* opens the first */
enum err pool_post(struct pool *p, struct task *t);                                        /* any thread */
unsigned pool_connections(struct pool *p); /* that are open; any thread */
void pool_destroy(struct pool **p);        /* runs what is queued, then joins */

#endif
