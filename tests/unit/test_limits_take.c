/* Token buckets under a clock that the test holds. */
#include "harness.h"

#include "base/magic.h"
#include "limits/limits_priv.h"

#include <pthread.h>

enum { NOW = 5000000, KIND_KEY = 1, KIND_AGENT = 2, MINUTE_MS = 60000 };
enum { TIER_FREE, TIER_SMALL, TIER_LARGE, TIERS };

static const struct limits_tier tiers[TIERS] = {
	[TIER_SMALL] = {.per_minute = 60, .burst = 10},
	[TIER_LARGE] = {.per_minute = 6000, .burst = 1000},
};

static struct limits *limits_of(unsigned places)
{
	return limits_new(
		&(struct limits_config){.tiers = tiers, .tier_count = TIERS, .places = places, .seed = 11});
}

static struct limits_stats stats_of(struct limits *l)
{
	struct limits_stats s;

	limits_stats_get(l, &s);
	return s;
}

static void allows_a_burst_and_then_the_rate(void **state)
{
	struct limits *l = limits_of(0);
	struct limits_key k = limits_id(KIND_KEY, 17);
	struct limits_answer a;

	(void)state;
	for (int i = 9; i >= 0; i--) {
		a = limits_take(l, NOW, k, TIER_SMALL, 1);
		assert_true(a.allowed);
		assert_int_equal(a.remaining, i);
		assert_int_equal(a.reset_s, 10 - i);
	}
	assert_int_equal(a.limit, 10);
	assert_int_equal(a.window_s, 10);
	a = limits_take(l, NOW, k, TIER_SMALL, 1);
	assert_false(a.allowed);
	assert_int_equal(a.retry_after_s, 1);
	assert_false(limits_take(l, NOW + 999, k, TIER_SMALL, 1).allowed);
	assert_true(limits_take(l, NOW + 1000, k, TIER_SMALL, 1).allowed);
	assert_false(limits_take(l, NOW + 1000, k, TIER_SMALL, 1).allowed);
	assert_int_equal(limits_take(l, NOW + 1000 + MINUTE_MS, k, TIER_SMALL, 1).remaining, 9);
	limits_destroy(&l);
}

static void a_call_may_cost_more_and_never_more_than_there_can_be(void **state)
{
	struct limits *l = limits_of(0);
	struct limits_key k = limits_id(KIND_KEY, 1);
	struct limits_answer a;

	(void)state;
	assert_int_equal(limits_take(l, NOW, k, TIER_SMALL, 7).remaining, 3);
	a = limits_take(l, NOW, k, TIER_SMALL, 5);
	assert_false(a.allowed);
	assert_int_equal(a.remaining, 3); /* a refusal costs nothing */
	assert_int_equal(a.retry_after_s, 2);
	assert_true(limits_take(l, NOW, k, TIER_SMALL, 0).allowed);
	assert_true(limits_take(l, NOW + MINUTE_MS, k, TIER_SMALL, 4000000000U).allowed);
	assert_int_equal(limits_take(l, NOW + MINUTE_MS, k, TIER_SMALL, 1).retry_after_s, 1);
	limits_destroy(&l);
}

static void each_has_a_bucket_of_its_own(void **state)
{
	struct limits *l = limits_of(0);
	struct limits_key keys[] = {limits_id(KIND_KEY, 1), limits_id(KIND_KEY, 2), limits_id(KIND_AGENT, 1),
				    limits_address(STR("192.0.2.1")), limits_address(STR("2001:db8::1"))};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		assert_true(limits_take(l, NOW, keys[i], TIER_SMALL, 10).allowed);
		assert_false(limits_take(l, NOW, keys[i], TIER_SMALL, 1).allowed);
	}
	assert_int_equal(stats_of(l).places, COUNT_OF(keys));
	assert_int_equal(stats_of(l).allowed, COUNT_OF(keys));
	assert_int_equal(stats_of(l).refused, COUNT_OF(keys));
	limits_destroy(&l);
}

static void unlimited_costs_nothing(void **state)
{
	struct limits *l = limits_of(0);
	struct limits_answer a = limits_take(l, NOW, limits_id(KIND_KEY, 1), TIER_FREE, 1000000);

	(void)state;
	assert_true(a.allowed);
	assert_int_equal(a.limit, 0);
	assert_int_equal(stats_of(l).places, 0);
	limits_destroy(&l);
}

static void a_changed_tier_takes_the_tokens_along_as_far_as_they_fit(void **state)
{
	struct limits *l = limits_of(0);
	struct limits_key k = limits_id(KIND_KEY, 1);

	(void)state;
	assert_int_equal(limits_take(l, NOW, k, TIER_LARGE, 1).remaining, 999);
	assert_int_equal(limits_take(l, NOW, k, TIER_SMALL, 1).remaining, 9);
	assert_int_equal(limits_take(l, NOW, k, TIER_LARGE, 1).remaining, 8);
	limits_destroy(&l);
}

