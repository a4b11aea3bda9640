/*
 * See course_watch.h. The run is looked at evenly: when there is no more room for samples every second one is given up,
 * and from then on half as many are taken. So a run of a minute and one of a week have as many.
 */
#include "sim/course_watch.h"

#include "base/magic.h"
#include "base/vec.h"
#include "sim/course.h"
#include "sim/run_types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES_MAX = 512, EVENTS_MAX = 1000, FIRST_EVERY_MS = 250, SAVE_EVERY_MS = 30000, BYTES_MAX = 64 << 20 };

struct noted {
	struct run_event event; /* its line is `line`, once it is written */
	char line[240];
};

struct course {
	struct course_config config;
	struct arena *arena; /* of what stays as it is */
	struct run_course file;
	VEC(struct run_sample) samples;
	VEC(struct noted) events;
	int64_t every_ms;            /* between two samples */
	int64_t looked_ms, saved_ms; /* real; 0: it is due at once */
	uint32_t cycle;              /* of the last look */
	char said[sizeof(((struct problem *)0)->detail)];
};

/* ---- what it was told ---- */

static void fill_plan(struct course *c)
{
	const struct engine_config *e = c->config.engine;
	const struct run_facts *facts = c->config.facts;

	c->file = (struct run_course){
		.tenfold_course = COURSE_VERSION,
		.run = facts->run_id,
		.started = facts->started_ms,
		.program = c->config.program,
		.scenario = scenario_name(facts->scenario),
		.seed = facts->seed_text,
		.population = c->config.population,
		.target = facts->mock_api ? (struct str){0} : facts->target,
		.store = facts->store,
		.agents = population_count(e->population),
		.threads = e->threads,
		.groups = e->groups,
		.attempt = e->attempt,
		.time_scale = e->time_scale,
		.rate = e->rate,
		.burst = e->burst,
		.warmup_cycles = e->warmup_cycles,
		.breaker_percent = e->breaker_percent,
		.cycles_planned = e->cycles,
		.start = e->start_ms,
	};
}

static void fill_cohorts(struct course *c, const struct scenario *s)
{
	const struct engine_config *e = c->config.engine;
	int64_t agents[SCENARIO_COHORTS_MAX] = {0};
	struct run_course *f = &c->file;

	for (uint32_t agent = 0; agent < population_count(e->population); agent++)
		agents[scenario_cohort_of(s, e->seed, agent)]++;
	f->cohorts = ARENA_ARRAY(c->arena, struct run_cohort, scenario_cohort_count(s));
	for (; f->cohorts && f->cohorts_count < scenario_cohort_count(s); f->cohorts_count++) {
		struct run_cohort *cohort = &f->cohorts[f->cohorts_count];

		cohort->name = scenario_cohort_name(s, (unsigned)f->cohorts_count);
		PUT(cohort, run_cohort, agents, agents[f->cohorts_count]);
	}
}

static void fill_scenario(struct course *c)
{
	const struct scenario *s = c->config.facts->scenario;
	struct scenario_assumed assumed = scenario_assumptions(s);
	struct run_course *f = &c->file;

	if (scenario_profile(s).n)
		PUT(f, run_course, profile, scenario_profile(s));
	if (assumed.active_share > 0)
		PUT(f, run_course, assumed_active_share, assumed.active_share);
	if (assumed.calls_per_agent > 0)
		PUT(f, run_course, assumed_calls_per_agent, assumed.calls_per_agent);
	fill_cohorts(c, s);
}

/* ---- events ---- */

/* Of cycles that slip and answers that hold, one after another, the last is kept: they would push out all else. */
static bool replaces(const struct course *c, int kind)
{
	return c->events.n > 0 && c->events.v[c->events.n - 1].event.kind == kind &&
	       (kind == RUN_SLIPPED || kind == RUN_HELD);
}

static void note(struct course *c, const struct run_event *event)
{
	struct noted *n;

	if (c->events.n == EVENTS_MAX) {
		c->events.n--;
		memmove(c->events.v, c->events.v + 1, c->events.n * sizeof(c->events.v[0]));
	}
	n = replaces(c, event->kind) ? &c->events.v[c->events.n - 1] : VEC_PUSH(&c->events);
	n->event = *event;
	snprintf(n->line, sizeof(n->line), "%.*s", STRF(event->line));
}

/* ---- what there is of a resumed run ---- */

static void take_over(struct course *c, const struct run_course *before, int64_t until_ms)
{
	c->file.started = before->started;
	c->file.memory_peak_bytes = before->memory_peak_bytes;
	for (size_t i = 0; i < before->samples_count && before->samples[i].elapsed_ms <= until_ms; i++)
		*VEC_PUSH(&c->samples) = before->samples[i];
	for (size_t i = 0; i < before->events_count; i++)
		note(c, &before->events[i]);
	if (c->samples.n > 1)
		c->every_ms = c->samples.v[1].elapsed_ms - c->samples.v[0].elapsed_ms;
	if (c->every_ms < FIRST_EVERY_MS)
		c->every_ms = FIRST_EVERY_MS;
}

