/*
 * When sessions arrive in the open model, and whose they are.
 */
#include "harness.h"

#include "sim/arrivals.h"

#include <math.h>

enum { SEED = 7 };
#define NS_PER_S INT64_C(1000000000)

/* How many arrive in [from, to) of the run, in cycles of such length; the times go to `out` if there is room. */
static size_t arrive(const struct arrival_plan *plan, double cycle_s, unsigned cycles, double *out, size_t room)
{
	int64_t cycle_ns = (int64_t)(cycle_s * 1e9);
	struct arrivals a;
	size_t n = 0;

	arrivals_init(&a, plan, SEED);
	for (unsigned c = 0; c < cycles; c++) {
		arrivals_cycle(&a, c, c * cycle_ns);
		for (; arrivals_due_ns(&a) < (c + 1) * cycle_ns; arrivals_pass(&a), n++)
			if (n < room)
				out[n] = (double)arrivals_due_ns(&a) / 1e9;
	}
	return n;
}

static void evenly_none_is_lost_or_doubled_where_cycles_meet(void **state)
{
	static const double cycle_s[] = {75, 1, 0.3, 36.0 / 7, 1e-2};
	const struct arrival_plan plan = {.from = 20, .to = 20};
	static double at[100000];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cycle_s); i++) {
		unsigned cycles = (unsigned)(600 / cycle_s[i]);
		size_t n = arrive(&plan, cycle_s[i], cycles, at, COUNT_OF(at));

		assert_true(fabs((double)n - 20 * cycle_s[i] * cycles) <= 1);
		for (size_t k = 0; k < n; k++)
			assert_true(fabs(at[k] - (double)k / 20) < 1e-6);
	}
}

static void a_ramp_comes_to_what_its_line_encloses(void **state)
{
	const struct arrival_plan up = {.from = 0, .to = 40, .over_s = 300},
				  down = {.from = 40, .to = 0, .over_s = 300};
	static double at[20000];
	size_t n = arrive(&up, 75, 4, at, COUNT_OF(at));

	(void)state;
	assert_true(fabs((double)n - 6000) <= 1);
	assert_true(fabs(at[1500] - 150) < 0.01); /* a quarter by half time */
	assert_true(fabs((double)arrive(&down, 75, 4, at, COUNT_OF(at)) - 6000) <= 1);
	assert_true(fabs((double)arrive(&down, 75, 40, at, COUNT_OF(at)) - 6000) <= 1); /* and then no more */
	assert_true(fabs((double)arrive(&up, 75, 8, at, COUNT_OF(at)) - 18000) <= 1); /* 40 a second from then on */
}

static void poisson_arrivals_vary_as_they_should(void **state)
{
	const struct arrival_plan plan = {.from = 10, .to = 10, .poisson = true};
	enum { SECONDS = 20000 };
	static double at[400000];
	static unsigned in_second[SECONDS];
	double mean, variance = 0, shortest = 1;
	size_t n = arrive(&plan, 10, SECONDS / 10, at, COUNT_OF(at));

	(void)state;
	for (size_t i = 0; i < n; i++)
		in_second[(unsigned)at[i]]++;
	for (size_t i = 1; i < n; i++)
		shortest = fmin(shortest, at[i] - at[i - 1]);
	mean = (double)n / SECONDS;
	for (unsigned i = 0; i < SECONDS; i++)
		variance += (in_second[i] - mean) * (in_second[i] - mean) / (SECONDS - 1);
	assert_true(fabs(mean - 10) < 5 * sqrt(10.0 / SECONDS));
	assert_true(fabs(variance / mean - 1) < 5 * sqrt(2.0 / SECONDS)); /* of a Poisson law they are the same */
	assert_true(shortest > 0 && shortest < 1e-4);
}

static void a_resume_draws_the_same_arrivals(void **state)
{
	const struct arrival_plan plan = {.from = 10, .to = 10, .poisson = true};
	struct arrivals all, later;
	struct draws one, other;

	(void)state;
	arrivals_init(&all, &plan, SEED);
	arrivals_init(&later, &plan, SEED);
	for (unsigned c = 0; c <= 7; c++)
		arrivals_cycle(&all, c, c * 75 * NS_PER_S);
	arrivals_cycle(&later, 7, 7 * 75 * NS_PER_S);
	for (unsigned i = 0; i < 100; i++) {
		assert_true(arrivals_due_ns(&all) == arrivals_due_ns(&later));
		arrivals_draws(&all, &one);
		arrivals_draws(&later, &other);
		assert_int_equal(draws_u32(&one), draws_u32(&other));
		arrivals_pass(&all);
		arrivals_pass(&later);
	}
}

static void who_is_twice_as_eager_arrives_twice_as_often(void **state)
{
	struct eagerness all[10];
	unsigned eager = 0;
	struct draws d;

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(all); i++)
		all[i] = (struct eagerness){.weekly = i < 5 ? 2 : 1};
	draws_begin(&d, SEED, DRAW_ARRIVAL, 0, 0, 0);
	for (unsigned i = 0; i < 30000; i++)
		eager += arrivals_agent(&d, all, COUNT_OF(all), 2) < 5;
	assert_true(abs((int)eager - 20000) < 5 * 82); /* standard deviations */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(evenly_none_is_lost_or_doubled_where_cycles_meet),
		cmocka_unit_test(a_ramp_comes_to_what_its_line_encloses),
		cmocka_unit_test(poisson_arrivals_vary_as_they_should),
		cmocka_unit_test(a_resume_draws_the_same_arrivals),
		cmocka_unit_test(who_is_twice_as_eager_arrives_twice_as_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
