/*
 * From the API's work_new to the core's work_spec: what an item depends on is looked up here, in memory, among the
 * other items of its batch, and in the store. And the way back to life of finished items.
 */
#ifndef TENFOLD_API_ENQUEUE_H
#define TENFOLD_API_ENQUEUE_H

#include "api/runner.h"

struct enqueued {
	enum err err;
	struct str detail; /* explains err; empty: its title does */
	int64_t id;
	int state;
	bool existed;
};

/* The other entries of a batch, by the hash of their key. */
struct batch_entries {
	struct map by_key; /* hash to index + 1 */
	const struct enqueued *results;
};

/* For whom an item is enqueued, and when; what it is given lives until the batch ends. */
struct enqueuer {
	struct persist *persist;
	struct arena *arena;
	int64_t tenant, now_ms;
	struct str name; /* where the item does not say who enqueues it */
};

/* What is given has been checked, and what it depends on looked up. */
enum err enqueue_for(const struct enqueuer *by, const struct work_new *in, struct work_spec_dependency *depends,
		     size_t depends_count, struct item **out, bool *existed, struct problem *p);

enum err enqueue_one(struct call *c, const struct work_new *in, const struct batch_entries *others,
		     struct item **out, bool *existed, struct problem *p);

/* Each on its own, in an order in which each stands after those it depends on; `part` counts in that order, and
 * c->found keeps it from one part to the next. What became of them so far, in the order of `items`; NULL: no
 * memory. */
const struct enqueued *enqueue_batch(struct call *c, const struct work_new *items, size_t count,
				     const struct part *part);

/* Revives a failed or cancelled item, and then, one after another, those that failed because of it. */
enum err revive_with_felled(struct call *c, int64_t id, struct item **out);

#endif
