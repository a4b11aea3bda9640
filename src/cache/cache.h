/*
 * Answers that are ready, in two levels: L1 in this process, L2 in a Redis that all processes share and that may
 * be away, slow, empty or wrong. What the store says is the truth; the cache is never older than what it was told.
 *
 * The promise. Once cache_invalidate() has returned, no blob that was loaded before is handed out, from either
 * level: not what stands there, not what a load that began earlier puts later, not what another process has put
 * into Redis. Whoever follows the store's changes tells the cache of each one, in order, and says with
 * cache_trust() until when it may be believed that all were told; after that both levels answer nothing.
 * docs/internals/cache.md says why it holds.
 *
 *	struct cache_key key = cache_key(STR("agent/17"));
 *	key.shared = true;
 *	blob = cache_get(c, &key, now);           on a loop thread, and safe there: under 1 µs
 *	if (blob)
 *		… answer from blob->etag and blob->body, then cache_blob_drop(&blob)
 *	else … the call goes to a pool thread, which does:
 *		blob = cache_begin(c, &key, now, &fill);      BEFORE the row is read
 *		if (!blob) {                                  neither another's load nor Redis had it
 *			err = … read the row, encode it …;
 *			if (err)
 *				return cache_abandon(&fill), err;
 *			blob = cache_blob_new(etag, body, row.version, (int64_t[]){row.tenant, row.visibility});
 *			cache_put(&fill, blob, 300000, now);      void if it has changed meanwhile
 *		}
 *	after each commit, and for each change that the follower reads: cache_invalidate(c, &key, row.version, now);
 *	for lists: key.groups[0] = LISTS_OF(tenant), and after a change cache_invalidate_group(c, LISTS_OF(tenant)).
 *
 * Times are monotonic milliseconds (clock_mono_ns() / 1000000) but where it says otherwise. Nothing here fails:
 * what cannot be cached is not cached.
 */
#ifndef TENFOLD_CACHE_CACHE_H
#define TENFOLD_CACHE_CACHE_H

#include "base/str.h"
#include "redis/redis.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CACHE_KEY_MAX = 512,  /* bytes; a longer key is not cached */
	CACHE_ETAG_MAX = 128, /* bytes; a longer one aborts */
	CACHE_GROUPS = 2,     /* that an entry can be in */
	CACHE_TAGS = 2,
};

/* ---- blobs ---- */

/* An answer. Nothing in it changes once cache_put() has it; it lives until its last reference is dropped. */
struct cache_blob {
	unsigned magic;
	atomic_uint refs;
	int64_t version;          /* as given to cache_blob_new() */
	int64_t tags[CACHE_TAGS]; /* the caller's: tenant, visibility */
	int64_t expires_ms;       /* set by cache_put() */
	struct str etag, body;    /* within the blob, and terminated */
};

/* Copies etag and body; one reference, the caller's. `version` is a number that grows with every change of anything
 * the blob shows, 1 or more; 0 when there is none. */
struct cache_blob *cache_blob_new(struct str etag, struct str body, int64_t version,
				  const int64_t tags[CACHE_TAGS]);
void cache_blob_drop(struct cache_blob **b); /* any thread */

/* ---- keys ---- */

/* Which answer: bytes that the caller borrows to each call. */
struct cache_key {
	struct str name;
	int64_t groups[CACHE_GROUPS]; /* void when one of these is; 0: none */
	bool shared;                  /* may stand in L2 too: has versions, and no groups */
};

static inline struct cache_key cache_key(struct str name)
{
	return (struct cache_key){.name = name};
}

/* ---- the cache ---- */

struct cache_config {
	size_t max_bytes;      /* of L1: entries, keys, blobs, as malloc counts them, and its own tables */
	uint64_t seed;         /* of hashes and jitter: from rng_system_word(), or a test's */
	int wait_ms;           /* how long at most a load of the same key is waited for; 0: 100 */
	struct redis *redis;   /* L2, borrowed; NULL: none */
	struct str prefix;     /* of keys in Redis: one for each deployment, at most 128 bytes; copied */
	int64_t shared_ttl_ms; /* the longest life of a blob in L2; 0: 5 minutes */
	int64_t now_ms;
};

