/* Probabilities, intervals and comparisons: beside SciPy's (tests/data/sim_statistics.txt), and as often right as they
 * say, on draws of fixed seeds. Limits on rates are 4 deviations. */
#include "harness.h"

#include "sim/compare.h"
#include "sim/draws.h"
#include "sim/interval.h"
#include "sim/probability.h"

#include <math.h>

enum { NUMBERS_MAX = 1024 };

struct row {
	char name[32];
	double given[NUMBERS_MAX], expected[4], found[4];
	unsigned given_count, expected_count;
};

static void assert_near(const struct row *r, unsigned i)
{
	double expected = r->expected[i], found = r->found[i];

	if (!(fabs(found - expected) <= 1e-9 * fabs(expected) + 1e-14))
		fail_msg("%s %g %g %g: value %u is %.15g, not %.15g", r->name, r->given[0], r->given[1],
			 r->given[2], i, found, expected);
}

/* ---- what is asked of each row ---- */

static void normal_below_of(struct row *r)
{
	r->found[0] = normal_below(r->given[0]);
}

static void beta_below_of(struct row *r)
{
	r->found[0] = beta_below(r->given[0], r->given[1], r->given[2]);
}

static void chi_square_above_of(struct row *r)
{
	r->found[0] = chi_square_above(r->given[0], r->given[1]);
}

static void student_beyond_of(struct row *r)
{
	r->found[0] = student_beyond(r->given[0], r->given[1]);
}

static void student_end_of(struct row *r)
{
	r->found[0] = student_end(r->given[0], r->given[1]);
}

static void take_interval(struct row *r, struct interval i)
{
	r->found[0] = i.low;
	r->found[1] = i.high;
}

static void interval_share_of(struct row *r)
{
	take_interval(r, interval_share((uint64_t)r->given[0], (uint64_t)r->given[1]));
}

static void interval_mean_of(struct row *r)
{
	take_interval(r, interval_mean(r->given[0], r->given[1], (uint64_t)r->given[2]));
}

static void interval_rate_of(struct row *r)
{
	take_interval(r, interval_rate((uint64_t)r->given[0], r->given[1]));
}

static void take_comparison(struct row *r, const struct comparison *c)
{
	r->found[0] = c->statistic;
	r->found[1] = c->p;
}

static void welch_of(struct row *r)
{
	unsigned count = (unsigned)r->given[0];
	struct sample a = {0}, b = {0};
	struct comparison c;

	for (unsigned i = 2; i < r->given_count; i++)
		sample_add(i - 2 < count ? &a : &b, r->given[i], 1);
	compare_samples(&a, &b, &c);
	take_comparison(r, &c);
}

static const struct {
	const char *name;
	void (*of)(struct row *r);
} known[] = {
	{"normal_below", normal_below_of},
	{"beta_below", beta_below_of},
	{"chi_square_above", chi_square_above_of},
	{"student_beyond", student_beyond_of},
	{"student_end", student_end_of},
	{"interval_share", interval_share_of},
	{"interval_mean", interval_mean_of},
	{"interval_rate", interval_rate_of},
	{"welch", welch_of},
};

static bool parse(char *line, struct row *r)
{
	char *rest = NULL, *word = strtok_r(line, " \n", &rest);
	bool expected = false;

	if (!word || *word == '#')
		return false;
	*r = (struct row){0};
	snprintf(r->name, sizeof(r->name), "%s", word);
	while ((word = strtok_r(NULL, " \n", &rest))) {
		if (*word == ':')
			expected = true;
		else if (expected)
			r->expected[r->expected_count++] = strtod(word, NULL);
		else if (r->given_count < NUMBERS_MAX)
			r->given[r->given_count++] = strtod(word, NULL);
	}
	return true;
}

static bool ask(struct row *r)
{
	for (unsigned i = 0; i < COUNT_OF(known); i++)
		if (strcmp(known[i].name, r->name) == 0) {
			known[i].of(r);
			return true;
		}
	return false; /* another test's */
}

static void formulas_give_what_scipy_gives(void **state)
{
	static char line[1 << 16];
	static struct row r;
	unsigned asked = 0;
	FILE *f = fopen(*state, "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (parse(line, &r) && ask(&r)) {
			for (unsigned i = 0; i < r.expected_count; i++)
				assert_near(&r, i);
			asked++;
		}
	fclose(f);
	assert_in_range(asked, 50, 1000);
}

/* ---- as often right as they say ---- */

static void assert_rate(unsigned count, unsigned of, double low, double high)
{
	double rate = (double)count / of;

	if (rate < low || rate > high)
		fail_msg("%u of %u: %g is not from %g to %g", count, of, rate, low, high);
}

