/*
 * One agent's way through a journey, from step to step:
 *
 *	session_go ─► wants to wait ──────────────────────────────► SESSION_WAITS ──(timer)──► session_go
 *	         ├─► wants a request ─► not yet (limiter, pause) ─► SESSION_QUEUES ─(timer)──► sent
 *	         │                  └─► sent ─────────────────────► SESSION_CALLS ─(answer)─► session_go; 429: QUEUES
 *	         └─► wants nothing ──► counted, written ─► gone; the recorder has no room: SESSION_UNWRITTEN
 *
 * There is one session in one state, so the steps of an agent never overlap. Flat out and mocked nothing is waited
 * for, and session_go() comes back when it has ended.
 */
#include "sim/engine_priv.h"

#include <math.h>
#include <stdlib.h>

enum { HOLDS_MAX = 5, HOLD_DEFAULT_MS = 1000, HOLD_MAX_MS = 10 * 60 * 1000 };

static bool flat(const struct engine *e)
{
	return e->planned_ns == 0;
}

/* ---- the list it is in ---- */

static void put_in(struct session **list, struct session *t)
{
	t->next = *list;
	t->at = list;
	if (t->next)
		t->next->at = &t->next;
	*list = t;
}

static void take_out(struct session *t)
{
	*t->at = t->next;
	if (t->next)
		t->next->at = t->at;
}

static void set_busy(struct shard *s, uint32_t agent, bool busy)
{
	uint32_t own = agent / s->engine->config.threads;

	if (!s->busy)
		return;
	if (busy)
		s->busy[own / 8] |= (uint8_t)(1 << own % 8);
	else
		s->busy[own / 8] &= (uint8_t) ~(1 << own % 8);
}

static struct session *make(struct shard *s)
{
	struct session *t = s->free;

	if (t)
		take_out(t);
	else
		t = NEW(struct session);
	*t = (struct session){.shard = s};
	put_in(&s->live, t);
	s->live_count++;
	return t;
}

static void let_go(struct session *t)
{
	struct shard *s = t->shard;

	journey_end(s->room, &t->journey);
	set_busy(s, t->agent, false);
	take_out(t);
	put_in(&s->free, t);
	s->live_count--;
}

/* ---- waiting ---- */

static void wait_until(struct session *t, enum session_does what, int64_t run_ns)
{
	t->does = what;
	t->timer.order = t->agent;
	wheel_add(&t->shard->wheel, &t->timer, (run_ns + NS_PER_TICK - 1) / NS_PER_TICK);
}

/* Simulated time goes on: with the clock, or flat out by what was waited; never past the hour. */
static void pass(struct session *t, int64_t ms)
{
	struct engine *e = t->shard->engine;
	int64_t last = e->moment.ms + CALENDAR_HOUR_MS - 1;
	int64_t now = flat(e) ? t->now_ms + ms : cycle_simulated_ms(e, t->shard->now_ns);

	now = now < last ? now : last;
	t->now_ms = now > t->now_ms ? now : t->now_ms;
}

/* True: go on at once. */
static bool waits(struct session *t)
{
	struct engine *e = t->shard->engine;
	double s = fmin(fmax(journey_wait_s(t->journey), 0), 3600);
	int64_t due;

	if (flat(e)) {
		pass(t, (int64_t)(s * 1000));
		return true;
	}
	due = t->shard->now_ns + (int64_t)(s / e->config.time_scale * 1e9);
	due = due < e->ends_ns ? due : e->ends_ns;
	if (due <= t->shard->now_ns || e->hurry) {
		t->due_ns = t->shard->now_ns;
		return true;
	}
	t->due_ns = due;
	wait_until(t, SESSION_WAITS, due);
	return false;
}

/* ---- requests ---- */

static void measure(struct session *t, size_t which, int64_t ns)
{
	struct shard *s = t->shard;
	unsigned endpoint = journey_request(t->journey)->endpoint;

	latency_add((struct latency *)(void *)((char *)&s->endpoints[endpoint] + which), ns);
	latency_add((struct latency *)(void *)((char *)&s->minute[0][endpoint] + which), ns);
}
#define MEASURE(session, member, ns) measure((session), offsetof(struct latencies, member), (ns))

