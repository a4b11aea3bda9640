/*
 * Confidence intervals: where the value that stands behind a sample lies, for 95 of 100 samples.
 */
#ifndef TENFOLD_SIM_INTERVAL_H
#define TENFOLD_SIM_INTERVAL_H

#include <stdbool.h>
#include <stdint.h>

#define INTERVAL_Z 1.959963984540054 /* what a standard normal passes on either side once in 20 times */

struct interval {
	double low, high; /* infinite where the sample says nothing */
};

/* A share, count of `of` > 0, by its scores (Wilson 1927):
 *   (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n), p = count / of, n = of. */
struct interval interval_share(uint64_t count, uint64_t of);
/* The mean of `count` values with standard deviation sd (of n - 1): mean ± t sd / √n, t of n - 1 degrees of freedom. */
struct interval interval_mean(double mean, double sd, uint64_t count);
/* Events by unit of exposure > 0, when they come independently (Garwood 1936): half of the chi-square values of 2n
 * degrees of freedom that have 1/40 below, and of 2n + 2 that have 1/40 above, by exposure. */
struct interval interval_rate(uint64_t count, double exposure);
/* The median of `count` sorted values lies between those of these ranks, from 1 on (binomial with the normal
 * approximation): n/2 ∓ z √n / 2, rounded outwards. False: there are too few. */
bool interval_median(uint64_t count, uint64_t *low_rank, uint64_t *high_rank);

#endif
