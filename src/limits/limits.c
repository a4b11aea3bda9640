/*
 * Buckets in two tables of 64 shards, each with a lock of its own. A bucket stands in one of the WINDOW places that
 * follow its hash, which is seeded, so that nobody can choose names that fall together.
 */
#include "limits/limits_priv.h"

#include "base/magic.h"

#include <string.h>

enum { PLACES = 65536, WINDOW = 16, MS_S = 1000 };

/* ---- life ---- */

static void init_table(struct limits_table *t, size_t places)
{
	t->places = must_alloc(places * sizeof(*t->places));
	t->mask = places - 1;
}

static void init_tiers(struct limits *l, const struct limits_config *config)
{
	CHECK(config->tier_count >= 1 && config->tier_count <= LIMITS_TIERS_MAX);
	for (unsigned i = 0; i < config->tier_count; i++) {
		const struct limits_tier *t = &config->tiers[i];

		CHECK(t->per_minute >= 0 && t->per_minute <= LIMITS_PER_MINUTE_MAX);
		CHECK(t->per_minute == 0 || (t->burst >= 1 && t->burst <= LIMITS_BURST_MAX));
		l->tiers[i] = *t;
		l->overflow[i].level = limits_capacity(t);
		l->overflow[i].tier = (uint8_t)i;
	}
	l->tier_count = config->tier_count;
}

struct limits *limits_new(const struct limits_config *config)
{
	struct limits *l = NEW(struct limits);
	size_t wanted = config->places ? config->places : PLACES, places = 1;

	while (places * LIMITS_SHARDS < wanted)
		places *= 2;
	init_tiers(l, config);
	l->seed = config->seed;
	pthread_mutex_init(&l->overflow_lock, NULL);
	l->shards = aligned_alloc(_Alignof(struct limits_shard), LIMITS_SHARDS * sizeof(*l->shards));
	CHECK(l->shards != NULL);
	memset(l->shards, 0, LIMITS_SHARDS * sizeof(*l->shards));
	for (size_t i = 0; i < LIMITS_SHARDS; i++) {
		pthread_mutex_init(&l->shards[i].lock, NULL);
		init_table(&l->shards[i].ids, places);
		init_table(&l->shards[i].addresses, places);
	}
	return l;
}

void limits_destroy(struct limits **l)
{
	if (!*l)
		return;
	sharing_free(&(*l)->sharing);
	for (size_t i = 0; i < LIMITS_SHARDS; i++) {
		free((*l)->shards[i].ids.places);
		free((*l)->shards[i].addresses.places);
		pthread_mutex_destroy(&(*l)->shards[i].lock);
	}
	pthread_mutex_destroy(&(*l)->overflow_lock);
	free((*l)->shards);
	free(*l);
	*l = NULL;
}

/* ---- one bucket ---- */

int64_t limits_capacity(const struct limits_tier *t)
{
	return t->burst * LIMITS_UNITS;
}

static void fill(struct bucket *b, const struct limits_tier *t, int64_t now_ms)
{
	int64_t missing = limits_capacity(t) - b->level, passed_ms = now_ms - b->at_ms;

	if (passed_ms <= 0 || t->per_minute == 0)
		return;
	b->level += passed_ms > missing / t->per_minute ? missing : passed_ms * t->per_minute;
	b->at_ms = now_ms;
}

static int32_t seconds_for(int64_t units, const struct limits_tier *t)
{
	int64_t per_second = t->per_minute * MS_S, s = units <= 0 ? 0 : (units + per_second - 1) / per_second;

	return s > INT32_MAX ? INT32_MAX : (int32_t)s;
}

static struct limits_answer take(struct bucket *b, const struct limits_tier *t, int64_t now_ms, unsigned cost)
{
	int64_t capacity = limits_capacity(t), units = (cost < t->burst ? cost : t->burst) * LIMITS_UNITS;
	bool allowed;

