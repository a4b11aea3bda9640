/* The map against an array with one entry for each possible key. */
#include "harness.h"

#include "base/magic.h"
#include "base/map.h"

enum { KEYS = 500 };

struct model {
	uint64_t key[KEYS];
	int value[KEYS]; /* what the map points to, when present */
	bool present[KEYS];
	size_t count;
};

static void change(struct map *m, struct model *model, struct rng *r)
{
	size_t i = rng_below(r, KEYS);
	void *was = model->present[i] ? &model->value[i] : NULL;

	assert_ptr_equal(map_get(m, model->key[i]), was);
	if (rng_below(r, 2)) {
		assert_ptr_equal(map_put(m, model->key[i], &model->value[i]), was);
		model->count += !model->present[i];
		model->present[i] = true;
	} else {
		assert_ptr_equal(map_take(m, model->key[i]), was);
		model->count -= model->present[i];
		model->present[i] = false;
	}
	assert_int_equal(m->count, model->count);
}

/* Each key answers as in the model, and a visit meets each value once. */
static void assert_same(const struct map *m, struct model *model)
{
	size_t visited = 0;
	int *value;

	memset(model->value, 0, sizeof(model->value));
	for (size_t i = 0; (value = map_next(m, &i)); visited++)
		assert_int_equal((*value)++, 0);
	assert_int_equal(visited, model->count);
	for (size_t i = 0; i < KEYS; i++) {
		assert_int_equal(model->value[i], model->present[i]);
		assert_ptr_equal(map_get(m, model->key[i]), model->present[i] ? &model->value[i] : NULL);
	}
}

static void run_history(uint64_t (*key)(struct rng *, size_t))
{
	struct rng r = test_seed();
	struct model *model = NEW(struct model);
	struct map m = {0};

	for (size_t i = 0; i < KEYS; i++)
		model->key[i] = key(&r, i);
	for (int step = 0; step < 20000; step++) {
		change(&m, model, &r);
		if (step % 500 == 0)
			assert_same(&m, model);
	}
	assert_same(&m, model);
	map_free(&m);
	free(model);
}

static uint64_t small_key(struct rng *r, size_t i)
{
	(void)r;
	return i;
}

/* As id_make() makes them: time above, slot in the middle, sequence below. */
static uint64_t id_key(struct rng *r, size_t i)
{
	return (uint64_t)(50000000 + i / 64) << 22 | rng_below(r, 1024) << 12 | i % 64;
}

static uint64_t hash_key(struct rng *r, size_t i)
{
	(void)i;
	return rng_u64(r);
}

/* All at home in the same place of a small map: long runs, and gaps closed within them. */
static uint64_t crowded_key(struct rng *r, size_t i)
{
	uint64_t inverse = 1; /* of the multiplier, by Newton's iteration */

	(void)r;
	for (int round = 0; round < 6; round++)
		inverse *= 2 - 0x9e3779b97f4a7c15 * inverse;
	return inverse * (i << 16);
}

static void a_map_of_small_numbers_is_right(void **state)
{
	(void)state;
	run_history(small_key);
}

static void a_map_of_ids_is_right(void **state)
{
	(void)state;
	run_history(id_key);
}

static void a_map_of_hashes_is_right(void **state)
{
	(void)state;
	run_history(hash_key);
}

static void a_map_of_colliding_keys_is_right(void **state)
{
	(void)state;
	run_history(crowded_key);
}

static void an_empty_map_needs_no_memory(void **state)
{
	struct map m = {0};
	size_t i = 0;

	(void)state;
	assert_null(map_get(&m, 0));
	assert_null(map_take(&m, 0));
	assert_null(map_next(&m, &i));
	assert_int_equal(map_bytes(&m), 0);
	map_free(&m);
}

static void a_map_is_at_most_seven_eighths_full(void **state)
{
	struct map m = {0};
	int value = 0;

	(void)state;
	for (uint64_t k = 0; k < 5000; k++) {
		map_put(&m, k, &value);
		assert_true(m.count * 8 <= map_bytes(&m) / 16 * 7);
		assert_true(k != 13 || map_bytes(&m) == 16 * 16); /* 14 of 16 is not too many */
	}
	assert_int_equal(map_bytes(&m), 8192 * 16);
	map_free(&m);
	assert_int_equal(m.count, 0);
	assert_null(map_get(&m, 1));
}

static void room_that_was_reserved_is_not_grown_again(void **state)
{
	struct map m = {0};
	struct map_place *places;
	int value = 0;

	(void)state;
	map_put(&m, 1, &value);
	map_reserve(&m, 1000);
	places = m.places;
	for (uint64_t k = 0; k < 1000; k++)
		map_put(&m, k, &value);
	assert_ptr_equal(m.places, places);
	assert_int_equal(m.count, 1000);
	map_reserve(&m, 10); /* never shrinks */
	assert_ptr_equal(m.places, places);
	map_free(&m);
}

static void put_null(void *arg)
{
	struct map m = {0};

	map_put(&m, 1, arg);
}

static void null_is_no_value(void **state)
{
	(void)state;
	assert_true(dies(put_null, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_map_of_small_numbers_is_right),
		cmocka_unit_test(a_map_of_ids_is_right),
		cmocka_unit_test(a_map_of_hashes_is_right),
		cmocka_unit_test(a_map_of_colliding_keys_is_right),
		cmocka_unit_test(an_empty_map_needs_no_memory),
		cmocka_unit_test(a_map_is_at_most_seven_eighths_full),
		cmocka_unit_test(room_that_was_reserved_is_not_grown_again),
		cmocka_unit_test(null_is_no_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
