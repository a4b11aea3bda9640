/*
 * What the cache and the limits cost a call, on one thread and on two: nanoseconds each.
 *
 *	cache_bench [SECONDS]
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/magic.h"
#include "base/rng.h"
#include "base/str.h"
#include "cache/cache.h"
#include "limits/limits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { KEYS = 1 << 16, HOT_KEYS = 1024, BODY = 1024, NAME = 24, THREADS = 2, BATCH = 1000, NS_S = 1000000000 };

struct bench {
	struct cache *cache;
	struct limits *limits;
	char names[KEYS][NAME];
	double seconds;
};

/* One kind of call, `BATCH` times. */
typedef void batch_fn(struct bench *b, struct rng *r);

struct worker {
	struct bench *bench;
	batch_fn *batch;
	uint64_t seed, calls;
	pthread_t thread;
};

static struct cache_key key_of(struct bench *b, size_t i)
{
	return cache_key(str_of(b->names[i]));
}

static void load(struct bench *b, size_t i)
{
	static const char body[BODY];
	struct cache_key k = key_of(b, i);
	struct cache_fill fill;
	struct cache_blob *blob = cache_begin(b->cache, &k, 0, &fill);

	if (!blob) {
		blob = cache_blob_new(STR("\"1-0\""), (struct str){body, BODY}, 1, (int64_t[]){1, 1});
		cache_put(&fill, blob, INT32_MAX, 0);
	}
	cache_blob_drop(&blob);
}

static void hits_among(struct bench *b, struct rng *r, size_t keys)
{
	for (int i = 0; i < BATCH; i++) {
		struct cache_key k = key_of(b, rng_below(r, keys));
		struct cache_blob *blob = cache_get(b->cache, &k, 0);

		CHECK(blob);
		cache_blob_drop(&blob);
	}
}

static void hits(struct bench *b, struct rng *r)
{
	hits_among(b, r, KEYS);
}

static void hot_hits(struct bench *b, struct rng *r)
{
	hits_among(b, r, HOT_KEYS);
}

static void misses(struct bench *b, struct rng *r)
{
	for (int i = 0; i < BATCH; i++) {
		struct cache_key k = cache_key((struct str){b->names[rng_below(r, KEYS)], 5});

		CHECK(!cache_get(b->cache, &k, 0));
	}
}

static void reloads(struct bench *b, struct rng *r)
{
	for (int i = 0; i < BATCH; i++) {
		size_t row = rng_below(r, KEYS);
		struct cache_key k = key_of(b, row);

		cache_invalidate(b->cache, &k, 0, 0);
		load(b, row);
	}
}

static void takes(struct bench *b, struct rng *r)
{
	for (int i = 0; i < BATCH; i++)
		limits_take(b->limits, 1, limits_id(1, (int64_t)rng_below(r, KEYS / 4)), 0, 1);
}

static void flood(struct bench *b, struct rng *r)
{
	for (int i = 0; i < BATCH; i++)
		limits_take(b->limits, 1, (struct limits_key){(int64_t)rng_u64(r), LIMITS_ADDRESS}, 0, 1);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	int64_t until_ns = clock_mono_ns() + (int64_t)(w->bench->seconds * NS_S);
	struct rng r;

	rng_seeded_init(&r, w->seed);
	for (; clock_mono_ns() < until_ns; w->calls += BATCH)
		w->batch(w->bench, &r);
	return NULL;
}

static void measure(struct bench *b, const char *name, batch_fn *batch)
{
	printf("%-28s", name);
	for (unsigned threads = 1; threads <= THREADS; threads++) {
		struct worker workers[THREADS];
		uint64_t calls = 0;

		for (unsigned i = 0; i < threads; i++) {
			workers[i] = (struct worker){b, batch, i, 0, 0};
			CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
		}
		for (unsigned i = 0; i < threads; i++) {
			CHECK(pthread_join(workers[i].thread, NULL) == 0);
			calls += workers[i].calls;
		}
		printf("  %u thread%s %6.0f ns", threads, threads == 1 ? " " : "s",
		       b->seconds * NS_S * threads / (double)calls);
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	static const struct limits_tier tier = {.per_minute = 60, .burst = 1000000};
	struct bench *b = NEW(struct bench);

	b->seconds = 1;
	if (argc > 2 || (argc == 2 && !str_to_f64(str_of(argv[1]), &b->seconds))) {
		fprintf(stderr, "usage: cache_bench [SECONDS]\n");
		return 2;
	}
	b->cache = cache_new(&(struct cache_config){.max_bytes = (size_t)200 << 20, .seed = 1});
	b->limits = limits_new(&(struct limits_config){.tiers = &tier, .tier_count = 1, .seed = 1});
	cache_trust(b->cache, INT64_MAX);
	for (size_t i = 0; i < KEYS; i++) {
		snprintf(b->names[i], NAME, "agent/%016zx", i);
		load(b, i);
	}
	measure(b, "get, hit (of 1,024)", hot_hits);
	measure(b, "get, hit (of 65,536)", hits);
	measure(b, "get, miss", misses);
	measure(b, "invalidate and load, 1 KiB", reloads);
	measure(b, "take (of 16,384 keys)", takes);
	measure(b, "take, ever new addresses", flood);
	cache_destroy(&b->cache);
	limits_destroy(&b->limits);
	free(b);
	return 0;
}
