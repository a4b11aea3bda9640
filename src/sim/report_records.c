/*
 * What the records of a run say: one pass over the cycles, one over the sessions by cycle, one over the failures.
 */
#include "sim/report_priv.h"

#include "base/vec.h"
#include "sim/calendar.h"
#include "sim/queries.h"

#include <stdlib.h>
#include <string.h>

enum { MS_PER_S = 1000, HOUR_S = 3600, THURSDAY = 3 }; /* the day that 1970 began with, of Monday first */

struct reading {
	struct sim_report *out;
	struct report_sums *sums;
	struct arena *arena;
	VEC(struct report_cycle) cycles;
	size_t at; /* the cycle that sessions are of */
	int64_t by_outcome[16];
	VEC(struct report_failure) failures;
};

/* ---- cycles ---- */

static enum err take_cycle(void *ctx, const void *row)
{
	const struct sim_report_cycles_out *c = row;
	struct reading *r = ctx;

	*VEC_PUSH(&r->cycles) = (struct report_cycle){.cycle = c->cycle,
						      .attempt = c->attempt,
						      .replay = c->replay,
						      .began = c->began_ms,
						      .took_ms = c->took_ms,
						      .agents = c->agents,
						      .active = c->active,
						      .requests = c->requests};
	r->sums->cycles++;
	r->sums->agents += c->agents;
	r->sums->active += c->active;
	r->sums->requests += c->requests;
	r->sums->took_ms += c->took_ms;
	r->out->cycles_replayed += c->replay;
	return OK;
}

/* ---- sessions ---- */

/* Which of the outcomes; one that the file does not know is taken up, as what its name says. */
static struct report_outcome *outcome_of(struct reading *r, struct str name)
{
	struct report_outcome *all = r->out->outcomes;
	int kind = json_enum_by_text(&enum_scenario_end, name);
	size_t i = 0;

	while (i < r->out->outcomes_count && !str_eq(all[i].name, name))
		i++;
	if (i < r->out->outcomes_count)
		return &all[i];
	all = ARENA_ARRAY(r->arena, struct report_outcome, i + 1);
	if (!all)
		return NULL;
	if (i > 0)
		memcpy(all, r->out->outcomes, i * sizeof(*all));
	all[i] = (struct report_outcome){.name = arena_str(r->arena, name),
					 .kind = kind >= 0 ? kind : SCENARIO_ABANDONED};
	r->out->outcomes = all;
	r->out->outcomes_count = i + 1;
	return &all[i];
}

static void count_in_cycle(struct report_cycle *c, int kind, int64_t sessions)
{
	c->sessions += sessions;
	c->completed += kind == SCENARIO_COMPLETED ? sessions : 0;
	c->abandoned += kind == SCENARIO_ABANDONED ? sessions : 0;
	c->failed += kind == SCENARIO_FAILED ? sessions : 0;
}

static enum err take_sessions(void *ctx, const void *row)
{
	const struct sim_report_sessions_out *s = row;
	struct reading *r = ctx;
	struct report_outcome *o;

	while (r->at < r->cycles.n && r->cycles.v[r->at].cycle < s->cycle)
		r->at++;
	if (r->at == r->cycles.n || !str_eqz(s->kind, "session"))
		return OK;
	o = outcome_of(r, s->outcome);
	if (!o)
		return ERR_TOO_LARGE;
	o->sessions += s->sessions;
	count_in_cycle(&r->cycles.v[r->at], o->kind, s->sessions);
	r->sums->sessions += s->sessions;
	r->sums->calls += s->calls;
	return OK;
}

/* ---- failures ---- */

static enum err take_failure(void *ctx, const void *row)
{
	const struct sim_report_failures_out *f = row;
	struct reading *r = ctx;

	*VEC_PUSH(&r->failures) = (struct report_failure){.failure = arena_str(r->arena, f->failure),
							  .sessions = f->sessions,
							  .first_cycle = f->first_cycle,
							  .last_cycle = f->last_cycle};
	return OK;
}

/* ---- hours and days ---- */

static struct report_bin *make_bins(unsigned count, const char *(*name)(unsigned, struct arena *), struct arena *a)
{
	struct report_bin *bins = ARENA_ARRAY(a, struct report_bin, count);

	for (unsigned i = 0; bins && i < count; i++)
		bins[i].name = str_of(name(i, a));
	return bins;
}

static const char *hour_name(unsigned i, struct arena *a)
{
	return arena_fmt(a, "%02u:00", i).p;
}

static const char *day_name(unsigned i, struct arena *a)
{
	static const char *const names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
					    "Friday", "Saturday", "Sunday"};

	(void)a;
	return names[i];
}

static void add_bin(struct report_bin *bin, const struct report_cycle *c)
{
	bin->cycles++;
	bin->sessions += c->sessions;
}

