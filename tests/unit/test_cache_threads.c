/*
 * The cache under many threads: who loads and who waits, and whether anybody ever reads what was told to be void. Run
 * under ThreadSanitizer too.
 */
#include "cache_kit.h"

#include "base/clock.h"

#include <pthread.h>
#include <sched.h>

enum { NOW = 1000, WAITERS = 6, LONG_MS = 60000, SHORT_MS = 20 };

#define UNTIL(condition)     \
	while (!(condition)) \
	sched_yield()

/* ---- one loads, the others wait ---- */

struct waiter {
	struct cache *c;
	pthread_t thread;
	bool fails;      /* gives up what it has to load itself */
	int64_t version; /* that it got or loaded */
	bool loaded;
};

static void *want(void *arg)
{
	struct waiter *w = arg;
	struct kit_name name;
	struct cache_key k = kit_key(&name, "agent", 1);
	struct cache_fill fill;
	struct cache_blob *b = cache_begin(w->c, &k, NOW, &fill);

	w->loaded = b == NULL;
	if (w->loaded && w->fails) {
		cache_abandon(&fill);
		return NULL;
	}
	if (w->loaded) {
		b = kit_blob(1, 2, 0);
		cache_put(&fill, b, KIT_TTL_MS, NOW);
	}
	kit_check(b, 1);
	w->version = b->version;
	cache_blob_drop(&b);
	return NULL;
}

static struct cache *patient_cache(int wait_ms)
{
	struct cache *c = cache_new(&(struct cache_config){.max_bytes = KIT_BYTES, .seed = 1, .wait_ms = wait_ms});

	cache_trust(c, INT64_MAX);
	return c;
}

static void start_all(struct waiter *waiters, struct cache *c, bool fails)
{
	for (int i = 0; i < WAITERS; i++) {
		waiters[i] = (struct waiter){.c = c, .fails = fails};
		assert_int_equal(pthread_create(&waiters[i].thread, NULL, want, &waiters[i]), 0);
	}
}

static int join_all(struct waiter *waiters)
{
	int loaded = 0;

	for (int i = 0; i < WAITERS; i++) {
		assert_int_equal(pthread_join(waiters[i].thread, NULL), 0);
		loaded += waiters[i].loaded;
	}
	return loaded;
}

static void one_loads_and_the_others_get_what_it_loaded(void **state)
{
	struct cache *c = patient_cache(LONG_MS);
	struct waiter waiters[WAITERS];
	struct kit_name name;
	struct cache_key k = kit_key(&name, "agent", 1);
	struct cache_fill fill;
	struct cache_blob *b = kit_blob(1, 1, 8 << 20); /* which L1 cannot keep */

	(void)state;
	assert_null(cache_begin(c, &k, NOW, &fill));
	start_all(waiters, c, false);
	UNTIL(kit_stats(c).waits == WAITERS);
	cache_put(&fill, b, KIT_TTL_MS, NOW);
	assert_int_equal(join_all(waiters), 0);
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(waiters[i].version, 1);
	assert_int_equal(kit_stats(c).loads, 1);
	cache_blob_drop(&b);
	cache_destroy(&c);
}

static void when_the_loader_fails_another_loads(void **state)
{
	struct cache *c = patient_cache(LONG_MS);
	struct waiter waiters[WAITERS];
	struct kit_name name;
	struct cache_key k = kit_key(&name, "agent", 1);
	struct cache_fill fill;

	(void)state;
	assert_null(cache_begin(c, &k, NOW, &fill));
	start_all(waiters, c, false);
	UNTIL(kit_stats(c).waits == WAITERS);
	cache_abandon(&fill);
	assert_int_equal(join_all(waiters), 1);
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(waiters[i].version, 2);
	assert_null(cache_begin(c, &(struct cache_key){.name = STR("other")}, NOW, &fill));
	start_all(waiters, c, true); /* of the first key: it is there */
	assert_int_equal(join_all(waiters), 0);
	cache_abandon(&fill);
	cache_destroy(&c);
}

static void when_all_fail_each_has_tried(void **state)
{
	struct cache *c = patient_cache(LONG_MS);
	struct waiter waiters[WAITERS];

	(void)state;
	start_all(waiters, c, true);
	assert_int_equal(join_all(waiters), WAITERS);
	cache_destroy(&c);
}

static void a_loader_that_takes_too_long_is_not_waited_for(void **state)
{
	struct cache *c = patient_cache(SHORT_MS);
	struct waiter w = {.c = c};
	struct kit_name name;
	struct cache_key k = kit_key(&name, "agent", 1);
	struct cache_fill fill;

	(void)state;
	assert_null(cache_begin(c, &k, NOW, &fill));
	want(&w);
	assert_true(w.loaded);
	assert_int_equal(kit_stats(c).wait_timeouts, 1);
	assert_int_equal(kit_version(c, &k, NOW), 2);
	cache_abandon(&fill);
	cache_destroy(&c);
}

/* Who waits for a load that an invalidation has overtaken would wait for nothing. */
static void an_invalidation_sends_those_who_wait_to_load_anew(void **state)
{
	struct cache *c = patient_cache(LONG_MS);
	struct waiter waiters[WAITERS];
	struct kit_name name;
	struct cache_key k = kit_key(&name, "agent", 1);
	struct cache_fill fill;
	struct cache_blob *old = kit_blob(1, 1, 0);

	(void)state;
	assert_null(cache_begin(c, &k, NOW, &fill));
	start_all(waiters, c, false);
	UNTIL(kit_stats(c).waits == WAITERS);
	cache_invalidate(c, &k, 2, NOW);
	assert_int_equal(join_all(waiters), 1);
	cache_put(&fill, old, KIT_TTL_MS, NOW);
	assert_int_equal(kit_version(c, &k, NOW), 2);
	cache_blob_drop(&old);
	cache_destroy(&c);
}

