/*
 * Whose turn it is: tasks wait in a queue per tenant, first come first served, and a batch takes from the queues by
 * deficit round robin, a task costing as many turns as it touches items.
 *
 * A batch answers nobody before it is over, so a tenant pays for what others put into the same batch. While several
 * tenants are about, tasks of many items therefore share a small part of each batch, and those that can be
 * divided are: the rest of such a task keeps its place at the head of its queue and goes on in the next batch.
 *
 * One thread.
 */
#ifndef TENFOLD_STORE_FAIR_H
#define TENFOLD_STORE_FAIR_H

#include "base/map.h"
#include "base/task.h"

#include <stddef.h>

struct fair_lane;

struct fair {
	uint32_t cost_max;                  /* of a batch: set before use */
	struct map lanes;                   /* by tenant */
	struct fair_lane *ring, *ring_last; /* those with tasks, in turn */
	struct fair_lane *divided;          /* their first task is in the batch with a part of its cost */
	int64_t last_tenant, contended_until_ms;
};

void fair_put(struct fair *f, int64_t now_ms, struct task *t);

/* Takes a batch: at most `max` tasks, each with its share; those that are whole are the caller's now. */
size_t fair_take(struct fair *f, int64_t now_ms, struct task **batch, size_t max);

/* The batch was run: what was divided has so much less before it. */
void fair_ran(struct fair *f);

/* Any task, to be given up; NULL when there is none. Not between fair_take() and fair_ran(). */
struct task *fair_drop(struct fair *f);

static inline bool fair_is_empty(const struct fair *f)
{
	return f->ring == NULL;
}

void fair_free(struct fair *f);

#endif
