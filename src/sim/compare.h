/*
 * Cohorts side by side: is a difference more than chance?
 *
 * Agents are what was assigned to cohorts, and sessions of one agent are alike, so agents are what is counted: a
 * figure of a cohort is the sum of one thing over its agents by the sum of another (purchases by sessions, spent by
 * purchase, sessions by agent). With x and n of each of k agents, r = Σx / Σn:
 *   variance of r = Σ(x - r n)² / (k (k - 1) n̄²)    (ratio estimator; for n = 1 that of a mean, s² / k)
 * Two such figures differ by Welch's t = (r1 - r2) / √(v1 + v2), with (v1 + v2)² / (v1² / (k1 - 1) + v2² / (k2 - 1))
 * degrees of freedom (Welch 1947, Satterthwaite 1946).
 *
 * Who looks at several figures finds one that differs by chance more often than once in 20 times: p is raised by Holm's
 * steps (1979), after which "p < 0.05" is wrong about any of them at most once in 20 times.
 */
#ifndef TENFOLD_SIM_COMPARE_H
#define TENFOLD_SIM_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Agents of a cohort, one by one: means of x and n, and the sums of squares and products of what is off them. */
struct sample {
	double agents, mean_x, mean_n, xx, xn, nn;
};
void sample_add(struct sample *s, double x, double n); /* one agent's; of a mean by agent n is 1 */
double sample_ratio(const struct sample *s);           /* NAN: n is 0 */
double sample_variance(const struct sample *s);        /* of the ratio; NAN: fewer than two agents, or n is 0 */

struct comparison {
	double difference, margin; /* a - b, and half the width of its 95 % confidence interval */
	double statistic, df;      /* t and its degrees of freedom */
	double p;                  /* two-sided; NAN: nothing can be said, as with no spread at all */
};
void compare_samples(const struct sample *a, const struct sample *b, struct comparison *out);

/* Raises each p for having looked at all of them, in its place; NAN is not counted. */
enum { COMPARE_MAX = 256 };
void compare_holm(double *p, size_t count); /* at most COMPARE_MAX */

#endif
