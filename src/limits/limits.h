/*
 * How much each caller may ask: a token bucket per key, agent or address.
 *
 * A bucket of a tier holds `burst` tokens and gains `per_minute` a minute; a call costs some and is refused when
 * they are not there. Buckets that are full again hold nothing worth knowing and make room for others. Addresses
 * and ids have a table each, both bounded, so that who cycles through addresses pushes no key out. When all places
 * for an address are taken by active ones, it shares one bucket of its tier with all others like it: a flood from
 * ever new addresses is limited as a whole, and those who were there first do not notice. When all places for an
 * id are taken, the one nearest to full makes room, which gives it back less than it would soon have had.
 *
 * With a Redis the nodes tell each other every 100 ms what was used. A bucket's level stands there, filled by the
 * clock of Redis, and may fall below zero: what N nodes admitted before they heard of each other is owed and paid
 * back. So in any time T up to 32 nodes admit at most burst + per_minute × T and N times what one node admits in
 * 100 ms. Without Redis each node limits alone.
 *
 *	struct limits_tier tiers[] = {[TIER_UNLIMITED] = {0}, [TIER_REGISTERED] = {600, 100}};
 *	l = limits_new(&(struct limits_config){.tiers = tiers, .tier_count = 2, .seed = rng_system_word()});
 *	if (redis)
 *		limits_share(l, redis, STR("tenfold"), &p);
 *	on a loop thread, for each call:
 *		a = limits_take(l, now_ms, limits_id(KIND_KEY, key.id), key.tier, 1);
 *		if (!a.allowed)
 *			… 429 with Retry-After: a.retry_after_s
 *		… RateLimit-Policy: "key";q=a.limit;w=a.window_s
 *		… RateLimit: "key";r=a.remaining;t=a.reset_s
 *
 * Times are monotonic milliseconds (clock_mono_ns() / 1000000; a test without Redis may have others), handed in;
 * one that goes back counts as standing still.
 */
#ifndef TENFOLD_LIMITS_LIMITS_H
#define TENFOLD_LIMITS_LIMITS_H

#include "base/problem.h"
#include "base/str.h"
#include "redis/redis.h"

#include <stddef.h>
#include <stdint.h>

enum {
	LIMITS_TIERS_MAX = 16,
	LIMITS_PER_MINUTE_MAX = 100000000,
	LIMITS_BURST_MAX = 100000000,
	LIMITS_SHARE_MS = 100,
	LIMITS_PREFIX_MAX = 128, /* bytes */
};

struct limits_tier {
	int64_t per_minute; /* 0: unlimited */
	int64_t burst;      /* at least 1 unless unlimited */
};

struct limits_config {
	const struct limits_tier *tiers; /* copied */
	unsigned tier_count;
	unsigned places; /* for ids, and as many for addresses; 0: 65,536 each, of 40 bytes */
	uint64_t seed;
};

struct limits;

struct limits *limits_new(const struct limits_config *config);
void limits_destroy(struct limits **l);

/* Whose bucket. `kind` is the caller's, 0 to 254: keys and agents may have the same id. */
struct limits_key {
	int64_t id;
	uint8_t kind;
};
enum { LIMITS_ADDRESS = 255 }; /* the kind of addresses */

static inline struct limits_key limits_id(uint8_t kind, int64_t id)
{
	return (struct limits_key){id, kind};
}

/* An IPv4 address, also when written as IPv6; of an IPv6 address the first 64 bits, for whoever has one of those
 * has them all; any other text as it is. */
struct limits_key limits_address(struct str text);

struct limits_answer {
	bool allowed;
	int64_t limit;         /* tokens that a full bucket holds; 0: unlimited, and all that follows is 0 */
	int64_t remaining;     /* whole tokens, 0 or more */
	int32_t window_s;      /* in which an empty bucket becomes full */
	int32_t reset_s;       /* until this one is full */
	int32_t retry_after_s; /* until the same call would be allowed; 0 when it was */
};

/* Takes `cost` tokens if they are there, else none. A cost over the burst counts as the burst. Any thread, loop
 * threads too: a lock held for the length of a lookup. A tier that is not there is a bug and aborts. */
struct limits_answer limits_take(struct limits *l, int64_t now_ms, struct limits_key k, unsigned tier,
				 unsigned cost);

/* ---- sharing ---- */

/* Starts the thread that tells Redis, borrowed, and learns from it every LIMITS_SHARE_MS. `prefix`, copied, is that
 * of the deployment's keys in Redis. Once, before limits_take() is called. */
enum err limits_share(struct limits *l, struct redis *r, struct str prefix, struct problem *p);

/* ---- figures, for tests ---- */

struct limits_stats {
	uint64_t allowed, refused;
	uint64_t overflowed;             /* calls of addresses that found no place of their own */
	uint64_t evicted;                /* ids that made room */
	uint64_t places;                 /* taken now */
	uint64_t shared, share_failures; /* rounds with Redis */
};
void limits_stats_get(struct limits *l, struct limits_stats *out);

#endif