static bool answered_by_mock(struct session *t)
{
	t->shard->counts.requests++;
	journey_answer_mock(t->journey);
	t->due_ns = t->shard->now_ns;
	return true;
}

static void call(struct session *t)
{
	struct shard *s = t->shard;
	struct engine *e = s->engine;
	const struct journey_request *r = journey_request(t->journey);
	char room[POPULATION_ROOM];

	t->does = SESSION_CALLS;
	t->started_ns = e->config.now_ns(e->config.clock);
	t->call = (struct client_call){
		.method = r->method,
		.path = r->path,
		.headers = r->headers,
		.body = r->body,
		.group = group_of(population_id(e->config.population, t->agent, room), e->config.groups),
		.answer_ms = r->timeout_ms,
	};
	s->calling++;
	s->counts.requests++;
	s->transport.start(s->transport.self, &t->call);
}

/* True: it was sent, and answered at once. */
static bool sends(struct session *t)
{
	struct engine *e = t->shard->engine;
	int64_t now = t->shard->now_ns, due = limiter_due(&e->limiter, t->slot);

	if (due > now || runclock_stands(&e->clock)) {
		t->shard->queueing++;
		wait_until(t, SESSION_QUEUES, due > now ? due : now);
		return false;
	}
	t->throttled_ns += now - t->queued_ns;
	t->late_ns = now - t->due_ns - t->throttled_ns;
	MEASURE(t, throttle, now - t->queued_ns);
	if (e->config.mock_api)
		return answered_by_mock(t);
	call(t);
	return false;
}

static bool queues(struct session *t)
{
	t->queued_ns = t->shard->now_ns;
	t->slot = limiter_reserve(&t->shard->engine->limiter, t->shard->now_ns);
	return sends(t);
}

static bool requests(struct session *t)
{
	struct engine *e = t->shard->engine;

	if (flat(e) && e->config.mock_api)
		return answered_by_mock(t);
	t->throttled_ns = 0;
	t->holds = 0;
	return queues(t);
}

/* ---- the end ---- */

/* As much of a text as there is room for, whole characters. */
static struct str clipped(struct str text, size_t room)
{
	struct str s = str_clip(text, room);

	for (size_t n = room; s.n > room; n--)
		s = str_clip(text, n);
	return s;
}

/* A cause that is new takes the place of the rarest. */
static void note_cause(struct shard *s, struct str why)
{
	struct engine_cause *c = s->causes, *rarest = c;

	why = clipped(why, sizeof(c->text) - 1);
	for (unsigned i = 0; i < ENGINE_CAUSES; i++) {
		if (c[i].count > 0 && str_eqz(why, c[i].text)) {
			c[i].count++;
			return;
		}
		rarest = c[i].count < rarest->count ? &c[i] : rarest;
	}
	for (size_t i = 0; i < why.n; i++)
		rarest->text[i] = why.p[i];
	rarest->text[why.n] = 0;
	rarest->count = 1;
}

/* The breaker counts agents: one that fails again and again in a cycle is one. */
static void failed(struct session *t, struct str why)
{
	struct shard *s = t->shard;
	uint32_t own = t->agent / s->engine->config.threads;

	s->counts.failures++;
	note_cause(s, why);
	if (s->failed && shard_bit(s->failed, own))
		return;
	if (s->failed)
		s->failed[own / 8] |= (uint8_t)(1 << own % 8);
	engine_failed(s->engine, why);
}

static struct remembered *remembered(const struct session *t)
{
	return &t->shard->remembered[t->agent / t->shard->engine->config.threads];
}

