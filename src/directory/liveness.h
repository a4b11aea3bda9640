/*
 * Whether an agent is alive, as far as its beats tell: pure rules over a row of `liveness`. No store, no clock.
 *
 *                      ┌──────────── beat in time, or never offline ────────────┐
 *              beat    ▼           silent for half                              │   silent for all
 *   UNKNOWN ───────► ONLINE ──────────────────────────────────────────────► SUSPECT ─────────────► OFFLINE
 *                      ▲                                                        ▲                    │
 *   MAINTENANCE ─beat──┘                                                        └────────beat────────┘
 *
 *   in          | beat                      | silent for half | silent for all
 *   UNKNOWN     | ONLINE                    |                 |
 *   ONLINE      | stays                     | SUSPECT         | OFFLINE (a late sweep)
 *   SUSPECT     | ONLINE; after OFFLINE not |                 | OFFLINE
 *               | before 2 beats in time    |                 |
 *   OFFLINE     | SUSPECT                   |                 |
 *   MAINTENANCE | ONLINE                    |                 |
 *
 * From anywhere an agent may say that it is ONLINE, OFFLINE or in MAINTENANCE.
 *
 * Silence is counted from the last beat, but not from before the sweep began to run without a gap: while no server
 * was there, nobody could beat. "All" is the threshold (--agent-silence). A beat is in time when it comes within half
 * of that after the one before. `streak` is 0 while offline, 1 after the first beat, 2 when all is well; only on the
 * way up from OFFLINE it is below 2.
 *
 * check_ms is when the sweep looks at the row next, 0 for never. A beat leaves it alone: it may come too early, never
 * too late.
 */
#ifndef TENFOLD_DIRECTORY_LIVENESS_H
#define TENFOLD_DIRECTORY_LIVENESS_H

#include "spec/types.h"
#include "store/queries.h"

/* Each moves *l on and answers whether its status flipped; then since_ms, flips and check_ms have moved, too. */
bool liveness_beat(struct liveness_row *l, int64_t now_ms, int64_t silence_ms);
bool liveness_say(struct liveness_row *l, enum agent_away away, int64_t now_ms, int64_t silence_ms);
/* watched_ms: since when the sweep has run without a gap. */
bool liveness_sweep(struct liveness_row *l, int64_t now_ms, int64_t watched_ms, int64_t silence_ms);

/* Without another beat by then it is suspect. */
int64_t liveness_due_ms(const struct liveness_row *l, int64_t silence_ms);

/*
 * Which share of a stretch up to now it was online, from its flips. A stretch begins at from_ms, or when the agent
 * ceased to be unknown if that was later.
 */
struct liveness_uptime {
	int64_t from_ms, now_ms;
	int64_t back_to_ms, online_ms; /* what has been counted, going back from now */
	enum agent_status status;      /* before that */
};
void liveness_uptime_begin(struct liveness_uptime *u, int64_t from_ms, int64_t now_ms, enum agent_status status);
void liveness_uptime_flip(struct liveness_uptime *u, const struct liveness_log_row *flip); /* newest first */
/* False when it was unknown all the time. */
bool liveness_uptime_end(struct liveness_uptime *u, double *share);

#endif