static void go_on(struct course *c)
{
	const struct checkpoint *resumed = c->config.engine->resume;
	struct run_course before;
	struct problem p = {0};

	if (!resumed)
		return;
	if (course_load(c->config.facts->folder, c->arena, &before, &p) == OK)
		take_over(c, &before, resumed->real_elapsed_ms);
	else if (p.err)
		c->config.trouble(c->config.ctx, p.detail);
}

/* ---- samples ---- */

static void thin_out(struct course *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->samples.n; i += 2)
		c->samples.v[kept++] = c->samples.v[i];
	c->samples.n = kept;
	c->every_ms *= 2;
}

/* Nothing while the run stands, or so soon after the one before that a rate would be chance. */
static void sample(struct course *c, const struct engine_view *v)
{
	struct latency all = {0};

	if (c->samples.n > 0 && v->elapsed_ms - c->samples.v[c->samples.n - 1].elapsed_ms < c->every_ms / 2)
		return;
	if (c->samples.n == SAMPLES_MAX)
		thin_out(c);
	for (unsigned i = 0; i < v->endpoint_count; i++)
		latency_merge(&all, &v->recent[i].response);
	*VEC_PUSH(&c->samples) = (struct run_sample){.elapsed_ms = v->elapsed_ms,
						     .simulated = v->simulated_ms,
						     .cycle = v->cycle,
						     .sessions = (int64_t)v->totals.sessions,
						     .failures = (int64_t)v->totals.failures,
						     .requests = (int64_t)v->totals.requests,
						     .in_flight = v->in_flight,
						     .queueing = v->queueing,
						     .p50_us = latency_at_us(&all, 50),
						     .p95_us = latency_at_us(&all, 95),
						     .p99_us = latency_at_us(&all, 99),
						     .memory_bytes = (int64_t)v->memory_bytes};
	latency_free(&all);
	if ((int64_t)v->memory_bytes > c->file.memory_peak_bytes)
		c->file.memory_peak_bytes = (int64_t)v->memory_bytes;
}

static int kind_of(enum engine_news what)
{
	static const int kinds[] = {
		[NEWS_PAUSED] = RUN_PAUSED,         [NEWS_RESUMED] = RUN_RESUMED, [NEWS_BREAKER] = RUN_BREAKER,
		[NEWS_CHECKPOINT] = RUN_CHECKPOINT, [NEWS_SLIPPED] = RUN_SLIPPED, [NEWS_HELD] = RUN_HELD,
		[NEWS_TROUBLE] = RUN_TROUBLE,       [NEWS_ENDING] = RUN_ENDING};

	return kinds[what];
}

static void news(void *self, enum engine_news what, const char *line)
{
	struct course *c = self;

	note(c, &(struct run_event){.at = clock_now_ms(c->config.wall),
				    .cycle = c->cycle,
				    .kind = kind_of(what),
				    .line = str_of(line)});
	if (what == NEWS_CHECKPOINT || what == NEWS_BREAKER)
		c->saved_ms = 0;
}

/* ---- the file ---- */

static void fill_course(struct course *c, const struct engine_view *v)
{
	struct run_course *f = &c->file;

	f->cycles = v->cycle;
	f->simulated = v->simulated_ms;
	f->elapsed_ms = v->elapsed_ms;
	f->slipped = v->slipped;
	f->trips = v->breaker.trips;
	f->samples = c->samples.v;
	f->samples_count = c->samples.n;
#define COUNT(name, doc) f->totals.name = (int64_t)v->totals.name;
	COUNTS(COUNT)
#undef COUNT
}

/* Lists of the file that are made anew each time, in an arena of that time. */
static void fill_counts(struct course *c, const struct engine_view *v, struct arena *a)
{
	const struct scenario *s = c->config.facts->scenario;
	struct run_course *f = &c->file;

	f->outcomes_count = scenario_outcome_count(s);
	f->outcomes = ARENA_ARRAY(a, struct run_outcome, f->outcomes_count);
	for (unsigned i = 0; f->outcomes && i < f->outcomes_count; i++)
		f->outcomes[i] = (struct run_outcome){.name = scenario_outcome_name(s, i),
						      .kind = (int)scenario_outcome_kind(s, i),
						      .sessions = (int64_t)v->totals.by_outcome[i]};
	f->kept_count = scenario_kept_count(s);
	f->kept = ARENA_ARRAY(a, struct checkpoint_kept, f->kept_count);
	for (unsigned i = 0; f->kept && i < f->kept_count; i++)
		f->kept[i] = (struct checkpoint_kept){.name = scenario_kept_name(s, i),
						      .sessions = (int64_t)v->totals.kept_count[i],
						      .sum = v->totals.kept_sum[i]};
}