struct cache;

struct cache *cache_new(const struct cache_config *config);
void cache_destroy(struct cache **c); /* nobody may be calling; blobs that are held stay */

/* A reference to what L1 has, or NULL. Any thread, loop threads too: no allocation, no I/O, a lock held for the
 * length of a lookup. */
struct cache_blob *cache_get(struct cache *c, const struct cache_key *k, int64_t now_ms);

/* ---- loading: pool threads ---- */

/* A load under way, in its caller's frame; from cache_begin() to cache_put() or cache_abandon(). Private. */
struct cache_fill {
	struct cache *cache; /* NULL: over */
	struct cache_key key;
	uint64_t hash;
	uint64_t stamp;   /* generations of the groups when it began */
	int64_t floor;    /* versions below are void: raised by invalidations since */
	int64_t redis_ms; /* Redis' time before the row was read; 0: not for L2 */
	struct cache_fill *next;
	struct cache_waiter *waiters;
	bool follows; /* loads beside another: is no one's to wait for */
};

/* A blob that came meanwhile, from another load or from L2: then there is nothing more to do. Or NULL: the caller
 * loads, and ends `fill`; key.name must stay until then. Blocks: up to wait_ms for another load of the key, and up
 * to Redis' timeout. */
struct cache_blob *cache_begin(struct cache *c, const struct cache_key *k, int64_t now_ms, struct cache_fill *fill);

/* Ends the fill: the blob, whose reference stays the caller's, goes to who waits, into L1, and if shared into L2,
 * unless it is void. It lives for ttl_ms less 10 to 20 %. Not shared with another thread before. */
void cache_put(struct cache_fill *fill, struct cache_blob *b, int64_t ttl_ms, int64_t now_ms);

/* Ends the fill without a blob: one of those who wait loads instead. */
void cache_abandon(struct cache_fill *fill);

/* ---- what has changed: any thread, after the commit ---- */

/* Versions of this key below `version` are void; with 0 all that were loaded so far are. Redis is told by a thread
 * of the cache. */
void cache_invalidate(struct cache *c, const struct cache_key *k, int64_t version, int64_t now_ms);

/* All entries with that group, any number but 0. Groups share a bounded table: some others may go with it. */
void cache_invalidate_group(struct cache *c, int64_t group);

/* Everything: the follower does not know what has changed. L2 is not believed until what may stand there now has
 * run out. */
void cache_flush(struct cache *c, int64_t now_ms);

/* ---- whether to believe it ---- */

/* Every change that was committed is told, or will be before `until_mono_ms`. At first nothing is believed;
 * INT64_MAX where nobody else can change the store. */
void cache_trust(struct cache *c, int64_t until_mono_ms);

/* Every change since that moment was told: by whoever began to follow some way back. At first, and after a flush,
 * it is now, and L2 is believed only when that is as long ago as blobs live there. */
void cache_told_since(struct cache *c, int64_t since_mono_ms);

/* ---- figures ---- */

struct cache_stats {
	uint64_t hits, misses;         /* of L1 */
	uint64_t distrusted;           /* misses because of cache_trust(); counted in them */
	uint64_t loads;                /* cache_begin() that left it to the caller */
	uint64_t waits, wait_timeouts; /* for another's load */
	uint64_t puts, void_puts;
	uint64_t evictions;
	uint64_t invalidations, group_invalidations, flushes;
	uint64_t entries, bytes;
	uint64_t shared_hits, shared_misses;    /* of L2 */
	uint64_t shared_stale;                  /* misses: an older version than was told */
	uint64_t shared_lies;                   /* misses: not what we put there */
	uint64_t shared_errors;                 /* misses: Redis did not answer */
	uint64_t shared_writes, shared_dropped; /* told to Redis; not told, for the queue was full or Redis away */
	uint64_t shared_waiting;                /* to be told to Redis now */
	bool shared_open;                       /* L2 is believed now */
};
void cache_stats_get(struct cache *c, int64_t now_ms, struct cache_stats *out);

#endif
