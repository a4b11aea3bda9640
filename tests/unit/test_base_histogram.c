/* The histogram against a sorted list of the same values. */
#include "harness.h"

#include "base/histogram.h"
#include "base/magic.h"

static void buckets_follow_each_other_without_gap_or_overlap(void **state)
{
	uint64_t below = UINT64_MAX; /* so that the first bucket begins at 0 */

	(void)state;
	for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++) {
		uint64_t top = histogram_bucket_top(b);

		assert_int_equal(histogram_bucket(below + 1), b);
		assert_int_equal(histogram_bucket(top), b);
		assert_true(top - (below + 1) <= top / 128);
		below = top;
	}
	assert_true(below == UINT64_MAX);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The smallest value such that at least so many are not above it. */
static uint64_t exactly(const uint64_t *sorted, size_t n, double percent)
{
	size_t rank = 0;

	while ((double)(rank + 1) * 100 < percent * (double)n)
		rank++;
	return sorted[rank];
}

static void a_percentile_is_never_low_and_hardly_high(void **state)
{
	static const double percents[] = {0.1, 1, 25, 50, 90, 99, 99.9, 100};
	enum { MANY = 20000 };
	struct rng r = test_seed();
	uint64_t *values = calloc(MANY, sizeof(*values));

	(void)state;
	for (unsigned spread = 1; spread <= 64; spread += 7) {
		struct histogram *h = NEW(struct histogram);

		for (size_t i = 0; i < MANY; i++) {
			values[i] = rng_u64(&r) >> (64 - spread) >> rng_below(&r, spread);
			histogram_add(h, values[i]);
		}
		qsort(values, MANY, sizeof(*values), by_value);
		for (size_t i = 0; i < COUNT_OF(percents); i++) {
			uint64_t is = exactly(values, MANY, percents[i]), says = histogram_at(h, percents[i]);

			assert_true(says >= is && says - is <= is / 128);
		}
		assert_true(histogram_at(h, 100) == values[MANY - 1]);
		free(h);
	}
	free(values);
}

static void nothing_counted_is_zero(void **state)
{
	struct histogram *h = NEW(struct histogram);

	(void)state;
	assert_int_equal(histogram_at(h, 99), 0);
	histogram_add(h, 0);
	assert_int_equal(histogram_at(h, 50), 0);
	assert_int_equal(h->count, 1);
	free(h);
}

static void ask_for_none(void *h)
{
	histogram_at(h, 0);
}

static void ask_for_more_than_all(void *h)
{
	histogram_at(h, 101);
}

static void misuse_dies(void **state)
{
	struct histogram *h = NEW(struct histogram);

	(void)state;
	assert_true(dies(ask_for_none, h));
	assert_true(dies(ask_for_more_than_all, h));
	free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_follow_each_other_without_gap_or_overlap),
		cmocka_unit_test(a_percentile_is_never_low_and_hardly_high),
		cmocka_unit_test(nothing_counted_is_zero),
		cmocka_unit_test(misuse_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
