/* What came of a run: see run_priv.h. */
#include "sim/plain.h"
#include "sim/report.h"
#include "sim/report_types.h"
#include "sim/run_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- for programs ---- */

static void times_of(const struct latency *l, struct sim_run_times *out)
{
	*out = (struct sim_run_times){
		.count = (int64_t)l->count,
		.mean = latency_mean_us(l) / 1000,
		.p50 = (double)latency_at_us(l, 50) / 1000,
		.p95 = (double)latency_at_us(l, 95) / 1000,
		.p99 = (double)latency_at_us(l, 99) / 1000,
		.max = (double)l->max_us / 1000,
	};
}

static void endpoint_of(struct str name, const struct latencies *l, struct sim_run_endpoint *out)
{
	*out = (struct sim_run_endpoint){.name = name};
	times_of(&l->response, &out->response);
	times_of(&l->service, &out->service);
	times_of(&l->throttle, &out->throttle);
}

static void fill_endpoints(const struct run *r, const struct engine_view *v, struct sim_run_out *out)
{
	struct latencies all = {0};

	out->endpoints = ARENA_ARRAY(r->config.arena, struct sim_run_endpoint, v->endpoint_count + 1);
	out->endpoints_count = v->endpoint_count + 1;
	for (unsigned i = 0; i < v->endpoint_count; i++) {
		latencies_merge(&all, &v->endpoints[i], 1);
		endpoint_of(scenario_endpoint_name(r->scenario, i), &v->endpoints[i], &out->endpoints[i + 1]);
	}
	endpoint_of(STR("*"), &all, &out->endpoints[0]);
	latency_free(&all.response);
	latency_free(&all.service);
	latency_free(&all.throttle);
}

static void fill_counts(const struct run *r, const struct counts *c, struct sim_run_out *out)
{
	const struct sim_run_count counts[] = {
#define COUNT(name_, doc) {.name = STR(#name_), .count = (int64_t)c->name_},
		COUNTS(COUNT)
#undef COUNT
	};
	size_t n = sizeof(counts) / sizeof(counts[0]);

	out->counts = ARENA_ARRAY(r->config.arena, struct sim_run_count, n);
	for (; out->counts_count < n; out->counts_count++)
		out->counts[out->counts_count] = counts[out->counts_count];
	out->outcomes_count = scenario_outcome_count(r->scenario);
	out->outcomes = ARENA_ARRAY(r->config.arena, struct sim_run_count, out->outcomes_count + 1);
	for (unsigned i = 0; i < out->outcomes_count; i++)
		out->outcomes[i] = (struct sim_run_count){.name = scenario_outcome_name(r->scenario, i),
							  .count = (int64_t)c->by_outcome[i]};
}

static void fill_thresholds(const struct run *r, const struct engine_view *v, struct sim_run_out *out)
{
	out->thresholds = ARENA_ARRAY(r->config.arena, struct sim_run_threshold, r->threshold_count + 1);
	out->thresholds_count = r->threshold_count;
	for (size_t i = 0; i < r->threshold_count; i++) {
		const struct threshold *t = &r->thresholds[i];
		double measured = threshold_measured(t, r->scenario, v);

		out->thresholds[i] = (struct sim_run_threshold){
			.fail_if = t->text, .measured = measured, .failed = threshold_failed(t, measured)};
	}
}

static struct str end_name(enum engine_end end)
{
	switch (end) {
	case ENDED_CYCLES:
		return STR("cycles");
	case ENDED_TIME:
		return STR("time");
	case ENDED_BREAKER:
		return STR("breaker");
	case ENDED_STOPPED:
	case ENDED_NOT:
		break;
	}
	return STR("stopped");
}

static void fill(const struct run *r, const struct engine_view *v, struct sim_run_out *out)
{
	*out = (struct sim_run_out){
		.run = r->folder.run,
		.scenario = scenario_name(r->scenario),
		.seed = r->settings.seed_text,
		.attempt = r->engine_config.attempt,
		.ended = end_name(v->end),
		.agents = v->agents,
		.cycles = v->cycle,
		.simulated = v->simulated_ms,
		.elapsed_ms = v->elapsed_ms,
		.turns_per_second =
			v->elapsed_ms > 0 ? (double)v->totals.agents_run * 1000 / (double)v->elapsed_ms : 0,
		.slipped = v->slipped,
		.breaker_trips = v->breaker.trips,
		.memory_bytes = (int64_t)v->memory_bytes,
	};
	fill_counts(r, &v->totals, out);
	fill_endpoints(r, v, out);
	fill_thresholds(r, v, out);
}

