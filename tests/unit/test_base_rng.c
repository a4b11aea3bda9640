/* Random numbers: seeds replay, bounds hold evenly, and the system's leave no trace. */
#include "harness.h"

static void the_seeded_generator_is_splitmix64(void **state)
{
	/* The reference implementation's output for this seed. */
	static const uint64_t expected[] = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
					    4593380528125082431u, 16408922859458223821u};
	struct rng r;

	(void)state;
	rng_seeded_init(&r, 1234567);
	for (unsigned i = 0; i < COUNT_OF(expected); i++)
		assert_true(rng_u64(&r) == expected[i]);
}

static void numbers_below_a_bound_are_below_it_and_even(void **state)
{
	unsigned seen[7] = {0};
	struct rng r;

	(void)state;
	rng_seeded_init(&r, 1); /* always the same: a statistic must not fail now and then */
	for (int i = 0; i < 70000; i++)
		seen[rng_below(&r, COUNT_OF(seen))]++;
	for (unsigned i = 0; i < COUNT_OF(seen); i++)
		assert_in_range(seen[i], 9600, 10400); /* 10,000, and over four standard deviations of 93 */
	assert_int_equal(rng_below(&r, 1), 0);
}

/* By mere division every number below a third of the bound would come twice as often as the others. */
static void a_bound_that_does_not_divide_the_range_favours_nobody(void **state)
{
	const uint64_t bound = (uint64_t)3 << 62;
	unsigned low = 0;
	struct rng r;

	(void)state;
	rng_seeded_init(&r, 2);
	for (int i = 0; i < 30000; i++) {
		uint64_t v = rng_below(&r, bound);

		assert_true(v < bound);
		low += v < bound / 3;
	}
	assert_in_range(low, 9600, 10400);
}

static void below_nothing(void *rng)
{
	rng_below(rng, 0);
}

static void nothing_is_below_zero(void **state)
{
	struct rng r;

	(void)state;
	rng_seeded_init(&r, 1);
	assert_true(dies(below_nothing, &r));
}

static void the_system_generator_does_not_repeat(void **state)
{
	enum { WORDS = 200 };
	uint64_t words[3 * WORDS];
	struct rng a, b;

	(void)state;
	rng_system_init(&a);
	rng_system_init(&b);
	for (int i = 0; i < WORDS; i++) {
		words[3 * i] = rng_u64(&a);
		words[3 * i + 1] = rng_u64(&b);
		words[3 * i + 2] = rng_system_word();
	}
	for (int i = 0; i < 3 * WORDS; i++)
		for (int j = 0; j < i; j++)
			assert_true(words[i] != words[j]);
}

static void what_the_system_generator_gave_is_wiped_from_its_pool(void **state)
{
	struct rng r;

	(void)state;
	rng_system_init(&r);
	for (int i = 0; i < 100; i++) {
		uint64_t word = rng_u64(&r);

		for (unsigned j = 0; j < COUNT_OF(r.pool); j++)
			assert_true(r.pool[j] != word);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_seeded_generator_is_splitmix64),
		cmocka_unit_test(numbers_below_a_bound_are_below_it_and_even),
		cmocka_unit_test(a_bound_that_does_not_divide_the_range_favours_nobody),
		cmocka_unit_test(nothing_is_below_zero),
		cmocka_unit_test(the_system_generator_does_not_repeat),
		cmocka_unit_test(what_the_system_generator_gave_is_wiped_from_its_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
