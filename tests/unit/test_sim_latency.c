/* Latencies: percentiles beside those of the sorted values themselves. */
#include "harness.h"

#include "sim/latency.h"

#include <math.h>

static const double percents[] = {0.001, 1, 10, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100};

static int compare_values(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t in_us(int64_t ns)
{
	return ns <= 0 ? 0 : ns >= INT64_C(3600000000000) ? INT64_C(3600000000) : (ns + 999) / 1000;
}

/* The smallest of the sorted values such that ceil(q * n) are not greater; q in thousandths of a percent. */
static int64_t exact_us(const int64_t *sorted, uint64_t n, double percent)
{
	uint64_t q = (uint64_t)llround(percent * 1000);

	return in_us(sorted[(n * q + 99999) / 100000 - 1]);
}

static void assert_percentiles(const struct latency *l, int64_t *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare_values);
	for (unsigned i = 0; i < COUNT_OF(percents); i++) {
		int64_t exact = exact_us(values, n, percents[i]), ours = latency_at_us(l, percents[i]);

		assert_true(ours >= exact && (double)ours <= (double)exact * 1.001);
	}
	assert_int_equal(l->max_us, in_us(values[n - 1]));
	assert_int_equal(latency_at_us(l, 100), in_us(values[n - 1]));
}

/* Sizes from nanoseconds to past an hour, each power of ten as probable as the next. */
static int64_t random_ns(struct rng *r)
{
	int64_t ns = 1;

	for (uint64_t power = rng_below(r, 13); power > 0; power--)
		ns *= 10;
	return (int64_t)rng_below(r, (uint64_t)ns * 10);
}

static void percentiles_are_never_too_low_and_at_most_a_thousandth_too_high(void **state)
{
	static const size_t sizes[] = {1, 2, 3, 10, 99, 100, 101, 1000, 20000};
	struct rng r = test_seed();
	int64_t values[20000];

	(void)state;
	for (unsigned s = 0; s < COUNT_OF(sizes); s++) {
		struct latency l = {0};

		for (size_t i = 0; i < sizes[s]; i++) {
			values[i] = random_ns(&r);
			latency_add(&l, values[i]);
		}
		assert_int_equal(l.count, sizes[s]);
		assert_percentiles(&l, values, sizes[s]);
		latency_free(&l);
	}
}

/* All of 1 to 1,000 ms: the rank rule has no room for taste. */
static void the_rank_rule_is_exact_where_the_values_are(void **state)
{
	struct latency l = {0};

	(void)state;
	for (int64_t i = 1; i <= 1000; i++)
		latency_add(&l, i * 1000);
	assert_int_equal(latency_at_us(&l, 50), 500);
	assert_int_equal(latency_at_us(&l, 95), 950);
	assert_int_equal(latency_at_us(&l, 99), 990);
	assert_int_equal(latency_at_us(&l, 99.9), 999);
	assert_int_equal(latency_at_us(&l, 99.91), 1000);
	assert_int_equal(latency_at_us(&l, 0.1), 1);
	assert_int_equal(latency_at_us(&l, 1e-9), 1);
	assert_true(latency_mean_us(&l) == 500.5);
	latency_free(&l);
}

static void below_two_milliseconds_every_microsecond_counts_by_itself(void **state)
{
	(void)state;
	for (int64_t us = 0; us < 2048; us++) {
		struct latency l = {0};

		latency_add(&l, us * 1000);
		latency_add(&l, INT64_MAX);
		assert_int_equal(latency_at_us(&l, 50), us);
		latency_free(&l);
	}
}

static void nothing_is_shorter_than_0_or_longer_than_an_hour(void **state)
{
	struct latency l = {0};

	(void)state;
	assert_int_equal(latency_at_us(&l, 99), 0);
	assert_true(latency_mean_us(&l) == 0);
	latency_add(&l, INT64_MIN);
	assert_int_equal(latency_at_us(&l, 100), 0);
	latency_add(&l, 1);
	assert_int_equal(latency_at_us(&l, 100), 1);
	latency_add(&l, INT64_MAX);
	assert_int_equal(latency_at_us(&l, 100), INT64_C(3600000000));
	latency_free(&l);
}

static void merging_is_as_if_one_had_counted_all(void **state)
{
	struct rng r = test_seed();
	struct latency parts[4] = {{0}}, merged = {0};
	int64_t values[4000];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		values[i] = random_ns(&r);
		latency_add(&parts[i % 4], values[i]);
	}
	for (unsigned i = 0; i < 4; i++) {
		latency_merge(&merged, &parts[i]);
		latency_free(&parts[i]);
	}
	assert_int_equal(merged.count, COUNT_OF(values));
	assert_percentiles(&merged, values, COUNT_OF(values));
	latency_free(&merged);
}

