/*
 * What a run is going to need of its limiter, reckoned before it begins: agents who are active, times their calls, by
 * the rate, against the time of a cycle. 372 agents of which 40 % are active, with 6 calls each, at 50 requests a
 * second need 18 s of the 75 s that a cycle takes at time scale 48.
 */
#ifndef TENFOLD_SIM_BUDGET_H
#define TENFOLD_SIM_BUDGET_H

#include "base/buf.h"
#include "sim/engine.h"

struct budget {
	uint32_t agents;
	enum engine_model model;
	double calls;      /* of a session, as the scenario assumes */
	double assumed;    /* share of agents with a session in a cycle, as the scenario assumes; 0: it does not */
	double mean, peak; /* the same by its schedule: over a week, and at the busiest hour */
	int peak_weekday, peak_hour;
	double arrivals; /* of ARRIVALS: the most that come in a second */
	double rate;     /* requests a second; 0: no limit */
	double cycle_s;  /* 0: flat out */
};

void budget_of(const struct engine_config *c, struct budget *out);
double budget_requests(const struct budget *b, double share); /* of a cycle, with so many of the agents active */
double budget_seconds(const struct budget *b, double share);  /* that the limiter needs for them; 0: no limit */
/* False when it cannot fit; also with ARRIVALS when more come than the rate lets through. */
bool budget_fits(const struct budget *b);
/* A few lines for people, the last of them a warning when it does not fit. */
void budget_write(const struct budget *b, struct buf *out);

#endif
