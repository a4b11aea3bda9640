/*
 * Which agents take part while a run warms up, and which group each belongs to.
 *
 * The warm-up has four parts, equally long, with 10, 25, 50 and 75 per cent of the agents, rounded down; after it all
 * take part. Of 372 agents and 8 cycles: 37, 93, 186 and 279, two cycles each, and 372 from the ninth. Who is in at
 * one stage is in at all later ones; the order is by hash of the run's seed and the agent, so that it is not the first
 * of the list each time.
 */
#ifndef TENFOLD_SIM_RAMP_H
#define TENFOLD_SIM_RAMP_H

#include "base/str.h"

struct ramp {
	uint32_t agents, cycles; /* cycles of warm-up; 0: none */
	uint32_t *rank;          /* by agent: its place in the hashed order; NULL without a warm-up */
};

void ramp_init(struct ramp *r, uint64_t seed, uint32_t agents, uint32_t cycles);
void ramp_free(struct ramp *r);
uint32_t ramp_admitted(const struct ramp *r, uint32_t cycle); /* how many take part */
static inline bool ramp_admits(const struct ramp *r, uint32_t agent, uint32_t cycle)
{
	return r->rank == NULL || r->rank[agent] < ramp_admitted(r, cycle);
}

/* A stable hash of an agent's name (xxh3) modulo groups, which is not 0: the same in every run and every process. */
uint32_t group_of(struct str agent_id, uint32_t groups);

#endif