static void a_typical_endpoint_takes_a_few_pages(void **state)
{
	struct rng r = test_seed();
	struct latency l = {0};

	(void)state;
	for (int i = 0; i < 1000000; i++) /* from 1 to 16 ms */
		latency_add(&l, 1000000 + (int64_t)rng_below(&r, 15000000));
	assert_in_range(latency_bytes(&l), 1, 5 * 4096);
	latency_clear(&l);
	assert_int_equal(latency_at_us(&l, 99), 0);
	assert_in_range(latency_bytes(&l), 1, 5 * 4096);
	latency_free(&l);
	assert_int_equal(latency_bytes(&l), 0);
}

static void what_is_written_is_read_the_same(void **state)
{
	struct rng r = test_seed();
	struct latency l = {0}, back = {0};
	struct buf first = BUF_INIT(0), second = BUF_INIT(0);

	(void)state;
	for (unsigned n = 0; n < 3; n++) { /* nothing, a few, many */
		latency_write(&l, &first);
		assert_true(latency_read(&back, buf_str(&first)));
		latency_write(&back, &second);
		assert_string_equal(buf_cstr(&first), buf_cstr(&second));
		assert_int_equal(back.count, l.count);
		assert_true(latency_mean_us(&back) == latency_mean_us(&l));
		for (unsigned i = 0; i < COUNT_OF(percents); i++)
			assert_int_equal(latency_at_us(&back, percents[i]), latency_at_us(&l, percents[i]));
		for (unsigned i = 0; i < (n == 0 ? 3 : 3000); i++)
			latency_add(&l, random_ns(&r));
		buf_reset(&first);
		buf_reset(&second);
	}
	buf_free(&first);
	buf_free(&second);
	latency_free(&l);
	latency_free(&back);
}

static void the_form_is_what_the_header_says(void **state)
{
	struct buf b = BUF_INIT(0);
	struct latency l = {0};

	(void)state;
	latency_add(&l, 1400000);
	latency_add(&l, 1500000);
	latency_write(&l, &b);
	assert_string_equal(buf_cstr(&b), "1500 2900 1400 1 100 1");
	buf_free(&b);
	latency_free(&l);
}

static void what_is_no_such_text_is_refused_and_leaves_nothing(void **state)
{
	static const char *const bad[] = {
		"",
		"1500",
		"1500 ",
		"x 0",
		"1500 2900 1400",
		"1500 2900 1400 1 100",
		"1500 2900 1400 0 100 1",
		"1500 2900 1400 1 0 1 100 1",
		"1500 2900 1400 1 100 1 1 1",
		"1500 2900 -1 1",
		"1500 2900 1400 1",
		"1500 0",
		"3600000001 1 1 1",
		"1500 2900 1400 1 100 4294967296",
		"1500 2900 1400 1  100 1",
		"99999999999999999999 1 1 1",
		"1500 2900 99999999 1",
	};
	struct latency l = {0};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(bad); i++) {
		latency_add(&l, 5000);
		assert_row(bad[i], !latency_read(&l, str_of(bad[i])));
		assert_int_equal(l.count, 0);
		assert_int_equal(latency_bytes(&l), 0);
	}
}

/* Of each bound it is known to a thousandth of it. */
static void counts_up_to_a_bound_are_those_of_the_values(void **state)
{
	static const uint64_t bounds_us[] = {0, 1, 100, 2047, 2048, 2500, 100000, 60000000, UINT64_C(4000000000)};
	struct rng rng = test_seed();
	struct latency l = {0};
	int64_t us[2000];

	(void)state;
	assert_int_equal(latency_count_to(&l, 1000), 0);
	for (size_t i = 0; i < COUNT_OF(us); i++) {
		us[i] = (int64_t)rng_below(&rng, UINT64_C(1) << rng_below(&rng, 32));
		latency_add(&l, us[i] * 1000);
	}
	for (size_t b = 0; b < COUNT_OF(bounds_us); b++) {
		uint64_t least = 0, most = 0, count = latency_count_to(&l, bounds_us[b]);

		for (size_t i = 0; i < COUNT_OF(us); i++) {
			least += (double)in_us(us[i] * 1000) <= (double)bounds_us[b] * 0.999;
			most += (uint64_t)in_us(us[i] * 1000) <= bounds_us[b];
		}
		assert_in_range(count, least, most);
	}
	assert_int_equal(latency_count_to(&l, UINT64_MAX), COUNT_OF(us));
	latency_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_never_too_low_and_at_most_a_thousandth_too_high),
		cmocka_unit_test(the_rank_rule_is_exact_where_the_values_are),
		cmocka_unit_test(below_two_milliseconds_every_microsecond_counts_by_itself),
		cmocka_unit_test(nothing_is_shorter_than_0_or_longer_than_an_hour),
		cmocka_unit_test(merging_is_as_if_one_had_counted_all),
		cmocka_unit_test(a_typical_endpoint_takes_a_few_pages),
		cmocka_unit_test(what_is_written_is_read_the_same),
		cmocka_unit_test(the_form_is_what_the_header_says),
		cmocka_unit_test(what_is_no_such_text_is_refused_and_leaves_nothing),
		cmocka_unit_test(counts_up_to_a_bound_are_those_of_the_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
