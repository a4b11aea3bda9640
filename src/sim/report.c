/*
 * Which run, and what its own file says of it. See report.h.
 */
#include "sim/report_priv.h"

#include "base/id.h"
#include "base/magic.h"
#include "sim/course.h"
#include "sim/interval.h"
#include "sim/queries.h"
#include "sim/rundir.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN_PREFIX "run_"

enum { US_PER_MS = 1000 };

/* ---- which run ---- */

static bool is_run(struct str name)
{
	int64_t id;

	return id_parse(name, RUN_PREFIX, &id);
}

static struct str last_part(struct str path)
{
	const char *slash = memrchr(path.p, '/', path.n);

	return slash ? (struct str){slash + 1, path.n - (size_t)(slash + 1 - path.p)} : path;
}

static void take_run(struct str dir, struct str run, struct arena *a, struct report_source *out)
{
	out->dir = dir;
	out->run = run;
	out->run_dir = arena_fmt(a, "%.*s/runs/%.*s", STRF(dir), STRF(run));
}

/* A folder of runs, or the folder of one. */
static enum err take_folder(struct str path, struct arena *a, struct report_source *out, struct problem *p)
{
	char *real = realpath(arena_z(a, path), NULL);
	struct str whole = arena_str(a, str_of(real));

	free(real);
	if (whole.n == 0)
		return problem_set(p, ERR_NOT_FOUND,
				   "there is no run and no folder %.*s; give a run's id, its folder, or the folder "
				   "that was its --dir",
				   STRF(str_clip(path, 200)));
	*out = (struct report_source){.dir = whole};
	if (is_run(last_part(whole)))
		take_run((struct str){whole.p, whole.n - last_part(whole).n - strlen("/runs/")}, last_part(whole),
			 a, out);
	else
		take_run(whole, rundir_latest(whole, a), a, out);
	if (out->run.n == 0)
		return problem_set(p, ERR_NOT_FOUND, "there are no runs in %.*s; say with --dir where they are",
				   STRF(str_clip(whole, 200)));
	return OK;
}

enum err report_find(struct str what, struct str dir, struct arena *a, struct report_source *out, struct problem *p)
{
	if (!is_run(what))
		return take_folder(what.n ? what : dir, a, out, p);
	*out = (struct report_source){0};
	take_run(dir, what, a, out);
	if (access(out->run_dir.p, F_OK) != 0)
		return problem_set(p, ERR_NOT_FOUND, "there is no %.*s in %.*s; say where it is with --dir",
				   STRF(what), STRF(str_clip(dir, 200)));
	return OK;
}

/* ---- from its file ---- */

static double ms_at(const struct latency *l, double percent)
{
	return (double)latency_at_us(l, percent) / US_PER_MS;
}

static struct report_times times_of(const struct latency *l)
{
	return (struct report_times){.count = (int64_t)l->count,
				     .mean_ms = round(latency_mean_us(l)) / US_PER_MS,
				     .p50_ms = ms_at(l, 50),
				     .p95_ms = ms_at(l, 95),
				     .p99_ms = ms_at(l, 99),
				     .max_ms = (double)l->max_us / US_PER_MS};
}

/* Reads one text of a file, and adds it to those of all endpoints. */
static struct report_times add_times(struct str text, struct latency *all)
{
	struct latency l = {0};
	struct report_times t;

	latency_read(&l, text);
	latency_merge(all, &l);
	t = times_of(&l);
	latency_free(&l);
	return t;
}

