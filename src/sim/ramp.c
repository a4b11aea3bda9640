/* See ramp.h. */
#include "sim/ramp.h"

#include "base/magic.h"
#include "sim/draws.h"

static const uint8_t percent[] = {10, 25, 50, 75};
enum { STAGES = sizeof(percent) };

struct place {
	uint64_t hash;
	uint32_t agent;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->agent < y->agent ? -1 : x->agent > y->agent;
}

static uint64_t hash_of(uint64_t seed, uint32_t agent)
{
	struct draws d;
	uint64_t high;

	draws_begin(&d, seed, DRAW_RAMP, agent, 0, 0);
	high = draws_u32(&d);
	return high << 32 | draws_u32(&d);
}

void ramp_init(struct ramp *r, uint64_t seed, uint32_t agents, uint32_t cycles)
{
	struct place *order;

	*r = (struct ramp){.agents = agents, .cycles = cycles};
	if (cycles == 0)
		return;
	order = must_alloc((size_t)agents * sizeof(*order));
	for (uint32_t i = 0; i < agents; i++)
		order[i] = (struct place){hash_of(seed, i), i};
	qsort(order, agents, sizeof(*order), compare_places);
	r->rank = must_alloc((size_t)agents * sizeof(*r->rank));
	for (uint32_t i = 0; i < agents; i++)
		r->rank[order[i].agent] = i;
	free(order);
}

void ramp_free(struct ramp *r)
{
	free(r->rank);
	r->rank = NULL;
}

uint32_t ramp_admitted(const struct ramp *r, uint32_t cycle)
{
	if (cycle >= r->cycles)
		return r->agents;
	return (uint32_t)((uint64_t)r->agents * percent[(uint64_t)cycle * STAGES / r->cycles] / 100);
}

uint32_t group_of(struct str agent_id, uint32_t groups)
{
	CHECK(groups > 0);
	return (uint32_t)(str_hash(agent_id) % groups);
}
