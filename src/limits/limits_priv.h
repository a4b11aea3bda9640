/*
 * Inside of the limits: buckets and their tables (limits.c), and what the nodes tell each other (share.c).
 *
 * A level is counted in units of 1/60,000 token: so a bucket gains exactly per_minute units each millisecond.
 */
#ifndef TENFOLD_LIMITS_LIMITS_PRIV_H
#define TENFOLD_LIMITS_LIMITS_PRIV_H

#include "limits/limits.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
	LIMITS_UNITS = 60000,
	LIMITS_SHARDS = 64,
	LIMITS_DEBT = 32, /* full buckets that one may owe: so many nodes are counted exactly */
};

struct bucket {
	int64_t id;
	int64_t level; /* units; below zero: owed */
	int64_t at_ms; /* when it was that */
	int64_t used;  /* units, not yet told to the others */
	uint8_t kind, tier;
	bool taken;
	bool asked; /* since the others were told: they are told, and asked, again */
};

struct limits_table {
	struct bucket *places;
	size_t mask, taken;
};

struct limits_shard {
	_Alignas(64) pthread_mutex_t lock;
	struct limits_table ids, addresses;
	size_t asked; /* buckets that were */
	uint64_t allowed, refused, overflowed, evicted;
};

struct limits {
	struct limits_tier tiers[LIMITS_TIERS_MAX];
	unsigned tier_count;
	uint64_t seed;
	struct limits_shard *shards;
	pthread_mutex_t overflow_lock;
	struct bucket overflow[LIMITS_TIERS_MAX];
	struct sharing *sharing; /* or NULL */
};

int64_t limits_capacity(const struct limits_tier *t);

/* ---- share.c ---- */

void sharing_free(struct sharing **s);
void sharing_stats(struct sharing *s, struct limits_stats *out);

/* Tells and asks about all that were asked for since the last time. */
enum err limits_share_once(struct limits *l);

/* ---- what share.c needs of the tables ---- */

/* One that was asked for. */
struct limits_news {
	struct limits_key key;
	uint8_t tier;
	int64_t used, level;
};

/* Takes up to `max` from the shard; returns how many. */
size_t limits_news_take(struct limits *l, size_t shard, struct limits_news *news, size_t max);
/* What all used together leaves at this moment. */
void limits_news_learn(struct limits *l, const struct limits_news *n, int64_t now_ms);

#endif