/* Where p is 0.4 and n 60, 95 of 100 intervals hold p; the exact figure, from the binomial distribution, is 0.9529. */
static void intervals_of_shares_hold_the_share_95_times_of_100(void **state)
{
	enum { TRIES = 4000, N = 60 };
	unsigned holds = 0;
	struct draws d;

	(void)state;
	for (unsigned i = 0; i < TRIES; i++) {
		struct interval found;
		unsigned count = 0;

		draws_begin(&d, 11, DRAW_SESSION, i, 0, 0);
		for (unsigned k = 0; k < N; k++)
			count += draws_unit(&d) < 0.4;
		found = interval_share(count, N);
		holds += found.low <= 0.4 && 0.4 <= found.high;
	}
	assert_rate(holds, TRIES, 0.939, 0.967);
}

static void the_median_lies_between_its_ranks_95_times_of_100(void **state)
{
	uint64_t low, high;

	(void)state;
	assert_false(interval_median(5, &low, &high));
	assert_true(interval_median(100, &low, &high));
	assert_int_equal(low, 40); /* 50 - 9.8, and 51 + 9.8, outwards */
	assert_int_equal(high, 61);
}

/* Agents who buy at 20 to 80 of 100 sessions, and come 1 to 20 times. Sessions of one agent are alike, so counting them
 * one by one would find a difference far too often. */
static void draw_agents(struct sample *s, uint32_t trial, uint32_t side, double more)
{
	enum { AGENTS = 60 };

	for (uint32_t agent = 0; agent < AGENTS; agent++) {
		struct draws d;
		unsigned sessions, bought = 0;
		double p;

		draws_begin(&d, 17, DRAW_SESSION, agent, trial, side);
		p = 0.2 + 0.6 * draws_unit(&d) + more;
		sessions = 1 + draws_below(&d, 20);
		for (unsigned i = 0; i < sessions; i++)
			bought += draws_unit(&d) < p;
		sample_add(s, bought, sessions);
	}
}

static unsigned found_different(double more, unsigned tries)
{
	unsigned count = 0;

	for (unsigned i = 0; i < tries; i++) {
		struct sample a = {0}, b = {0};
		struct comparison c;

		draw_agents(&a, i, 0, more);
		draw_agents(&b, i, 1, 0);
		compare_samples(&a, &b, &c);
		count += c.p < 0.05;
	}
	return count;
}

static void cohorts_that_are_alike_differ_5_times_of_100(void **state)
{
	enum { TRIES = 3000 };

	(void)state;
	assert_rate(found_different(0, TRIES), TRIES, 0.034, 0.066);
}

static void cohorts_that_differ_are_found_to(void **state)
{
	(void)state;
	assert_rate(found_different(0.15, 300), 300, 0.9, 1);
}

/* ---- edges ---- */

static void a_sample_that_says_nothing_is_not_compared(void **state)
{
	struct sample none = {0}, same = {0}, one = {0};
	struct comparison c;
	struct interval i = interval_mean(3, 0, 1);

	(void)state;
	for (int k = 0; k < 5; k++)
		sample_add(&same, 2, 1);
	sample_add(&one, 3, 1);
	compare_samples(&same, &none, &c);
	assert_true(isnan(c.p));
	compare_samples(&same, &one, &c);
	assert_true(isnan(c.p) && c.difference == -1);
	compare_samples(&same, &same, &c);
	assert_true(isnan(c.p) && c.difference == 0);
	assert_true(isinf(i.low) && isinf(i.high));
}

/* What R's p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") gives: 0.03 0.06 0.06 0.02. */
static void several_looks_raise_p_by_the_steps_of_holm(void **state)
{
	double p[] = {0.01, (double)NAN, 0.04, 0.03, 0.005}, high[] = {0.9, 0.6};
	static const double expected[] = {0.03, 0, 0.06, 0.06, 0.02};

	(void)state;
	compare_holm(p, COUNT_OF(p));
	for (unsigned i = 0; i < COUNT_OF(p); i++)
		assert_true(i == 1 ? isnan(p[i]) : fabs(p[i] - expected[i]) < 1e-15);
	compare_holm(high, COUNT_OF(high));
	assert_true(high[0] == 1 && high[1] == 1);
	compare_holm(high, 0);
}

int main(int argc, char **argv)
{
	char nowhere[] = "";
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(formulas_give_what_scipy_gives, argc > 1 ? argv[1] : nowhere),
		cmocka_unit_test(intervals_of_shares_hold_the_share_95_times_of_100),
		cmocka_unit_test(the_median_lies_between_its_ranks_95_times_of_100),
		cmocka_unit_test(cohorts_that_are_alike_differ_5_times_of_100),
		cmocka_unit_test(cohorts_that_differ_are_found_to),
		cmocka_unit_test(a_sample_that_says_nothing_is_not_compared),
		cmocka_unit_test(several_looks_raise_p_by_the_steps_of_holm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