static void addresses_are_counted_as_who_has_them(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} pairs[] = {
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"2001:DB8::1", "2001:db8::1", true},
		{"unix", "unix", true},
		{"unix", "192.0.2.1", false},
		{"", "unknown", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		struct limits_key a = limits_address(str_of(pairs[i].a)), b = limits_address(str_of(pairs[i].b));

		assert_row(pairs[i].a, (a.id == b.id) == pairs[i].same);
		assert_row(pairs[i].a, a.kind == LIMITS_ADDRESS && b.kind == LIMITS_ADDRESS);
	}
}

/* ---- a full table ---- */

enum { PLACES = 1024 };

/* Ten times as many addresses as there are places, each calling once, in the same moment. */
static uint64_t flood(struct limits *l, int64_t now_ms, int64_t from)
{
	uint64_t allowed = 0;

	for (int64_t i = from; i < from + (int64_t)10 * PLACES; i++)
		allowed += limits_take(l, now_ms, (struct limits_key){i, LIMITS_ADDRESS}, TIER_SMALL, 1).allowed;
	return allowed;
}

static void a_flood_of_new_addresses_shares_one_bucket(void **state)
{
	struct limits *l = limits_of(PLACES);
	struct limits_stats s;
	uint64_t allowed = flood(l, NOW, 0), after;

	(void)state;
	s = stats_of(l);
	assert_true(s.overflowed >= 9 * PLACES);
	assert_int_equal(allowed, s.places + 10); /* one each for those with a place, a burst for all others */
	after = flood(l, NOW + 500, 10 * PLACES);
	assert_int_equal(after, 0); /* all places are active still, and their bucket is empty */
	assert_true(flood(l, NOW + MINUTE_MS, 20 * PLACES) >=
		    PLACES / 2); /* those before have become full, and gone */
	limits_destroy(&l);
}

static void a_flood_disturbs_neither_keys_nor_addresses_that_were_there(void **state)
{
	struct limits *l = limits_of(PLACES);
	struct limits_key key = limits_id(KIND_KEY, 1), late = limits_id(KIND_KEY, 2),
			  address = limits_address(STR("192.0.2.1"));

	(void)state;
	assert_true(limits_take(l, NOW, key, TIER_SMALL, 4).allowed);
	assert_true(limits_take(l, NOW, address, TIER_SMALL, 4).allowed);
	flood(l, NOW, 1 << 30);
	assert_int_equal(limits_take(l, NOW, key, TIER_SMALL, 1).remaining, 5);
	assert_int_equal(limits_take(l, NOW, address, TIER_SMALL, 1).remaining, 5);
	assert_int_equal(limits_take(l, NOW, late, TIER_SMALL, 1).remaining, 9);
	limits_destroy(&l);
}

/* Keys are given out by us: more of them than places only means that the fullest bucket is forgotten. */
static void more_keys_than_places_lock_nobody_out(void **state)
{
	struct limits *l = limits_of(PLACES);
	struct limits_key empty = limits_id(KIND_KEY, 1 << 20);

	(void)state;
	assert_true(limits_take(l, NOW, empty, TIER_SMALL, 10).allowed);
	for (int64_t i = 0; i < (int64_t)10 * PLACES; i++)
		assert_true(limits_take(l, NOW, limits_id(KIND_KEY, i), TIER_SMALL, 1).allowed);
	assert_true(stats_of(l).evicted > 0);
	assert_false(limits_take(l, NOW, empty, TIER_SMALL, 1).allowed); /* others held more than this one */
	limits_destroy(&l);
}

/* ---- against a bucket that is counted by hand ---- */

/* All that was admitted, newest last: the level is the least that any moment until now leaves. */
struct ledger {
	int64_t at_ms[4096], units[4096];
	size_t n;
};

static int64_t level_by_hand(const struct ledger *e, const struct limits_tier *t, int64_t now_ms)
{
	int64_t level = limits_capacity(t), at_ms = e->n ? e->at_ms[0] : now_ms;

	for (size_t i = 0; i <= e->n; i++) {
		int64_t then_ms = i < e->n ? e->at_ms[i] : now_ms;

		level += (then_ms - at_ms) * t->per_minute;
		level = level > limits_capacity(t) ? limits_capacity(t) : level;
		level -= i < e->n ? e->units[i] : 0;
		at_ms = then_ms;
	}
	return level;
}