/* Before anything begins: what came of a long run shall not be lost for a folder that there is not. */
enum err run_result_check(const struct run *r, struct problem *p)
{
	const char *path = arena_z(r->config.arena, r->args->json);
	FILE *f = r->args->json.n ? fopen(path, "ae") : NULL;

	if (r->args->json.n && !f)
		return problem_field(p, ERR_INVALID, "--json", "cannot write %s: %s", path, strerror(errno));
	if (f)
		fclose(f);
	return OK;
}

static enum err write_json(const struct run *r, const struct sim_run_out *out, struct problem *p)
{
	const char *path = arena_z(r->config.arena, r->args->json);
	struct buf b = BUF_INIT(0);
	FILE *f = fopen(path, "we");
	bool written = f != NULL;

	json_encode(&type_sim_run_out, out, 0, &b);
	buf_c(&b, '\n');
	if (f) {
		written = fwrite(buf_cstr(&b), 1, b.n, f) == b.n;
		written = fclose(f) == 0 && written;
	}
	buf_free(&b);
	return written ? OK : problem_set(p, ERR_USAGE, "cannot write %s: %s", path, strerror(errno));
}

/* ---- for people ---- */

static void say_lines(struct run *r, struct buf *b)
{
	struct str rest = buf_str(b);

	while (rest.n > 0) {
		struct str line = str_cut(rest, '\n', &rest);

		run_say(r, "%.*s", STRF(line));
	}
	buf_reset(b);
}

/* --mock-db: what was not written. */
static void say_planned(struct run *r, const struct engine_view *v)
{
	if (!r->args->mock_db)
		return;
	run_say(r, "records   %llu rows would have been written (--mock-db)",
		(unsigned long long)v->recorder.planned_rows);
	run_log(r, "%llu rows would have been written (--mock-db)", (unsigned long long)v->recorder.planned_rows);
}

static void say_thresholds(struct run *r, const struct sim_run_out *out, struct buf *b)
{
	for (size_t i = 0; i < r->threshold_count; i++) {
		buf_z(b, out->thresholds[i].failed ? "FAILED    " : "passed    ");
		threshold_write(&r->thresholds[i], out->thresholds[i].measured, b);
		say_lines(r, b);
	}
}

enum err run_result(struct run *r, const struct engine_view *v, unsigned *failed, struct problem *p)
{
	struct buf b = BUF_INIT(1 << 20);
	struct sim_run_out out;

	fill(r, v, &out);
	plain_summary(v, r->scenario, &b);
	say_lines(r, &b);
	say_planned(r, v);
	say_thresholds(r, &out, &b);
	buf_free(&b);
	*failed = 0;
	for (size_t i = 0; i < out.thresholds_count; i++)
		*failed += out.thresholds[i].failed;
	return r->args->json.n ? write_json(r, &out, p) : OK;
}

/* ---- the report ---- */

enum { REPORT_MEMORY_MAX = 1 << 30 };

void run_report(struct run *r)
{
	struct arena *a = arena_new(REPORT_MEMORY_MAX);
	struct report_source from = {
		.dir = r->folder.dir,
		.run_dir = r->folder.run_dir,
		.run = r->folder.run,
		.store = r->facts.store,
		.now_ms = clock_now_ms(r->config.wall),
	};
	struct sim_report report;
	struct problem p = {0};
	enum err e = report_make(&from, a, &report, &p);

	if (!e)
		e = report_save(&report, r->folder.run_dir, &p);
	if (e)
		run_say(r, "warning   there is no report: %s", p.detail);
	else
		run_say(r, "report    %.*s/report.html, .md and .json", STRF(r->folder.run_dir));
	arena_destroy(&a);
}
