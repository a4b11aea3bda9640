/*
 * Each table is the solution of F(x) = Φ(z) at its points, by bisection on x. Whatever is solved is solved in a lower
 * tail, where small probabilities are exact: for the other half the distribution is turned around.
 */
#include "sim/quantiles.h"

#include "sim/probability.h"

#include <math.h>

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

static double beta_shape(const struct shape *s, double x)
{
	return beta_below(s->a, s->b, x);
}

void quantiles_beta(struct quantiles *q, double a, double b, double min, double max)
{
	const struct shape below = {beta_shape, a, b}, above = {beta_shape, b, a};

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
