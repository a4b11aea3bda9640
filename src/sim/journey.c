/*
 * Journeys begin, go from state to state, and end.
 */
#include "sim/journey_priv.h"

#include "base/magic.h"
#include "sim/expr_priv.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- rooms ---- */

struct journey_room *journey_room_new(void)
{
	struct journey_room *r = NEW(struct journey_room);

	r->scratch = (struct memory){.stock = &r->stock, .max = JOURNEY_BYTES_MAX};
	r->text = r->request = r->payload = BUF_INIT(JOURNEY_BYTES_MAX);
	r->env.memory = &r->scratch;
	r->env.text = &r->text;
	r->env.fact = journey_fact;
	return r;
}

void journey_room_free(struct journey_room **r)
{
	if (!*r)
		return;
	memory_clear(&(*r)->scratch);
	memory_stock_free(&(*r)->stock);
	buf_free(&(*r)->text);
	buf_free(&(*r)->request);
	buf_free(&(*r)->payload);
	free(*r);
	*r = NULL;
}

uint64_t journey_room_bytes(const struct journey_room *r)
{
	return sizeof(*r) + r->stock.bytes + r->text.cap + r->request.cap + r->payload.cap;
}

struct expr_env *journey_env(struct journey *j)
{
	struct expr_env *env = &j->room->env;

	memory_clear(&j->room->scratch);
	env->parameters = j->run->scenario->cohorts[j->start.cohort].parameters;
	env->variables = j->variables;
	env->tables = j->run->scenario->table_values;
	env->draws = &j->draws;
	env->ctx = j;
	env->failed = false;
	if (j->items)
		env->items[0] = j->turn < j->turns ? j->items[j->turn] : (struct value){0};
	return env;
}

/* ---- beginning and ending ---- */

