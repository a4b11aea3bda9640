/*
 * Cohorts side by side. Each value is a ratio over agents: the sum of what their sessions came to, by the number of
 * the sessions. What varies at random is which agents there are, and sessions of one agent are alike; so variances are
 * those of a ratio estimator over k agents (Cochran, Sampling Techniques, chapter 6):
 *
 *	mean = Σx / Σn        var = k / (k - 1) * Σ(x - mean n)² / (Σn)²
 *
 * and the difference of two cohorts is judged by the normal distribution. Below COHORT_AGENTS_MIN agents that does not
 * hold, and neither margin nor p is given.
 */
#include "sim/report_priv.h"

#include "base/magic.h"
#include "sim/queries.h"

#include <math.h>

enum { COHORTS_MAX = 8, COHORT_AGENTS_MIN = 20 };

/* Sums over agents, of which one is being added up. */
struct ratio {
	struct { /* of one agent, or over all */
		double x, n;
	} agent, sum;
	double xx, xn, nn;
	int64_t agents;
};

static void ratio_close_agent(struct ratio *r)
{
	if (r->agent.n == 0)
		return;
	r->sum.x += r->agent.x;
	r->sum.n += r->agent.n;
	r->xx += r->agent.x * r->agent.x;
	r->xn += r->agent.x * r->agent.n;
	r->nn += r->agent.n * r->agent.n;
	r->agents++;
	r->agent.x = r->agent.n = 0;
}

static double ratio_mean(const struct ratio *r)
{
	return r->sum.n > 0 ? r->sum.x / r->sum.n : 0;
}

static double ratio_variance(const struct ratio *r)
{
	double mean = ratio_mean(r), k = (double)r->agents;
	double squares = r->xx - 2 * mean * r->xn + mean * mean * r->nn;

	return k / (k - 1) * fmax(0, squares) / (r->sum.n * r->sum.n);
}

/* ---- reading ---- */

struct sums {
	const struct run_course *file;
	const struct sim_report *report;
	struct ratio of[COHORTS_MAX];
	int64_t agent;
	int cohort; /* that agent's; -1: none was read yet */
	bool calls; /* x is calls, not completed sessions */
};

static int cohort_of(const struct run_course *f, struct str name)
{
	for (size_t i = 0; i < f->cohorts_count; i++)
		if (str_eq(f->cohorts[i].name, name))
			return (int)i;
	return -1;
}

/* The ratio of the agent whose row was read; NULL: its cohort is none of the run's. */
static struct ratio *turn_to(struct sums *s, struct str cohort, int64_t agent)
{
	int of = cohort_of(s->file, cohort);

	if (s->cohort >= 0 && (of != s->cohort || agent != s->agent))
		ratio_close_agent(&s->of[s->cohort]);
	s->cohort = of;
	s->agent = agent;
	return of >= 0 ? &s->of[of] : NULL;
}

static void finish(struct sums *s)
{
	if (s->cohort >= 0)
		ratio_close_agent(&s->of[s->cohort]);
	s->cohort = -1;
}

static bool is_completed(const struct sim_report *r, struct str outcome)
{
	for (size_t i = 0; i < r->outcomes_count; i++)
		if (str_eq(r->outcomes[i].name, outcome))
			return r->outcomes[i].kind == SCENARIO_COMPLETED;
	return false;
}

static enum err take_sessions(void *ctx, const void *row)
{
	const struct sim_report_cohorts_out *c = row;
	struct sums *s = ctx;
	struct ratio *r = turn_to(s, c->cohort, c->agent);

	if (!r)
		return OK;
	r->agent.n += (double)c->sessions;
	if (s->calls)
		r->agent.x += (double)c->calls;
	else if (is_completed(s->report, c->outcome))
		r->agent.x += (double)c->sessions;
	return OK;
}

static enum err take_kept(void *ctx, const void *row)
{
	const struct sim_report_kept_out *k = row;
	struct ratio *r = turn_to(ctx, k->cohort, k->agent);

	if (!r)
		return OK;
	r->agent.n += (double)k->sessions;
	r->agent.x += k->total;
	return OK;
}

/* ---- judging ---- */

static bool is_judged(const struct ratio *r)
{
	return r->agents >= COHORT_AGENTS_MIN && r->sum.n > 0;
}

static void put_value(const struct ratio *of, const struct ratio *first, struct str name, struct report_cohort *to)
{
	static const double z = 1.959964;
	struct report_cohort_value *v = &to->values[to->values_count++];
	double se;

	*v = (struct report_cohort_value){.name = name, .sessions = (int64_t)of->sum.n, .mean = ratio_mean(of)};
	if (is_judged(of))
		PUT(v, report_cohort_value, margin, z * sqrt(ratio_variance(of)));
	if (of == first || !is_judged(of) || !is_judged(first))
		return;
	se = sqrt(ratio_variance(of) + ratio_variance(first));
	PUT(v, report_cohort_value, difference, v->mean - ratio_mean(first));
	PUT(v, report_cohort_value, difference_margin, z * se);
	PUT(v, report_cohort_value, p,
	    se > 0               ? erfc(fabs(v->difference) / se / sqrt(2))
	    : v->difference == 0 ? 1
				 : 0);
}

static void put_values(const struct sums *s, struct str name, struct sim_report *r)
{
	for (size_t i = 0; i < r->cohorts_count; i++) {
		if (s->of[i].agents > r->cohorts[i].agents)
			r->cohorts[i].agents = s->of[i].agents;
		put_value(&s->of[i], &s->of[0], name, &r->cohorts[i]);
	}
}

static bool make_cohorts(const struct run_course *f, struct arena *a, struct sim_report *r)
{
	r->cohorts = ARENA_ARRAY(a, struct report_cohort, f->cohorts_count);
	for (size_t i = 0; r->cohorts && i < f->cohorts_count; i++) {
		r->cohorts[i].name = f->cohorts[i].name;
		r->cohorts[i].values = ARENA_ARRAY(a, struct report_cohort_value, 2 + f->kept_count);
		if (!r->cohorts[i].values)
			return false;
		r->cohorts_count++;
	}
	return r->cohorts_count > 0;
}

static enum err read_sessions(struct db *db, int64_t run, const struct run_course *f, bool calls,
			      struct sim_report *r)
{
	struct sums s = {.file = f, .report = r, .cohort = -1, .calls = calls};
	enum err e = q_sim_report_cohorts(db, &(struct sim_report_cohorts_in){run}, take_sessions, &s);

	finish(&s);
	if (!e)
		put_values(&s, calls ? STR("requests") : STR("completed"), r);
	return e;
}

static enum err read_kept(struct db *db, int64_t run, const struct run_course *f, struct str name,
			  struct sim_report *r)
{
	struct sums s = {.file = f, .report = r, .cohort = -1};
	enum err e = q_sim_report_kept(db, &(struct sim_report_kept_in){run, name}, take_kept, &s);

	finish(&s);
	if (!e)
		put_values(&s, name, r);
	return e;
}

enum err report_read_cohorts(struct db *db, int64_t run, const struct run_course *f, struct arena *a,
			     struct sim_report *r)
{
	enum err e;

	CHECK(f->cohorts_count <= COHORTS_MAX);
	if (f->cohorts_count < 2 || !make_cohorts(f, a, r))
		return OK;
	e = read_sessions(db, run, f, false, r);
	if (!e)
		e = read_sessions(db, run, f, true, r);
	for (size_t i = 0; !e && i < f->kept_count; i++)
		e = read_kept(db, run, f, f->kept[i].name, r);
	return e;
}
