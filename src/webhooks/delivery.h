/*
 * Deliveries on their way, inside the job's transaction: what is due is leased and handed to the sender after the
 * commit; what came of it is written.
 *
 *                   due: leased                     2xx
 *   WAITING ─────────────────────────► on its way ───────► DELIVERED
 *      ▲  ▲                             │  │ 410, or the tenth attempt failed
 *      │  └──── failed: after a while ──┘  └───────────────► DEAD ──┐
 *      │        lease lapsed: at once                               │
 *      └─────────────────────── replayed ◄──────────────────────────┘
 *
 * 410 disables the webhook as well, and so does a delivery that died without any other of the webhook having been taken
 * since it was made.
 */
#ifndef TENFOLD_WEBHOOKS_DELIVERY_H
#define TENFOLD_WEBHOOKS_DELIVERY_H

#include "base/rng.h"
#include "store/queries.h"
#include "webhooks/sender.h"

enum {
	DELIVERY_LEASE_MS = 2 * SENDER_TIMEOUT_MS,
	DELIVERIES_SETTLED_MAX = 64, /* in one transaction */
	DELIVERIES_CLAIMED_MAX = 64
};

/* One transaction of the job. */
struct delivery_run {
	struct db *db;
	struct arena *arena;
	struct sender *sender;
	struct rng *rng;
	int64_t now_ms;    /* by the store's clock */
	int64_t leased_ns; /* clock_mono_ns() before it: from then on the leases run */

	struct sender_attempt attempts[DELIVERIES_CLAIMED_MAX]; /* to be sent after the commit */
	size_t attempt_count;
	size_t settled; /* outcomes written, for sender_settled() after the commit */
	bool more;
	int64_t next_ms; /* when something is due again, on the store's clock; 0: never */
};

enum err deliveries_settle(struct delivery_run *r);
enum err deliveries_claim(struct delivery_run *r);
/* Clears away what is old, a bounded piece of it. *count: rows that went. */
enum err deliveries_clear(struct delivery_run *r, size_t *count);

#endif
