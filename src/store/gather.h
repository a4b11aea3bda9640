/*
 * Small writes of one kind, gathered: while some are being committed, others come together and are then written in
 * one transaction on a connection of a pool. One that comes alone does not wait.
 *
 *   post ──► queue ──batch──► transaction: write each, by key ──OK──► end(each, what its write said)
 *                                   └─ fails ──► each again, in a transaction of its own ──► end(each, …)
 *
 * The order of keys is the same for everybody, so the batches of two processes do not wait for each other crosswise.
 * One batch at a time; its successor is posted to the pool anew, behind what others have posted there.
 */
#ifndef TENFOLD_STORE_GATHER_H
#define TENFOLD_STORE_GATHER_H

#include "store/pool.h"

struct gather_config {
	struct pool *pool; /* with connections that write */
	uint32_t kind;     /* of the task posted there: the pool's function hands it to gather_run() */
	uint32_t batch_max, queue_max;
	int64_t (*key)(const struct task *t);
	/* In a transaction, perhaps not for the first time. What it returns is the task's own outcome; when that is
	 * not OK it has written nothing. A statement that fails undoes the batch. */
	enum err (*write)(void *ctx, struct task *t, struct db *db);
	/* Or NULL: all of a batch at once, in the order of their keys; outcomes as above. An error of its own undoes
	 * the batch. */
	enum err (*write_all)(void *ctx, struct task *const *tasks, enum err *outcomes, uint32_t count,
			      struct db *db);
	/* It is durable, or was not done: the task is given back. */
	void (*end)(void *ctx, struct task *t, enum err outcome);
	void *ctx;
};

struct gather;

struct gather *gather_new(const struct gather_config *config);
void gather_destroy(struct gather **g); /* after its pool */

/* Any thread. ERR_OVERLOADED, ERR_SHUTTING_DOWN: as the pool's; the task was not taken. */
enum err gather_post(struct gather *g, struct task *t);
void gather_run(struct task *posted, struct db *db, enum err why);

#endif
