/*
 * Each table is the solution of F(x) = Φ(z) at its points, by bisection on x. Whatever is solved is solved in a lower
 * tail, where small probabilities are exact: for the other half the distribution is turned around.
 */
#include "sim/quantiles.h"

#include <math.h>

static double normal_below(double z)
{
	return erfc(-z / M_SQRT2) / 2;
}

static double score(int point)
{
	return (double)point / QUANTILES_STEPS - QUANTILES_END;
}

double quantiles_value(const struct quantiles *q, double z)
{
	double place = (fmin(fmax(z, -QUANTILES_END), QUANTILES_END) + QUANTILES_END) * QUANTILES_STEPS;
	int point = (int)fmin(place, QUANTILES_POINTS - 2);

	return q->at[point] + (place - point) * (q->at[point + 1] - q->at[point]);
}

/* ---- solving ---- */

struct shape {
	double (*below)(const struct shape *s, double x);
	double a, b;
};

static double solve(const struct shape *s, double target, double low, double high)
{
	enum { HALVINGS = 64 };

	for (int i = 0; i < HALVINGS; i++) {
		double middle = low + (high - low) / 2;

		if (s->below(s, middle) < target)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* ---- normal ---- */

static double normal_shape(const struct shape *s, double x)
{
	(void)s;
	return normal_below(x);
}

/* The score of a standard normal that is cut to low..high, at the score z of one that is not. */
static double cut(double low, double high, double z)
{
	const double end = 38; /* nothing is past it, in doubles */
	const struct shape normal = {.below = normal_shape};
	double target;

	if (low > 0)
		return -cut(-high, -low, -z);
	target = normal_below(low) + (normal_below(high) - normal_below(low)) * normal_below(z);
	return solve(&normal, target, fmax(low, -end), fmin(high, end));
}

static double clamp(double v, double min, double max)
{
	return fmin(fmax(v, min), max);
}

void quantiles_normal(struct quantiles *q, double mean, double sd, double min, double max)
{
	bool ends = isfinite(min) || isfinite(max);

	for (int i = 0; i < QUANTILES_POINTS; i++) {
		double z = ends && sd > 0 ? cut((min - mean) / sd, (max - mean) / sd, score(i)) : score(i);

		q->at[i] = clamp(mean + sd * z, min, max);
	}
}

void quantiles_lognormal(struct quantiles *q, double median, double sigma, double min, double max)
{
	quantiles_normal(q, log(median), sigma, min > 0 ? log(min) : -HUGE_VAL, log(max));
	for (int i = 0; i < QUANTILES_POINTS; i++)
		q->at[i] = clamp(exp(q->at[i]), min, max);
}

void quantiles_uniform(struct quantiles *q, double min, double max)
{
	for (int i = 0; i < QUANTILES_POINTS; i++)
		q->at[i] = min + (max - min) * normal_below(score(i));
}

/* ---- beta ---- */

/* One step of Lentz's way to compute a continued fraction from its front. */
struct fraction {
	double c, d, value;
};

static void fraction_step(struct fraction *f, double numerator)
{
	const double tiny = 1e-300;
	double d = 1 + numerator * f->d, c = 1 + numerator / f->c;

	f->d = 1 / (fabs(d) < tiny ? tiny : d);
	f->c = fabs(c) < tiny ? tiny : c;
	f->value *= f->c * f->d;
}

static double log_gamma(double v) /* of v above 0; lgamma() writes a global */
{
	int sign;

	return lgamma_r(v, &sign);
}

/* The regularised incomplete beta function by its continued fraction (DLMF 8.17.22), which is quick for x below the
 * mean. */
static double beta_fraction(double a, double b, double x)
{
	enum { STEPS = 10000 };
	double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x)) / a;
	struct fraction f = {.c = 1, .d = 0, .value = 1};

	for (int m = 0; m < STEPS; m++) {
		double before = f.value;

		fraction_step(&f, -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)));
		fraction_step(&f, (m + 1) * (b - m - 1) * x / ((a + 2 * m + 1) * (a + 2 * m + 2)));
		if (fabs(f.value / before - 1) < 1e-14)
			break;
	}
	return front / f.value;
}

static double beta_below(const struct shape *s, double x)
{
	if (x <= 0 || x >= 1)
		return x >= 1;
	if (x < (s->a + 1) / (s->a + s->b + 2))
		return beta_fraction(s->a, s->b, x);
	return 1 - beta_fraction(s->b, s->a, 1 - x);
}

void quantiles_beta(struct quantiles *q, double a, double b, double min, double max)
{
	const struct shape below = {beta_below, a, b}, above = {beta_below, b, a};

	for (int i = 0; i < QUANTILES_POINTS; i++) {
		double z = score(i);
		double x =
			z <= 0 ? solve(&below, normal_below(z), 0, 1) : 1 - solve(&above, normal_below(-z), 0, 1);

		q->at[i] = min + (max - min) * x;
	}
}

/* ---- correlations ---- */

static double dot(const double *a, const double *b, unsigned n)
{
	double sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

bool correlations_root(double *m, unsigned n)
{
	const double rounding = 1e-9;

	for (unsigned row = 0; row < n; row++)
		for (unsigned column = 0; column < n; column++) {
			double *at = &m[row * n + column], *diagonal = &m[column * n + column];
			double left = *at - dot(&m[row * n], &m[column * n], column < row ? column : row);

			if (column > row)
				*at = 0;
			else if (column == row && left < -rounding)
				return false;
			else if (column == row)
				*at = left > rounding ? sqrt(left) : 0;
			else if (*diagonal > 0)
				*at = left / *diagonal;
			else if (fabs(left) > rounding)
				return false; /* it follows from those before, and from them otherwise */
			else
				*at = 0;
		}
	return true;
}