	fill(b, t, now_ms);
	if (b->level > capacity) /* it was of a larger tier */
		b->level = capacity;
	allowed = b->level >= units;
	if (allowed) {
		b->level -= units;
		b->used += units;
	}
	return (struct limits_answer){
		.allowed = allowed,
		.limit = t->burst,
		.remaining = b->level > 0 ? b->level / LIMITS_UNITS : 0,
		.window_s = seconds_for(capacity, t),
		.reset_s = seconds_for(capacity - b->level, t),
		.retry_after_s = allowed ? 0 : seconds_for(units - b->level, t),
	};
}

/* ---- finding it ---- */

static uint64_t hash_of(const struct limits *l, struct limits_key k)
{
	uint64_t words[2] = {(uint64_t)k.id, k.kind};

	return str_hash_seed((struct str){(const char *)words, sizeof(words)}, l->seed);
}

static struct limits_shard *shard_of(const struct limits *l, uint64_t hash)
{
	return &l->shards[hash >> 58];
}

static struct limits_table *table_of(struct limits_shard *s, struct limits_key k)
{
	return k.kind == LIMITS_ADDRESS ? &s->addresses : &s->ids;
}

static size_t window(const struct limits_table *t)
{
	return t->mask < WINDOW ? t->mask + 1 : WINDOW;
}

static struct bucket *find(const struct limits_table *t, uint64_t hash, struct limits_key k)
{
	for (size_t i = 0; i < window(t); i++) {
		struct bucket *b = &t->places[(hash + i) & t->mask];

		if (b->taken && b->id == k.id && b->kind == k.kind)
			return b;
	}
	return NULL;
}

/* How far from full, were it looked at now; what the others have yet to hear of does not go. */
static int64_t missing(const struct limits *l, struct bucket *b, int64_t now_ms)
{
	const struct limits_tier *t = &l->tiers[b->tier];

	if (!b->taken)
		return 0;
	fill(b, t, now_ms);
	return l->sharing && b->asked ? INT64_MAX : limits_capacity(t) - b->level;
}

/* Of the places that it may have, the one that holds least. */
static struct bucket *idlest(const struct limits *l, const struct limits_table *t, uint64_t hash, int64_t now_ms,
			     int64_t *least)
{
	struct bucket *best = NULL;

	for (size_t i = 0; i < window(t); i++) {
		struct bucket *b = &t->places[(hash + i) & t->mask];
		int64_t m = missing(l, b, now_ms);

		if (!best || m < *least) {
			best = b;
			*least = m;
		}
		if (m <= 0)
			break;
	}
	return best;
}

/* A full one in a place of its own; NULL when it is to share one. */
static struct bucket *settle(const struct limits *l, struct limits_shard *s, uint64_t hash, struct limits_key k,
			     unsigned tier, int64_t now_ms)
{
	struct limits_table *t = table_of(s, k);
	int64_t least = 0;
	struct bucket *b = idlest(l, t, hash, now_ms, &least);

	if (least > 0 && k.kind == LIMITS_ADDRESS)
		return NULL;
	s->evicted += least > 0;
	s->asked -= b->asked;
	t->taken += !b->taken;
	*b = (struct bucket){.id = k.id,
			     .level = limits_capacity(&l->tiers[tier]),
			     .at_ms = now_ms,
			     .kind = k.kind,
			     .taken = true};
	return b;
}

static struct limits_answer take_own(struct limits *l, struct limits_shard *s, struct bucket *b, unsigned tier,
				     int64_t now_ms, unsigned cost)
{
	struct limits_answer a;

	b->tier = (uint8_t)tier;
	a = take(b, &l->tiers[tier], now_ms, cost);
	s->asked += !b->asked;
	b->asked = true;
	s->allowed += a.allowed;
	s->refused += !a.allowed;
	return a;
}

