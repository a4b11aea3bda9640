/*
 * Cohorts side by side: each value is the sum of what sessions came to, by the number of the sessions, and is judged
 * over agents (sim/compare.h). Agents without a session count in what is by agent, and in nothing else. Below
 * COHORT_AGENTS_MIN agents the spread is not known well enough, and neither margin nor p is given.
 */
#include "sim/report_priv.h"

#include "base/magic.h"
#include "sim/compare.h"
#include "sim/probability.h"
#include "sim/queries.h"

#include <math.h>

enum { COHORTS_MAX = 8, COHORT_AGENTS_MIN = 20, VALUES_MAX = 4 + RECORD_KEPT_MAX };

/* One value of one cohort. */
struct measure {
	struct sample sample;
	struct { /* of the agent whose rows are being read */
		double x, n;
	} agent;
	double sessions; /* those that had it */
	int64_t agents;
};

static void close_agent(struct measure *m)
{
	if (m->agent.n == 0)
		return;
	sample_add(&m->sample, m->agent.x, m->agent.n);
	m->sessions += m->agent.n;
	m->agents++;
	m->agent.x = m->agent.n = 0;
}

/* ---- reading ---- */

struct sums {
	const struct run_course *file;
	const struct sim_report *report;
	struct measure of[COHORTS_MAX];
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

/* The measure of the agent whose row was read; NULL: its cohort is none of the run's. */
static struct measure *turn_to(struct sums *s, struct str cohort, int64_t agent)
{
	int of = cohort_of(s->file, cohort);

	if (s->cohort >= 0 && (of != s->cohort || agent != s->agent))
		close_agent(&s->of[s->cohort]);
	s->cohort = of;
	s->agent = agent;
	return of >= 0 ? &s->of[of] : NULL;
}

static void finish(struct sums *s)
{
	if (s->cohort >= 0)
		close_agent(&s->of[s->cohort]);
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
	struct measure *r = turn_to(s, c->cohort, c->agent);

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
	struct measure *r = turn_to(ctx, k->cohort, k->agent);

	if (!r)
		return OK;
	r->agent.n += (double)k->sessions;
	r->agent.x += k->total;
	return OK;
}

/* ---- judging ---- */

static bool is_judged(const struct measure *m)
{
	return m->agents >= COHORT_AGENTS_MIN && m->sample.mean_n > 0;
}

static void put_difference(const struct measure *of, const struct measure *first, struct report_cohort_value *v)
{
	struct comparison c;

	compare_samples(&of->sample, &first->sample, &c);
	PUT(v, report_cohort_value, difference, c.difference);
	if (isnan(c.p))
		return;
	PUT(v, report_cohort_value, difference_margin, c.margin);
	PUT(v, report_cohort_value, p, c.p);
}

static void put_value(const struct measure *of, const struct measure *first, struct str name,
		      struct report_cohort *to)
{
	struct report_cohort_value *v = &to->values[to->values_count++];

	*v = (struct report_cohort_value){.name = name, .sessions = (int64_t)of->sessions};
	if (of->sample.mean_n > 0)
		v->mean = sample_ratio(&of->sample);
	if (is_judged(of))
		PUT(v, report_cohort_value, margin,
		    student_end(0.05, of->sample.agents - 1) * sqrt(sample_variance(&of->sample)));
	if (of != first && is_judged(of) && is_judged(first))
		put_difference(of, first, v);
}

static void put_values(const struct sums *s, struct str name, struct sim_report *r)
{
	for (size_t i = 0; i < r->cohorts_count; i++) {
		if (s->of[i].agents > r->cohorts[i].agents)
			r->cohorts[i].agents = s->of[i].agents;
		put_value(&s->of[i], &s->of[0], name, &r->cohorts[i]);
	}
}

/* Who looks at many finds some by chance. */
static void raise_p(struct sim_report *r)
{
	struct report_cohort_value *of[COHORTS_MAX * VALUES_MAX];
	double p[COHORTS_MAX * VALUES_MAX];
	size_t count = 0;

	for (size_t i = 0; i < r->cohorts_count; i++)
		for (size_t k = 0; k < r->cohorts[i].values_count; k++)
			if (HAS(&r->cohorts[i].values[k], report_cohort_value, p)) {
				of[count] = &r->cohorts[i].values[k];
				p[count++] = r->cohorts[i].values[k].p;
			}
	compare_holm(p, count);
	for (size_t i = 0; i < count; i++)
		PUT(of[i], report_cohort_value, p_raised, p[i]);
}

/* What k agents have by agent, with the others of their cohort, who have 0. */
static struct sample with_idle(double mean, double squares, double k, double all)
{
	return (struct sample){.agents = all,
			       .mean_x = mean * k / all,
			       .mean_n = 1,
			       .xx = squares + mean * mean * k * (all - k) / all};
}

/* Sessions and purchases by agent, where it is known how many agents a cohort has. `s` has both by session. */
static void put_by_agent(const struct sums *s, const struct run_course *f, struct sim_report *r)
{
	struct sums came = {0}, completed = {0};

	for (size_t i = 0; i < r->cohorts_count; i++) {
		const struct measure *m = &s->of[i];
		int64_t all = HAS(&f->cohorts[i], run_cohort, agents) ? f->cohorts[i].agents : 0;

		if (all < m->agents || all == 0)
			return;
		came.of[i] = completed.of[i] = (struct measure){.sessions = m->sessions, .agents = m->agents};
		came.of[i].sample = with_idle(m->sample.mean_n, m->sample.nn, (double)m->agents, (double)all);
		completed.of[i].sample = with_idle(m->sample.mean_x, m->sample.xx, (double)m->agents, (double)all);
	}
	put_values(&came, STR("sessions by agent"), r);
	put_values(&completed, STR("completed by agent"), r);
}

static bool make_cohorts(const struct run_course *f, struct arena *a, struct sim_report *r)
{
	r->cohorts = ARENA_ARRAY(a, struct report_cohort, f->cohorts_count);
	for (size_t i = 0; r->cohorts && i < f->cohorts_count; i++) {
		r->cohorts[i].name = f->cohorts[i].name;
		r->cohorts[i].values = ARENA_ARRAY(a, struct report_cohort_value, VALUES_MAX);
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
	if (!e && !calls)
		put_by_agent(&s, f, r);
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

	CHECK(f->cohorts_count <= COHORTS_MAX && f->kept_count <= RECORD_KEPT_MAX);
	if (f->cohorts_count < 2 || !make_cohorts(f, a, r))
		return OK;
	e = read_sessions(db, run, f, false, r);
	if (!e)
		e = read_sessions(db, run, f, true, r);
	for (size_t i = 0; !e && i < f->kept_count; i++)
		e = read_kept(db, run, f, f->kept[i].name, r);
	if (!e)
		raise_p(r);
	return e;
}