static const double nothing_kept[RECORD_KEPT_MAX] = {
	(double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN,
};

static unsigned first_state(const struct scenario *s, enum journey_kind kind)
{
	switch (kind) {
	case JOURNEY_SESSION:
		return s->start;
	case JOURNEY_IDLE:
		return s->idle;
	case JOURNEY_OFFERS:
		return s->offer_state;
	case JOURNEY_CLEANUP:
		return s->cleanup;
	}
	return NOWHERE;
}

static void begin_variables(struct journey *j)
{
	const struct scenario *s = j->run->scenario;
	struct expr_env *env;

	j->variables = memory_take(&j->memory, s->variable_count * sizeof(*j->variables));
	if (s->variable_count)
		memcpy(j->variables, s->initial, s->variable_count * sizeof(*j->variables));
	if (s->initial_is_constant)
		return;
	env = journey_env(j);
	for (unsigned i = 0; i < s->variable_count; i++)
		if (s->initial_expr[i]) {
			struct value v = expr_value(s->initial_expr[i], env);

			j->variables[i] = value_keep(&v, &j->memory);
		}
	if (env->failed)
		journey_break(j, NULL);
}

static void count_offers(struct journey *j)
{
	struct offers *o = &j->room->offers;

	offers_of(&j->run->scenario->offers, j->run->seed, j->start.agent, j->start.offer_period, o);
	j->result.offers = o->count;
	j->result.offers_short = o->short_front + o->short_other;
}

/* Most idle agents stay where they are: that is decided before anything is made for them. */
static bool stays(struct journey *j)
{
	const struct expr *p = j->run->scenario->idle_probability;
	struct expr_env *env;
	bool goes;

	if (j->start.kind != JOURNEY_IDLE)
		return false;
	env = journey_env(j);
	goes = draws_unit(&j->draws) < expr_number(p, env);
	return !goes || env->failed;
}

struct journey *journey_begin(struct journey_room *r, const struct journey_run *run,
			      const struct journey_start *start)
{
	struct memory m = {.stock = &r->stock, .max = JOURNEY_BYTES_MAX};
	struct journey *j = memory_take(&m, sizeof(*j));

	*j = (struct journey){.room = r, .run = run, .start = *start, .memory = m, .now_ms = start->now_ms};
	j->draws = journey_draws(run, start, false);
	j->state = first_state(run->scenario, start->kind);
	j->result.kept = nothing_kept;
	j->result.outcome = run->scenario->completed;
	if (j->state == NOWHERE || stays(j)) {
		j->phase = PHASE_ENDED;
		return j;
	}
	begin_variables(j);
	if (start->kind == JOURNEY_OFFERS)
		count_offers(j);
	return j;
}

void journey_end(struct journey_room *r, struct journey **j)
{
	struct memory m = (*j)->memory;

	CHECK(m.stock == &r->stock);
	memory_clear(&m);
	*j = NULL;
}

static void keep_values(struct journey *j)
{
	const size_t bytes = sizeof(nothing_kept);
	const struct scenario *s = j->run->scenario;
	struct expr_env *env = journey_env(j);
	double *kept;

	/* There is always room for it, also when that was what the journey came to. */
	j->memory.max += bytes;
	j->memory.overflowed = false;
	kept = memory_take(&j->memory, bytes);
	memcpy(kept, nothing_kept, bytes);
	for (unsigned i = 0; i < s->file.keep_count; i++) {
		kept[i] = expr_number(s->kept[i], env);
		if (env->failed)
			kept[i] = (double)NAN;
		env->failed = false;
	}
	j->result.kept = kept;
}

void journey_finish(struct journey *j, unsigned outcome)
{
	const struct scenario *s = j->run->scenario;

	if (j->start.kind != JOURNEY_SESSION && s->file.outcomes[outcome].kind != SCENARIO_FAILED)
		outcome = s->completed;
	j->result.outcome = outcome;
	if (j->start.kind == JOURNEY_SESSION)
		keep_values(j);
	j->phase = PHASE_ENDED;
}

void journey_fail_text(struct journey *j, const char *fmt, ...)
{
	char text[256];
	va_list args;

	if (j->result.failure.n)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* There is always room for what went wrong, also when it was that there is none. */
	j->memory.max += sizeof(text);
	j->memory.overflowed = false;
	j->result.failure = memory_str(&j->memory, str_of(text));
}

void journey_break(struct journey *j, const char *why)
{
	const struct plan_state *state = journey_state(j);

	journey_fail_text(j, "state %.*s, step %u: %s", STRF(state->name), j->step + 1,
			  why ? why : j->room->env.failure);
	journey_finish(j, j->run->scenario->failed);
}

/* ---- ways on ---- */

static double edge_weight(const struct plan_edge *edge, struct expr_env *env)
{
	double weight;

	if (edge->when && !expr_truth(edge->when, env))
		return 0;
	weight = expr_number(edge->weight, env);
	if (weight < 0)
		expr_fail(env, "the weight of a way on is %g", weight);
	return weight;
}

/* One of the edges by their weights; the last that is open takes what rounding left over. */
static unsigned draw_edge(const struct plan_state *state, struct expr_env *env)
{
	double weights[64], sum = 0, at;
	unsigned open = NOWHERE;

	for (unsigned i = 0; i < state->edge_count; i++) {
		weights[i] = edge_weight(&state->edges[i], env);
		sum += weights[i];
	}
	if (env->failed)
		return NOWHERE;
	at = state->edge_count > 1 ? draws_unit(env->draws) * sum : 0;
	for (unsigned i = 0; i < state->edge_count; i++) {
		if (weights[i] <= 0)
			continue;
		open = i;
		at -= weights[i];
		if (at < 0)
			break;
	}
	return open;
}

static void leave_state(struct journey *j)
{
	const struct plan_state *state = journey_state(j);
	struct expr_env *env;
	unsigned edge;

	if (state->end != NOWHERE) {
		journey_finish(j, state->end);
		return;
	}
	env = journey_env(j);
	edge = draw_edge(state, env);
	if (edge == NOWHERE) {
		journey_break(j, env->failed ? NULL : "all ways on are closed: their weights have the sum 0");
		return;
	}
	j->state = state->edges[edge].to;
	j->phase = PHASE_STATE;
}

/* ---- the state machine ---- */

static void enter_state(struct journey *j)
{
	j->step = 0;
	j->items = NULL;
	j->phase = PHASE_STEP;
}

static void next_step(struct journey *j)
{
	if (j->step == journey_state(j)->step_count)
		leave_state(j);
	else
		journey_begin_step(j);
}

static void next_turn(struct journey *j)
{
	if (j->turn < j->turns) {
		journey_take_turn(j);
		return;
	}
	j->items = NULL;
	j->step++;
	j->phase = PHASE_STEP;
}

static void go_on(struct journey *j)
{
	switch (j->phase) {
	case PHASE_STATE:
		enter_state(j);
		return;
	case PHASE_STEP:
		next_step(j);
		return;
	case PHASE_TURN:
		next_turn(j);
		return;
	case PHASE_AGAIN:
		journey_ask(j);
		return;
	case PHASE_THINK:
		journey_think(j);
		return;
	case PHASE_NEXT:
		j->turn++;
		j->phase = PHASE_TURN;
		return;
	case PHASE_ASKED:
	case PHASE_ENDED:
		return;
	}
}

enum journey_want journey_next(struct journey *j, int64_t now_ms)
{
	j->now_ms = now_ms;
	if (j->waited)
		j->wait_s = 0;
	j->waited = false;
	while (j->phase != PHASE_ASKED && j->phase != PHASE_ENDED) {
		if (j->wait_s > 0) {
			j->waited = true;
			return WANT_WAIT;
		}
		if (++j->steps > JOURNEY_STEPS_MAX)
			journey_break(j, "it has taken more than 100000 steps");
		else
			go_on(j);
	}
	return j->phase == PHASE_ASKED ? WANT_REQUEST : WANT_NOTHING;
}

const struct journey_request *journey_request(const struct journey *j)
{
	return &j->request;
}

double journey_wait_s(const struct journey *j)
{
	return j->wait_s;
}

const struct journey_result *journey_result(const struct journey *j)
{
	return &j->result;
}
