/* Quantiles: beside the distribution functions themselves, and what comes of drawing by them. */
#include "harness.h"

#include "sim/quantiles.h"

#include <math.h>

static double below(double z)
{
	return erfc(-z / M_SQRT2) / 2;
}

/* ---- each distribution by its own distribution function, at scores between the table's points too ---- */

static const double scores[] = {-6.01, -4.5,  -3.3, -2.49,  -1.96, -1.01, -0.313,
				0,     0.017, 0.68, 1.2816, 2.33,  3.77,  5.9};

static void a_normal_without_ends_is_exact(void **state)
{
	struct quantiles q;

	(void)state;
	quantiles_normal(&q, 42, 16, -HUGE_VAL, HUGE_VAL);
	for (unsigned i = 0; i < COUNT_OF(scores); i++)
		assert_true(fabs(quantiles_value(&q, scores[i]) - (42 + 16 * scores[i])) < 1e-12 * 200);
}

static void a_normal_with_ends_is_what_drawing_again_gives(void **state)
{
	static const double ends[][2] = {{18, 100}, {18, HUGE_VAL}, {-HUGE_VAL, 50}, {60, 61}, {90, 100}};

	(void)state;
	for (unsigned e = 0; e < COUNT_OF(ends); e++) {
		double low = below((ends[e][0] - 42) / 16), high = below((ends[e][1] - 42) / 16);
		struct quantiles q;

		quantiles_normal(&q, 42, 16, ends[e][0], ends[e][1]);
		for (unsigned i = 0; i < COUNT_OF(scores); i++) {
			double x = quantiles_value(&q, scores[i]);

			assert_true(x >= ends[e][0] && x <= ends[e][1]);
			assert_true(fabs((below((x - 42) / 16) - low) / (high - low) - below(scores[i])) < 2e-4);
		}
	}
}

static void a_lognormal_has_its_median_and_its_sigma(void **state)
{
	struct quantiles q;

	(void)state;
	quantiles_lognormal(&q, 20, 0.8, -HUGE_VAL, HUGE_VAL);
	for (unsigned i = 0; i < COUNT_OF(scores); i++)
		assert_true(fabs(log(quantiles_value(&q, scores[i]) / 20) / 0.8 - scores[i]) < 2e-4);
	quantiles_lognormal(&q, 20, 0.8, 5, 50);
	for (unsigned i = 0; i < COUNT_OF(scores); i++)
		assert_true(quantiles_value(&q, scores[i]) >= 5 && quantiles_value(&q, scores[i]) <= 50);
	assert_true(fabs(quantiles_value(&q, -7) - 5) < 1e-6 && fabs(quantiles_value(&q, 7) - 50) < 1e-6);
}

static void a_uniform_is_even(void **state)
{
	struct quantiles q;

	(void)state;
	quantiles_uniform(&q, 10, 110);
	for (unsigned i = 0; i < COUNT_OF(scores); i++)
		assert_true(fabs(quantiles_value(&q, scores[i]) - (10 + 100 * below(scores[i]))) < 0.02);
}

/* Shapes whose distribution function is known in closed form. */
static double square(double x) /* of beta 2, 1 */
{
	return x * x;
}

static double rest_cubed(double x) /* of 1, 3 */
{
	return 1 - pow(1 - x, 3);
}

static double arcsine(double x) /* of 1/2, 1/2 */
{
	return 2 / M_PI * asin(sqrt(x));
}

static double two_and_five(double x)
{
	return 15 * pow(x, 2) - 40 * pow(x, 3) + 45 * pow(x, 4) - 24 * pow(x, 5) + 5 * pow(x, 6);
}