static struct limits_answer take_shared(struct limits *l, struct limits_shard *s, unsigned tier, int64_t now_ms,
					unsigned cost)
{
	struct limits_answer a;

	pthread_mutex_lock(&l->overflow_lock);
	a = take(&l->overflow[tier], &l->tiers[tier], now_ms, cost);
	pthread_mutex_unlock(&l->overflow_lock);
	pthread_mutex_lock(&s->lock);
	s->overflowed++;
	s->allowed += a.allowed;
	s->refused += !a.allowed;
	pthread_mutex_unlock(&s->lock);
	return a;
}

struct limits_answer limits_take(struct limits *l, int64_t now_ms, struct limits_key k, unsigned tier,
				 unsigned cost)
{
	struct limits_answer a = {.allowed = true};
	struct limits_shard *s;
	struct bucket *b;
	uint64_t hash;

	CHECK(tier < l->tier_count);
	if (l->tiers[tier].per_minute == 0)
		return a;
	hash = hash_of(l, k);
	s = shard_of(l, hash);
	pthread_mutex_lock(&s->lock);
	b = find(table_of(s, k), hash, k);
	if (!b)
		b = settle(l, s, hash, k, tier, now_ms);
	if (b)
		a = take_own(l, s, b, tier, now_ms, cost);
	pthread_mutex_unlock(&s->lock);
	return b ? a : take_shared(l, s, tier, now_ms, cost);
}

/* ---- for sharing ---- */

static size_t news_of(struct limits_shard *s, struct limits_table *t, size_t from, size_t to,
		      struct limits_news *news, size_t max)
{
	size_t n = 0;

	for (size_t i = from; i < to && n < max && s->asked > 0; i++) {
		struct bucket *b = &t->places[i];

		if (!b->taken || !b->asked)
			continue;
		news[n++] = (struct limits_news){{b->id, b->kind}, b->tier, b->used, 0};
		b->asked = false;
		b->used = 0;
		s->asked--;
	}
	return n;
}

/* A few places at a time, so that the lock is never held for long. */
static size_t news_of_table(struct limits_shard *s, struct limits_table *t, struct limits_news *news, size_t max)
{
	enum { STEP = 64 };
	size_t n = 0;

	for (size_t from = 0; from <= t->mask && n < max; from += STEP) {
		size_t to = from + STEP <= t->mask ? from + STEP : t->mask + 1;

		pthread_mutex_lock(&s->lock);
		n += news_of(s, t, from, to, news + n, max - n);
		pthread_mutex_unlock(&s->lock);
	}
	return n;
}

size_t limits_news_take(struct limits *l, size_t shard, struct limits_news *news, size_t max)
{
	struct limits_shard *s = &l->shards[shard];
	bool any;
	size_t n;

	pthread_mutex_lock(&s->lock);
	any = s->asked > 0;
	pthread_mutex_unlock(&s->lock);
	if (!any)
		return 0;
	n = news_of_table(s, &s->ids, news, max);
	return n + news_of_table(s, &s->addresses, news + n, max - n);
}

void limits_news_learn(struct limits *l, const struct limits_news *n, int64_t now_ms)
{
	uint64_t hash = hash_of(l, n->key);
	struct limits_shard *s = shard_of(l, hash);
	struct bucket *b;

	pthread_mutex_lock(&s->lock);
	b = find(table_of(s, n->key), hash, n->key);
	if (b) {
		b->level = n->level - b->used;
		b->at_ms = now_ms;
	}
	pthread_mutex_unlock(&s->lock);
}

/* ---- figures ---- */

void limits_stats_get(struct limits *l, struct limits_stats *out)
{
	*out = (struct limits_stats){0};
	for (size_t i = 0; i < LIMITS_SHARDS; i++) {
		struct limits_shard *s = &l->shards[i];

		pthread_mutex_lock(&s->lock);
		out->allowed += s->allowed;
		out->refused += s->refused;
		out->overflowed += s->overflowed;
		out->evicted += s->evicted;
		out->places += s->ids.taken + s->addresses.taken;
		pthread_mutex_unlock(&s->lock);
	}
	if (l->sharing)
		sharing_stats(l->sharing, out);
}
