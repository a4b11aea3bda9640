/*
 * A transaction of the server's own, run where writes run: in a batch of the executor on SQLite, on a connection of
 * the pool on PostgreSQL (runner_post_chore). Whoever embeds it keeps it alive until it is done.
 */
#ifndef TENFOLD_STORE_CHORE_H
#define TENFOLD_STORE_CHORE_H

#include "base/task.h"
#include "store/store.h"

struct chore {
	struct task task;
	/* It changes the queue's memory: run on the queue's thread, in the process that owns the queue (ERR_STANDBY in
	 * others), and when it fails its batch is undone with it. */
	bool on_queue;
	/* Inside the transaction, which is undone when it returns an error; may be run again from the start. now_ms
	 * is the process's own time. */
	enum err (*run)(struct chore *c, struct db *db, int64_t now_ms);
	/* Once, on the same thread or that of the poster: OK when it is durable. c may be posted again. */
	void (*done)(struct chore *c, enum err outcome);
	enum err outcome; /* for the runner */
};

#endif