static void count_session(struct session *t, const struct journey_result *r, enum outcome_kind kind)
{
	struct shard *s = t->shard;
	struct remembered *m = remembered(t);

	m->sessions++;
	if (kind == END_COMPLETED)
		m->completed = true;
	s->counts.sessions++;
	s->counts.by_outcome[r->outcome]++;
	for (unsigned i = 0; i < RECORD_KEPT_MAX; i++) {
		if (isnan(r->kept[i]))
			continue;
		s->counts.kept_sum[i] += r->kept[i];
		s->counts.kept_count[i]++;
	}
}

static void count(struct session *t, const struct journey_result *r)
{
	struct counts *c = &t->shard->counts;
	enum outcome_kind kind = scenario_outcome_kind(t->shard->engine->config.scenario, r->outcome);

	c->events += r->event_count;
	c->requests_failed += r->failed_calls;
	c->retries += r->retries;
	switch (t->kind) {
	case JOURNEY_SESSION:
		count_session(t, r, kind);
		break;
	case JOURNEY_IDLE:
		c->idle_visits++;
		break;
	case JOURNEY_OFFERS:
		remembered(t)->offered = kind != END_FAILED;
		remembered(t)->offers_failed = kind == END_FAILED;
		if (kind == END_FAILED)
			break;
		c->offer_rounds++;
		c->offers_assigned += r->offers;
		c->offers_short += r->offers_short;
		break;
	case JOURNEY_CLEANUP:
		c->cleanups++;
		break;
	}
	if (kind == END_FAILED)
		failed(t, r->failure);
}

static enum err put(struct session *t)
{
	struct engine *e = t->shard->engine;
	char room[POPULATION_ROOM];
	struct session_record r = {
		.agent = t->agent,
		.agent_id = population_id(e->config.population, t->agent, room),
		.kind = t->kind,
		.cohort = scenario_cohort_of(e->config.scenario, e->config.seed, t->agent),
		.cycle = e->cycle,
		.number = t->number,
		.replay = e->replay,
		.started_ms = t->began_ms,
		.ended_ms = t->now_ms,
		.result = journey_result(t->journey),
	};

	return e->config.sink.put(e->config.sink.self, &r);
}

/* The closed model: the agent begins again, a millisecond after it last began at the earliest. */
static void again(struct shard *s, const struct begin *next, int64_t began_ns)
{
	struct engine *e = s->engine;
	int64_t due_ns = began_ns + NS_PER_MS > s->now_ns ? began_ns + NS_PER_MS : s->now_ns;

	if (e->config.model == MODEL_CLOSED && !flat(e) && next->kind == JOURNEY_SESSION && !e->hurry &&
	    due_ns < e->ends_ns)
		session_begin(s, next, due_ns);
}

static void written(struct session *t)
{
	struct shard *s = t->shard;
	struct begin next = {.agent = t->agent, .number = t->number + 1, .kind = t->kind};
	int64_t began_ns = t->began_ns;

	s->counts.records++;
	let_go(t);
	again(s, &next, began_ns);
}

static void ends(struct session *t)
{
	const struct journey_result *r = journey_result(t->journey);

	if (t->kind == JOURNEY_IDLE && r->calls == 0 && r->event_count == 0) {
		let_go(t); /* it stayed away */
		return;
	}
	count(t, r);
	if (put(t) == OK) {
		written(t);
		return;
	}
	t->does = SESSION_UNWRITTEN;
	t->shard->unwritten_count++;
}

bool session_put_again(struct session *t)
{
	if (put(t))
		return false;
	t->shard->unwritten_count--;
	written(t);
	return true;
}

/* ---- from step to step ---- */

static void session_go(struct session *t)
{
	bool on = true;

	while (on) {
		pass(t, 0);
		switch (journey_next(t->journey, t->now_ms)) {
		case WANT_NOTHING:
			ends(t);
			return;
		case WANT_WAIT:
			on = waits(t);
			break;
		case WANT_REQUEST:
			on = requests(t);
			break;
		}
	}
}