static void fill_events(struct course *c, struct arena *a)
{
	struct run_course *f = &c->file;

	f->events_count = 0;
	f->events = ARENA_ARRAY(a, struct run_event, c->events.n);
	for (; f->events && f->events_count < c->events.n; f->events_count++) {
		f->events[f->events_count] = c->events.v[f->events_count].event;
		f->events[f->events_count].line = str_of(c->events.v[f->events_count].line);
	}
}

static struct str times_text(const struct latency *l, struct arena *a)
{
	struct buf b = BUF_INIT(0);
	struct str text;

	latency_write(l, &b);
	text = arena_str(a, buf_str(&b));
	buf_free(&b);
	return text;
}

static void fill_endpoints(struct course *c, const struct engine_view *v, struct arena *a)
{
	struct run_course *f = &c->file;

	f->endpoints = ARENA_ARRAY(a, struct checkpoint_endpoint, v->endpoint_count);
	f->endpoints_count = v->endpoint_count;
	for (unsigned i = 0; f->endpoints && i < v->endpoint_count; i++)
		f->endpoints[i] =
			(struct checkpoint_endpoint){.name = scenario_endpoint_name(c->config.facts->scenario, i),
						     .service = times_text(&v->endpoints[i].service, a),
						     .response = times_text(&v->endpoints[i].response, a),
						     .throttle = times_text(&v->endpoints[i].throttle, a)};
}

static void fill_thresholds(struct course *c, const struct engine_view *v, struct arena *a)
{
	struct run_course *f = &c->file;

	f->thresholds_count = c->config.threshold_count;
	f->thresholds = ARENA_ARRAY(a, struct run_threshold, f->thresholds_count);
	for (size_t i = 0; f->thresholds && i < f->thresholds_count; i++) {
		const struct threshold *t = &c->config.thresholds[i];
		double measured = threshold_measured(t, c->config.facts->scenario, v);
		struct buf b = BUF_INIT(0);
		struct str rest;

		threshold_write(t, measured, &b); /* the condition, a colon, what was measured */
		rest = buf_str(&b);
		rest = b.n > t->text.n + 2 ? (struct str){rest.p + t->text.n + 2, rest.n - t->text.n - 2} : rest;
		f->thresholds[i] = (struct run_threshold){.condition = t->text,
							  .measured = arena_str(a, rest),
							  .failed = threshold_failed(t, measured)};
		buf_free(&b);
	}
}

static void fill_realism(struct course *c, struct arena *a)
{
	if (!c->config.behaviour)
		return;
	behaviour_sink_judge(c->config.behaviour, a, &c->file.realism);
	c->file.seen |= BIT(run_course, realism);
}

/* The same trouble is told once. */
static void tell_trouble(struct course *c, const struct problem *p)
{
	if (strcmp(c->said, p->detail) == 0)
		return;
	snprintf(c->said, sizeof(c->said), "%s", p->detail);
	c->config.trouble(c->config.ctx, p->detail);
}

static void save(struct course *c, const struct engine_view *v)
{
	struct arena *a = arena_new(BYTES_MAX);
	struct problem p = {0};

	c->saved_ms = c->file.saved = clock_now_ms(c->config.wall);
	fill_course(c, v);
	fill_counts(c, v, a);
	fill_events(c, a);
	fill_endpoints(c, v, a);
	fill_thresholds(c, v, a);
	fill_realism(c, a);
	if (course_save(c->config.facts->folder, &c->file, &p))
		tell_trouble(c, &p);
	arena_destroy(&a);
}

/* ---- the watcher ---- */

static void turn(void *self, struct engine *e)
{
	struct course *c = self;
	int64_t now = clock_now_ms(c->config.wall);
	bool looks = now - c->looked_ms >= c->every_ms, saves = now - c->saved_ms >= SAVE_EVERY_MS;
	struct engine_view v;

	if (!looks && !saves)
		return;
	engine_look(e, &v);
	c->cycle = v.cycle;
	if (looks) {
		c->looked_ms = now;
		sample(c, &v);
	}
	if (saves)
		save(c, &v);
}

static int state_of(enum engine_end end)
{
	switch (end) {
	case ENDED_CYCLES:
	case ENDED_TIME:
		return RUN_DONE;
	case ENDED_STOPPED:
		return RUN_STOPPED;
	case ENDED_BREAKER:
		return RUN_BROKEN;
	case ENDED_NOT:
		break;
	}
	return RUN_GOES;
}

static void end(void *self, const struct engine_view *last)
{
	struct course *c = self;

	if (last) {
		c->file.state = state_of(last->end);
		sample(c, last);
		save(c, last);
	}
	VEC_FREE(&c->samples);
	VEC_FREE(&c->events);
	arena_destroy(&c->arena);
	free(c);
}

void course_watch(const struct course_config *config, struct watcher *out)
{
	struct course *c = NEW(struct course);

	c->config = *config;
	c->arena = arena_new(BYTES_MAX);
	c->every_ms = FIRST_EVERY_MS;
	fill_plan(c);
	fill_scenario(c);
	go_on(c);
	*out = (struct watcher){c, turn, news, end};
}
