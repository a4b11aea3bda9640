/* What a run is put together of: its target, its records, and what the engine is told. See run_priv.h. */
#include "sim/run_priv.h"

#include "base/magic.h"

#include <sys/resource.h>

enum {
	CONNECTIONS_MAX = 20000, /* unless told otherwise */
	DESCRIPTORS_SPARE = 1024,
	CONNECT_MS = 10000,
	ANSWER_BYTES_MAX = 8 << 20,
	QUEUE_MAX = 20000, /* records that wait to be written */
	DOWN_AFTER = 3,    /* calls in a row that found nobody */
};

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

enum err run_find_target(struct run *r, struct problem *p)
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

struct str run_agents_of(const struct run *r)
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
		.population = run_agents_of(r),
		.target = r->args->mock_api   ? STR("mock")
			  : r->args->target.n ? r->args->target
					      : STR("demo shop"),
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

enum err run_open_records(struct run *r, struct problem *p)
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
	c->happened = run_happened;
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

void run_plan(struct run *r)
{
	fill_plan(r, &r->engine_config);
	fill_bounds(r, &r->engine_config);
}

/* Nobody could look it up later. */
static void watch_behaviour(struct run *r, struct engine_config *c)
{
	int64_t first_ms = c->start_ms + (int64_t)run_first_cycle(r) * CALENDAR_HOUR_MS;

	r->behaviour = behaviour_sink_new(r->scenario, population_count(r->population), first_ms, c->sink);
	if (r->behaviour)
		c->sink = behaviour_sink_port(r->behaviour);
}

void run_connect(struct run *r)
{
	fill_client(r);
	fill_ports(r, &r->engine_config);
	fill_whose(r, &r->engine_config);
	if (r->args->mock_db)
		watch_behaviour(r, &r->engine_config);
}