static void put_endpoints(const struct run_course *f, struct arena *a, struct sim_report *r)
{
	struct latencies all = {0};

	r->endpoints = ARENA_ARRAY(a, struct report_endpoint, f->endpoints_count);
	for (size_t i = 0; r->endpoints && i < f->endpoints_count; i++) {
		struct report_endpoint *e = &r->endpoints[i];

		e->name = f->endpoints[i].name;
		e->response = add_times(f->endpoints[i].response, &all.response);
		e->service = add_times(f->endpoints[i].service, &all.service);
		e->throttle = add_times(f->endpoints[i].throttle, &all.throttle);
		r->endpoints_count++;
	}
	r->response = times_of(&all.response);
	r->service = times_of(&all.service);
	r->throttle = times_of(&all.throttle);
	latency_free(&all.response);
	latency_free(&all.service);
	latency_free(&all.throttle);
}

static void put_plan(const struct run_course *f, struct sim_report *r)
{
	r->scenario = f->scenario;
	r->seed = f->seed;
	r->population = f->population;
	r->target = f->target;
	r->store = f->store;
	r->program = f->program;
	r->agents = f->agents;
	r->threads = f->threads;
	r->groups = f->groups;
	r->attempts = f->attempt;
	r->time_scale = f->time_scale;
	r->rate = f->rate;
	r->burst = f->burst;
	r->warmup_cycles = f->warmup_cycles;
	r->breaker_percent = f->breaker_percent;
	r->cycles_planned = f->cycles_planned;
	r->started = f->started;
	r->start = f->start;
	if (HAS(f, run_course, title))
		PUT(r, sim_report, title, f->title);
	if (HAS(f, run_course, profile))
		PUT(r, sim_report, profile, f->profile);
}

static void put_course(const struct run_course *f, struct sim_report *r)
{
	r->state = f->state;
	r->saved = f->saved;
	r->elapsed_ms = f->elapsed_ms;
	r->simulated = f->simulated;
	r->trips = f->trips;
	r->slipped = f->slipped;
	r->cycles_whole = f->cycles;
	r->memory_peak_bytes = f->memory_peak_bytes;
	r->totals = f->totals;
	r->rate_measured = f->elapsed_ms > 0 ? (double)f->totals.requests * 1000 / (double)f->elapsed_ms : 0;
	r->kept = f->kept;
	r->kept_count = f->kept_count;
	r->thresholds = f->thresholds;
	r->thresholds_count = f->thresholds_count;
	r->samples = f->samples;
	r->samples_count = f->samples_count;
	r->events = f->events;
	r->events_count = f->events_count;
	if (HAS(f, run_course, realism))
		PUT(r, sim_report, realism, f->realism);
}

static void put_outcomes(const struct run_course *f, struct arena *a, struct sim_report *r)
{
	r->outcomes = ARENA_ARRAY(a, struct report_outcome, f->outcomes_count);
	for (size_t i = 0; r->outcomes && i < f->outcomes_count; i++)
		r->outcomes[r->outcomes_count++] = (struct report_outcome){
			.name = f->outcomes[i].name,
			.kind = f->outcomes[i].kind,
			.sessions = f->outcomes[i].sessions,
		};
}

/* ---- from its records ---- */

/* What there is without a file: the run was killed before it wrote one, or somebody removed it. */
static void put_row(const struct sim_run_row *row, struct sim_report *r)
{
	r->scenario = row->scenario;
	r->seed = row->seed;
	r->population = row->population;
	r->target = row->target;
	r->program = row->version;
	r->agents = row->agents;
	r->attempts = row->attempts;
	r->started = r->saved = row->started_ms;
	if (row->title.n)
		PUT(r, sim_report, title, row->title);
}

/* What a report is made of. */
struct making {
	const struct run_course *file;
	bool has_file;
	struct report_sums sums;
	struct arena *arena;
	struct sim_report *out;
};

static enum err read_run(struct db *db, struct making *m)
{
	struct sim_run_row row;
	int64_t id = 0;
	enum err e;

	id_parse(m->out->run, RUN_PREFIX, &id);
	e = q_sim_run_get(db, &(struct sim_run_get_in){id}, m->arena, &row);
	if (e)
		return e;
	if (!m->has_file)
		put_row(&row, m->out);
	e = report_read_records(db, id, m->arena, m->out, &m->sums);
	if (!e)
		e = report_read_realism(db, id, m->arena, m->out);
	return e ? e : report_read_cohorts(db, id, m->file, m->arena, m->out);
}

