/*
 * Something to be run on another thread: the intrusive node that an executor or a pool queues.
 * Whoever embeds it owns it and keeps it alive until the runner has handed it back.
 */
#ifndef TENFOLD_BASE_TASK_H
#define TENFOLD_BASE_TASK_H

#include <stdbool.h>
#include <stdint.h>

struct task {
	struct task *next;
	int64_t tenant;    /* whose turn it uses; 0: the server's own */
	uint32_t cost;     /* items to be touched, at least 1; of a divisible one those still to come */
	uint32_t share;    /* how many of them now: set by who runs it, less than cost only if divisible */
	bool divisible;    /* may be run in parts, each in a batch of its own */
	uint32_t kind;     /* what it is part of: for whoever runs it */
	int64_t queued_ns; /* when, by clock_mono_ns(): set by a pool */
};

#endif
