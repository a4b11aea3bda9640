/* See compare.h. */
#include "sim/compare.h"

#include "base/magic.h"
#include "sim/probability.h"

#include <math.h>

#define UNKNOWN ((double)NAN)

/* ---- samples ---- */

/* Welford's way: sums of squares of what is off the means, without the squares of the means themselves. */
void sample_add(struct sample *s, double x, double n)
{
	double off_x = x - s->mean_x, off_n = n - s->mean_n;

	s->agents++;
	s->mean_x += off_x / s->agents;
	s->mean_n += off_n / s->agents;
	s->xx += off_x * (x - s->mean_x);
	s->xn += off_x * (n - s->mean_n);
	s->nn += off_n * (n - s->mean_n);
}

double sample_ratio(const struct sample *s)
{
	return s->mean_n != 0 ? s->mean_x / s->mean_n : UNKNOWN;
}

double sample_variance(const struct sample *s)
{
	double r = sample_ratio(s);
	double squares = fmax(0, s->xx - 2 * r * s->xn + r * r * s->nn); /* about Σ(x - r n) = 0 */

	return s->agents >= 2 ? squares / (s->agents * (s->agents - 1) * s->mean_n * s->mean_n) : UNKNOWN;
}

/* ---- tests ---- */

static const struct comparison nothing_known = {
	.statistic = UNKNOWN, .df = UNKNOWN, .margin = UNKNOWN, .p = UNKNOWN};

void compare_samples(const struct sample *a, const struct sample *b, struct comparison *out)
{
	double va = sample_variance(a), vb = sample_variance(b), v = va + vb;

	*out = nothing_known;
	out->difference = sample_ratio(a) - sample_ratio(b);
	if (!(v > 0))
		return;
	out->df = v * v / (va * va / (a->agents - 1) + vb * vb / (b->agents - 1));
	out->statistic = out->difference / sqrt(v);
	out->margin = student_end(0.05, out->df) * sqrt(v);
	out->p = student_beyond(out->statistic, out->df);
}

/* ---- several at once ---- */

static size_t smallest(const double *p, const bool *done, size_t count)
{
	size_t found = count;

	for (size_t i = 0; i < count; i++)
		if (!done[i] && !isnan(p[i]) && (found == count || p[i] < p[found]))
			found = i;
	return found;
}

/* The smallest times as many as there are, the next times one less, and none below the one before. */
void compare_holm(double *p, size_t count)
{
	bool done[COMPARE_MAX] = {false};
	double reached = 0;
	size_t left = 0;

	CHECK(count <= COMPARE_MAX);
	for (size_t i = 0; i < count; i++)
		left += isnan(p[i]) ? 0 : 1;
	for (; left > 0; left--) {
		size_t i = smallest(p, done, count);

		reached = fmin(1, fmax(reached, p[i] * (double)left));
		p[i] = reached;
		done[i] = true;
	}
}
