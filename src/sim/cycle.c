/*
 * A cycle begins: its hour, who is admitted, what the breaker bears; then all shards run it. It ends when all has
 * ended and is written: its own row is given to the recorder, and when that is written, counts go into the totals in
 * the order of the threads, and a checkpoint is made if one is due. So totals, memories and checkpoints are always of
 * whole cycles.
 */
#include "sim/engine_priv.h"

enum { SLIP_PART = 100 }; /* of a cycle's time: what is not called a slip */

int64_t cycle_simulated_ms(struct engine *e, int64_t run_ns)
{
	double ms = (double)(run_ns - e->began_ns) / NS_PER_MS * e->config.time_scale;

	return e->moment.ms + (ms < CALENDAR_HOUR_MS ? (int64_t)ms : CALENDAR_HOUR_MS - 1);
}

/* ---- the beginning ---- */

void round_begin(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	e->shards_busy = e->config.threads - 1;
	e->round++;
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
	shard_begin(&e->shards[0]);
}

/* At its time, so that waking late does not add up; or when the one before has ended, if that took longer. */
static int64_t begins_at(const struct engine *e, int64_t now)
{
	bool slipped = now - e->ends_ns > e->planned_ns / SLIP_PART;

	return e->phase == PHASE_WAIT && e->planned_ns > 0 && !slipped ? e->ends_ns : now;
}

void cycle_begin(struct engine *e)
{
	int64_t now = runclock_now(&e->clock);

	e->arrivals_from_ns = e->phase == PHASE_WAIT ? e->ends_ns : now;
	e->began_ns = begins_at(e, now);
	e->ends_ns = e->began_ns + e->planned_ns;
	e->took_from_ns = e->config.now_ns(e->config.clock);
	e->phase = PHASE_CYCLE;
	e->admitted = ramp_admitted(&e->ramp, e->cycle);
	e->replay = e->cycle < e->config.seen_cycles;
	calendar_moment(&e->calendar, e->cycle, &e->moment);
	pthread_mutex_lock(&e->lock);
	sim_breaker_cycle(&e->breaker, e->admitted);
	pthread_mutex_unlock(&e->lock);
	round_begin(e);
}

/* ---- the end ---- */

static void note_slip(struct engine *e)
{
	int64_t over_ns = runclock_now(&e->clock) - e->ends_ns;

	if (e->planned_ns == 0 || over_ns <= e->planned_ns / SLIP_PART)
		return;
	e->slipped++;
	engine_tell(e, NEWS_SLIPPED, "cycle %u took %.1f s longer than its %.1f s; no hour is left out", e->cycle,
		    (double)over_ns / 1e9, (double)e->planned_ns / 1e9);
}

static void remember(struct engine *e, const struct shard *s)
{
	for (uint32_t own = 0; own < shard_agents(s); own++) {
		const struct remembered *r = &s->remembered[own];
		struct memory_of_agent *m = &e->memory[own * e->config.threads + s->index];

		if (r->offered || r->offers_failed)
			m->lacks_offers = r->offers_failed;
		if (r->sessions)
			m->last_session = e->cycle + 1;
		if (r->completed)
			m->last_completed = e->cycle + 1;
		m->sessions += r->sessions;
	}
}

static void clear_cycle(struct engine *e, struct shard *s)
{
	pthread_mutex_lock(&s->lock);
	shard_forget(s);
	s->counts = (struct counts){0};
	latencies_clear(s->endpoints, e->endpoint_count);
	for (unsigned i = 0; i < ENGINE_CAUSES; i++)
		s->causes[i] = (struct engine_cause){.count = 0};
	pthread_mutex_unlock(&s->lock);
}

static void record_of(const struct engine *e, const struct counts *c, struct cycle_record *out)
{
	*out = (struct cycle_record){
		.cycle = e->cycle,
		.replay = e->replay,
		.began_ms = e->moment.ms,
		.took_ms = (e->config.now_ns(e->config.clock) - e->took_from_ns) / NS_PER_MS,
		.agents = e->admitted,
		.active = (uint32_t)c->sessions,
		.failures = (uint32_t)c->failures,
		.requests = c->requests,
	};
}

static bool save_is_due(const struct engine *e)
{
	return cycle_is_last(e) || (e->config.checkpoint_every > 0 && e->cycle % e->config.checkpoint_every == 0);
}

