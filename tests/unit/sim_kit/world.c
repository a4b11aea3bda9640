/*
 * The world's clock stands while the engine works, and goes while it waits.
 */
#include "sim_kit/world.h"

#include "harness.h"

#include <math.h>
#include <pthread.h>

/* ---- the target ---- */

static int64_t now_ns(void *clock)
{
	return ((struct world *)clock)->now_ns;
}

static bool same_agent(const struct client_call *a, const struct client_call *b)
{
	return str_eq(a->headers, b->headers);
}

static void start(void *self, struct client_call *c)
{
	struct world *w = self;

	for (size_t i = 0; i < w->under_way.n; i++)
		w->overlaps += same_agent(w->under_way.v[i].call, c);
	*VEC_PUSH(&w->under_way) =
		(struct world_call){.call = c, .due_ns = w->now_ns + w->latency_ns, .number = (uint32_t)w->sent.n};
	*VEC_PUSH(&w->sent) = w->now_ns - w->start_ns;
	c->sent_ns = w->now_ns;
	w->peak = w->under_way.n > w->peak ? (uint32_t)w->under_way.n : w->peak;
}

static void drop(struct world *w, size_t i)
{
	w->under_way.n--;
	for (; i < w->under_way.n; i++)
		w->under_way.v[i] = w->under_way.v[i + 1];
}

static void cancel(void *self, struct client_call *c)
{
	struct world *w = self;

	for (size_t i = 0; i < w->under_way.n; i++)
		if (w->under_way.v[i].call == c)
			drop(w, i--);
}

static int64_t next_ns(const struct world *w)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < w->under_way.n; i++)
		next = w->under_way.v[i].due_ns < next ? w->under_way.v[i].due_ns : next;
	return next;
}

static void answer(struct world *w, size_t i)
{
	struct world_call one = w->under_way.v[i];

	drop(w, i);
	one.call->err = OK;
	one.call->detail = "";
	one.call->status = 200;
	one.call->retry_after_ms = -1;
	one.call->answer = STR("{}");
	one.call->done_ns = w->now_ns;
	if (w->answers)
		w->answers(w, one.call, one.number);
	w->done(w->done_ctx, one.call);
}

static void poll_world(void *self, int64_t timeout_ns)
{
	struct world *w = self;
	int64_t next = next_ns(w), until = timeout_ns < 0 ? next : w->now_ns + timeout_ns;

	assert_true(until != INT64_MAX);
	w->now_ns = next < until ? next : until;
	for (size_t i = 0; i < w->under_way.n;)
		if (w->under_way.v[i].due_ns <= w->now_ns) {
			answer(w, i);
			i = 0;
		} else {
			i++;
		}
}

static void wake(void *self)
{
	(void)self;
}

static struct client_counts count_calls(const void *self)
{
	const struct world *w = self;

	return (struct client_counts){.under_way = (uint32_t)w->under_way.n, .calls = w->sent.n};
}

static void free_nothing(void *self)
{
	(void)self;
}

static enum err transport(const void *how, unsigned shards, client_done_fn *done, void *ctx, struct transport *out,
			  struct problem *p)
{
	struct world *w = *(struct world *const *)how;

	(void)p;
	assert_int_equal(shards, 1);
	w->done = done;
	w->done_ctx = ctx;
	*out = (struct transport){w, start, cancel, poll_world, wake, count_calls, free_nothing};
	return OK;
}

/* ---- the sink ---- */

static uint64_t hash_of(const struct session_record *s)
{
	uint64_t h = s->result->outcome;

	for (unsigned i = 0; i < RECORD_KEPT_MAX; i++)
		if (!isnan(s->result->kept[i]))
			h = str_hash_seed((struct str){(const char *)&s->result->kept[i], sizeof(double)}, h);
	for (uint32_t i = 0; i < s->result->event_count; i++) {
		h = str_hash_seed(s->result->events[i].type, h);
		h = str_hash_seed(s->result->events[i].payload, h);
	}
	return h;
}

static enum err put(void *self, const struct session_record *s)
{
	struct world *w = self;
	enum err e = OK;

	pthread_mutex_lock(&w->lock);
	if (w->records.n >= w->room)
		e = ERR_OVERLOADED;
	else
		*VEC_PUSH(&w->records) = (struct world_record){
			.agent = s->agent,
			.cycle = s->cycle,
			.number = s->number,
			.outcome = s->result->outcome,
			.kind = s->kind,
			.replay = s->replay,
			.started_ms = s->started_ms,
			.ended_ms = s->ended_ms,
			.hash = hash_of(s),
		};
	pthread_mutex_unlock(&w->lock);
	return e;
}

static bool settled(void *self)
{
	return !((struct world *)self)->unsettled;
}

static void put_cycle(void *self, const struct cycle_record *c)
{
	struct world *w = self;

	*VEC_PUSH(&w->cycles) = *c;
}

