/* What L1 promises, told one by one, under a clock that the test holds. */
#include "cache_kit.h"

enum { NOW = 1000000 };

static void answers_what_was_put(void **state)
{
	struct cache *c = kit_trusted_cache(KIT_BYTES);
	struct kit_name name;
	struct cache_key k = kit_key(&name, "agent", 17);
	struct cache_blob *b;

	(void)state;
	assert_null(cache_get(c, &k, NOW));
	assert_true(kit_load(c, &k, 17, 3, NOW));
	b = cache_get(c, &k, NOW);
	assert_non_null(b);
	kit_check(b, 17);
	assert_int_equal(b->version, 3);
	assert_false(kit_load(c, &k, 17, 4, NOW));
	cache_destroy(&c);
	kit_check(b, 17); /* it is held */
	cache_blob_drop(&b);
	assert_null(b);
}

static void believes_nothing_until_told_and_no_longer_than_told(void **state)
{
	struct cache *c = kit_cache(KIT_BYTES);
	struct kit_name name;
	struct cache_key k = kit_key(&name, "agent", 1);

	(void)state;
	assert_true(kit_load(c, &k, 1, 1, NOW));
	assert_int_equal(kit_version(c, &k, NOW), 0);
	assert_true(kit_load(c, &k, 1, 1, NOW));
	cache_trust(c, NOW + 10);
	assert_int_equal(kit_version(c, &k, NOW + 10), 1);
	assert_int_equal(kit_version(c, &k, NOW + 11), 0);
	assert_int_equal(kit_stats(c).distrusted, 2);
	cache_destroy(&c);
}

/* Between 10 and 20 % before its time, and not all at once. */
static void lives_for_its_time_less_some(void **state)
{
	enum { KEYS = 200 };
	struct cache *c = kit_trusted_cache(KIT_BYTES);
	struct kit_name name;
	int gone = 0;

	(void)state;
	for (int i = 0; i < KEYS; i++) {
		struct cache_key k = kit_key(&name, "agent", i);

		kit_load(c, &k, i, 1, NOW);
		assert_int_equal(kit_version(c, &k, NOW + KIT_TTL_MS * 80 / 100 - 1), 1);
		assert_int_equal(kit_version(c, &k, NOW + KIT_TTL_MS * 90 / 100), 0);
		gone += kit_version(c, &k, NOW + KIT_TTL_MS * 85 / 100) == 0;
	}
	assert_in_range(gone, KEYS / 4, KEYS * 3 / 4);
	cache_destroy(&c);
}

static void an_invalidation_takes_away_what_is_older(void **state)
{
	struct cache *c = kit_trusted_cache(KIT_BYTES);
	struct kit_name name;
	struct cache_key k = kit_key(&name, "agent", 1);

	(void)state;
	kit_load(c, &k, 1, 5, NOW);
	cache_invalidate(c, &k, 4, NOW);
	cache_invalidate(c, &k, 5, NOW);
	assert_int_equal(kit_version(c, &k, NOW), 5); /* that is the version which was told */
	cache_invalidate(c, &k, 6, NOW);
	assert_int_equal(kit_version(c, &k, NOW), 0);
	kit_load(c, &k, 1, 6, NOW);
	cache_invalidate(c, &k, 0, NOW);
	assert_int_equal(kit_version(c, &k, NOW), 0);
	assert_int_equal(kit_stats(c).entries, 0);
	cache_destroy(&c);
}

