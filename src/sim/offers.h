/*
 * Which offers an agent gets, period by period.
 *
 * Every period (7 days) an agent gets `front` offers of the front-store pool and `other` of the rest, each good for
 * `expiry` days, none that it got within the last `apart` days (28, both ends in). So five periods in a row share no
 * offer, and 2 + 30 of them need pools of 10 and 150. Where a pool is smaller, each of its offers is given once in
 * those five, in the first of them as many as wanted, and what is missing is reported as short.
 *
 * An agent's offers are a pure function of (seed, agent, number of the period): each pool is put into an order of the
 * agent's own, and the periods take what follows, around and around. So nothing has to be kept, two who ask at once
 * get the same, and a resume goes on where it was.
 */
#ifndef TENFOLD_SIM_OFFERS_H
#define TENFOLD_SIM_OFFERS_H

#include <stdint.h>

enum { OFFERS_MAX = 256, OFFERS_POOL_MAX = 4096 };

struct offer_rules {
	uint32_t period_days, expiry_days, apart_days; /* period_days at least 1 */
	uint32_t front, other;                         /* given each period, together at most OFFERS_MAX */
	uint32_t front_pool, other_pool;               /* how many there are, each at most OFFERS_POOL_MAX */
};

struct offers {
	uint32_t count;
	uint32_t offer[OFFERS_MAX]; /* 0..front_pool-1: front-store; front_pool.. : the others */
	uint32_t short_front, short_other;
};

extern const struct offer_rules offers_default; /* 7, 14, 28 days; 2 + 30 of 50 + 150 */

void offers_of(const struct offer_rules *r, uint64_t seed, uint32_t agent, uint32_t period, struct offers *out);

#endif
