/*
 * Loads. Each fill stands in its shard's list from cache_begin() to its end, so that an invalidation finds it. The
 * first of a key leads: others wait for it, unless it is void or they have waited long enough; then they load as
 * well.
 */
#include "cache/cache_priv.h"

#include "base/clock.h"
#include "base/magic.h"

#include <time.h>

enum { NS_MS = 1000000, NS_S = 1000000000, SWEEP_STEPS = 16 /* while the lock is held */ };
#define TTL_MAX_MS (INT64_C(366) * 24 * 3600 * 1000)

/* One that waits, in its caller's frame; under the shard's lock. */
struct cache_waiter {
	struct cache_waiter *next;
	struct cache_blob *blob;
	bool over;
};

/* ---- the list of fills, under the lock ---- */

static bool is_of(const struct cache_fill *f, uint64_t hash, struct str name)
{
	return f->hash == hash && str_eq(f->key.name, name);
}

static bool is_void(const struct cache_fill *f, int64_t version)
{
	return version < f->floor || f->stamp != cache_stamp(f->cache, f->key.groups);
}

/* One worth waiting for. */
static struct cache_fill *leader_of(const struct cache_shard *s, uint64_t hash, struct str name)
{
	for (struct cache_fill *f = s->fills; f; f = f->next)
		if (is_of(f, hash, name) && !f->follows && !is_void(f, 0))
			return f;
	return NULL;
}

static void enlist(struct cache_shard *s, struct cache_fill *f)
{
	f->next = s->fills;
	s->fills = f;
	s->stats.loads++;
}

static void delist(struct cache_shard *s, struct cache_fill *f)
{
	struct cache_fill **at = &s->fills;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
}

/* Lets those go who wait for it, with the blob if there is one. */
static void settle(struct cache_shard *s, struct cache_fill *f, struct cache_blob *b)
{
	if (!f->waiters)
		return;
	for (struct cache_waiter *w = f->waiters; w; w = w->next) {
		w->over = true;
		w->blob = b ? cache_blob_hold(b) : NULL;
	}
	f->waiters = NULL;
	pthread_cond_broadcast(&s->settled);
}

void cache_fills_void(struct cache_shard *s, uint64_t hash, struct str name, int64_t version)
{
	for (struct cache_fill *f = s->fills; f; f = f->next)
		if (is_of(f, hash, name)) {
			if (f->floor < version)
				f->floor = version;
			settle(s, f, NULL);
		}
}

/* ---- beginning ---- */

static void forget_waiter(struct cache_fill *f, const struct cache_waiter *w)
{
	struct cache_waiter **at = &f->waiters;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
}

static bool wait_until(struct cache_shard *s, int64_t until_ns)
{
	struct timespec t = {until_ns / NS_S, until_ns % NS_S};

	return pthread_cond_timedwait(&s->settled, &s->lock, &t) == 0;
}

/* What the leader came to, or NULL; *in_time is false when that took too long. */
static struct cache_blob *wait_for(struct cache_shard *s, struct cache_fill *leader, int64_t until_ns,
				   bool *in_time)
{
	struct cache_waiter w = {.next = leader->waiters};

	leader->waiters = &w;
	s->stats.waits++;
	while (!w.over && *in_time)
		*in_time = wait_until(s, until_ns);
	if (!w.over) {
		forget_waiter(leader, &w);
		s->stats.wait_timeouts++;
	}
	return w.blob;
}

/* A blob, from L1 or from another load; or NULL, and the fill has begun. */
static struct cache_blob *join(struct cache_shard *s, struct cache_fill *f, int64_t now_ms)
{
	int64_t until_ns = clock_mono_ns() + (int64_t)f->cache->wait_ms * NS_MS;
	struct cache_fill *leader = NULL;
	struct cache_blob *b = NULL;
	bool in_time = true;

	do {
		b = cache_lookup(f->cache, s, f->hash, f->key.name, now_ms);
		leader = b ? NULL : leader_of(s, f->hash, f->key.name);
		if (leader && in_time)
			b = wait_for(s, leader, until_ns, &in_time);
	} while (!b && leader && in_time);
	return b;
}

/* What L2 has, if it is not older than what was told. */
static struct cache_blob *ask_shared(struct cache_shard *s, struct cache_fill *f, int64_t now_ms)
{
	int64_t ttl_ms;
	struct cache_blob *b = shared_get(f->cache->shared, f->key.name, now_ms, &ttl_ms, &f->redis_ms);
	bool stale = false;

	pthread_mutex_lock(&s->lock);
	if (b)
		stale = b->version < floors_at(&s->floors, f->hash, now_ms);
	s->stats.shared_hits += b && !stale;
	s->stats.shared_misses += !b || stale;
	s->stats.shared_stale += stale;
	pthread_mutex_unlock(&s->lock);
	if (stale)
		cache_blob_drop(&b);
	if (b) {
		f->redis_ms = 0; /* it is there already */
		cache_put(f, b, ttl_ms, now_ms);
	}
	return b;
}

struct cache_blob *cache_begin(struct cache *c, const struct cache_key *k, int64_t now_ms, struct cache_fill *fill)
{
	struct cache_blob *b = NULL;
	struct cache_shard *s;
	bool trusted = cache_trusted(c, now_ms);

