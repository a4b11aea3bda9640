/*
 * The executor: one thread that turns many requests into one transaction and one flush.
 *
 * While a batch is being committed, tasks gather; then they become the next batch, as far as it is their turn
 * (fair.h), so that one tenant's burst does not starve another. A task is applied to memory by ops.run; what the
 * batch changed is written by ops.flush inside one transaction; only after its commit does ops.end answer.
 *
 *   acquire ──OK──► READY ──batch──► commit OK ─────────────────────────► end(OK)
 *      ▲ STANDBY      ▲                 ├─ known to have failed ────────► end(error), memory undone
 *      │              │                 │   (a batch of several is then run again one by one, once, unless the store
 *      └── deposed ───┤                 │    as a whole is at fault)
 *                     │                 ├─ store full ──► READ_ONLY: one try a second, writes refused meanwhile
 *                     │                 └─ outcome unknown ──► frozen: reconnect, ask, then as one of the above;
 *                     │                                        after 30 s end(OUTCOME_UNKNOWN) and acquire anew
 *                     └── store gone: every batch that writes fails until a reconnect works
 */
#ifndef TENFOLD_STORE_EXECUTOR_H
#define TENFOLD_STORE_EXECUTOR_H

#include "base/clock.h"
#include "base/task.h"
#include "store/store.h"

struct executor;
struct metrics;

enum executor_state {
	EXECUTOR_STARTING,
	EXECUTOR_STANDBY,
	EXECUTOR_READY,
	EXECUTOR_READ_ONLY,
	EXECUTOR_FAILING,
	EXECUTOR_STOPPED
};

/* All run on the executor's thread. */
struct executor_ops {
	/* Become the owner and load memory. ERR_STANDBY: another one is; tried again every second. */
	enum err (*acquire)(void *ctx, struct db *db, struct problem *p);
	/* Ownership ends: at a stop (db to say so with), or when deposed or reloading (db NULL). Memory is dropped.
	 */
	void (*release)(void *ctx, struct db *db);

	void (*begin)(void *ctx, int64_t now_ms);
	/* With share < cost only a part of it is to be done: it is run again for the rest, in a later batch, and
	 * must not be answered before; what becomes of a part shows at end(). */
	void (*run)(void *ctx, struct task *t, struct db *db);
	bool (*tick)(void *ctx);                    /* what is due, boundedly; true when more is */
	bool (*dirty)(void *ctx);                   /* is there anything to write? */
	enum err (*open)(void *ctx, struct db *db); /* first statement of the batch's transaction: the ownership
						     * guard. ERR_NOT_FOUND then or at commit means deposed */
	enum err (*flush)(void *ctx, struct db *db);
	/* OK: durable. Else undo. Answers the tasks of the batch, unless they will be run again. */
	void (*end)(void *ctx, enum err outcome, bool rerun);
	void (*refuse)(void *ctx, struct task *t, enum err why); /* a task that will not be run (again) */

	/* After a commit whose outcome is unknown: was the batch that was just flushed committed? */
	enum err (*ask)(void *ctx, struct db *db, bool *committed);
	int64_t (*next_due_ms)(void *ctx);
	void (*idle)(void *ctx, struct db *db); /* nothing to do: small upkeep, outside a transaction */
};

struct executor_config {
	struct store *store;
	struct clock *clock;
	struct executor_ops ops;
	void *ctx;
	struct metrics *metrics;
	uint32_t queue_max;      /* tasks waiting */
	uint32_t batch_cost_max; /* of one batch */
	int64_t renew_ms;        /* flush an empty batch when nothing was committed for so long; 0: never */
};

enum err executor_new(const struct executor_config *config, struct executor **out, struct problem *p);
enum err executor_start(struct executor *e, struct problem *p);

/* Any thread. ERR_OVERLOADED when the queue is full, ERR_SHUTTING_DOWN when stopping. */
enum err executor_post(struct executor *e, struct task *t);
/* As post, for what must not be refused (releases after a hang-up). */
void executor_post_always(struct executor *e, struct task *t);

enum executor_state executor_state(const struct executor *e);  /* any thread */
uint32_t executor_queued(const struct executor *e);            /* any thread */
void executor_detail(struct executor *e, struct problem *out); /* any thread: why it is not ready */

/* Runs what is queued, releases ownership, joins. Tasks posted later are refused. */
void executor_stop(struct executor *e);
void executor_destroy(struct executor **e);

/* For ops.run: a handler that writes rows itself, in the batch's transaction. Opens it if nobody has yet. */
enum err executor_transaction(struct executor *e);

#endif