static void put_bins(const struct reading *r)
{
	struct sim_report *out = r->out;

	out->hours = make_bins(REPORT_HOURS, hour_name, r->arena);
	out->weekdays = make_bins(REPORT_DAYS, day_name, r->arena);
	if (!out->hours || !out->weekdays)
		return;
	out->hours_count = REPORT_HOURS;
	out->weekdays_count = REPORT_DAYS;
	for (size_t i = 0; i < r->cycles.n; i++) {
		const struct report_cycle *c = &r->cycles.v[i];
		int64_t hours = c->began / CALENDAR_HOUR_MS;

		add_bin(&out->hours[hours % REPORT_HOURS], c);
		add_bin(&out->weekdays[(hours / REPORT_HOURS + THURSDAY) % REPORT_DAYS], c);
	}
}

/* ---- together ---- */

static void keep(struct reading *r)
{
	struct sim_report *out = r->out;

	out->cycles = ARENA_ARRAY(r->arena, struct report_cycle, r->cycles.n);
	out->failures = ARENA_ARRAY(r->arena, struct report_failure, r->failures.n);
	if (!out->cycles || !out->failures)
		return;
	if (r->cycles.n)
		memcpy(out->cycles, r->cycles.v, r->cycles.n * sizeof(*out->cycles));
	if (r->failures.n)
		memcpy(out->failures, r->failures.v, r->failures.n * sizeof(*out->failures));
	out->cycles_count = r->cycles.n;
	out->failures_count = r->failures.n;
	if (r->cycles.n > 0) {
		put_bins(r);
		out->cycles_whole = r->cycles.v[r->cycles.n - 1].cycle + 1;
	}
}

static enum err read_sessions(struct db *db, int64_t run, struct reading *r)
{
	enum err e;

	for (size_t i = 0; i < r->out->outcomes_count; i++)
		r->out->outcomes[i].sessions = 0;
	e = q_sim_report_sessions(db, &(struct sim_report_sessions_in){run}, take_sessions, r);
	return e ? e
		 : q_sim_report_failures(db, &(struct sim_report_failures_in){run, REPORT_FAILURES_MAX},
					 take_failure, r);
}

enum err report_read_records(struct db *db, int64_t run, struct arena *a, struct sim_report *out,
			     struct report_sums *sums)
{
	struct reading r = {.out = out, .sums = sums, .arena = a};
	enum err e = q_sim_report_cycles(db, &(struct sim_report_cycles_in){run}, take_cycle, &r);

	if (!e && r.cycles.n > 0)
		e = read_sessions(db, run, &r);
	if (!e)
		keep(&r);
	VEC_FREE(&r.cycles);
	VEC_FREE(&r.failures);
	return e;
}

/* ---- assumed and measured ---- */

static void assume(struct sim_report *r, const char *what, enum report_unit unit, double assumed, double measured)
{
	struct report_assumption *a = &r->assumptions[r->assumptions_count++];

	*a = (struct report_assumption){.what = str_of(what), .unit = (int)unit};
	if (assumed > 0)
		PUT(a, report_assumption, assumed, assumed);
	if (measured >= 0)
		PUT(a, report_assumption, measured, measured);
}

/* -1 when there is nothing to reckon it by. */
static double ratio(double of, double by)
{
	return by > 0 ? of / by : -1;
}

static double active_share(const struct report_sums *sums, const struct sim_report *r)
{
	return sums->cycles > 0 ? ratio((double)sums->active, (double)sums->agents)
				: ratio((double)r->totals.sessions, (double)r->totals.agents_run);
}

/* Without records it is known only when nothing but sessions made requests. */
static double calls_of_session(const struct report_sums *sums, const struct sim_report *r)
{
	const struct checkpoint_totals *t = &r->totals;

	if (sums->cycles > 0)
		return ratio((double)sums->calls, (double)sums->sessions);
	return t->idle_visits + t->offer_rounds + t->cleanups > 0 ? -1
								  : ratio((double)t->requests, (double)t->sessions);
}

void report_put_assumptions(const struct run_course *f, const struct report_sums *sums, struct arena *a,
			    struct sim_report *r)
{
	double share = f->assumed_active_share, calls = f->assumed_calls_per_agent;
	double assumed = (double)r->agents * share * calls;
	double cycles = sums->cycles > 0 ? (double)sums->cycles : (double)r->cycles_whole;
	double requests = ratio((double)(sums->cycles > 0 ? sums->requests : r->totals.requests), cycles);
	double took = ratio((double)(sums->cycles > 0 ? sums->took_ms : r->elapsed_ms) / MS_PER_S, cycles);

	r->assumptions = ARENA_ARRAY(a, struct report_assumption, 5);
	if (!r->assumptions)
		return;
	assume(r, "Agents with a session in a cycle", REPORT_SHARE, share, active_share(sums, r));
	assume(r, "Requests of a session", REPORT_COUNT, calls, calls_of_session(sums, r));
	assume(r, "Requests of a cycle", REPORT_COUNT, assumed, requests);
	if (r->rate > 0)
		assume(r, "Time they need at the allowed rate", REPORT_SECONDS, assumed / r->rate,
		       requests < 0 ? -1 : requests / r->rate);
	assume(r, "Time of a cycle", REPORT_SECONDS, r->time_scale > 0 ? HOUR_S / r->time_scale : 0, took);
}