/* The row is read, then changed, then put: what was read is not cached. */
static void a_load_that_an_invalidation_overtook_is_void(void **state)
{
	static const struct {
		const char *name;
		int64_t told, read;
		bool is_void;
	} cases[] = {
		{"older", 2, 1, true},
		{"the same", 2, 2, false},
		{"newer", 2, 3, false},
		{"not said", 0, 9, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct cache *c = kit_trusted_cache(KIT_BYTES);
		struct kit_name name;
		struct cache_key k = kit_key(&name, "agent", 1);
		struct cache_fill fill;
		struct cache_blob *b = kit_blob(1, cases[i].read, 0);

		assert_null(cache_begin(c, &k, NOW, &fill));
		cache_invalidate(c, &k, cases[i].told, NOW);
		cache_put(&fill, b, KIT_TTL_MS, NOW);
		assert_row(cases[i].name, kit_version(c, &k, NOW) == (cases[i].is_void ? 0 : cases[i].read));
		assert_row(cases[i].name, kit_stats(c).void_puts == cases[i].is_void);
		kit_check(b, 1);
		cache_blob_drop(&b);
		cache_destroy(&c);
	}
}

static void a_group_takes_its_entries_with_it(void **state)
{
	struct cache *c = kit_trusted_cache(KIT_BYTES);
	struct kit_name names[3];
	struct cache_key both = kit_key(&names[0], "list", 1), one = kit_key(&names[1], "list", 2),
			 none = kit_key(&names[2], "agent", 1);
	struct cache_fill fill;
	struct cache_blob *b = kit_blob(1, 0, 0);

	(void)state;
	both.groups[0] = one.groups[0] = 7;
	both.groups[1] = 8;
	kit_load(c, &both, 1, 1, NOW);
	kit_load(c, &one, 2, 1, NOW);
	kit_load(c, &none, 3, 1, NOW);
	cache_invalidate_group(c, 8);
	assert_int_equal(kit_version(c, &both, NOW), 0);
	assert_int_equal(kit_version(c, &one, NOW), 1);
	assert_null(cache_begin(c, &both, NOW, &fill));
	cache_invalidate_group(c, 7);
	cache_put(&fill, b, KIT_TTL_MS, NOW); /* overtaken */
	assert_null(cache_get(c, &both, NOW));
	assert_int_equal(kit_version(c, &one, NOW), 0);
	assert_int_equal(kit_version(c, &none, NOW), 1);
	cache_blob_drop(&b);
	cache_destroy(&c);
}

static void a_flush_takes_everything_and_what_is_being_loaded(void **state)
{
	struct cache *c = kit_trusted_cache(KIT_BYTES);
	struct kit_name names[2];
	struct cache_key k = kit_key(&names[0], "agent", 1), loading = kit_key(&names[1], "agent", 2);
	struct cache_fill fill;
	struct cache_blob *b = kit_blob(2, 1, 0);

	(void)state;
	kit_load(c, &k, 1, 1, NOW);
	assert_null(cache_begin(c, &loading, NOW, &fill));
	cache_flush(c, NOW);
	cache_put(&fill, b, KIT_TTL_MS, NOW);
	assert_int_equal(kit_version(c, &k, NOW), 0);
	assert_int_equal(kit_version(c, &loading, NOW), 0);
	cache_blob_drop(&b);
	cache_destroy(&c);
}

/* A load without an invalidation in sight, but slower than one that began later. */
static void an_older_version_does_not_replace_a_newer_one(void **state)
{
	struct cache *c = kit_cache(KIT_BYTES); /* not believed: so nobody waits for the other */
	struct kit_name name;
	struct cache_key k = kit_key(&name, "agent", 1);
	struct cache_fill slow;
	struct cache_blob *old = kit_blob(1, 1, 0);

	(void)state;
	assert_null(cache_begin(c, &k, NOW, &slow));
	kit_load(c, &k, 1, 2, NOW);
	cache_put(&slow, old, KIT_TTL_MS, NOW);
	cache_trust(c, INT64_MAX);
	assert_int_equal(kit_version(c, &k, NOW), 2);
	cache_blob_drop(&old);
	cache_destroy(&c);
}

static void stays_within_its_bytes(void **state)
{
	struct rng r = test_seed();
	struct kit_name name;

	(void)state;
	for (size_t bytes = 64 << 10; bytes <= 4 << 20; bytes *= 4) {
		struct cache *c = kit_trusted_cache(bytes);

		for (int i = 0; i < 20000; i++) {
			struct cache_key k = kit_key(&name, "agent", i);
			struct cache_blob *b = kit_blob(i, 1, rng_below(&r, 3000));
			struct cache_fill fill;

			assert_null(cache_begin(c, &k, NOW, &fill));
			cache_put(&fill, b, KIT_TTL_MS, NOW);
			cache_blob_drop(&b);
			if (i % 500 == 0)
				assert_in_range(kit_stats(c).bytes, 1, bytes);
		}
		assert_true(kit_stats(c).evictions > 0);
		assert_in_range(kit_stats(c).bytes, bytes / 2, bytes); /* and uses them */
		cache_destroy(&c);
	}
}

static void what_is_used_outlives_what_is_not(void **state)
{
	struct cache *c = kit_trusted_cache(64 << 10);
	struct kit_name names[2];
	struct cache_key liked = kit_key(&names[0], "agent", 0);

	(void)state;
	kit_load(c, &liked, 0, 1, NOW);
	for (int i = 1; i < 5000; i++) {
		struct cache_key k = kit_key(&names[1], "agent", i);

		kit_load(c, &k, i, 1, NOW);
		assert_int_equal(kit_version(c, &liked, NOW), 1);
	}
	assert_true(kit_stats(c).evictions > 4000);
	cache_destroy(&c);
}

static void what_cannot_be_kept_is_not(void **state)
{
	struct cache *c = kit_trusted_cache(64 << 10);
	struct kit_name name;
	struct cache_key large = kit_key(&name, "agent", 1), nameless = cache_key((struct str){0});
	struct cache_fill fill;
	struct cache_blob *b = kit_blob(1, 1, 64 << 10);
	char long_name[CACHE_KEY_MAX + 1] = {1};
	struct cache_key long_key = cache_key((struct str){long_name, sizeof(long_name)});

	(void)state;
	assert_null(cache_begin(c, &large, NOW, &fill));
	cache_put(&fill, b, KIT_TTL_MS, NOW);
	assert_null(cache_get(c, &large, NOW));
	assert_null(cache_begin(c, &large, NOW, &fill));
	cache_put(&fill, b, 0, NOW); /* no time to live */
	assert_null(cache_get(c, &large, NOW));
	assert_true(kit_load(c, &long_key, 1, 1, NOW));
	assert_null(cache_get(c, &long_key, NOW));
	assert_true(kit_load(c, &nameless, 1, 1, NOW));
	assert_int_equal(kit_version(c, &nameless, NOW), 1);
	cache_blob_drop(&b);
	cache_destroy(&c);
}

static void floors_hold_for_their_time_and_close_a_place_that_is_too_full(void **state)
{
	enum { LIFE = 100 };
	struct floors f = {0};

	(void)state;
	floors_init(&f, sizeof(struct floor_set));
	assert_int_equal(f.mask, 0);
	floors_raise(&f, 1, 5, 0, LIFE);
	floors_raise(&f, 1, 3, 10, 10 + LIFE); /* told again, and late */
	assert_int_equal(floors_at(&f, 1, 0), 5);
	assert_int_equal(floors_at(&f, 1, 10 + LIFE - 1), 5);
	assert_int_equal(floors_at(&f, 1, 10 + LIFE), 0);
	assert_int_equal(floors_at(&f, 2, 0), 0);
	for (uint64_t h = 2; h <= FLOOR_WAYS + 1; h++)
		floors_raise(&f, h, 1, 20, 20 + LIFE);
	assert_int_equal(floors_at(&f, 1, 20), INT64_MAX);  /* forgotten */
	assert_int_equal(floors_at(&f, 99, 20), INT64_MAX); /* it may be one of those */
	assert_int_equal(floors_at(&f, 2, 20), 1);          /* known */
	assert_int_equal(floors_at(&f, 99, 10 + LIFE), 0);
	floors_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_what_was_put),
		cmocka_unit_test(believes_nothing_until_told_and_no_longer_than_told),
		cmocka_unit_test(lives_for_its_time_less_some),
		cmocka_unit_test(an_invalidation_takes_away_what_is_older),
		cmocka_unit_test(a_load_that_an_invalidation_overtook_is_void),
		cmocka_unit_test(a_group_takes_its_entries_with_it),
		cmocka_unit_test(a_flush_takes_everything_and_what_is_being_loaded),
		cmocka_unit_test(an_older_version_does_not_replace_a_newer_one),
		cmocka_unit_test(stays_within_its_bytes),
		cmocka_unit_test(what_is_used_outlives_what_is_not),
		cmocka_unit_test(what_cannot_be_kept_is_not),
		cmocka_unit_test(floors_hold_for_their_time_and_close_a_place_that_is_too_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