static void a_load_that_a_group_has_overtaken_is_not_waited_for(void **state)
{
	struct cache *c = patient_cache(LONG_MS);
	struct cache_key k = {.name = STR("list"), .groups = {1}};
	struct cache_fill overtaken, fill;

	(void)state;
	assert_null(cache_begin(c, &k, NOW, &overtaken));
	cache_invalidate_group(c, 1);
	assert_null(cache_begin(c, &k, NOW, &fill));
	assert_int_equal(kit_stats(c).waits, 0);
	cache_abandon(&overtaken);
	cache_abandon(&fill);
	cache_destroy(&c);
}

/* ---- nobody reads what was told to be void ---- */

enum { ROWS = 12, READERS = 4, WRITERS = 2, CHANGES = HAS_TSAN ? 4000 : 40000 };

/* The store: a number for each row, and how many times anything changed. */
struct world {
	struct cache *c;
	atomic_llong committed[ROWS], told[ROWS];
	atomic_llong all_committed, all_told; /* what the list shows */
	pthread_mutex_t write[ROWS];
	atomic_int writing;
	atomic_ullong hits, loads;
};

static void raise_to(atomic_llong *at, long long to)
{
	long long was = atomic_load(at);

	while (was < to && !atomic_compare_exchange_weak(at, &was, to))
		;
}

static void write_one(struct world *w, size_t row, bool says_version)
{
	struct kit_name name;
	struct cache_key k = kit_key(&name, "row", (int64_t)row);
	long long version, all;

	pthread_mutex_lock(&w->write[row]);
	version = atomic_fetch_add(&w->committed[row], 1) + 1;
	all = atomic_fetch_add(&w->all_committed, 1) + 1;
	pthread_mutex_unlock(&w->write[row]);
	cache_invalidate(w->c, &k, says_version ? version : 0, NOW);
	raise_to(&w->told[row], version);
	cache_invalidate_group(w->c, 1);
	raise_to(&w->all_told, all);
}

static void *write_on(void *arg)
{
	struct world *w = arg;
	struct rng r;

	rng_seeded_init(&r, (uint64_t)atomic_fetch_add(&w->writing, 1));
	for (int i = 0; i < CHANGES; i++) {
		write_one(w, rng_below(&r, ROWS), rng_below(&r, 2));
		if (rng_below(&r, 8) == 0)
			sched_yield();
	}
	atomic_fetch_sub(&w->writing, 1);
	return NULL;
}

/* At least `told`, whether from the cache or from the store. */
static void read_one(struct world *w, const struct cache_key *k, int64_t id, atomic_llong *committed,
		     long long told)
{
	struct cache_fill fill;
	struct cache_blob *b = cache_get(w->c, k, NOW);

	if (b)
		atomic_fetch_add_explicit(&w->hits, 1, memory_order_relaxed);
	else
		b = cache_begin(w->c, k, NOW, &fill);
	if (!b) {
		b = kit_blob(id, atomic_load(committed), 0);
		atomic_fetch_add_explicit(&w->loads, 1, memory_order_relaxed);
		cache_put(&fill, b, KIT_TTL_MS, NOW);
	}
	kit_check(b, id);
	CHECK(b->version >= told);
	cache_blob_drop(&b);
}

static void *read_on(void *arg)
{
	struct world *w = arg;
	struct kit_name name;
	struct cache_key list = {.name = STR("list"), .groups = {1}};
	struct rng r;

	rng_seeded_init(&r, (uint64_t)(uintptr_t)&name);
	while (atomic_load(&w->writing) > 0) {
		size_t row = rng_below(&r, ROWS);
		struct cache_key k = kit_key(&name, "row", (int64_t)row);
		long long told = atomic_load(&w->told[row]), all_told = atomic_load(&w->all_told);

		read_one(w, &k, (int64_t)row, &w->committed[row], told);
		read_one(w, &list, -1, &w->all_committed, all_told);
	}
	return NULL;
}

static void nobody_reads_a_version_older_than_the_last_told(void **state)
{
	struct world *w = NEW(struct world);
	pthread_t threads[WRITERS + READERS];

	(void)state;
	w->c = kit_trusted_cache(64 << 10);
	for (size_t i = 0; i < ROWS; i++) {
		pthread_mutex_init(&w->write[i], NULL);
		atomic_init(&w->committed[i], 1);
	}
	atomic_init(&w->all_committed, 1);
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_on, w), 0);
	UNTIL(atomic_load(&w->writing) > 0);
	for (int i = WRITERS; i < WRITERS + READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, w), 0);
	for (int i = 0; i < WRITERS + READERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_true(atomic_load(&w->hits) > 0 && atomic_load(&w->loads) > 0);
	for (size_t i = 0; i < ROWS; i++)
		pthread_mutex_destroy(&w->write[i]);
	cache_destroy(&w->c);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_loads_and_the_others_get_what_it_loaded),
		cmocka_unit_test(when_the_loader_fails_another_loads),
		cmocka_unit_test(when_all_fail_each_has_tried),
		cmocka_unit_test(a_loader_that_takes_too_long_is_not_waited_for),
		cmocka_unit_test(an_invalidation_sends_those_who_wait_to_load_anew),
		cmocka_unit_test(a_load_that_a_group_has_overtaken_is_not_waited_for),
		cmocka_unit_test(nobody_reads_a_version_older_than_the_last_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
