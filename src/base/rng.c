/*
 * Two sources behind one call. The system one takes libsodium's bytes by the pool and wipes each word it hands
 * out, so that a later look at memory shows no key that was made from it. The seeded one is SplitMix64 (Steele,
 * Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014): 64 bits of state, any seed will do.
 */
#include "base/rng.h"

#include "base/magic.h"

#include <sodium.h>

static uint64_t system_next(struct rng *r)
{
	uint64_t word;

	if (r->buffered == 0) {
		randombytes_buf(r->pool, sizeof(r->pool));
		r->buffered = sizeof(r->pool) / sizeof(r->pool[0]);
	}
	word = r->pool[--r->buffered];
	r->pool[r->buffered] = 0;
	return word;
}

void rng_system_init(struct rng *r)
{
	CHECK(sodium_init() >= 0);
	*r = (struct rng){.next = system_next};
}

uint64_t rng_system_word(void)
{
	uint64_t word;

	CHECK(sodium_init() >= 0);
	randombytes_buf(&word, sizeof(word));
	return word;
}

static uint64_t seeded_next(struct rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void rng_seeded_init(struct rng *r, uint64_t seed)
{
	*r = (struct rng){.next = seeded_next, .state = seed};
}

uint64_t rng_below(struct rng *r, uint64_t bound)
{
	uint64_t uneven, word;

	CHECK(bound > 0);
	uneven = (0 - bound) % bound; /* 2^64 mod bound: so many words would favour the small results */
	do
		word = rng_u64(r);
	while (word < uneven);
	return word % bound;
}
