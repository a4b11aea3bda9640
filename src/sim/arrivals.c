/*
 * The integral of the rate, and back.
 */
#include "sim/arrivals.h"

#include <math.h>

enum { GAPS = 1, WHOSE = 0, TRIES = 64 };
#define NEVER_NS 9e18

static double slope(const struct arrival_plan *p)
{
	return p->from == p->to ? 0 : (p->to - p->from) / p->over_s;
}

static double integral(const struct arrival_plan *p, double t)
{
	double ramp = p->from == p->to ? t : fmin(t, p->over_s);

	return p->from * ramp + slope(p) * ramp * ramp / 2 + p->to * (t - ramp);
}

/* When the integral comes to n. The root is written so that it stands for a slope of 0 as well. */
static double inverse(const struct arrival_plan *p, double n)
{
	double whole = p->from == p->to ? HUGE_VAL : integral(p, p->over_s);

	if (n <= 0)
		return 0;
	if (n > whole)
		return p->to > 0 ? p->over_s + (n - whole) / p->to : HUGE_VAL;
	return 2 * n / (p->from + sqrt(fmax(p->from * p->from + 2 * slope(p) * n, 0)));
}

void arrivals_init(struct arrivals *a, const struct arrival_plan *plan, uint64_t seed)
{
	*a = (struct arrivals){.plan = *plan, .seed = seed};
}

static double gap(struct arrivals *a)
{
	return a->plan.poisson ? draws_exponential(&a->gaps, 1) : 1;
}

/* The times are rounded alike wherever they are asked for, so the one where two cycles meet is in one of them. */
int64_t arrivals_due_ns(const struct arrivals *a)
{
	double ns = inverse(&a->plan, a->reached) * 1e9;

	return ns < NEVER_NS ? (int64_t)ns : INT64_MAX;
}

void arrivals_cycle(struct arrivals *a, uint32_t cycle, int64_t from_ns)
{
	double so_far = integral(&a->plan, (double)from_ns / 1e9);

	a->cycle = cycle;
	a->number = 0;
	draws_begin(&a->gaps, a->seed, DRAW_ARRIVAL, GAPS, cycle, 0);
	if (a->plan.poisson) {
		a->reached = so_far + gap(a);
		return;
	}
	a->reached = fmax(floor(so_far) - 1, 0);
	while (arrivals_due_ns(a) < from_ns && a->reached <= so_far + 2)
		a->reached++;
}

void arrivals_pass(struct arrivals *a)
{
	a->reached += gap(a);
	a->number++;
}

void arrivals_draws(const struct arrivals *a, struct draws *d)
{
	draws_begin(d, a->seed, DRAW_ARRIVAL, WHOSE, a->cycle, a->number % DRAW_NUMBERS);
}

uint32_t arrivals_agent(struct draws *d, const struct eagerness *all, uint32_t agents, float most)
{
	uint32_t agent = draws_below(d, agents);

	for (unsigned i = 0; i < TRIES && draws_unit(d) * (double)most >= (double)all[agent].weekly; i++)
		agent = draws_below(d, agents);
	return agent;
}