static void a_random_history_is_counted_exactly(void **state)
{
	struct rng r = test_seed();
	struct ledger *e = NEW(struct ledger);
	struct limits *l = limits_of(0);
	const struct limits_tier *t = &tiers[TIER_SMALL];
	int64_t now_ms = NOW;

	(void)state;
	while (e->n < COUNT_OF(e->units) / 4) {
		unsigned cost = (unsigned)rng_below(&r, 6);
		int64_t level = level_by_hand(e, t, now_ms), units = cost * (int64_t)LIMITS_UNITS;
		struct limits_answer a = limits_take(l, now_ms, limits_id(KIND_KEY, 1), TIER_SMALL, cost);

		assert_int_equal(a.allowed, level >= units);
		assert_int_equal(a.remaining, (a.allowed ? level - units : level) / LIMITS_UNITS);
		if (a.allowed) {
			e->at_ms[e->n] = now_ms;
			e->units[e->n++] = units;
		} else {
			assert_true(level_by_hand(e, t, now_ms + a.retry_after_s * INT64_C(1000)) >= units);
			assert_true(level_by_hand(e, t, now_ms + (a.retry_after_s - 1) * INT64_C(1000)) < units);
		}
		now_ms += (int64_t)rng_below(&r, rng_below(&r, 10) ? 1500 : 30000);
	}
	limits_destroy(&l);
	free(e);
}

/* What the others left is learned while calls go on: those since it was told count on top. */
static void what_was_used_meanwhile_is_not_given_back(void **state)
{
	struct limits *l = limits_of(0);
	struct limits_key k = limits_id(KIND_KEY, 1);
	struct limits_news news[2];
	size_t n = 0;

	(void)state;
	assert_true(limits_take(l, NOW, k, TIER_SMALL, 2).allowed);
	for (size_t shard = 0; shard < LIMITS_SHARDS; shard++)
		n += limits_news_take(l, shard, news + n, 2 - n);
	assert_int_equal(n, 1);
	assert_int_equal(news[0].used, 2 * LIMITS_UNITS);
	assert_true(limits_take(l, NOW, k, TIER_SMALL, 3).allowed);
	news[0].level = 5 * LIMITS_UNITS;
	limits_news_learn(l, news, NOW);
	assert_int_equal(limits_take(l, NOW, k, TIER_SMALL, 0).remaining, 2);
	limits_destroy(&l);
}

/* ---- threads ---- */

enum { THREADS = 4, CALLS = 20000 };

struct crowd {
	struct limits *l;
	atomic_ullong allowed;
};

static void *call_on(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < CALLS; i++) {
		struct limits_answer a = limits_take(c->l, NOW, limits_id(KIND_KEY, i % 3), TIER_LARGE, 1);

		atomic_fetch_add(&c->allowed, a.allowed);
		limits_take(c->l, NOW, (struct limits_key){i, LIMITS_ADDRESS}, TIER_SMALL, 1);
	}
	return NULL;
}

static void no_token_is_given_to_two_threads(void **state)
{
	struct crowd c = {.l = limits_of(PLACES)};
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, call_on, &c), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&c.allowed), 3 * 1000);
	limits_destroy(&c.l);
}

static void time_that_goes_back_gives_nothing(void **state)
{
	struct limits *l = limits_of(0);
	struct limits_key k = limits_id(KIND_KEY, 1);

	(void)state;
	assert_int_equal(limits_take(l, NOW, k, TIER_SMALL, 4).remaining, 6);
	assert_int_equal(limits_take(l, NOW - 3000, k, TIER_SMALL, 6).remaining, 0); /* and takes nothing */
	assert_false(limits_take(l, NOW - MINUTE_MS, k, TIER_SMALL, 1).allowed);
	assert_false(limits_take(l, NOW, k, TIER_SMALL, 1).allowed);
	assert_true(limits_take(l, INT64_MAX, k, TIER_SMALL, 10).allowed);
	limits_destroy(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allows_a_burst_and_then_the_rate),
		cmocka_unit_test(a_call_may_cost_more_and_never_more_than_there_can_be),
		cmocka_unit_test(each_has_a_bucket_of_its_own),
		cmocka_unit_test(unlimited_costs_nothing),
		cmocka_unit_test(a_changed_tier_takes_the_tokens_along_as_far_as_they_fit),
		cmocka_unit_test(addresses_are_counted_as_who_has_them),
		cmocka_unit_test(a_flood_of_new_addresses_shares_one_bucket),
		cmocka_unit_test(a_flood_disturbs_neither_keys_nor_addresses_that_were_there),
		cmocka_unit_test(more_keys_than_places_lock_nobody_out),
		cmocka_unit_test(a_random_history_is_counted_exactly),
		cmocka_unit_test(what_was_used_meanwhile_is_not_given_back),
		cmocka_unit_test(no_token_is_given_to_two_threads),
		cmocka_unit_test(time_that_goes_back_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
