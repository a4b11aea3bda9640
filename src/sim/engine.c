/*
 * What a run is told to do, and its states, one turn after another. A turn is the caller's thread at work: it drives
 * shard 0, waits for the others, and takes the steps between cycles.
 */
#include "sim/engine_priv.h"

#include <stdlib.h>

enum { ENGINE_MAGIC = 0x656e6769, LOOK_NS = 100 * NS_PER_MS };

/* ---- made ---- */

static enum err check(const struct engine_config *c, struct problem *p)
{
	uint32_t agents = population_count(c->population);

	CHECK(c->threads > 0 && c->threads <= ENGINE_THREADS_MAX);
	CHECK(c->model != MODEL_ARRIVALS || c->time_scale > 0);
	CHECK(c->groups > 0 && c->burst > 0 && c->sessions_max > 0);
	if (agents < c->threads)
		return problem_set(p, ERR_INVALID, "%u agents cannot be divided among %u threads", agents,
				   c->threads);
	if (c->resume && c->resume->agents != agents)
		return problem_set(p, ERR_INVALID, "the checkpoint is of %u agents, and here are %u",
				   c->resume->agents, agents);
	if (c->resume && c->resume->endpoint_count != scenario_endpoint_count(c->scenario))
		return problem_set(p, ERR_INVALID, "the checkpoint has %u endpoints, and the scenario has %u",
				   c->resume->endpoint_count, scenario_endpoint_count(c->scenario));
	return OK;
}

static void fill_eagerness(struct engine *e)
{
	const struct engine_config *c = &e->config;
	uint32_t agents = population_count(c->population);

	e->eagerness = must_alloc(agents * sizeof(e->eagerness[0]));
	for (uint32_t a = 0; a < agents; a++) {
		struct eagerness *one = &e->eagerness[a];

		scenario_eagerness(c->scenario, c->population, a, c->seed, one);
		eagerness_normalise(&e->calendar, one);
		e->most_eager = one->weekly > e->most_eager ? one->weekly : e->most_eager;
	}
}

static void take_over(struct engine *e, const struct checkpoint *from)
{
	uint32_t agents = population_count(e->config.population);

	if (!from)
		return;
	e->cycle = e->saved_cycle = from->cycle + 1;
	e->totals = from->totals;
	e->before_ns = from->real_elapsed_ms * NS_PER_MS;
	latencies_merge(e->endpoints, from->endpoints, e->endpoint_count);
	for (uint32_t a = 0; a < agents; a++)
		e->memory[a] = from->memory[a];
}

static void fill(struct engine *e)
{
	const struct engine_config *c = &e->config;
	uint32_t agents = population_count(c->population);

	e->run = (struct journey_run){c->scenario, c->population, c->seed, c->run_id, c->key, c->mock_api};
	scenario_calendar(c->scenario, c->start_ms, &e->calendar);
	ramp_init(&e->ramp, c->seed, agents, c->warmup_cycles);
	limiter_init(&e->limiter, c->rate, c->burst);
	sim_breaker_init(&e->breaker, c->breaker_percent, c->breaker_min, c->breaker_down_after);
	runclock_init(&e->clock, c->now_ns, c->clock);
	e->endpoint_count = scenario_endpoint_count(c->scenario);
	e->has_idle = scenario_has_idle(c->scenario);
	e->offers = scenario_offers(c->scenario);
	e->endpoints = must_alloc((e->endpoint_count + 1) * sizeof(struct latencies));
	e->shown = must_alloc((e->endpoint_count + 1) * sizeof(struct latencies));
	e->shown_recent = must_alloc((e->endpoint_count + 1) * sizeof(struct latencies));
	e->memory = must_alloc(agents * sizeof(e->memory[0]));
	e->planned_ns = c->time_scale > 0 ? (int64_t)(CALENDAR_HOUR_MS * (double)NS_PER_MS / c->time_scale) : 0;
	e->minute_ns = e->rate_from_ns = c->now_ns(c->clock);
	calendar_moment(&e->calendar, e->cycle, &e->moment);
	fill_eagerness(e);
	take_over(e, c->resume);
}

static enum err start_shards(struct engine *e, struct problem *p)
{
	enum err err = OK;

	e->shards = must_alloc(e->config.threads * sizeof(struct shard));
	for (unsigned i = 0; i < e->config.threads && !err; i++)
		err = shard_open(&e->shards[i], e, i, p);
	for (unsigned i = 1; i < e->config.threads && !err; i++)
		CHECK(pthread_create(&e->shards[i].thread, NULL, shard_thread, &e->shards[i]) == 0);
	return err;
}

enum err engine_new(const struct engine_config *config, struct engine **out, struct problem *p)
{
	struct engine *e;
	enum err err = check(config, p);

	if (err)
		return err;
	e = NEW(struct engine);
	e->magic = ENGINE_MAGIC;
	e->config = *config;
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->changed, NULL);
	fill(e);
	err = start_shards(e, p);
	if (err)
		engine_free(&e);
	*out = e;
	return err;
}

/* ---- freed ---- */

