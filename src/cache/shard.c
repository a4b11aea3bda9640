/*
 * A shard's entries: chains by hash, whose number of buckets never changes, so that nobody waits for a table to
 * grow; and all of them in a ring, the clock. The hand stands at the entry it looks at next; a new one is put
 * behind it, so it is looked at last, and must have been used until then to stay.
 */
#include "cache/cache_priv.h"

#include "base/cond.h"
#include "base/magic.h"

#include <string.h>

enum { BYTES_PER_BUCKET = 512, BUCKETS_MIN = 16, BYTES_PER_FLOOR_BYTE = 64 };

void shard_init(struct cache_shard *s, size_t max_bytes, bool shared, uint64_t seed)
{
	size_t buckets = BUCKETS_MIN;

	while (2 * buckets * BYTES_PER_BUCKET <= max_bytes)
		buckets *= 2;
	s->buckets = must_alloc(buckets * sizeof(struct cache_entry *));
	s->bucket_mask = buckets - 1;
	if (shared)
		floors_init(&s->floors, max_bytes / BYTES_PER_FLOOR_BYTE);
	CHECK(max_bytes > shard_table_bytes(s));
	s->max_bytes = max_bytes - shard_table_bytes(s);
	rng_seeded_init(&s->rng, seed);
	pthread_mutex_init(&s->lock, NULL);
	cond_mono_init(&s->settled);
}

size_t shard_table_bytes(const struct cache_shard *s)
{
	return sizeof(*s) + cache_malloc_bytes(s->buckets) + floors_bytes(&s->floors);
}

void shard_free(struct cache_shard *s)
{
	struct cache_entry *all = NULL;

	CHECK(s->fills == NULL);
	while (s->hand) {
		struct cache_entry *e = s->hand;

		shard_unlink(s, e);
		e->chain = all;
		all = e;
	}
	cache_entry_free_all(all);
	free(s->buckets);
	floors_free(&s->floors);
	pthread_cond_destroy(&s->settled);
	pthread_mutex_destroy(&s->lock);
}

/* ---- entries ---- */

struct cache_entry *cache_entry_new(const struct cache_fill *f, struct cache_blob *b)
{
	struct str name = f->key.name;
	struct cache_entry *e = must_alloc(sizeof(*e) + name.n);

	e->hash = f->hash;
	e->stamp = f->stamp;
	memcpy(e->groups, f->key.groups, sizeof(e->groups));
	e->blob = cache_blob_hold(b);
	e->name_length = (uint16_t)name.n;
	if (name.n)
		memcpy(e->name, name.p, name.n);
	e->bytes = cache_malloc_bytes(e) + cache_malloc_bytes(b);
	return e;
}

void cache_entry_free_all(struct cache_entry *chain)
{
	while (chain) {
		struct cache_entry *e = chain;

		chain = e->chain;
		cache_blob_drop(&e->blob);
		free(e);
	}
}

static struct cache_entry **bucket_of(const struct cache_shard *s, uint64_t hash)
{
	return &s->buckets[hash & s->bucket_mask];
}

struct cache_entry *shard_find(const struct cache_shard *s, uint64_t hash, struct str name)
{
	for (struct cache_entry *e = *bucket_of(s, hash); e; e = e->chain)
		if (e->hash == hash && str_eq((struct str){e->name, e->name_length}, name))
			return e;
	return NULL;
}

void shard_link(struct cache_shard *s, struct cache_entry *e)
{
	struct cache_entry **bucket = bucket_of(s, e->hash);

	e->chain = *bucket;
	*bucket = e;
	if (s->hand) {
		e->next = s->hand;
		e->previous = s->hand->previous;
		e->previous->next = e->next->previous = e;
	} else {
		e->next = e->previous = s->hand = e;
	}
	s->bytes += e->bytes;
	s->stats.entries++;
}

void shard_unlink(struct cache_shard *s, struct cache_entry *e)
{
	struct cache_entry **at = bucket_of(s, e->hash);

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	e->chain = NULL;
	e->next->previous = e->previous;
	e->previous->next = e->next;
	if (s->hand == e)
		s->hand = e->next == e ? NULL : e->next;
	s->bytes -= e->bytes;
	s->stats.entries--;
}
