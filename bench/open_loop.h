/*
 * The open loop: calls fall due at random times (a Poisson process of `calls_per_s`) whether or not the
 * server keeps up, and latency is measured from when a call was due, so a stall counts for everything it delayed.
 *
 * Calls take turns: enqueue, claim, settle. Before that, some items are enqueued and some claimed, so that a claim
 * always finds work and a settle always has a claim. A call that is due while all connections are busy waits.
 */
#ifndef TENFOLD_BENCH_OPEN_LOOP_H
#define TENFOLD_BENCH_OPEN_LOOP_H

#include "base/rng.h"
#include "load.h"

/* A call that is due. */
struct arrival {
	enum step step;
	int64_t due_ns;
	struct histogram *into; /* NULL: not counted */
};

struct open_loop {
	struct load *load;
	struct opener *connections;
	unsigned count, free_count;
	struct opener **free; /* a stack */
	VEC(struct arrival) waiting;
	size_t waiting_first;
	struct held_list held; /* claimed, to be settled, oldest first */
	size_t held_first;
	double gap_ns; /* mean time between two calls */
	double next_ns;
	uint64_t arrivals, planned[STEP_COUNT];
	bool enqueue_only, stopped;
	struct histogram **latency; /* by step: where calls due from now on are counted; NULL: nowhere */
	struct rng rng;
};

void open_loop_init(struct open_loop *o, struct load *l, unsigned connections, unsigned keys,
		    double calls_per_s); /* with the first `keys` keys, in turn */
void open_loop_free(struct open_loop *o);

/* Begins the calls that are due. Returns when the next one is. */
int64_t open_loop_tick(struct open_loop *o);
bool open_loop_primed(const struct open_loop *o); /* are all three kinds of calls made by now? */
void open_loop_stop(struct open_loop *o);         /* no call falls due any more, but those that clear up */
bool open_loop_over(const struct open_loop *o);   /* stopped, and everything answered */

#endif
