/* Regularised incomplete beta and gamma functions by continued fractions and series, and what is made of them. */
#include "sim/probability.h"

#include <math.h>
#include <stdbool.h>

enum { STEPS = 10000 }; /* more than any arguments need that come from counts */

/* One step of Lentz's way to compute a continued fraction from its front (DLMF 3.10(iii)). */
struct fraction {
	double c, d, value;
};

static void fraction_step(struct fraction *f, double numerator, double denominator)
{
	const double tiny = 1e-300;
	double d = denominator + numerator * f->d, c = denominator + numerator / f->c;

	f->d = 1 / (fabs(d) < tiny ? tiny : d);
	f->c = fabs(c) < tiny ? tiny : c;
	f->value *= f->c * f->d;
}

static bool is_settled(double before, double after)
{
	return fabs(after / before - 1) < 1e-14;
}

static double log_gamma(double v) /* of v above 0; lgamma() writes a global */
{
	int sign;

	return lgamma_r(v, &sign);
}

/* ---- normal ---- */

double normal_below(double z)
{
	return erfc(-z / M_SQRT2) / 2;
}

/* ---- beta: DLMF 8.17.22, which is quick for x below the mean ---- */

static double beta_fraction(double a, double b, double x)
{
	double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x)) / a;
	struct fraction f = {.c = 1, .d = 0, .value = 1};

	for (int m = 0; m < STEPS; m++) {
		double before = f.value;

		fraction_step(&f, -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), 1);
		fraction_step(&f, (m + 1) * (b - m - 1) * x / ((a + 2 * m + 1) * (a + 2 * m + 2)), 1);
		if (is_settled(before, f.value))
			break;
	}
	return front / f.value;
}

double beta_below(double a, double b, double x)
{
	if (x <= 0 || x >= 1)
		return x >= 1;
	if (x < (a + 1) / (a + b + 2))
		return beta_fraction(a, b, x);
	return 1 - beta_fraction(b, a, 1 - x);
}

/* ---- gamma: DLMF 8.7.1 below the mean, 8.9.2 above it ---- */

static double gamma_front(double a, double x)
{
	return exp(a * log(x) - x - log_gamma(a));
}

static double gamma_below_by_series(double a, double x)
{
	double term = 1 / a, sum = term;

	for (int k = 1; k < STEPS && term > sum * 1e-16; k++) {
		term *= x / (a + k);
		sum += term;
	}
	return gamma_front(a, x) * sum;
}

static double gamma_above_by_fraction(double a, double x)
{
	struct fraction f = {.c = x + 1 - a, .d = 0, .value = x + 1 - a};

	for (int k = 1; k < STEPS; k++) {
		double before = f.value;

		fraction_step(&f, k * (a - k), x + 1 - a + 2 * k);
		if (is_settled(before, f.value))
			break;
	}
	return gamma_front(a, x) / f.value;
}

double chi_square_above(double chi_square, double n)
{
	double a = n / 2, x = chi_square / 2;

	if (x <= 0)
		return 1;
	return x < a + 1 ? 1 - gamma_below_by_series(a, x) : gamma_above_by_fraction(a, x);
}

/* ---- Student's t: DLMF 8.17.19 ---- */

double student_beyond(double t, double n)
{
	return beta_below(n / 2, 0.5, n / (n + t * t));
}

double student_end(double beyond, double n)
{
	double low = 0, high = 1e8;

	for (int i = 0; i < 200 && high - low > 1e-13 * high; i++) {
		double middle = (low + high) / 2;

		if (student_beyond(middle, n) > beyond)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}
