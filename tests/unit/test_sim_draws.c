/* Draws: the cipher is Philox as published, streams do not touch, and what comes out is spread as it should be. */
#include "harness.h"

#include "sim/draws.h"

#include <math.h>

/* Statistics here are of fixed streams: they hold or they do not, on every run. Limits are those that a fair source
 * passes in all but one of 10,000 seeds. */
enum { SEED = 20260417 };

static struct draws stream(uint32_t agent, uint32_t number)
{
	struct draws d;

	draws_begin(&d, SEED, DRAW_SESSION, agent, 7, number);
	return d;
}

/* The vectors of Random123's kat_vectors for philox4x32 with 10 rounds. */
static void philox_gives_the_published_answers(void **state)
{
	static const struct {
		uint32_t counter[4], key[2], out[4];
	} known[] = {
		{{0}, {0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
		 {0xffffffff, 0xffffffff},
		 {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
		 {0xa4093822, 0x299f31d0},
		 {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(known); i++) {
		uint32_t out[4];

		philox4x32(known[i].counter, known[i].key, out);
		assert_memory_equal(out, known[i].out, sizeof(out));
	}
}

/* The address is the counter, word by word: what a run with this seed decided can be found again by anybody. */
static void a_stream_is_the_cipher_of_its_address(void **state)
{
	const uint64_t seed = 0x0123456789abcdef;
	const uint32_t key[2] = {0x89abcdef, 0x01234567};
	struct draws d;

	(void)state;
	draws_begin(&d, seed, DRAW_TRAIT, 371, 12, 5);
	for (uint32_t block = 0; block < 3; block++) {
		const uint32_t counter[4] = {371, 12, (uint32_t)DRAW_TRAIT << 24 | 5, block};
		uint32_t out[4];

		philox4x32(counter, key, out);
		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(draws_u32(&d), out[i]);
	}
}

static void no_two_addresses_share_a_stream(void **state)
{
	struct draws d[5];

	(void)state;
	draws_begin(&d[0], SEED, DRAW_SESSION, 1, 2, 3);
	draws_begin(&d[1], SEED + 1, DRAW_SESSION, 1, 2, 3);
	draws_begin(&d[2], SEED, DRAW_IDLE, 1, 2, 3);
	draws_begin(&d[3], SEED, DRAW_SESSION, 2, 1, 3);
	draws_begin(&d[4], SEED, DRAW_SESSION, 1, 2, 4);
	for (unsigned i = 0; i < COUNT_OF(d); i++)
		for (unsigned j = 0; j < i; j++) {
			struct draws a = d[i], b = d[j];

			assert_true(draws_u32(&a) != draws_u32(&b) || draws_u32(&a) != draws_u32(&b));
		}
}

static void a_copy_draws_the_same_again(void **state)
{
	struct draws d = stream(1, 0), copy;

	(void)state;
	for (int i = 0; i < 6; i++)
		draws_u32(&d);
	copy = d;
	for (int i = 0; i < 10; i++)
		assert_int_equal(draws_u32(&d), draws_u32(&copy));
}

/* The first word of each agent's stream, which is what most decisions are made of. */
static void agents_are_spread_evenly(void **state)
{
	enum { BINS = 64, AGENTS = 64000 };
	unsigned seen[BINS] = {0};
	double chi = 0;

	(void)state;
	for (uint32_t agent = 0; agent < AGENTS; agent++) {
		struct draws d = stream(agent, 0);
		double u = draws_unit(&d);

		assert_true(u >= 0 && u < 1);
		seen[(unsigned)(u * BINS)]++;
	}
	for (unsigned i = 0; i < BINS; i++)
		chi += pow(seen[i] - (double)AGENTS / BINS, 2) / ((double)AGENTS / BINS);
	assert_true(chi < 113.7); /* chi-square of 63 degrees at 0.9999 */
}

/* By mere multiplication a third of the range would give one result one word in 2^31 more often; with a bound of
 * three quarters of it, every third result would come twice as often. */
static void a_bound_that_does_not_divide_the_range_favours_nobody(void **state)
{
	const uint32_t bound = UINT32_C(3) << 30;
	struct draws d = stream(2, 0);
	unsigned every_third = 0;

	(void)state;
	for (int i = 0; i < 30000; i++) {
		uint32_t v = draws_below(&d, bound);

		assert_true(v < bound);
		every_third += v % 3 == 0;
	}
	assert_in_range(every_third, 9682, 10318); /* 10,000 and 3.9 deviations of 81.6 */
	assert_int_equal(draws_below(&d, 1), 0);
}

static void below_nothing(void *d)
{
	draws_below(d, 0);
}

static void past_the_numbers(void *d)
{
	draws_begin(d, SEED, DRAW_SESSION, 0, 0, DRAW_NUMBERS);
}

static void nothing_is_below_zero_and_no_number_reaches_into_the_purpose(void **state)
{
	struct draws d = stream(0, 0);

	(void)state;
	assert_true(dies(below_nothing, &d));
	assert_true(dies(past_the_numbers, &d));
}

static void an_open_draw_is_never_an_end(void **state)
{
	struct draws zero = {.block = {0, 0, 0, 0}, .left = 4}, ones = {.block = {UINT32_MAX}, .left = 4};

	(void)state;
	assert_true(draws_open(&zero) > 0);
	assert_true(draws_open(&ones) < 1);
	ones.left = 4;
	assert_true(draws_exponential(&ones, 1) > 0);
	ones.left = 4;
	assert_true(draws_unit(&ones) < 1);
}

static void exponential_gaps_have_their_mean_and_their_shape(void **state)
{
	enum { N = 40000 };
	struct draws d = stream(3, 0);
	double sum = 0;
	unsigned past_mean = 0;

	(void)state;
	for (int i = 0; i < N; i++) {
		double gap = draws_exponential(&d, 5);

		sum += gap;
		past_mean += gap > 5;
	}
	assert_true(fabs(sum / N - 5) < 3.9 * 5 / sqrt(N));
	assert_true(fabs(past_mean / (double)N - exp(-1)) < 3.9 * sqrt(exp(-1) * (1 - exp(-1)) / N));
}

static void normal_draws_have_mean_deviation_and_tails(void **state)
{
	enum { N = 40000 };
	struct draws d = stream(4, 0);
	double sum = 0, squares = 0;
	unsigned tails = 0;

	(void)state;
	for (int i = 0; i < N; i++) {
		double z = draws_normal(&d, 0, 1);

		sum += z;
		squares += z * z;
		tails += fabs(z) > 1.959964;
	}
	assert_true(fabs(sum / N) < 3.9 / sqrt(N));
	assert_true(fabs(squares / N - 1) < 3.9 * sqrt(2.0 / N));
	assert_true(fabs(tails / (double)N - 0.05) < 3.9 * sqrt(0.05 * 0.95 / N));
	assert_true(draws_normal(&d, 42, 0) == 42);
}

static void assert_sample(uint32_t bound, uint32_t count)
{
	struct draws d = stream(bound, count);
	uint32_t *out = calloc(count + 1, sizeof(*out));
	bool *seen = calloc(bound + 1, sizeof(*seen));

	draws_sample(&d, bound, count, out);
	for (uint32_t i = 0; i < count; i++) {
		assert_true(out[i] < bound && !seen[out[i]]);
		seen[out[i]] = true;
	}
	free(out);
	free(seen);
}

static void a_sample_has_no_number_twice(void **state)
{
	(void)state;
	for (uint32_t bound = 0; bound < 40; bound++)
		for (uint32_t count = 0; count <= bound; count++)
			assert_sample(bound, count);
	assert_sample(1000000, 1000);
	assert_sample(1000, 999);
}

/* Each number at each place, by both ways of sampling. */
static void samples_favour_no_number_and_no_place(void **state)
{
	static const struct {
		uint32_t bound, count;
		double chi; /* of bound * count - 1 degrees at 0.9999, by Wilson and Hilferty */
	} cases[] = {{30, 3, 147.5}, {12, 12, 214.7}};
	enum { ROUNDS = 20000 };

	(void)state;
	for (unsigned c = 0; c < COUNT_OF(cases); c++) {
		uint32_t bound = cases[c].bound, count = cases[c].count, out[12];
		unsigned seen[12][30] = {{0}};
		double chi = 0, expected = (double)ROUNDS / bound;

		for (uint32_t i = 0; i < ROUNDS; i++) {
			struct draws d = stream(c, i);

			draws_sample(&d, bound, count, out);
			for (uint32_t place = 0; place < count; place++)
				seen[place][out[place]]++;
		}
		for (uint32_t place = 0; place < count; place++)
			for (uint32_t v = 0; v < bound; v++)
				chi += pow(seen[place][v] - expected, 2) / expected;
		assert_true(chi < cases[c].chi);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(philox_gives_the_published_answers),
		cmocka_unit_test(a_stream_is_the_cipher_of_its_address),
		cmocka_unit_test(no_two_addresses_share_a_stream),
		cmocka_unit_test(a_copy_draws_the_same_again),
		cmocka_unit_test(agents_are_spread_evenly),
		cmocka_unit_test(a_bound_that_does_not_divide_the_range_favours_nobody),
		cmocka_unit_test(nothing_is_below_zero_and_no_number_reaches_into_the_purpose),
		cmocka_unit_test(an_open_draw_is_never_an_end),
		cmocka_unit_test(exponential_gaps_have_their_mean_and_their_shape),
		cmocka_unit_test(normal_draws_have_mean_deviation_and_tails),
		cmocka_unit_test(a_sample_has_no_number_twice),
		cmocka_unit_test(samples_favour_no_number_and_no_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