/* Gives up what the shards do, and waits until they have. */
static void cut(struct engine *e)
{
	e->cut = true;
	engine_wake_shards(e);
	shard_turn(&e->shards[0], 0);
	pthread_mutex_lock(&e->lock);
	while (e->shards_busy > 0)
		pthread_cond_wait(&e->changed, &e->lock);
	pthread_mutex_unlock(&e->lock);
}

static void end_threads(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	e->quit = true;
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
	for (unsigned i = 1; i < e->config.threads; i++)
		if (e->shards[i].thread)
			pthread_join(e->shards[i].thread, NULL);
}

void engine_free(struct engine **engine)
{
	struct engine *e = *engine;

	if (!e)
		return;
	CHECK_OBJ(e, ENGINE_MAGIC);
	if (e->shards[e->config.threads - 1].engine) {
		cut(e);
		end_threads(e);
	}
	for (unsigned i = 0; i < e->config.threads; i++)
		shard_close(&e->shards[i]);
	free(e->shards);
	latencies_free(&e->endpoints, e->endpoint_count);
	latencies_free(&e->shown, e->endpoint_count);
	latencies_free(&e->shown_recent, e->endpoint_count);
	ramp_free(&e->ramp);
	limiter_destroy(&e->limiter);
	free(e->eagerness);
	free(e->memory);
	pthread_mutex_destroy(&e->lock);
	pthread_cond_destroy(&e->changed);
	e->magic = 0;
	free(e);
	*engine = NULL;
}

/* ---- before the first turn ---- */

uint32_t engine_active_in(const struct engine *e, uint32_t cycle, uint32_t *agents)
{
	uint32_t n = 0, all = population_count(e->config.population);
	struct moment moment;
	struct draws d;

	calendar_moment(&e->calendar, cycle, &moment);
	for (uint32_t a = 0; a < all; a++)
		if (ramp_admits(&e->ramp, a, cycle) && plan_is_active(e, a, cycle, &moment, &d))
			agents[n++] = a;
	return n;
}

void engine_clean_up(struct engine *e, const uint32_t *agents, uint32_t count)
{
	CHECK(e->phase == PHASE_NEW && !e->cleaned);
	e->cleanups = agents;
	e->cleanup_count = count;
}

/* ---- what others ask for ---- */

void engine_wake(struct engine *e)
{
	engine_wake_shards(e);
}

void engine_pause(struct engine *e)
{
	engine_halt(e, PAUSE_ASKED);
}

void engine_resume(struct engine *e)
{
	engine_go(e, PAUSE_ASKED | PAUSE_BREAKER);
}

void engine_checkpoint(struct engine *e)
{
	e->save = true;
}

void engine_stop(struct engine *e, bool at_once)
{
	e->stop_at_once = e->stop_at_once || at_once;
	e->stop = true;
	engine_wake_shards(e);
}

enum engine_state engine_state(struct engine *e)
{
	static const enum engine_state states[] = {
		[PHASE_NEW] = ENGINE_BEGIN,      [PHASE_CLEANUP] = ENGINE_BEGIN, [PHASE_CYCLE] = ENGINE_RUNNING,
		[PHASE_SETTLE] = ENGINE_RUNNING, [PHASE_CLOSE] = ENGINE_RUNNING, [PHASE_WAIT] = ENGINE_BETWEEN,
		[PHASE_ENDED] = ENGINE_ENDED,
	};

	return e->phase != PHASE_ENDED && runclock_stands(&e->clock) ? ENGINE_PAUSED : states[e->phase];
}

/* ---- the end ---- */

static unsigned pauses(struct engine *e)
{
	unsigned pause;

	pthread_mutex_lock(&e->lock);
	pause = e->pause;
	pthread_mutex_unlock(&e->lock);
	return pause;
}

static enum err ended(struct engine *e, enum engine_end why, bool save, struct problem *p)
{
	enum err err;

	cut(e);
	e->cut_off = e->phase != PHASE_NEW && e->phase != PHASE_WAIT;
	for (unsigned i = 0; i < e->config.threads; i++)
		shard_forget(&e->shards[i]);
	err = save ? cycle_save(e, p) : OK;
	e->phase = PHASE_ENDED;
	e->end = why;
	return err;
}

static uint32_t calling(struct engine *e)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < e->config.threads; i++) {
		pthread_mutex_lock(&e->shards[i].lock);
		n += e->shards[i].calling;
		pthread_mutex_unlock(&e->shards[i].lock);
	}
	return n;
}

/* That the breaker opened as the last cycle ended is the end only of a run that was to end then. */
static enum engine_end why_ended(struct engine *e)
{
	bool all = e->config.cycles > 0 && e->cycle >= e->config.cycles;

	if ((pauses(e) & PAUSE_BREAKER) && (!all || e->config.on_open == ON_OPEN_EXIT))
		return ENDED_BREAKER;
	if (all)
		return ENDED_CYCLES;
	return e->end != ENDED_NOT ? e->end : ENDED_STOPPED;
}

static void watch_time(struct engine *e)
{
	int64_t run_ms = (runclock_now(&e->clock) + e->before_ns) / NS_PER_MS;

	if (e->config.run_ms == 0 || run_ms < e->config.run_ms || e->stop)
		return;
	e->end = ENDED_TIME;
	e->stop = true;
}

