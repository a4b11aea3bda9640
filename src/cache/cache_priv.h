/*
 * Inside of the cache: shards with their entries (shard.c), what was told of keys that may stand in L2 (floors.c),
 * the form of a blob in Redis (wire.c), and L2 itself (shared.c). cache.c and fill.c are what callers see.
 */
#ifndef TENFOLD_CACHE_CACHE_PRIV_H
#define TENFOLD_CACHE_CACHE_PRIV_H

#include "base/buf.h"
#include "base/rng.h"
#include "cache/cache.h"

#include <pthread.h>

#define CACHE_MAGIC 0xcac4eb10U

enum { CACHE_WAIT_MS = 100, CACHE_SHARED_TTL_MS = 5 * 60000 };

/* ---- blob.c ---- */

struct cache_blob *cache_blob_hold(struct cache_blob *b); /* one more reference */
size_t cache_malloc_bytes(const void *p);                 /* what it costs, malloc's own share included */

/* ---- floors.c ---- */

enum { FLOOR_WAYS = 8 };

struct floor_set {
	struct {
		uint64_t hash;
		int64_t version;  /* lower ones are void */
		int64_t until_ms; /* then nothing of them is left in L2; before it is past the place is taken */
	} ways[FLOOR_WAYS];
	int64_t closed_until_ms; /* a floor that was forgotten would hold until then */
};

/* The lowest version of keys that L2 may answer with: of each key that was invalidated while an older blob may
 * still stand there. Bounded: where there are too many, all keys of that place are void for that long. One lock. */
struct floors {
	struct floor_set *sets;
	size_t mask;
};

void floors_init(struct floors *f, size_t bytes);
size_t floors_bytes(const struct floors *f);
void floors_raise(struct floors *f, uint64_t hash, int64_t version, int64_t now_ms, int64_t until_ms);
int64_t floors_at(const struct floors *f, uint64_t hash, int64_t now_ms); /* 0: none; INT64_MAX: believe nothing */
void floors_free(struct floors *f);

/* ---- shard.c ---- */

/* What is kept of a blob and where: on the clock, in its bucket. */
struct cache_entry {
	struct cache_entry *chain;
	struct cache_entry *next, *previous;
	uint64_t hash, stamp;
	int64_t groups[CACHE_GROUPS];
	struct cache_blob *blob;
	size_t bytes;
	bool used; /* since the hand last passed */
	uint16_t name_length;
	char name[];
};

struct cache_shard {
	_Alignas(64) pthread_mutex_t lock;
	pthread_cond_t settled; /* a fill ended, or was made void */
	struct cache_entry **buckets;
	size_t bucket_mask;
	struct cache_entry *hand;
	size_t bytes, max_bytes;
	struct cache_fill *fills;
	struct floors floors;
	struct rng rng;
	struct cache_stats stats; /* its part of them */
};

void shard_init(struct cache_shard *s, size_t max_bytes, bool shared, uint64_t seed);
size_t shard_table_bytes(const struct cache_shard *s);
void shard_free(struct cache_shard *s);

/* All under the shard's lock. Entries that are taken out are the caller's to free, chained, without the lock. */
struct cache_entry *shard_find(const struct cache_shard *s, uint64_t hash, struct str name);
void shard_link(struct cache_shard *s, struct cache_entry *e);
void shard_unlink(struct cache_shard *s, struct cache_entry *e);

struct cache_entry *cache_entry_new(const struct cache_fill *f, struct cache_blob *b);
void cache_entry_free_all(struct cache_entry *chain);

/* ---- cache.c ---- */

struct cache {
	struct cache_shard *shards;
	unsigned shard_bits;
	uint64_t seed;
	int wait_ms;
	atomic_llong trusted_until_ms;
	atomic_ullong *generations; /* of groups; the first one is that of everything */
	size_t generation_mask;
	atomic_ullong group_invalidations, flushes;
	struct shared *shared; /* L2, or NULL */
};

uint64_t cache_hash(const struct cache *c, struct str name);
struct cache_shard *cache_shard(const struct cache *c, uint64_t hash);
uint64_t cache_stamp(const struct cache *c, const int64_t groups[CACHE_GROUPS]);
bool cache_trusted(const struct cache *c, int64_t now_ms);
/* A reference to what stands there and is good, or NULL. Under the shard's lock. */
struct cache_blob *cache_lookup(struct cache *c, struct cache_shard *s, uint64_t hash, struct str name,
				int64_t now_ms);

/* ---- fill.c ---- */

/* Under the shard's lock: what is loaded below that version is void. */
void cache_fills_void(struct cache_shard *s, uint64_t hash, struct str name, int64_t version);

/* ---- wire.c ---- */

enum { WIRE_HEAD = 24 };

/* A value in Redis, read or to be written. Texts are borrowed. */
struct wire {
	struct str key; /* the whole one, in Redis */
	int64_t version;
	int64_t dies_ms; /* Redis' time */
	int64_t tags[CACHE_TAGS];
	struct str etag, body;
};

enum wire_kind { WIRE_BLOB, WIRE_TOMBSTONE, WIRE_LIE };

void wire_write(struct buf *out, const struct wire *w);
void wire_write_tombstone(struct buf *out, int64_t version);
/* `key` is the one that was asked for; *out is set if it is a blob of that key. */
enum wire_kind wire_read(struct str value, struct str key, struct wire *out);

/* ---- shared.c ---- */

struct shared_stats {
	uint64_t errors, lies, writes, dropped, waiting;
	bool open;
};

/* Starts the thread that writes. */
struct shared *shared_new(const struct cache_config *config, int64_t ttl_ms);
void shared_free(struct shared **s);
int64_t shared_life_ms(const struct shared *s); /* so long something may stand there, and a little more */

/* What L2 has, for ttl_ms more, or NULL; sets *redis_ms, which says when that was by Redis' clock (0: unknown). */
struct cache_blob *shared_get(struct shared *s, struct str name, int64_t now_ms, int64_t *ttl_ms,
			      int64_t *redis_ms);

/* Have the thread do it. The blob lives for ttl_ms from redis_ms on. */
void shared_put(struct shared *s, struct str name, struct cache_blob *b, int64_t redis_ms, int64_t ttl_ms);
void shared_invalidate(struct shared *s, struct str name, int64_t version);

/* Nothing is believed until all changes since then have been told for as long as a blob lives. */
void shared_told_since(struct shared *s, int64_t since_ms);
void shared_stats_get(struct shared *s, int64_t now_ms, struct shared_stats *out);

#endif