	CHECK(!k->shared || (k->groups[0] == 0 && k->groups[1] == 0));
	*fill = (struct cache_fill){.key = *k, .hash = cache_hash(c, k->name)};
	if (k->name.n > CACHE_KEY_MAX)
		return NULL;
	fill->cache = c;
	s = cache_shard(c, fill->hash);
	pthread_mutex_lock(&s->lock);
	if (trusted)
		b = join(s, fill, now_ms);
	if (!b) {
		fill->follows = !trusted || leader_of(s, fill->hash, k->name);
		fill->stamp = cache_stamp(c, k->groups);
		enlist(s, fill);
	}
	pthread_mutex_unlock(&s->lock);
	if (!b && trusted && k->shared && c->shared)
		b = ask_shared(s, fill, now_ms);
	else if (b)
		fill->cache = NULL;
	return b;
}

/* ---- ending ---- */

/* Takes out a few that nobody has used since the hand was there last; whether there is room then. */
static bool sweep(struct cache *c, struct cache_shard *s, size_t bytes, int64_t now_ms, struct cache_entry **gone)
{
	for (int i = 0; i < SWEEP_STEPS && s->bytes + bytes > s->max_bytes; i++) {
		struct cache_entry *e = s->hand;

		if (e->used && e->blob->expires_ms > now_ms && e->stamp == cache_stamp(c, e->groups)) {
			e->used = false;
			s->hand = e->next;
			continue;
		}
		shard_unlink(s, e);
		e->chain = *gone;
		*gone = e;
		s->stats.evictions++;
	}
	return s->bytes + bytes <= s->max_bytes;
}

/* In the place of what stands there, unless that is newer; what is not kept goes to *gone. */
static void keep(struct cache *c, struct cache_shard *s, struct cache_entry *e, struct cache_entry **gone)
{
	struct cache_entry *was = shard_find(s, e->hash, (struct str){e->name, e->name_length}), *out = was;

	if (was && was->blob->version > e->blob->version && was->stamp == cache_stamp(c, was->groups)) {
		out = e;
	} else {
		if (was)
			shard_unlink(s, was);
		shard_link(s, e);
		s->stats.puts++;
	}
	if (out) {
		out->chain = *gone;
		*gone = out;
	}
}

/* 10 to 20 % less, so that what was loaded together does not run out together. */
static int64_t jittered(struct rng *r, int64_t ttl_ms)
{
	return ttl_ms - ttl_ms * (int64_t)(100 + rng_below(r, 101)) / 1000;
}

/* Takes the lock, with room for that much. Between times it is open, so that nobody waits for many to go; the last
 * of them are the caller's to free. */
static struct cache_entry *lock_with_room(struct cache *c, struct cache_shard *s, size_t bytes, int64_t now_ms)
{
	struct cache_entry *gone = NULL;

	pthread_mutex_lock(&s->lock);
	while (!sweep(c, s, bytes, now_ms, &gone)) {
		pthread_mutex_unlock(&s->lock);
		cache_entry_free_all(gone);
		gone = NULL;
		pthread_mutex_lock(&s->lock);
	}
	return gone;
}

/* An entry for it; NULL when it cannot be kept. */
static struct cache_entry *made_entry(const struct cache_shard *s, const struct cache_fill *f, struct cache_blob *b,
				      int64_t ttl_ms)
{
	struct cache_entry *e = ttl_ms > 0 ? cache_entry_new(f, b) : NULL;

	if (e && e->bytes > s->max_bytes) {
		cache_entry_free_all(e);
		return NULL;
	}
	return e;
}

void cache_put(struct cache_fill *fill, struct cache_blob *b, int64_t ttl_ms, int64_t now_ms)
{
	struct cache *c = fill->cache;
	struct cache_shard *s;
	struct cache_entry *e, *gone;
	bool valid;

	CHECK(ttl_ms <= TTL_MAX_MS);
	if (!c)
		return;
	s = cache_shard(c, fill->hash);
	e = made_entry(s, fill, b, ttl_ms);
	gone = lock_with_room(c, s, e ? e->bytes : 0, now_ms);
	b->expires_ms = now_ms + jittered(&s->rng, ttl_ms);
	valid = !is_void(fill, b->version);
	s->stats.void_puts += !valid;
	delist(s, fill);
	settle(s, fill, valid ? b : NULL);
	if (e && valid)
		keep(c, s, e, &gone);
	pthread_mutex_unlock(&s->lock);
	cache_entry_free_all(gone);
	if (e && !valid)
		cache_entry_free_all(e);
	if (valid && fill->redis_ms)
		shared_put(c->shared, fill->key.name, b, fill->redis_ms, b->expires_ms - now_ms);
	fill->cache = NULL;
}

void cache_abandon(struct cache_fill *fill)
{
	struct cache_shard *s;

	if (!fill->cache)
		return;
	s = cache_shard(fill->cache, fill->hash);
	pthread_mutex_lock(&s->lock);
	delist(s, fill);
	settle(s, fill, NULL);
	pthread_mutex_unlock(&s->lock);
	fill->cache = NULL;
}
