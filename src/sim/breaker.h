/*
 * When to stop and let a person look: too many agents failing in one cycle, or a target that is not there.
 *
 *           more failures than are borne, or `down_after` calls in a row that found nobody
 *   CLOSED ────────────────────────────────────────────────────────────────────────────► OPEN
 *      ▲                                                                                   │
 *      └─────── sim_breaker_resume(): a person, or the cooldown's end; counts begin anew ──┘
 *
 * Borne are floor(percent * agents / 100) failures, of the agents admitted in the cycle, also while the run is warming
 * up; successes do not matter. 5 % of 372 is 18.6: the 19th failure opens it. One thread at a time.
 */
#ifndef TENFOLD_SIM_BREAKER_H
#define TENFOLD_SIM_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum sim_breaker_cause { SIM_BREAKER_CLOSED, SIM_BREAKER_FAILURES, SIM_BREAKER_TARGET_DOWN };

struct sim_breaker {
	double percent;        /* 0..100 */
	uint32_t min_failures; /* never opens below so many: 5 % of 37 would be the second */
	uint32_t
		down_after; /* calls in a row that found nobody (refused, no name, no connection in time); 0: as many as they are */
	enum sim_breaker_cause cause; /* why it is open */
	uint32_t agents, failures, down_in_a_row;
	uint32_t trips; /* in all */
};

void sim_breaker_init(struct sim_breaker *b, double percent, uint32_t min_failures, uint32_t down_after);
void sim_breaker_cycle(struct sim_breaker *b, uint32_t agents); /* a cycle begins with so many agents admitted */
/* Each returns true when this is what opened it. */
bool sim_breaker_failed(struct sim_breaker *b);   /* an agent's session failed */
bool sim_breaker_nobody(struct sim_breaker *b);   /* a call found nobody there */
void sim_breaker_answered(struct sim_breaker *b); /* a call got an answer, whatever it said */
void sim_breaker_resume(struct sim_breaker *b);
uint32_t sim_breaker_borne(const struct sim_breaker *b); /* the most failures that do not open it in this cycle */

static inline bool sim_breaker_is_open(const struct sim_breaker *b)
{
	return b->cause != SIM_BREAKER_CLOSED;
}

#endif
