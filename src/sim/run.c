/* A run opened, turned and closed: see run.h. */
#include "sim/run_priv.h"

#include "base/magic.h"
#include "sim/budget.h"
#include "sim/course_watch.h"
#include "sim/plain.h"

#include <stdio.h>
#include <string.h>

enum {
	PATIENCE_MS = 15000,
	NS_PER_MS = 1000000,
	SAID_MAX = 2048, /* bytes that are said or logged at once */
};

/* ---- told to people ---- */

void run_say(struct run *r, const char *fmt, ...)
{
	char line[SAID_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	r->config.say(r->config.ctx, line);
}

void run_log(struct run *r, const char *fmt, ...)
{
	char line[SAID_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	rundir_log(&r->folder, clock_now_ms(r->config.wall), line);
}

/* ---- what happens ---- */

void run_happened(void *run, enum engine_news what, const char *line)
{
	struct run *r = run;

	run_log(r, "%s", line);
	for (unsigned i = 0; i < r->watcher_count; i++)
		r->watchers[i].news(r->watchers[i].self, what, line);
}

/* ---- what watchers know ---- */

/* A password in a URL is nobody's business. */
static struct str store_shown(const struct run *r)
{
	struct str given = r->args->store, rest, host;
	const char *at = given.n ? memrchr(given.p, '@', given.n) : NULL;

	if (r->args->mock_db)
		return (struct str){0};
	if (given.n == 0)
		return r->folder.store_url;
	if (str_starts(given, STR("sqlite:")))
		return given;
	host = at ? (struct str){at + 1, given.n - (size_t)(at + 1 - given.p)} : given;
	host = str_cut(host, '?', &rest);
	return at ? arena_fmt(r->config.arena, "postgres://%.*s", STRF(host)) : host;
}

static void fill_facts(struct run *r)
{
	r->facts = (struct run_facts){
		.scenario = r->scenario,
		.run_id = r->folder.run,
		.seed_text = r->settings.seed_text,
		.target = r->facts.target,
		.store = store_shown(r),
		.dir = r->folder.dir,
		.folder = r->folder.run_dir,
		.started_ms = clock_now_ms(r->config.wall),
		.attempt = r->engine_config.attempt,
		.time_scale = r->settings.time_scale,
		.mock_api = r->args->mock_api,
		.mock_db = r->args->mock_db,
	};
}

/* ---- what is kept of its course ---- */

static void course_trouble(void *run, const char *line)
{
	run_log(run, "%s", line);
}

static void hang_course(struct run *r)
{
	struct course_config config = {
		.facts = &r->facts,
		.engine = &r->engine_config,
		.population = run_agents_of(r),
		.program = str_of(r->config.version),
		.thresholds = r->thresholds,
		.threshold_count = r->threshold_count,
		.behaviour = r->behaviour,
		.wall = r->config.wall,
		.trouble = course_trouble,
		.ctx = r,
	};
	struct watcher w;

	course_watch(&config, &w);
	run_hang(r, &w);
}

/* ---- opened ---- */

static void tell_budget(struct run *r)
{
	struct budget budget;
	struct buf b = BUF_INIT(1 << 16);

	budget_of(&r->engine_config, &budget);
	budget_write(&budget, &b);
	b.n -= b.n > 0; /* its last line's end */
	b.p[b.n] = '\0';
	run_say(r, "%s", buf_cstr(&b));
	buf_free(&b);
}

static void tell_resume(struct run *r)
{
	uint32_t from = run_first_cycle(r);

	if (!r->args->resume)
		return;
	if (r->seen.any && r->seen.last_cycle >= from)
		run_say(r,
			"resume    from cycle %u on; those up to cycle %u were seen before, and are marked as "
			"replay",
			from, r->seen.last_cycle);
	else
		run_say(r, "resume    from cycle %u on", from);
}

/* Before anything is sent. */
static void tell_beginning(struct run *r)
{
	run_say(r, "run       %.*s of scenario %.*s, %u agents, --seed %.*s", STRF(r->folder.run),
		STRF(scenario_name(r->scenario)), population_count(r->population), STRF(r->settings.seed_text));
	tell_budget(r);
	tell_resume(r);
}

static void tell_target(struct run *r)
{
	struct str store = r->args->mock_db ? STR("none (--mock-db)") : r->facts.store;

	if (r->args->mock_api)
		run_say(r, "target    none (--mock-api)");
	else
		run_say(r, "target    %.*s%s", STRF(r->facts.target),
			r->args->target.n ? "" : ", a demo shop of its own");
	run_say(r, "records   %.*s", STRF(store));
}

static enum err open_engine(struct run *r, struct problem *p)
{
	struct engine_config *c = &r->engine_config;
	enum err e;

	run_connect(r);
	fill_facts(r);
	tell_target(r);
	e = engine_new(c, &r->engine, p);
	if (e)
		return e;
	hang_course(r);
	run_log(r, "begins: %s, seed %.*s, attempt %u", r->config.version, STRF(r->settings.seed_text), c->attempt);
	run_clean_up(r);
	return OK;
}

/* What would only be found out after the run has begun, and others have been set aside for it. */
static enum err check_early(const struct run *r, struct problem *p)
{
	uint32_t agents = population_count(r->population);
	enum err e = r->args->target.n ? sim_client_check_target(r->args->target, p) : OK;

	if (e)
		return e;
	if (agents < (uint64_t)r->args->threads)
		return problem_field(p, ERR_INVALID, "--threads", "%u agents cannot be divided among %lld threads",
				     agents, (long long)r->args->threads);
	return run_result_check(r, p);
}

static enum err open_all(struct run *r, struct problem *p)
{
	enum err e = run_settings_read(r->args, r->config.arena, &r->settings, p);

	if (!e && r->args->resume)
		e = run_open_folder(r, p);
	if (!e)
		e = run_open_scenario(r, p);
	if (!e && !r->args->resume)
		e = run_open_folder(r, p);
	if (!e)
		e = run_open_population(r, p);
	if (!e)
		e = check_early(r, p);
	if (!e)
		e = run_enter_folder(r, p);
	if (e)
		return e;
	run_plan(r);
	e = run_open_records(r, p);
	if (e)
		return e;
	tell_beginning(r);
	e = run_find_target(r, p);
	return e ? e : open_engine(r, p);
}

enum err run_open(const struct run_config *config, struct run **out, struct problem *p)
{
	struct run *r = NEW(struct run);
	enum err e;

	r->config = *config;
	r->args = config->args;
	r->folder = (struct rundir){.lock = -1, .log = -1};
	e = open_all(r, p);
	if (e)
		run_free(&r);
	*out = r;
	return e;
}

void run_free(struct run **run)
{
	struct run *r = *run;

	if (!r)
		return;
	engine_free(&r->engine);
	behaviour_sink_free(&r->behaviour);
	if (r->recorder)
		recorder_close(&r->recorder, 0);
	if (r->has_checkpoint)
		checkpoint_release(&r->checkpoint);
	population_free(&r->population);
	scenario_free(&r->scenario);
	if (r->has_folder)
		rundir_close(&r->folder);
	VEC_FREE(&r->seen.ended);
	free(r->orphans);
	free(r);
	*run = NULL;
}

/* ---- while it goes ---- */

const struct run_facts *run_facts(const struct run *r)
{
	return &r->facts;
}

void run_hang(struct run *r, const struct watcher *w)
{
	CHECK(r->watcher_count < RUN_WATCHERS_MAX);
	r->watchers[r->watcher_count++] = *w;
}

void run_note(struct run *r, const char *line)
{
	run_log(r, "%s", line);
}

void run_trouble(struct run *r, const char *line)
{
	run_happened(r, NEWS_TROUBLE, line);
}

bool run_ended(struct run *r)
{
	return engine_state(r->engine) == ENGINE_ENDED;
}

enum err run_turn(struct run *r, struct problem *p)
{
	enum err e = engine_turn(r->engine, (int64_t)WATCHER_EVERY_MS * NS_PER_MS, p);

	for (unsigned i = 0; i < r->watcher_count && !e; i++)
		r->watchers[i].turn(r->watchers[i].self, r->engine);
	return e;
}

/* ---- its end ---- */

static enum err close_records(struct run *r, struct problem *p)
{
	uint32_t left = recorder_close(&r->recorder, PATIENCE_MS);

	if (left == 0)
		return OK;
	return problem_set(p, ERR_STORE_UNAVAILABLE,
			   "%u records could not be written: go on with --resume when they can", left);
}

static const char *why(enum engine_end end)
{
	switch (end) {
	case ENDED_CYCLES:
		return "all cycles were run";
	case ENDED_TIME:
		return "its time was over";
	case ENDED_BREAKER:
		return "the breaker opened";
	case ENDED_STOPPED:
	case ENDED_NOT:
		break;
	}
	return "it was stopped";
}

enum err run_finish(struct run *r, enum err err, struct run_came *out, struct problem *p)
{
	struct engine_view view;
	struct problem late = {0};
	enum err e;

	engine_look(r->engine, &view);
	for (unsigned i = r->watcher_count; i-- > 0;)
		r->watchers[i].end(r->watchers[i].self, &view);
	*out = (struct run_came){.end = view.end};
	run_say(r, "ended     %s", why(view.end));
	e = run_result(r, &view, &out->thresholds_failed, &late);
	run_log(r, "ended: %s, after %u whole cycles", why(view.end), view.cycle);
	if (!e)
		e = close_records(r, &late);
	run_report(r);
	if (!err && !e && !view.cut_off)
		run_is_whole(r);
	if (!err && e)
		*p = late;
	return err ? err : e;
}
