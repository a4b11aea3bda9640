/* A run opened, turned and closed: see run.h. */
#include "sim/run_priv.h"

#include "base/magic.h"
#include "sim/budget.h"
#include "sim/course_watch.h"
#include "sim/plain.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum {
	CONNECTIONS_MAX = 20000, /* unless told otherwise */
	DESCRIPTORS_SPARE = 1024,
	CONNECT_MS = 10000,
	ANSWER_BYTES_MAX = 8 << 20,
	QUEUE_MAX = 20000, /* records that wait to be written */
	DOWN_AFTER = 3,    /* calls in a row that found nobody */
	PATIENCE_MS = 15000,
	NS_PER_MS = 1000000,
};

/* ---- told to people ---- */

__attribute__((format(printf, 1, 0))) static struct buf words(const char *fmt, va_list ap)
{
	struct buf b = BUF_INIT(1 << 20);
	char line[1024];

	vsnprintf(line, sizeof(line), fmt, ap);
	buf_z(&b, line);
	return b;
}

void run_say(struct run *r, const char *fmt, ...)
{
	struct buf b;
	va_list ap;

	va_start(ap, fmt);
	b = words(fmt, ap);
	va_end(ap);
	r->config.say(r->config.ctx, buf_cstr(&b));
	buf_free(&b);
}

void run_log(struct run *r, const char *fmt, ...)
{
	struct buf b;
	va_list ap;

	va_start(ap, fmt);
	b = words(fmt, ap);
	va_end(ap);
	rundir_log(&r->folder, clock_now_ms(r->config.wall), buf_cstr(&b));
	buf_free(&b);
}

/* ---- the target ---- */

static bool has_own_shop(const struct run *r)
{
	return !r->args->mock_api && r->args->target.n == 0;
}

/* What this process may open, for both ends of each if the shop is here. */
static uint64_t connections_allowed(const struct run *r)
{
	uint64_t ends = has_own_shop(r) ? 2 : 1, allowed;
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	allowed = limit.rlim_max > DESCRIPTORS_SPARE ? (limit.rlim_max - DESCRIPTORS_SPARE) / ends : 1;
	return allowed < CONNECTIONS_MAX ? allowed : CONNECTIONS_MAX;
}

/* Agents are not spread over the groups quite evenly, so there is half as much again. */
static uint32_t connections(const struct run *r)
{
	uint64_t agents = population_count(r->population), groups = (uint64_t)r->args->groups;
	uint64_t enough = agents + agents / 2 + 16 * groups, allowed = connections_allowed(r);

	if (HAS(r->args, sim_run_args, connections))
		return (uint32_t)r->args->connections;
	return (uint32_t)(enough < allowed ? enough : allowed);
}

static enum err find_target(struct run *r, struct problem *p)
{
	struct str books;

	r->facts.target = r->args->target;
	if (!has_own_shop(r))
		return OK;
	books = arena_fmt(r->config.arena, "%.*s/shop.db", STRF(r->folder.run_dir));
	return r->config.shop(r->config.ctx, books, connections(r), &r->facts.target, p);
}

static void fill_client(struct run *r)
{
	const struct sim_run_args *g = r->args;

	r->client = (struct client_config){
		.target = r->facts.target,
		.groups = (uint32_t)g->groups,
		.connections_max = connections(r),
		.connect_ms = CONNECT_MS,
		.answer_ms = g->timeout,
		.answer_bytes_max = ANSWER_BYTES_MAX,
		.ca_file = g->ca_file,
		.user_agent = arena_fmt(r->config.arena, "tenfold-sim/%s", r->config.version),
		.clock = r->config.wall,
	};
}

/* ---- the records ---- */

static void wake(void *run)
{
	struct run *r = run;

	if (r->engine)
		engine_wake(r->engine);
}

static struct str store_of(const struct run *r)
{
	if (r->args->mock_db)
		return (struct str){0};
	return r->args->store.n ? arena_str(r->config.arena, r->args->store) : r->folder.store_url;
}

typedef struct str name_fn(const struct scenario *s, unsigned i);

static const struct str *names(const struct run *r, name_fn *name, unsigned count)
{
	struct str *out = ARENA_ARRAY(r->config.arena, struct str, count + 1);

	for (unsigned i = 0; i < count; i++)
		out[i] = name(r->scenario, i);
	return out;
}

static struct str agents_of(const struct run *r)
{
	return r->args->population.n     ? r->args->population
	       : r->args->from_directory ? STR("directory")
					 : STR("generated");
}

static void identify(const struct run *r, struct run_identity *out)
{
	const struct scenario *s = r->scenario;

	*out = (struct run_identity){
		.run_id = r->folder.run,
		.seed = r->settings.seed_text,
		.scenario = scenario_name(s),
		.population = agents_of(r),
		.target = r->args->mock_api ? STR("mock") : r->facts.target,
		.version = str_of(r->config.version),
		.scenario_hash = scenario_hash(s),
		.started_ms = clock_now_ms(r->config.wall),
		.agents = population_count(r->population),
		.outcome_count = scenario_outcome_count(s),
		.kept_count = scenario_kept_count(s),
		.cohort_count = scenario_cohort_count(s),
	};
	out->outcomes = names(r, scenario_outcome_name, out->outcome_count);
	out->kept = names(r, scenario_kept_name, out->kept_count);
	out->cohorts = names(r, scenario_cohort_name, out->cohort_count);
}