static enum err read_store(const char *url, struct making *m, struct problem *p)
{
	struct store *store = NULL;
	struct db *db = NULL;
	enum err e = store_open(url, &store, p);

	if (!e)
		e = store_connect(store, DB_READ, &db, p);
	if (!e) {
		e = read_run(db, m);
		if (e)
			problem_set(p, e, "%s", err_info(e)->title);
		db_close(&db);
	}
	store_close(&store);
	return e;
}

/* The URL of the records; empty: there are none here. */
static struct str store_of(const struct report_source *from, struct arena *a)
{
	struct str file = arena_fmt(a, "%.*s/sim.db", STRF(from->dir));

	if (from->store.n)
		return from->store;
	return access(file.p, R_OK) == 0 ? arena_fmt(a, "sqlite:%.*s", STRF(file)) : (struct str){0};
}

/* ---- together ---- */

/* How far the farther end of its confidence interval is; all, when there is nothing to tell it by. */
static double margin_of(double share, int64_t of, int64_t count)
{
	struct interval i;

	if (of == 0)
		return 1;
	i = interval_share((uint64_t)count, (uint64_t)of);
	return fmax(i.high - share, share - i.low);
}

static void put_shares(struct sim_report *r)
{
	int64_t all = 0;

	for (size_t i = 0; i < r->outcomes_count; i++)
		all += r->outcomes[i].sessions;
	for (size_t i = 0; i < r->outcomes_count; i++) {
		struct report_outcome *o = &r->outcomes[i];

		o->share = all > 0 ? (double)o->sessions / (double)all : 0;
		o->margin = margin_of(o->share, all, o->sessions);
	}
}

static enum report_cut cut_of(const struct report_source *from, const struct sim_report *r, struct arena *a)
{
	bool latest = str_eq(rundir_latest(from->dir, a), from->run);

	if (r->state != RUN_GOES)
		return REPORT_ENDED;
	return latest && rundir_is_held(from->dir) ? REPORT_GOES_ON : REPORT_CUT_OFF;
}

/* What its own file says; none is no fault. */
static enum err read_file(const struct report_source *from, struct run_course *file, struct making *m,
			  struct problem *p)
{
	enum err e = course_load(from->run_dir, m->arena, file, p);

	if (e)
		return e == ERR_NOT_FOUND ? OK : e;
	m->has_file = true;
	put_plan(file, m->out);
	put_course(file, m->out);
	put_endpoints(file, m->arena, m->out);
	put_outcomes(file, m->arena, m->out);
	return OK;
}

enum err report_make(const struct report_source *from, struct arena *a, struct sim_report *out, struct problem *p)
{
	struct run_course file = {0};
	struct problem trouble = {0};
	struct str url = store_of(from, a);
	struct making m = {.file = &file, .arena = a, .out = out};
	enum err e;

	*out = (struct sim_report){.run = from->run, .made = from->now_ms, .state = RUN_GOES};
	e = read_file(from, &file, &m, p);
	if (e)
		return e;
	e = url.n ? read_store(arena_z(a, url), &m, &trouble) : ERR_NOT_FOUND;
	if (!m.has_file && e)
		return problem_set(p, ERR_NOT_FOUND, "%.*s left neither a file of its own nor records%s%s",
				   STRF(from->run), trouble.err ? ": " : "", trouble.detail);
	put_shares(out);
	report_put_assumptions(&file, &m.sums, a, out);
	out->cut = (int)cut_of(from, out, a);
	report_put_words(out, trouble.err == ERR_NOT_FOUND ? "" : trouble.detail, a);
	return arena_overflowed(a) ? problem_set(p, ERR_TOO_LARGE, "the run has more cycles than fit into memory")
				   : OK;
}
