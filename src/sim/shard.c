/*
 * One thread's agents: does what is due, then waits in its transport until something is.
 *
 * In a step it holds its lock; it waits without. While run time stands nothing begins and no timer expires, but calls
 * under way are answered, and records that had no room are offered again.
 */
#include "sim/engine_priv.h"

#include <stdlib.h>
#include <string.h>

enum {
	BEGINS_A_STEP = 256,            /* then the lock is let go */
	ASK_AGAIN_NS = 100 * NS_PER_MS, /* of a recorder without room */
	WAIT_MAX_NS = 1000000000,
};

static bool flat(const struct engine *e)
{
	return e->planned_ns == 0;
}

/* ---- a step ---- */

static void write_again(struct shard *s)
{
	struct session *next;

	for (struct session *t = s->live; t && s->unwritten_count > 0; t = next) {
		next = t->next;
		if (t->does == SESSION_UNWRITTEN && !session_put_again(t))
			return;
	}
}

static bool is_full(const struct shard *s)
{
	const struct engine_config *c = &s->engine->config;

	return s->unwritten_count > 0 ||
	       (flat(s->engine) && s->live_count >= (c->sessions_max + c->threads - 1) / c->threads);
}

static int64_t begin_ns(const struct shard *s)
{
	const struct engine *e = s->engine;
	int64_t at_ms = s->begins.v[s->begun].at_ms;

	return flat(e) || e->hurry ? e->began_ns
				   : e->began_ns + (int64_t)((double)at_ms * NS_PER_MS / e->config.time_scale);
}

static bool begins_one(struct shard *s)
{
	struct begin b;
	int64_t due_ns;

	plan_more(s);
	if (s->begun == s->begins.n)
		return false;
	due_ns = begin_ns(s);
	if (due_ns > s->now_ns)
		return false;
	b = s->begins.v[s->begun++];
	session_begin(s, &b, due_ns);
	return true;
}

static bool arrives(const struct shard *s)
{
	const struct engine *e = s->engine;

	return e->config.model == MODEL_ARRIVALS && e->phase == PHASE_CYCLE && !e->hurry;
}

static void begin_due(struct shard *s)
{
	struct engine *e = s->engine;
	struct begin b;
	int64_t due_ns;
	unsigned left = BEGINS_A_STEP;

	while (left > 0 && !is_full(s) && !runclock_stands(&e->clock) && begins_one(s))
		left--;
	while (left > 0 && arrives(s) && !is_full(s) && !runclock_stands(&e->clock) &&
	       plan_arrival(s, &b, &due_ns)) {
		session_begin(s, &b, due_ns);
		left--;
	}
}

static void expire(struct shard *s)
{
	struct timer *t;

	while (!runclock_stands(&s->engine->clock) &&
	       (t = wheel_expire(&s->wheel, s->now_ns / NS_PER_TICK)) != NULL)
		session_expired(CONTAINER_OF(t, struct session, timer));
}

static void hurry(struct shard *s)
{
	struct session *next;

	for (struct session *t = s->live; t; t = next) {
		next = t->next;
		session_hurry(t);
	}
}

static void step(struct shard *s)
{
	struct engine *e = s->engine;

	pthread_mutex_lock(&s->lock);
	s->now_ns = runclock_now(&e->clock);
	if (s->unwritten_count > 0)
		write_again(s);
	if (e->hurry && !s->hurries) {
		s->hurries = true;
		hurry(s);
	}
	if (!runclock_stands(&e->clock)) {
		begin_due(s);
		expire(s);
	}
	s->client = s->transport.count(s->transport.self);
	pthread_mutex_unlock(&s->lock);
}

/* ---- waiting ---- */

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When the cycle's time is over, for those who wait for that; and arrivals before it. */
static int64_t next_of_model(const struct shard *s)
{
	const struct engine *e = s->engine;

	if (e->config.model == MODEL_POPULATION || flat(e) || s->now_ns >= e->ends_ns)
		return INT64_MAX;
	return arrives(s) && !is_full(s) ? sooner(plan_next_arrival_ns(s), e->ends_ns) : e->ends_ns;
}

/* In run time; what is due next. */
static int64_t next_ns(struct shard *s)
{
	int64_t next = wheel_next(&s->wheel);

	next = next < INT64_MAX / NS_PER_TICK ? next * NS_PER_TICK : INT64_MAX;
	if (!is_full(s) && !s->planned)
		return 0;
	if (!is_full(s) && s->begun < s->begins.n)
		next = sooner(next, begin_ns(s));
	return sooner(next, next_of_model(s));
}