static enum err open_records(struct run *r, struct problem *p)
{
	struct recorder_config config = {
		.url = store_of(r).p,
		.pool = (unsigned)r->args->pool,
		.overflow = (unsigned)r->args->overflow,
		.queue_max = QUEUE_MAX,
		.wake = wake,
		.ctx = r,
	};
	struct run_identity id;
	enum err e = recorder_open(&config, &r->recorder, p);

	if (e)
		return e;
	identify(r, &id);
	return recorder_begin(r->recorder, &id, r->args->resume, &r->seen, p);
}

/* ---- the engine ---- */

static void happened(void *run, enum engine_news what, const char *line)
{
	struct run *r = run;

	run_log(r, "%s", line);
	for (unsigned i = 0; i < r->watcher_count; i++)
		r->watchers[i].news(r->watchers[i].self, what, line);
}

static int64_t machine_ns(void *clock)
{
	(void)clock;
	return clock_mono_ns();
}

static enum engine_model model_of(const struct run *r)
{
	if (r->settings.arrives)
		return MODEL_ARRIVALS;
	return scenario_is_closed(r->scenario) ? MODEL_CLOSED : MODEL_POPULATION;
}

/* What the engine is told of how agents decide and when. */
static void fill_plan(struct run *r, struct engine_config *c)
{
	const struct sim_run_args *g = r->args;

	c->scenario = r->scenario;
	c->population = r->population;
	c->seed = r->settings.seed;
	c->seed_text = r->settings.seed_text;
	c->key = g->key;
	c->start_ms = r->settings.start_ms;
	c->model = model_of(r);
	c->spread = scenario_spreads(r->scenario);
	c->arrivals = r->settings.arrivals;
	c->time_scale = r->settings.time_scale;
	c->cycles = (uint32_t)g->cycles;
	c->run_ms = HAS(g, sim_run_args, hours) ? (int64_t)(g->hours * 3600 * 1000) : 0;
	c->warmup_cycles = (uint32_t)g->warmup_cycles;
	c->idle_visits = g->idle == SIM_IDLE_BROWSE;
}

/* And of what bounds them. */
static void fill_bounds(struct run *r, struct engine_config *c)
{
	const struct sim_run_args *g = r->args;

	c->rate = g->rate;
	c->burst = (uint32_t)g->burst;
	c->breaker_percent = g->breaker_percent;
	c->breaker_min = (uint32_t)g->breaker_min;
	c->breaker_down_after = DOWN_AFTER;
	c->on_open = r->settings.on_open;
	c->cooldown_ms = r->settings.cooldown_ms;
	c->checkpoint_every = (uint32_t)g->checkpoint_every;
	c->threads = (unsigned)g->threads;
	c->sessions_max = connections(r);
}

static void fill_ports(struct run *r, struct engine_config *c)
{
	c->mock_api = r->args->mock_api;
	c->groups = (uint32_t)r->args->groups;
	c->transport = c->mock_api ? transport_mock : transport_http;
	c->transport_how = c->mock_api ? NULL : &r->client;
	c->sink = sink_recorder(r->recorder);
	c->now_ns = machine_ns;
	c->wall = r->config.wall;
	c->happened = happened;
	c->ctx = r;
}

static void fill_whose(struct run *r, struct engine_config *c)
{
	c->run_id = r->folder.run;
	c->dir = r->folder.checkpoints;
	c->attempt = r->seen.attempt;
	c->seen_cycles = r->seen.any ? r->seen.last_cycle + 1 : 0;
	if (!r->has_checkpoint)
		return;
	c->resume = &r->checkpoint;
	c->attempt = r->seen.attempt > r->checkpoint.attempt ? r->seen.attempt : r->checkpoint.attempt + 1;
}

static void fill_facts(struct run *r)
{
	r->facts = (struct run_facts){
		.scenario = r->scenario,
		.run_id = r->folder.run,
		.seed_text = r->settings.seed_text,
		.target = r->facts.target,
		.store = store_of(r),
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
		.population = agents_of(r),
		.program = str_of(r->config.version),
		.thresholds = r->thresholds,
		.threshold_count = r->threshold_count,
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
	struct str store = r->args->mock_db   ? STR("none (--mock-db)")
			   : r->args->store.n ? STR("as --store says")
					      : r->folder.store_url;

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

	fill_client(r);
	fill_ports(r, c);
	fill_whose(r, c);
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
		e = run_enter_folder(r, p);
	if (e)
		return e;
	fill_plan(r, &r->engine_config);
	fill_bounds(r, &r->engine_config);
	e = open_records(r, p);
	if (e)
		return e;
	tell_beginning(r);
	e = find_target(r, p);
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

struct engine *run_engine(struct run *r)
{
	return r->engine;
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
	happened(r, NEWS_TROUBLE, line);
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
	if (!err && !e && !view.cut_off)
		run_is_whole(r);
	run_report(r);
	if (!err && e)
		*p = late;
	return err ? err : e;
}
