/*
 * When sessions arrive in the open model, and whose they are: so many a second of run time, whoever is ready.
 *
 * Evenly: the n-th arrives when the integral of the rate comes to n. As a Poisson process: the distances between them
 * are exponential, by that integral (time rescaling). What arrives in a cycle is drawn for that cycle, so a resume
 * goes on with the same.
 */
#ifndef TENFOLD_SIM_ARRIVALS_H
#define TENFOLD_SIM_ARRIVALS_H

#include "sim/calendar.h"
#include "sim/draws.h"

/* Arrivals a second: from `from` to `to` over the run, in a straight line, and `to` for ever after. */
struct arrival_plan {
	double from, to;
	double over_s; /* how long the run is to take; any when the two are the same */
	bool poisson;
};

struct arrivals {
	struct arrival_plan plan;
	uint64_t seed;
	uint32_t cycle, number; /* of the arrivals of this cycle */
	double reached;         /* the integral of the rate, at the next arrival */
	struct draws gaps;
};

void arrivals_init(struct arrivals *a, const struct arrival_plan *plan, uint64_t seed);
void arrivals_cycle(struct arrivals *a, uint32_t cycle, int64_t from_ns); /* from this time of the run on */
int64_t arrivals_due_ns(const struct arrivals *a);                        /* INT64_MAX: there are none more */
void arrivals_pass(struct arrivals *a);                                   /* on to the one after */
/* What is drawn to find whose it is; one stream for each arrival. */
void arrivals_draws(const struct arrivals *a, struct draws *d);
/* One of the agents, as often as it is eager. `most` is the highest weekly of them all. */
uint32_t arrivals_agent(struct draws *d, const struct eagerness *all, uint32_t agents, float most);

#endif