/* A checkpoint that cannot be written is tried again at the next cycle's end, and has to succeed at the last. */
static enum err save_if_due(struct engine *e, struct problem *p)
{
	bool asked = atomic_exchange(&e->save, false);
	enum err err = asked || save_is_due(e) ? cycle_save(e, p) : OK;

	if (!err || cycle_is_last(e))
		return err;
	engine_tell(e, NEWS_TROUBLE, "no checkpoint of cycle %u: %s", e->cycle - 1, p->detail);
	e->save = true;
	return OK;
}

static void sum_up(const struct engine *e, struct counts *sum)
{
	*sum = (struct counts){0};
	for (unsigned i = 0; i < e->config.threads; i++)
		counts_add(sum, &e->shards[i].counts);
}

void cycle_close(struct engine *e)
{
	struct cycle_record record;
	struct counts sum;

	note_slip(e);
	sum_up(e, &sum);
	record_of(e, &sum, &record);
	e->config.sink.cycle(e->config.sink.self, &record);
	e->phase = PHASE_CLOSE;
}

enum err cycle_end(struct engine *e, struct problem *p)
{
	struct counts sum;

	sum_up(e, &sum);
	counts_add(&e->totals, &sum);
	for (unsigned i = 0; i < e->config.threads; i++) {
		latencies_merge(e->endpoints, e->shards[i].endpoints, e->endpoint_count);
		remember(e, &e->shards[i]);
		clear_cycle(e, &e->shards[i]);
	}
	e->cycle++;
	e->phase = PHASE_WAIT;
	return save_if_due(e, p);
}

bool cycle_is_last(const struct engine *e)
{
	const struct engine_config *c = &e->config;

	return e->stop || (c->cycles > 0 && e->cycle >= c->cycles);
}

/* ---- the checkpoint ---- */

typedef struct str name_fn(const struct scenario *s, unsigned i);

static const struct str *names(const struct scenario *s, name_fn *name, unsigned count, struct arena *a)
{
	struct str *out = ARENA_ARRAY(a, struct str, count + 1);

	for (unsigned i = 0; i < count; i++)
		out[i] = name(s, i);
	return out;
}

static void fill_names(const struct engine *e, struct arena *a, struct checkpoint *out)
{
	const struct scenario *s = e->config.scenario;

	out->outcome_count = scenario_outcome_count(s);
	out->outcomes = names(s, scenario_outcome_name, out->outcome_count, a);
	out->kept_count = scenario_kept_count(s);
	out->kept = names(s, scenario_kept_name, out->kept_count, a);
	out->endpoint_count = e->endpoint_count;
	out->endpoint_names = names(s, scenario_endpoint_name, out->endpoint_count, a);
}

static void fill(struct engine *e, struct arena *a, struct checkpoint *out)
{
	const struct engine_config *c = &e->config;

	*out = (struct checkpoint){
		.run_id = c->run_id,
		.scenario_name = scenario_name(c->scenario),
		.seed_text = c->seed_text,
		.seed = c->seed,
		.scenario_hash = scenario_hash(c->scenario),
		.agents = population_count(c->population),
		.cycle = e->cycle - 1,
		.attempt = c->attempt,
		.start_ms = c->start_ms,
		.simulated_ms = c->start_ms + (int64_t)e->cycle * CALENDAR_HOUR_MS,
		.saved_ms = clock_now_ms(c->wall),
		.real_elapsed_ms = (runclock_now(&e->clock) + e->before_ns) / NS_PER_MS,
		.totals = e->totals,
		.endpoints = e->endpoints,
		.memory = e->memory,
	};
	fill_names(e, a, out);
}

enum err cycle_save(struct engine *e, struct problem *p)
{
	struct checkpoint point;
	struct arena *a;
	struct str path;
	enum err err;

	if (e->config.dir.n == 0 || e->cycle == 0 || e->saved_cycle == e->cycle)
		return OK;
	a = arena_new((size_t)1 << 30);
	fill(e, a, &point);
	err = checkpoint_save(e->config.dir, &point, a, &path, p);
	if (!err) {
		e->saved_cycle = e->cycle;
		engine_tell(e, NEWS_CHECKPOINT, "checkpoint of cycle %u: %.*s", e->cycle - 1, STRF(path));
	}
	arena_destroy(&a);
	return err;
}
