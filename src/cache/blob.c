/* Blobs: one allocation each, counted; see cache.h. */
#include "cache/cache_priv.h"

#include "base/magic.h"

#include <malloc.h>
#include <string.h>

static struct str text_at(char *p, struct str s)
{
	if (s.n)
		memcpy(p, s.p, s.n);
	return (struct str){p, s.n};
}

struct cache_blob *cache_blob_new(struct str etag, struct str body, int64_t version, const int64_t tags[CACHE_TAGS])
{
	struct cache_blob *b;
	char *text;

	CHECK(etag.n <= CACHE_ETAG_MAX && version >= 0);
	b = must_alloc(sizeof(*b) + etag.n + 1 + body.n + 1);
	text = (char *)(b + 1);
	b->magic = CACHE_MAGIC;
	atomic_init(&b->refs, 1);
	b->version = version;
	memcpy(b->tags, tags, sizeof(b->tags));
	b->etag = text_at(text, etag);
	b->body = text_at(text + etag.n + 1, body);
	return b;
}

struct cache_blob *cache_blob_hold(struct cache_blob *b)
{
	CHECK_OBJ(b, CACHE_MAGIC);
	atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

void cache_blob_drop(struct cache_blob **b)
{
	struct cache_blob *blob = *b;

	if (!blob)
		return;
	*b = NULL;
	CHECK_OBJ(blob, CACHE_MAGIC);
	if (atomic_fetch_sub_explicit(&blob->refs, 1, memory_order_acq_rel) > 1)
		return;
	blob->magic = 0;
	free(blob);
}

size_t cache_malloc_bytes(const void *p)
{
	return malloc_usable_size((void *)(uintptr_t)p) + sizeof(size_t);
}
