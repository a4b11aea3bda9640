/* See interval.h. */
#include "sim/interval.h"

#include "sim/probability.h"

#include <math.h>

static const double outside = 0.05;

struct interval interval_share(uint64_t count, uint64_t of)
{
	double n = (double)of, p = (double)count / n, zz = INTERVAL_Z * INTERVAL_Z;
	double middle = p + zz / (2 * n), half = INTERVAL_Z * sqrt(p * (1 - p) / n + zz / (4 * n * n));

	return (struct interval){fmax(0, (middle - half) / (1 + zz / n)), fmin(1, (middle + half) / (1 + zz / n))};
}

struct interval interval_mean(double mean, double sd, uint64_t count)
{
	double half;

	if (count < 2)
		return (struct interval){-HUGE_VAL, HUGE_VAL};
	half = student_end(outside, (double)(count - 1)) * sd / sqrt((double)count);
	return (struct interval){mean - half, mean + half};
}

/* What chi-square of n degrees of freedom passes with that probability. */
static double chi_square_end(double above, double n)
{
	double low = 0, high = n + 20 * sqrt(2 * n) + 40;

	for (int i = 0; i < 200 && high - low > 1e-13 * high; i++) {
		double middle = (low + high) / 2;

		if (chi_square_above(middle, n) > above)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

struct interval interval_rate(uint64_t count, double exposure)
{
	double n = (double)count;
	double low = count ? chi_square_end(1 - outside / 2, 2 * n) / 2 : 0;

	return (struct interval){low / exposure, chi_square_end(outside / 2, 2 * n + 2) / 2 / exposure};
}

bool interval_median(uint64_t count, uint64_t *low_rank, uint64_t *high_rank)
{
	double half = INTERVAL_Z * sqrt((double)count) / 2, middle = (double)count / 2;

	if (middle - half < 1)
		return false;
	*low_rank = (uint64_t)(middle - half);
	*high_rank = (uint64_t)ceil(1 + middle + half);
	return *high_rank <= count;
}
