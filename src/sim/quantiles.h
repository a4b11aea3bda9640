/*
 * Distributions of attributes, by quantile: what stands where in a population, as a function of a normal score.
 *
 * An agent's score z is drawn from the standard normal distribution, and correlations are among scores; its value is
 * F^-1(Φ(z)), which has distribution F. That function is tabulated once and read with linear interpolation: for normal
 * distributions without ends it is exact, else what is off is less than 0.0002 of the distribution's width (tests).
 * Scores past ±QUANTILES_END, which is one in 10^11, count as that.
 */
#ifndef TENFOLD_SIM_QUANTILES_H
#define TENFOLD_SIM_QUANTILES_H

#include <stdbool.h>

enum { QUANTILES_END = 7, QUANTILES_STEPS = 32, QUANTILES_POINTS = 2 * QUANTILES_END * QUANTILES_STEPS + 1 };

struct quantiles {
	double at[QUANTILES_POINTS];
};

/* min and max may be infinite; sd and sigma 0 or more, median, a and b above 0. Normal ones have what is past the ends
 * cut off, as if it were drawn again; uniform and beta ones lie between theirs. */
void quantiles_normal(struct quantiles *q, double mean, double sd, double min, double max);
void quantiles_lognormal(struct quantiles *q, double median, double sigma, double min, double max);
void quantiles_uniform(struct quantiles *q, double min, double max);
void quantiles_beta(struct quantiles *q, double a, double b, double min, double max);
double quantiles_value(const struct quantiles *q, double z);

/* Makes of the correlations between n scores, an n by n matrix with 1 in its diagonal, the lower triangle L with
 * L * L' = it (Cholesky), in its place: L * z has them when z is independent. False: no scores have them, as when the
 * first is like the second, the second like the third, and the third the opposite of the first. */
bool correlations_root(double *m, unsigned n);

#endif
