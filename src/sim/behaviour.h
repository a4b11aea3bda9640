/*
 * How a population behaved, counted session by session: what realism is judged by. Plain data of a size that does not
 * depend on how long a run is, but for 128 bytes a simulated day; two bytes an agent.
 *
 * It is of sessions in which something can be bought, by what the scenario keeps as "items": how many things were in
 * the cart at the end, bought or left. Where it keeps none, carts and baskets are not counted.
 *
 * Gaps are of whole days, from the date of a purchase to that of the agent's next. Who is not followed for long enough
 * has no gap, and leaving those out would make gaps look short; so purchases are counted by their day, and a question
 * about the g days after is put only to those of which g days were seen.
 */
#ifndef TENFOLD_SIM_BEHAVIOUR_H
#define TENFOLD_SIM_BEHAVIOUR_H

#include "sim/scenario.h"
#include "store/store.h"

enum { BEHAVIOUR_BASKET_MAX = 1000, BEHAVIOUR_GAP_MAX = 30, BEHAVIOUR_HOURS = 24, BEHAVIOUR_WEEKDAYS = 7 };

struct behaviour_day {
	uint32_t bought, again[BEHAVIOUR_GAP_MAX + 1]; /* purchases; of them, with the next so many days later */
};

struct behaviour {
	uint32_t agents;
	/* What could be seen: hours of agents, all and by hour of the day and day of the week (Monday first), UTC. */
	uint64_t seen, seen_hour[BEHAVIOUR_HOURS], seen_weekday[BEHAVIOUR_WEEKDAYS];
	uint64_t completed, abandoned, failed; /* sessions; those that failed are in no figure */
	bool keeps_items;
	uint64_t carts, carts_bought; /* with something in them */
	/* Purchases with something in them: by items (more than the last count as that), mean, squares off the mean. */
	uint64_t basket[BEHAVIOUR_BASKET_MAX + 1];
	double basket_mean, basket_squares;
	uint64_t bought_hour[BEHAVIOUR_HOURS], bought_weekday[BEHAVIOUR_WEEKDAYS];
	int64_t began_ms, end_ms; /* simulated: the first cycle's beginning, -1 before it; the last one's end */
	struct behaviour_day *days;
	uint32_t day_count, day_room;
	uint16_t *last; /* by agent: the day of its last purchase, from 1; 0: none */
};

struct behaviour *behaviour_new(uint32_t agents);
void behaviour_free(struct behaviour **b);

/* A cycle, which is an hour, and how many agents took part; cycles in their order. */
void behaviour_cycle(struct behaviour *b, int64_t began_ms, uint64_t agents);

struct behaviour_visit {
	uint32_t agent;
	enum outcome_kind how;
	int64_t at_ms; /* simulated, within a cycle */
	double items;  /* NAN: not kept */
};
/* After its cycle; those of an agent in their order. */
void behaviour_session(struct behaviour *b, const struct behaviour_visit *v);

/* Purchases whose next `days` days, 0 to BEHAVIOUR_GAP_MAX, were seen to their end, by the gap to the agent's next:
 * gaps[g] for g up to `days`; how many purchases there were, with those that had no other by then. */
uint64_t behaviour_gaps(const struct behaviour *b, unsigned days, uint64_t gaps[BEHAVIOUR_GAP_MAX + 1]);

/* What the outcomes of a run mean, by name. */
struct behaviour_outcomes {
	const struct str *names;
	const enum outcome_kind *kinds;
	unsigned count;
};
/* The records of a run's whole cycles, each cycle as of the last time that it ran. Sessions with an outcome that is
 * none of those count as failed. */
enum err behaviour_read(struct db *db, int64_t run, uint32_t agents, const struct behaviour_outcomes *outcomes,
			struct behaviour **out);

#endif