static void a_beta_is_the_one_of_its_shapes(void **state)
{
	static const struct {
		double a, b, (*below)(double x);
	} shapes[] = {{2, 1, square}, {1, 3, rest_cubed}, {0.5, 0.5, arcsine}, {2, 5, two_and_five}};

	(void)state;
	for (unsigned s = 0; s < COUNT_OF(shapes); s++) {
		struct quantiles q;

		quantiles_beta(&q, shapes[s].a, shapes[s].b, 0, 1);
		for (unsigned i = 0; i < COUNT_OF(scores); i++) {
			double x = quantiles_value(&q, scores[i]);

			assert_true(x >= 0 && x <= 1);
			assert_true(fabs(shapes[s].below(x) - below(scores[i])) < 2e-4);
		}
	}
}

static void wide_and_narrow_betas_are_solved_too(void **state)
{
	static const double shapes[][2] = {{10000, 10000}, {10000, 0.001}, {0.001, 0.001}, {0.05, 30}};

	(void)state;
	for (unsigned s = 0; s < COUNT_OF(shapes); s++) {
		double before = -1;
		struct quantiles q;

		quantiles_beta(&q, shapes[s][0], shapes[s][1], -1, 3);
		for (unsigned i = 0; i < QUANTILES_POINTS; i++) {
			assert_true(q.at[i] >= -1 && q.at[i] <= 3 && q.at[i] >= before);
			before = q.at[i];
		}
	}
}

static void without_a_spread_all_are_the_same(void **state)
{
	struct quantiles q;

	(void)state;
	quantiles_normal(&q, 42, 0, 18, 100);
	assert_true(quantiles_value(&q, -6) == 42 && quantiles_value(&q, 6) == 42);
	quantiles_lognormal(&q, 20, 0, 30, HUGE_VAL);
	assert_true(fabs(quantiles_value(&q, 0) - 30) < 1e-12);
	quantiles_uniform(&q, 5, 5);
	assert_true(quantiles_value(&q, 1.5) == 5);
}

/* ---- correlations ---- */

static void the_root_times_itself_is_the_matrix(void **state)
{
	enum { N = 4 };
	static const double m[N * N] = {1, 0.5, -0.4, 0, 0.5, 1, 0.1, 0.3, -0.4, 0.1, 1, 0, 0, 0.3, 0, 1};
	double root[N * N];

	(void)state;
	memcpy(root, m, sizeof(m));
	assert_true(correlations_root(root, N));
	for (unsigned i = 0; i < N; i++)
		for (unsigned j = 0; j < N; j++) {
			double sum = 0;

			for (unsigned k = 0; k < N; k++)
				sum += root[i * N + k] * root[j * N + k];
			assert_true(fabs(sum - m[i * N + j]) < 1e-12);
			assert_true(j <= i || root[i * N + j] == 0);
		}
}

static void correlations_that_contradict_each_other_have_none(void **state)
{
	double m[] = {1, 0.9, -0.9, 0.9, 1, 0.9, -0.9, 0.9, 1};
	double same[] = {1, 1, -0.5, 1, 1, 0.5, -0.5, 0.5, 1};

	(void)state;
	assert_false(correlations_root(m, 3));
	assert_false(correlations_root(same, 3));
}

static void two_that_are_the_same_may_be(void **state)
{
	double m[] = {1, 1, 0.5, 1, 1, 0.5, 0.5, 0.5, 1}, opposite[] = {1, -1, -1, 1};

	(void)state;
	assert_true(correlations_root(m, 3));
	assert_true(m[3] == 1 && m[4] == 0);
	assert_true(correlations_root(opposite, 2));
	assert_true(opposite[2] == -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_normal_without_ends_is_exact),
		cmocka_unit_test(a_normal_with_ends_is_what_drawing_again_gives),
		cmocka_unit_test(a_lognormal_has_its_median_and_its_sigma),
		cmocka_unit_test(a_uniform_is_even),
		cmocka_unit_test(a_beta_is_the_one_of_its_shapes),
		cmocka_unit_test(wide_and_narrow_betas_are_solved_too),
		cmocka_unit_test(without_a_spread_all_are_the_same),
		cmocka_unit_test(the_root_times_itself_is_the_matrix),
		cmocka_unit_test(correlations_that_contradict_each_other_have_none),
		cmocka_unit_test(two_that_are_the_same_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