static void wait_for(struct shard *s, int64_t until_ns)
{
	struct engine *e = s->engine;
	int64_t left = until_ns == INT64_MAX ? INT64_MAX : until_ns - e->config.now_ns(e->config.clock);

	if (!runclock_stands(&e->clock)) {
		int64_t next = next_ns(s);

		left = next == INT64_MAX ? left : sooner(left, next - runclock_now(&e->clock));
	}
	if (s->unwritten_count > 0)
		left = sooner(left, ASK_AGAIN_NS);
	left = sooner(left, WAIT_MAX_NS);
	s->transport.poll(s->transport.self, left > 0 ? left : 0);
}

/* ---- a round ---- */

static bool time_is_over(const struct shard *s)
{
	const struct engine *e = s->engine;

	return e->config.model == MODEL_POPULATION || e->phase == PHASE_CLEANUP || flat(e) || e->hurry ||
	       s->now_ns >= e->ends_ns;
}

static bool is_over(const struct shard *s)
{
	return s->planned && s->begun == s->begins.n && s->live_count == 0 && time_is_over(s);
}

static void cut(struct shard *s)
{
	pthread_mutex_lock(&s->lock);
	while (s->live)
		session_cut(s->live);
	s->begins.n = s->begun = 0;
	s->planned = true;
	pthread_mutex_unlock(&s->lock);
}

bool shard_turn(struct shard *s, int64_t until_ns)
{
	struct engine *e = s->engine;

	for (;;) {
		if (e->cut)
			cut(s);
		else
			step(s);
		if (e->cut || is_over(s))
			return true;
		if (e->config.now_ns(e->config.clock) >= until_ns)
			return false;
		wait_for(s, until_ns);
	}
}

void shard_begin(struct shard *s)
{
	pthread_mutex_lock(&s->lock);
	s->hurries = false;
	if (s->engine->phase == PHASE_CLEANUP)
		plan_cleanups(s);
	else
		plan_cycle(s);
	pthread_mutex_unlock(&s->lock);
}

static bool next_round(struct shard *s)
{
	struct engine *e = s->engine;
	bool goes_on;

	pthread_mutex_lock(&e->lock);
	while (!e->quit && s->round == e->round)
		pthread_cond_wait(&e->changed, &e->lock);
	s->round = e->round;
	goes_on = !e->quit;
	pthread_mutex_unlock(&e->lock);
	return goes_on;
}

static void round_done(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	e->shards_busy--;
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
	e->shards[0].transport.wake(e->shards[0].transport.self);
}

void *shard_thread(void *shard)
{
	struct shard *s = shard;

	while (next_round(s)) {
		shard_begin(s);
		while (!shard_turn(s, INT64_MAX))
			;
		round_done(s->engine);
	}
	return NULL;
}

/* ---- made and freed ---- */

enum err shard_open(struct shard *s, struct engine *e, unsigned index, struct problem *p)
{
	const struct engine_config *c = &e->config;
	enum err err = c->transport(c->transport_how, c->threads, session_answered, s, &s->transport, p);

	if (err)
		return err;
	s->engine = e;
	s->index = index;
	s->room = journey_room_new();
	wheel_init(&s->wheel, 0);
	arrivals_init(&s->arrivals, &c->arrivals, c->seed);
	pthread_mutex_init(&s->lock, NULL);
	s->endpoints = must_alloc((e->endpoint_count + 1) * sizeof(struct latencies));
	s->minute[0] = must_alloc((e->endpoint_count + 1) * sizeof(struct latencies));
	s->minute[1] = must_alloc((e->endpoint_count + 1) * sizeof(struct latencies));
	s->remembered = must_alloc((shard_agents(s) + 1) * sizeof(*s->remembered));
	if (c->model != MODEL_POPULATION) {
		s->busy = must_alloc(shard_agents(s) / 8 + 1);
		s->failed = must_alloc(shard_agents(s) / 8 + 1);
	}
	return OK;
}

void shard_forget(struct shard *s)
{
	memset(s->remembered, 0, shard_agents(s) * sizeof(*s->remembered));
}

void shard_close(struct shard *s)
{
	struct session *next;

	if (!s->engine)
		return;
	cut(s);
	for (struct session *t = s->free; t; t = next) {
		next = t->next;
		free(t);
	}
	s->transport.free(s->transport.self);
	journey_room_free(&s->room);
	VEC_FREE(&s->begins);
	free(s->remembered);
	latencies_free(&s->endpoints, s->engine->endpoint_count);
	latencies_free(&s->minute[0], s->engine->endpoint_count);
	latencies_free(&s->minute[1], s->engine->endpoint_count);
	free(s->busy);
	free(s->failed);
	pthread_mutex_destroy(&s->lock);
}
