/*
 * Random numbers: an object, so that a seed replays a failure. The system generator is unpredictable
 * (libsodium) and is what tokens and keys are made from; the seeded one is for tests and simulations.
 */
#ifndef TENFOLD_BASE_RNG_H
#define TENFOLD_BASE_RNG_H

#include <stdint.h>

struct rng {
	uint64_t (*next)(struct rng *);
	uint64_t state;
	uint32_t buffered; /* of the system generator: words left in pool */
	uint64_t pool[32];
};

void rng_system_init(struct rng *r); /* one per thread */
uint64_t rng_system_word(void);      /* a single one, cheaper than a generator for it */
void rng_seeded_init(struct rng *r, uint64_t seed);

static inline uint64_t rng_u64(struct rng *r)
{
	return r->next(r);
}
uint64_t rng_below(struct rng *r, uint64_t bound); /* uniform in [0, bound); bound > 0 */

#endif
