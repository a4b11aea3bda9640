/*
 * A pool of P in the agent's order, n of it a period, none again for w periods. If P holds w + 1 periods' worth, period
 * k takes n from place k * n on, modulo P: a place comes again after at least floor(P / n) periods, which is more than
 * w. Else periods go in rounds of w + 1, and each round gives out the pool once, from its beginning: a place comes
 * again after exactly w + 1.
 */
#include "sim/offers.h"

#include "base/magic.h"
#include "sim/draws.h"

const struct offer_rules offers_default = {
	.period_days = 7,
	.expiry_days = 14,
	.apart_days = 28,
	.front = 2,
	.other = 30,
	.front_pool = 50,
	.other_pool = 150,
};

struct pool {
	uint32_t number; /* which one: each is put into an order of its own */
	uint32_t size, wanted;
	uint32_t first; /* what its first offer is called */
};

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* From which place on, and how many. */
static uint32_t places(const struct pool *p, uint32_t round, uint32_t period, uint64_t *from)
{
	if ((uint64_t)p->wanted * round <= p->size) {
		*from = (uint64_t)period * p->wanted;
		return p->wanted;
	}
	*from = smaller((uint64_t)(period % round) * p->wanted, p->size);
	return (uint32_t)smaller(p->wanted, p->size - *from);
}

/* Returns how many are missing. */
static uint32_t give(const struct pool *p, uint32_t round, uint64_t seed, uint32_t agent, uint32_t period,
		     struct offers *out)
{
	uint32_t order[OFFERS_POOL_MAX], count;
	struct draws d;
	uint64_t from;

	CHECK(p->size <= OFFERS_POOL_MAX);
	count = places(p, round, period, &from);
	if (count == 0)
		return p->wanted;
	draws_begin(&d, seed, DRAW_OFFER, agent, 0, p->number);
	draws_sample(&d, p->size, p->size, order);
	for (uint32_t i = 0; i < count; i++)
		out->offer[out->count++] = p->first + order[(from + i) % p->size];
	return p->wanted - count;
}

void offers_of(const struct offer_rules *r, uint64_t seed, uint32_t agent, uint32_t period, struct offers *out)
{
	struct pool front = {0, r->front_pool, r->front, 0}, other = {1, r->other_pool, r->other, r->front_pool};
	uint32_t round;

	CHECK(r->period_days > 0 && r->front <= OFFERS_MAX && r->other <= OFFERS_MAX - r->front);
	round = r->apart_days / r->period_days + 1;
	out->count = 0;
	out->short_front = give(&front, round, seed, agent, period, out);
	out->short_other = give(&other, round, seed, agent, period, out);
}
