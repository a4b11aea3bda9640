/*
 * A cache to play with: rows that are nothing but a number and its version, as blobs whose text says so twice, so that
 * a blob that is not whole shows.
 */
#ifndef TENFOLD_TESTS_CACHE_KIT_H
#define TENFOLD_TESTS_CACHE_KIT_H

#include "harness.h"

#include "base/magic.h"
#include "cache/cache_priv.h"

enum { KIT_TTL_MS = 60000, KIT_BYTES = 4 << 20 };

static inline struct cache *kit_cache(size_t bytes)
{
	return cache_new(&(struct cache_config){.max_bytes = bytes, .seed = 7});
}

/* One that is believed for ever. */
static inline struct cache *kit_trusted_cache(size_t bytes)
{
	struct cache *c = kit_cache(bytes);

	cache_trust(c, INT64_MAX);
	return c;
}

struct kit_name {
	char text[32];
};

static inline struct cache_key kit_key(struct kit_name *name, const char *kind, int64_t id)
{
	int n = snprintf(name->text, sizeof(name->text), "%s/%lld", kind, (long long)id);

	return cache_key((struct str){name->text, (size_t)n});
}

static inline struct cache_blob *kit_blob(int64_t id, int64_t version, size_t padding)
{
	struct buf body = BUF_INIT(0), etag = BUF_INIT(0);
	struct cache_blob *b;

	buf_fmt(&body, "row %lld version %lld", (long long)id, (long long)version);
	for (size_t i = 0; i < padding; i++)
		buf_c(&body, '.');
	buf_fmt(&etag, "\"%lld\"", (long long)version);
	b = cache_blob_new(buf_str(&etag), buf_str(&body), version, (int64_t[]){id, version});
	buf_free(&body);
	buf_free(&etag);
	return b;
}

/* Aborts when it is not the whole of that row in one of its versions. */
static inline void kit_check(const struct cache_blob *b, int64_t id)
{
	struct cache_blob *like = kit_blob(id, b->version, 0);

	CHECK(str_starts(b->body, like->body) && b->body.p[b->body.n] == 0);
	CHECK(str_eq(b->etag, like->etag) && b->tags[0] == id && b->tags[1] == b->version);
	for (size_t i = like->body.n; i < b->body.n; i++)
		CHECK(b->body.p[i] == '.');
	cache_blob_drop(&like);
}

/* Loads it, as a caller does; true when nobody else had. */
static inline bool kit_load(struct cache *c, const struct cache_key *k, int64_t id, int64_t version, int64_t now_ms)
{
	struct cache_fill fill;
	struct cache_blob *b = cache_begin(c, k, now_ms, &fill);
	bool ours = b == NULL;

	if (ours) {
		b = kit_blob(id, version, 0);
		cache_put(&fill, b, KIT_TTL_MS, now_ms);
	}
	cache_blob_drop(&b);
	return ours;
}

/* The version that L1 answers with; 0 when it does not. */
static inline int64_t kit_version(struct cache *c, const struct cache_key *k, int64_t now_ms)
{
	struct cache_blob *b = cache_get(c, k, now_ms);
	int64_t version = b ? b->version : 0;

	cache_blob_drop(&b);
	return version;
}

static inline struct cache_stats kit_stats(struct cache *c)
{
	struct cache_stats s;

	cache_stats_get(c, 0, &s);
	return s;
}

#endif