static void bring_to_end(struct engine *e)
{
	if (e->hurry)
		return;
	e->hurry = true;
	engine_tell(e, NEWS_ENDING, "ending: cycle %u is brought to its end", e->cycle);
	engine_wake_shards(e);
}

/* What was asked for, and what time brings. */
static enum err watch(struct engine *e, struct problem *p)
{
	engine_watch_recorder(e);
	engine_watch_breaker(e);
	watch_time(e);
	if (e->stop_at_once)
		return ended(e, why_ended(e), false, p);
	if (!e->stop)
		return OK;
	if (e->phase == PHASE_NEW || e->phase == PHASE_WAIT)
		return ended(e, why_ended(e), true, p);
	if (e->phase != PHASE_CYCLE && e->phase != PHASE_CLEANUP && !(pauses(e) & PAUSE_RECORDER))
		return OK; /* it has come to its end */
	if (runclock_stands(&e->clock))
		return calling(e) == 0 ? ended(e, why_ended(e), true, p) : OK;
	bring_to_end(e);
	return OK;
}

/* ---- a turn ---- */

static bool others_done(struct engine *e)
{
	bool done;

	pthread_mutex_lock(&e->lock);
	done = e->shards_busy == 0;
	pthread_mutex_unlock(&e->lock);
	return done;
}

static void wait_here(struct engine *e, int64_t until_ns)
{
	struct transport *t = &e->shards[0].transport;
	int64_t left = until_ns - e->config.now_ns(e->config.clock);

	t->poll(t->self, left > 0 ? left : 0);
}

static void drive(struct engine *e, int64_t until_ns)
{
	if (!shard_turn(&e->shards[0], until_ns))
		return;
	if (others_done(e))
		e->phase = e->phase == PHASE_CLEANUP ? PHASE_NEW : PHASE_SETTLE;
	else
		wait_here(e, until_ns);
}

static void begin(struct engine *e)
{
	if (e->cleanup_count == 0 || e->cleaned) {
		cycle_begin(e);
		return;
	}
	e->cleaned = true;
	e->phase = PHASE_CLEANUP;
	calendar_moment(&e->calendar, e->cycle, &e->moment);
	e->began_ns = runclock_now(&e->clock);
	e->ends_ns = INT64_MAX;
	round_begin(e);
}

static enum err settle(struct engine *e, int64_t until_ns, struct problem *p)
{
	if (!e->config.sink.settled(e->config.sink.self)) {
		wait_here(e, until_ns);
		return OK;
	}
	if (e->phase == PHASE_CLOSE)
		return cycle_end(e, p);
	cycle_close(e);
	return OK;
}

static void between(struct engine *e, int64_t until_ns)
{
	int64_t left = e->ends_ns - runclock_now(&e->clock);

	if (runclock_stands(&e->clock)) {
		wait_here(e, until_ns);
		return;
	}
	if (e->planned_ns > 0 && left > 0) {
		int64_t begins_ns = e->config.now_ns(e->config.clock) + left;

		wait_here(e, begins_ns < until_ns ? begins_ns : until_ns);
		return;
	}
	cycle_begin(e);
}

static enum err advance(struct engine *e, int64_t until_ns, struct problem *p)
{
	if (cycle_is_last(e) && (e->phase == PHASE_NEW || e->phase == PHASE_WAIT))
		return ended(e, why_ended(e), true, p);
	switch (e->phase) {
	case PHASE_NEW:
		begin(e);
		return OK;
	case PHASE_CLEANUP:
	case PHASE_CYCLE:
		drive(e, until_ns);
		return OK;
	case PHASE_SETTLE:
	case PHASE_CLOSE:
		return settle(e, until_ns, p);
	case PHASE_WAIT:
		between(e, until_ns);
		return OK;
	case PHASE_ENDED:
		return OK;
	}
	UNREACHABLE();
}

static bool tell_news(struct engine *e)
{
	unsigned count;

	pthread_mutex_lock(&e->lock);
	count = e->news_count;
	pthread_mutex_unlock(&e->lock);
	for (unsigned i = 0; i < count && e->config.happened; i++)
		e->config.happened(e->config.ctx, e->news[i].what, e->news[i].line);
	pthread_mutex_lock(&e->lock);
	for (unsigned i = count; i < e->news_count; i++)
		e->news[i - count] = e->news[i];
	e->news_count -= count;
	pthread_mutex_unlock(&e->lock);
	return count > 0;
}

enum err engine_turn(struct engine *e, int64_t at_most_ns, struct problem *p)
{
	int64_t now = e->config.now_ns(e->config.clock), until = now + at_most_ns;
	enum err err = OK;

	CHECK_OBJ(e, ENGINE_MAGIC);
	do {
		err = watch(e, p);
		if (!err)
			err = advance(e, until < now + LOOK_NS ? until : now + LOOK_NS, p);
		now = e->config.now_ns(e->config.clock);
	} while (!err && !tell_news(e) && e->phase != PHASE_ENDED && now < until);
	if (err)
		ended(e, ENDED_STOPPED, false, p);
	return err;
}
