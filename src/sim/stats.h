/*
 * What a run counts: totals that survive a checkpoint and a resume, and what is shown while it runs.
 *
 * Each thread counts its own into a struct counts; at a cycle's end they are added up in the order of the threads,
 * and the totals take over only whole cycles. So what a checkpoint holds is exact at its boundary.
 */
#ifndef TENFOLD_SIM_STATS_H
#define TENFOLD_SIM_STATS_H

#include "sim/latency.h"
#include "sim/record.h"

enum { STATS_OUTCOMES_MAX = 16 };

/* Latencies of one endpoint, ns. Service: from the first byte sent to the last read. Response: from when it should have
 * been sent, had nothing been slow, so a stall is felt by all who would have come during it (no coordinated omission).
 * Throttle: what the own limiter made it wait, which is in neither. */
struct latencies {
	struct latency service, response, throttle;
};
void latencies_merge(struct latencies *into, const struct latencies *from, unsigned endpoints);
void latencies_clear(struct latencies *l, unsigned endpoints);
void latencies_free(struct latencies **l, unsigned endpoints); /* the array as well */

/* Every plain count, once: COUNT(name, "what it counts"). */
#define COUNTS(COUNT)                                                                      \
	COUNT(agents_run, "Turns of agents: one for each that was admitted, and cycle.")   \
	COUNT(sessions, "Sessions that ended.")                                            \
	COUNT(idle_visits, "Visits of agents that had no session in a cycle.")             \
	COUNT(cleanups, "Cleanings up behind sessions that were cut off.")                 \
	COUNT(offer_rounds, "Rounds of offers, one for each agent and period.")            \
	COUNT(failures, "Sessions and visits that failed.")                                \
	COUNT(events, "Events of sessions and visits.")                                    \
	COUNT(requests, "Requests sent, or that would have been (--mock-api).")            \
	COUNT(requests_failed, "Requests without the answer that the scenario expects.")   \
	COUNT(retries, "Requests that were sent again because their step says so.")        \
	COUNT(held_429, "Answers 429, which hold everybody.")                              \
	COUNT(offers_assigned, "Offers given.")                                            \
	COUNT(offers_short, "Offers that could not be given, for want of fresh ones.")     \
	COUNT(late_arrivals, "Arrivals that began later than they should have, by 10 ms.") \
	COUNT(dropped_arrivals, "Arrivals that found no agent ready.")                     \
	COUNT(records, "Records handed to the recorder.")

struct counts {
#define COUNT(name, doc) uint64_t name;
	COUNTS(COUNT)
#undef COUNT
	uint64_t by_outcome[STATS_OUTCOMES_MAX]; /* sessions alone */
	double kept_sum[RECORD_KEPT_MAX];
	uint64_t kept_count[RECORD_KEPT_MAX];
};
void counts_add(struct counts *into, const struct counts *from);

#endif
