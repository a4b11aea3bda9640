/*
 * Who begins when in a cycle.
 *
 * With a time scale the whole cycle is planned at its beginning and sorted by time, so that nobody needs memory before
 * it is its turn. Flat out there is nothing to wait for: the plan is made a few agents at a time, and a million of
 * them need no more memory than those.
 */
#include "sim/engine_priv.h"

#include <math.h>
#include <stdlib.h>

enum { CHUNK = 4096, TRIES = 16, LATE_NS = 10 * NS_PER_MS };

uint32_t shard_agents(const struct shard *s)
{
	uint32_t agents = population_count(s->engine->config.population), threads = s->engine->config.threads;

	return agents / threads + (s->index < agents % threads);
}

/* ---- offers ---- */

uint32_t plan_offer_period(const struct engine *e, uint32_t cycle)
{
	return e->offers ? cycle / (24 * e->offers->period_days) : 0;
}

/* In the first cycle of a period, or of an agent; and after a round that failed, until one does not. */
static bool gets_offers(const struct engine *e, uint32_t agent)
{
	return e->offers && (e->cycle == 0 || e->memory[agent].lacks_offers ||
			     plan_offer_period(e, e->cycle) != plan_offer_period(e, e->cycle - 1) ||
			     !ramp_admits(&e->ramp, agent, e->cycle - 1));
}

/* ---- the plan ---- */

static void add(struct shard *s, uint32_t agent, enum journey_kind kind, uint32_t at_ms, uint32_t order)
{
	*VEC_PUSH(&s->begins) = (struct begin){.agent = agent, .kind = kind, .at_ms = at_ms, .order = order};
}

bool plan_is_active(const struct engine *e, uint32_t agent, uint32_t cycle, const struct moment *moment,
		    struct draws *d)
{
	double drawn;

	draws_begin(d, e->config.seed, DRAW_ACTIVE, agent, cycle, 0);
	drawn = draws_unit(d);
	return e->config.model != MODEL_POPULATION || drawn < -expm1(-eagerness_in(&e->eagerness[agent], moment));
}

static void add_turn(struct shard *s, uint32_t agent)
{
	const struct engine *e = s->engine;
	struct draws d;
	bool active = plan_is_active(e, agent, e->cycle, &e->moment, &d);

	if (!active && !(e->config.idle_visits && e->has_idle))
		return;
	add(s, agent, active ? JOURNEY_SESSION : JOURNEY_IDLE,
	    e->config.spread ? draws_below(&d, CALENDAR_HOUR_MS) : 0, draws_u32(&d));
}

static void add_agent(struct shard *s, uint32_t agent)
{
	const struct engine *e = s->engine;

	if (!ramp_admits(&e->ramp, agent, e->cycle))
		return;
	s->counts.agents_run++;
	if (gets_offers(e, agent))
		add(s, agent, JOURNEY_OFFERS, 0, 0);
	if (e->config.model != MODEL_ARRIVALS)
		add_turn(s, agent);
}

static int by_time(const void *left, const void *right)
{
	const struct begin *a = left, *b = right;

	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return a->agent != b->agent ? (a->agent < b->agent ? -1 : 1) : 0;
}

static void forget(struct shard *s)
{
	s->begins.n = s->begun = 0;
	s->planned_to = s->index;
	s->planned = false;
}

void plan_cycle(struct shard *s)
{
	struct engine *e = s->engine;
	size_t bytes = (shard_agents(s) + 7) / 8;

	forget(s);
	for (size_t i = 0; s->failed && i < bytes; i++)
		s->failed[i] = 0;
	if (e->config.model == MODEL_ARRIVALS)
		arrivals_cycle(&s->arrivals, e->cycle, e->arrivals_from_ns + e->before_ns);
}

void plan_cleanups(struct shard *s)
{
	const struct engine *e = s->engine;

	forget(s);
	for (uint32_t i = 0; i < e->cleanup_count; i++)
		if (e->cleanups[i] % e->config.threads == s->index)
			add(s, e->cleanups[i], JOURNEY_CLEANUP, 0, 0);
	s->planned = true;
}

void plan_more(struct shard *s)
{
	const struct engine *e = s->engine;
	uint32_t agents = population_count(e->config.population);

	while (!s->planned && s->begun == s->begins.n) {
		uint32_t chunk = e->planned_ns == 0 ? CHUNK : agents;

		s->begins.n = s->begun = 0;
		for (; chunk > 0 && s->planned_to < agents; chunk--, s->planned_to += e->config.threads)
			add_agent(s, s->planned_to);
		s->planned = s->planned_to >= agents;
	}
	if (s->begun == 0 && s->begins.n > 1 && e->planned_ns > 0)
		qsort(s->begins.v, s->begins.n, sizeof(s->begins.v[0]), by_time);
}

/* ---- arrivals ---- */

int64_t plan_next_arrival_ns(const struct shard *s)
{
	int64_t due_ns = arrivals_due_ns(&s->arrivals);

	return due_ns == INT64_MAX ? INT64_MAX : due_ns - s->engine->before_ns;
}

static bool is_ready(const struct shard *s, uint32_t agent)
{
	const struct engine *e = s->engine;

	return ramp_admits(&e->ramp, agent, e->cycle) && !shard_bit(s->busy, agent / e->config.threads);
}

/* Another one of this shard, by chance, else the next that is ready. */
static bool find_ready(const struct shard *s, struct draws *d, uint32_t *agent)
{
	uint32_t own = shard_agents(s), threads = s->engine->config.threads, start;

	for (unsigned i = 0; i < TRIES; i++) {
		*agent = draws_below(d, own) * threads + s->index;
		if (is_ready(s, *agent))
			return true;
	}
	start = *agent / threads;
	for (uint32_t i = 0; i < own; i++) {
		*agent = (start + i) % own * threads + s->index;
		if (is_ready(s, *agent))
			return true;
	}
	return false;
}

bool plan_arrival(struct shard *s, struct begin *out, int64_t *due_ns)
{
	const struct engine *e = s->engine;

	while ((*due_ns = plan_next_arrival_ns(s)) <= s->now_ns && *due_ns < e->ends_ns) {
		struct draws d;
		uint32_t agent, number = s->arrivals.number;

		arrivals_draws(&s->arrivals, &d);
		agent = arrivals_agent(&d, e->eagerness, population_count(e->config.population), e->most_eager);
		arrivals_pass(&s->arrivals);
		if (agent % e->config.threads != s->index)
			continue;
		if (is_ready(s, agent) || find_ready(s, &d, &agent)) {
			*out = (struct begin){
				.agent = agent, .number = number % DRAW_NUMBERS, .kind = JOURNEY_SESSION};
			s->counts.late_arrivals += s->now_ns - *due_ns > LATE_NS;
			return true;
		}
		s->counts.dropped_arrivals++;
	}
	return false;
}