static void trouble(void *self, struct problem *out)
{
	const struct world *w = self;

	if (w->trouble)
		problem_set(out, ERR_STORE_FULL, "%s", w->trouble);
}

static void count_records(void *self, struct recorder_counts *out)
{
	struct world *w = self;

	pthread_mutex_lock(&w->lock);
	*out = (struct recorder_counts){.planned_rows = w->records.n};
	pthread_mutex_unlock(&w->lock);
}

/* ---- what happened ---- */

static void happened(void *ctx, enum engine_news what, const char *line)
{
	struct world *w = ctx;

	*VEC_PUSH(&w->news) = what;
	buf_z(&w->lines, line);
	buf_c(&w->lines, '\n');
}

unsigned world_news(const struct world *w, enum engine_news what)
{
	unsigned n = 0;

	for (size_t i = 0; i < w->news.n; i++)
		n += w->news.v[i] == what;
	return n;
}

static int by_address(const void *left, const void *right)
{
	const struct world_record *a = left, *b = right;

	if (a->cycle != b->cycle)
		return a->cycle < b->cycle ? -1 : 1;
	if (a->agent != b->agent)
		return a->agent < b->agent ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->number != b->number ? (a->number < b->number ? -1 : 1) : 0;
}

uint64_t world_decisions(struct world *w)
{
	uint64_t h = 0;

	qsort(w->records.v, w->records.n, sizeof(w->records.v[0]), by_address);
	for (size_t i = 0; i < w->records.n; i++) {
		const struct world_record *r = &w->records.v[i];
		uint64_t words[] = {
			r->agent, r->cycle, r->number, (uint64_t)r->kind, r->outcome, (uint64_t)r->started_ms,
			r->hash};

		h = str_hash_seed((struct str){(const char *)words, sizeof(words)}, h);
	}
	return h;
}

/* ---- the engine in it ---- */

void world_init(struct world *w)
{
	*w = (struct world){.now_ns = 77 * (int64_t)WORLD_S, .latency_ns = 10 * WORLD_MS, .room = UINT32_MAX};
	w->start_ns = w->now_ns;
	pthread_mutex_init(&w->lock, NULL);
}

void world_free(struct world *w)
{
	VEC_FREE(&w->under_way);
	VEC_FREE(&w->sent);
	VEC_FREE(&w->records);
	VEC_FREE(&w->cycles);
	VEC_FREE(&w->news);
	buf_free(&w->lines);
	pthread_mutex_destroy(&w->lock);
}

static struct clock_virtual wall = {.ms = INT64_C(1763737200000)};

void world_config(struct world *w, const struct scenario *s, const struct population *who,
		  struct engine_config *out)
{
	static struct world *handed[8];
	static unsigned next;
	struct world **how = &handed[next++ % COUNT_OF(handed)];

	clock_virtual_init(&wall, wall.ms);
	*how = w;
	*out = (struct engine_config){
		.scenario = s,
		.population = who,
		.seed = 42,
		.seed_text = STR("42"),
		.run_id = STR("run_0000000000001"),
		.start_ms = INT64_C(1763942400000), /* Monday 2025-11-24 */
		.time_scale = 48,
		.threads = 1,
		.burst = 1,
		.breaker_percent = 100,
		.groups = 10,
		.transport = transport,
		.transport_how = how,
		.sessions_max = 4096,
		.sink = {w, put, settled, put_cycle, trouble, count_records},
		.now_ns = now_ns,
		.clock = w,
		.wall = &wall.clock,
		.happened = happened,
		.ctx = w,
	};
}

static int64_t machine_ns(void *clock)
{
	(void)clock;
	return clock_mono_ns();
}

void world_config_flat(struct world *w, const struct scenario *s, const struct population *who,
		       struct engine_config *out)
{
	world_config(w, s, who, out);
	out->time_scale = 0;
	out->mock_api = true;
	out->transport = transport_mock;
	out->transport_how = NULL;
	out->now_ns = machine_ns;
}

struct engine *world_engine(const struct engine_config *c)
{
	struct problem p = {0};
	struct engine *e = NULL;

	if (engine_new(c, &e, &p))
		fail_msg("%s", p.detail);
	return e;
}

static void turn(struct engine *e, int64_t ns)
{
	struct problem p = {0};

	if (engine_turn(e, ns, &p))
		fail_msg("%s", p.detail);
}

void world_run_until(struct world *w, struct engine *e, int64_t ns)
{
	while (engine_state(e) != ENGINE_ENDED && w->now_ns < w->start_ns + ns)
		turn(e, w->start_ns + ns - w->now_ns);
}

void world_run(struct world *w, struct engine *e)
{
	(void)w;
	while (engine_state(e) != ENGINE_ENDED)
		turn(e, 60 * (int64_t)WORLD_S);
}
