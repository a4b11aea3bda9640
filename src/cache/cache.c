/*
 * What callers on any thread see: looking up, and telling what has changed. Loading is in fill.c.
 *
 * A group is a number that only grows, in a table by the group's hash; one more is that of everything. An entry's
 * stamp is the sum of those it depends on, read before its row was: the sum is the same later exactly if none has
 * grown.
 */
#include "cache/cache_priv.h"

#include "base/clock.h"
#include "base/magic.h"

#include <string.h>

enum {
	SHARD_BYTES = 1 << 20, /* about as many bytes for each shard */
	SHARD_BITS_MAX = 6,
	BYTES_PER_GENERATION = 1024,
	GENERATIONS_MAX = 16384,
	MAX_BYTES_MIN = 64 << 10,
};

/* ---- life ---- */

static void init_generations(struct cache *c, size_t max_bytes)
{
	size_t n = 16;

	while (2 * n <= GENERATIONS_MAX && 2 * n * BYTES_PER_GENERATION <= max_bytes)
		n *= 2;
	c->generation_mask = n - 1;
	c->generations = must_alloc((n + 1) * sizeof(*c->generations));
}

static void init_shards(struct cache *c, const struct cache_config *config)
{
	size_t count, bytes;

	while (c->shard_bits < SHARD_BITS_MAX && config->max_bytes >> (c->shard_bits + 1) >= SHARD_BYTES)
		c->shard_bits++;
	count = (size_t)1 << c->shard_bits;
	bytes = (config->max_bytes - cache_malloc_bytes(c->generations)) / count;
	c->shards = aligned_alloc(_Alignof(struct cache_shard), count * sizeof(*c->shards));
	CHECK(c->shards != NULL);
	memset(c->shards, 0, count * sizeof(*c->shards));
	for (size_t i = 0; i < count; i++)
		shard_init(&c->shards[i], bytes, config->redis != NULL, config->seed + i);
}

struct cache *cache_new(const struct cache_config *config)
{
	struct cache *c = NEW(struct cache);

	CHECK(config->max_bytes >= MAX_BYTES_MIN);
	c->seed = config->seed;
	c->wait_ms = config->wait_ms ? config->wait_ms : CACHE_WAIT_MS;
	atomic_init(&c->trusted_until_ms, INT64_MIN);
	init_generations(c, config->max_bytes);
	init_shards(c, config);
	if (config->redis)
		c->shared = shared_new(config, config->shared_ttl_ms ? config->shared_ttl_ms : CACHE_SHARED_TTL_MS);
	return c;
}

void cache_destroy(struct cache **c)
{
	if (!*c)
		return;
	shared_free(&(*c)->shared);
	for (size_t i = 0; i < (size_t)1 << (*c)->shard_bits; i++)
		shard_free(&(*c)->shards[i]);
	free((*c)->shards);
	free((*c)->generations);
	free(*c);
	*c = NULL;
}

/* ---- looking up ---- */

uint64_t cache_hash(const struct cache *c, struct str name)
{
	return str_hash_seed(name, c->seed);
}

struct cache_shard *cache_shard(const struct cache *c, uint64_t hash)
{
	return &c->shards[c->shard_bits ? hash >> (64 - c->shard_bits) : 0];
}

/* The first is that of everything. */
static atomic_ullong *generation_of(const struct cache *c, int64_t group)
{
	uint64_t h = (uint64_t)group * 0x9e3779b97f4a7c15;

	return &c->generations[1 + ((h ^ h >> 32) & c->generation_mask)];
}

uint64_t cache_stamp(const struct cache *c, const int64_t groups[CACHE_GROUPS])
{
	uint64_t sum = atomic_load(&c->generations[0]);

	for (size_t i = 0; i < CACHE_GROUPS; i++)
		if (groups[i])
			sum += atomic_load(generation_of(c, groups[i]));
	return sum;
}

bool cache_trusted(const struct cache *c, int64_t now_ms)
{
	return now_ms <= atomic_load(&c->trusted_until_ms);
}

struct cache_blob *cache_lookup(struct cache *c, struct cache_shard *s, uint64_t hash, struct str name,
				int64_t now_ms)
{
	struct cache_entry *e = shard_find(s, hash, name);

	if (!e || e->blob->expires_ms <= now_ms || e->stamp != cache_stamp(c, e->groups))
		return NULL;
	e->used = true;
	return cache_blob_hold(e->blob);
}

