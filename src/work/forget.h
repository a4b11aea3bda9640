/*
 * Forgetting what is older than its time: events, and the answers kept for Idempotency-Keys.
 *
 * It is done in steps, each in the transaction of a batch: with every 64th, with the first one after a second, and
 * sooner when many answers were written. A step takes away at most twice what was written since the last one, and a
 * few more. So it keeps up with any rate, works off whatever was left before, and holds no batch up for longer than
 * writing as much takes.
 */
#ifndef TENFOLD_WORK_FORGET_H
#define TENFOLD_WORK_FORGET_H

#include "store/store.h"

/* All 0 in the beginning. */
struct forget {
	int64_t first_seq;     /* no event is kept below it … */
	int64_t oldest_key_ms; /* … and no answer from before: a store may still have to pass what was deleted there
				*/
	int64_t stepped_ms;
	size_t batches, keys; /* written since then */
};

struct forget_before {
	int64_t events_ms, keys_ms; /* what is older than these has had its time */
};

/* A batch wrote so many answers. Is a step due? */
bool forget_is_due(struct forget *f, int64_t now_ms, size_t keys);
enum err forget_step(struct forget *f, struct db *db, struct arena *a, int64_t now_ms,
		     const struct forget_before *before);

#endif
