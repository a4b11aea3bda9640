/*
 * Replicas of a PostgreSQL store: reads go to one that is sound and has replayed what the reader has seen; else they
 * wait a little for one; else they go elsewhere, which is the primary.
 *
 *   post ──► a sound replica has replayed it ──► its pool ──► look again, on that very connection ──► run
 *     │        ▲ within wait_ms                     │ too busy       │ it has not                      │ it broke
 *     ├──► parked ── time is up, none is sound ──┐  │                │                                 │
 *     └──► none is sound, or another timeline ───┴──┴───────► elsewhere ◄──────────────────────────────┘
 *
 * A replica is sound while it answered within the last second, is a copy of the same database, is in recovery, receives
 * the timeline the primary is on, and lags no more than lag_max_ms. One thread for each replica and one for the primary
 * look how far they are; a read that needs it has them look at once. How far a replica lags is measured by the
 * primary's log alone: when was that where the replica is now? So clocks of servers do not matter.
 */
#ifndef TENFOLD_STORE_REPLICAS_H
#define TENFOLD_STORE_REPLICAS_H

#include "store/pool.h"

enum { REPLICAS_MAX = 16 };

struct replicas;

/* Whoever wants to read embeds it, and keeps it alive until it was run or given back. */
struct replica_read {
	struct task task;      /* for the pools */
	bool placed;           /* only where `seen` was replayed … */
	struct log_place seen; /* … with timeline 0: nowhere */
	int64_t since_ns;      /* private from here */
	struct replica_read *next;
};

struct replicas_config {
	struct store *primary; /* borrowed */
	const struct str *urls;
	size_t count;
	struct pool_limits limits; /* of the pool of each */
	int64_t lag_max_ms, wait_ms;
	/* On a thread of a pool. False: it could not be read there, and goes elsewhere. */
	bool (*run)(void *ctx, struct replica_read *read, struct db *db);
	/* None will do. Any thread. */
	void (*elsewhere)(void *ctx, struct replica_read *read);
	void *ctx;
	struct metrics *metrics; /* label replica: places in urls */
};

/* Asks the primary who it is; replicas may be away. ERR_USAGE naming the url that is none. */
enum err replicas_new(const struct replicas_config *config, struct replicas **out, struct problem *p);
/* What waits goes elsewhere. */
void replicas_destroy(struct replicas **r);

void replicas_post(struct replicas *r, struct replica_read *read); /* any thread */

int64_t replicas_system(const struct replicas *r); /* what all copies of the database have in common */

#endif