void session_begin(struct shard *s, const struct begin *b, int64_t due_ns)
{
	struct engine *e = s->engine;
	struct session *t = make(s);

	t->kind = b->kind;
	t->agent = b->agent;
	t->number = b->number;
	t->began_ns = t->due_ns = due_ns;
	t->began_ms = t->now_ms = flat(e) ? e->moment.ms + b->at_ms : cycle_simulated_ms(e, s->now_ns);
	t->journey =
		journey_begin(s->room, &e->run,
			      &(struct journey_start){
				      .kind = b->kind,
				      .agent = b->agent,
				      .cycle = e->cycle,
				      .number = b->number,
				      .cohort = scenario_cohort_of(e->config.scenario, e->config.seed, b->agent),
				      .moment = &e->moment,
				      .now_ms = t->now_ms,
				      .offer_period = plan_offer_period(e, e->cycle),
			      });
	set_busy(s, b->agent, true);
	if (due_ns > s->now_ns)
		wait_until(t, SESSION_WAITS, due_ns);
	else
		session_go(t);
}

void session_expired(struct session *t)
{
	if (t->does == SESSION_WAITS) {
		session_go(t);
		return;
	}
	t->shard->queueing--;
	if (sends(t))
		session_go(t);
}

void session_hurry(struct session *t)
{
	if (t->does != SESSION_WAITS)
		return;
	wheel_cancel(&t->shard->wheel, &t->timer);
	wait_until(t, SESSION_WAITS, t->shard->now_ns);
}

void session_cut(struct session *t)
{
	struct shard *s = t->shard;

	switch (t->does) {
	case SESSION_WAITS:
		wheel_cancel(&s->wheel, &t->timer);
		break;
	case SESSION_QUEUES:
		wheel_cancel(&s->wheel, &t->timer);
		s->queueing--;
		break;
	case SESSION_CALLS:
		s->transport.cancel(s->transport.self, &t->call);
		s->calling--;
		break;
	case SESSION_UNWRITTEN:
		s->unwritten_count--;
		break;
	}
	let_go(t);
}

/* ---- answers ---- */

/* What was answered, or timed out: who was refused at once says nothing of how fast the target is. */
static void measure_call(struct session *t)
{
	const struct client_call *c = &t->call;

	if (c->err == OK)
		MEASURE(t, service, c->done_ns - c->sent_ns);
	if (c->err == OK || c->err == ERR_TARGET_TIMEOUT)
		MEASURE(t, response, (t->late_ns > 0 ? t->late_ns : 0) + c->done_ns - t->started_ns);
}

/* 429: everybody waits as long as the target asks for, a second and more if it does not say; then this request is
 * sent again, a few times. */
static void hold(struct session *t)
{
	struct shard *s = t->shard;
	struct limiter *l = &s->engine->limiter;
	int64_t ms = t->call.retry_after_ms >= 0 ? t->call.retry_after_ms : (int64_t)HOLD_DEFAULT_MS << t->holds;
	bool first = limiter_held_until(l) <= s->now_ns;

	ms = ms < HOLD_MAX_MS ? ms : HOLD_MAX_MS;
	limiter_hold(l, s->now_ns, s->now_ns + ms * NS_PER_MS);
	if (first)
		engine_tell(s->engine, NEWS_HELD, "the target answers 429: no request for %lld ms", (long long)ms);
	s->counts.held_429++;
	t->holds++;
	queues(t);
}

static void take_answer(struct session *t)
{
	const struct client_call *c = &t->call;

	if (c->err == OK && c->status == 429 && t->holds < HOLDS_MAX) {
		hold(t);
		return;
	}
	journey_answer(t->journey, &(struct journey_reply){.err = c->err, .status = c->status, .body = c->answer});
	t->due_ns = t->shard->now_ns;
	session_go(t);
}

void session_answered(void *shard, struct client_call *c)
{
	struct shard *s = shard;
	struct session *t = CONTAINER_OF(c, struct session, call);

	pthread_mutex_lock(&s->lock);
	s->now_ns = runclock_now(&s->engine->clock);
	s->calling--;
	measure_call(t);
	engine_call_ended(s->engine, c);
	take_answer(t);
	pthread_mutex_unlock(&s->lock);
}