struct cache_blob *cache_get(struct cache *c, const struct cache_key *k, int64_t now_ms)
{
	uint64_t hash = cache_hash(c, k->name);
	struct cache_shard *s = cache_shard(c, hash);
	bool trusted = cache_trusted(c, now_ms);
	struct cache_blob *b = NULL;

	pthread_mutex_lock(&s->lock);
	if (trusted)
		b = cache_lookup(c, s, hash, k->name, now_ms);
	s->stats.hits += b != NULL;
	s->stats.misses += b == NULL;
	s->stats.distrusted += !trusted;
	pthread_mutex_unlock(&s->lock);
	return b;
}

/* ---- what has changed ---- */

void cache_invalidate(struct cache *c, const struct cache_key *k, int64_t version, int64_t now_ms)
{
	uint64_t hash = cache_hash(c, k->name);
	struct cache_shard *s = cache_shard(c, hash);
	int64_t floor = version ? version : INT64_MAX;
	struct cache_entry *e;

	pthread_mutex_lock(&s->lock);
	e = shard_find(s, hash, k->name);
	if (e && e->blob->version < floor)
		shard_unlink(s, e);
	else
		e = NULL;
	cache_fills_void(s, hash, k->name, floor);
	if (c->shared && k->shared)
		floors_raise(&s->floors, hash, floor, now_ms, now_ms + shared_life_ms(c->shared));
	s->stats.invalidations++;
	pthread_mutex_unlock(&s->lock);
	cache_entry_free_all(e);
	if (c->shared && k->shared)
		shared_invalidate(c->shared, k->name, version);
}

void cache_invalidate_group(struct cache *c, int64_t group)
{
	CHECK(group != 0);
	atomic_fetch_add(generation_of(c, group), 1);
	atomic_fetch_add(&c->group_invalidations, 1);
}

void cache_flush(struct cache *c, int64_t now_ms)
{
	atomic_fetch_add(&c->generations[0], 1);
	atomic_fetch_add(&c->flushes, 1);
	if (c->shared)
		shared_told_since(c->shared, now_ms);
}

/* ---- whether to believe it ---- */

void cache_trust(struct cache *c, int64_t until_mono_ms)
{
	atomic_store(&c->trusted_until_ms, until_mono_ms);
}

void cache_told_since(struct cache *c, int64_t since_mono_ms)
{
	if (c->shared)
		shared_told_since(c->shared, since_mono_ms);
}

/* ---- figures ---- */

static void add_shard(struct cache_stats *out, struct cache_shard *s)
{
	const struct cache_stats *from = &s->stats;

	pthread_mutex_lock(&s->lock);
	out->hits += from->hits;
	out->misses += from->misses;
	out->distrusted += from->distrusted;
	out->loads += from->loads - from->shared_hits; /* of the fills that began */
	out->waits += from->waits;
	out->wait_timeouts += from->wait_timeouts;
	out->puts += from->puts;
	out->void_puts += from->void_puts;
	out->evictions += from->evictions;
	out->invalidations += from->invalidations;
	out->entries += from->entries;
	out->bytes += s->bytes + shard_table_bytes(s);
	out->shared_hits += from->shared_hits;
	out->shared_misses += from->shared_misses;
	out->shared_stale += from->shared_stale;
	pthread_mutex_unlock(&s->lock);
}

void cache_stats_get(struct cache *c, int64_t now_ms, struct cache_stats *out)
{
	struct shared_stats shared = {0};

	*out = (struct cache_stats){.bytes = cache_malloc_bytes(c->generations)};
	for (size_t i = 0; i < (size_t)1 << c->shard_bits; i++)
		add_shard(out, &c->shards[i]);
	out->group_invalidations = atomic_load(&c->group_invalidations);
	out->flushes = atomic_load(&c->flushes);
	if (c->shared)
		shared_stats_get(c->shared, now_ms, &shared);
	out->shared_lies = shared.lies;
	out->shared_errors = shared.errors;
	out->shared_writes = shared.writes;
	out->shared_dropped = shared.dropped;
	out->shared_waiting = shared.waiting;
	out->shared_open = shared.open;
}
