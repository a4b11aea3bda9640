/*
 * One step of a journey: its loop, whether it is done at all, its request, what is made of the answer.
 */
#include "sim/journey_priv.h"

#include "sim/expr_priv.h"
#include "json/json.h"
#include "json/pick.h"

#include <string.h>

enum {
	MADE_BYTES_MAX = 64 << 10
}; /* of what is taken out of an answer and made into values; more stays as it came */

/* ---- the loop ---- */

static void each_turn(struct journey *j, const struct plan_step *step, struct expr_env *env)
{
	struct value list = expr_value(step->each, env), kept;

	if (list.kind != VALUE_LIST && list.kind != VALUE_NULL) {
		expr_fail(env, "for_each needs a list, not %s", value_kind_name(list.kind));
		return;
	}
	if (list.kind == VALUE_LIST && list.count > JOURNEY_LOOP_MAX) {
		expr_fail(env, "for_each goes through at most %d, not %u", JOURNEY_LOOP_MAX, list.count);
		return;
	}
	kept = value_keep(&list, &j->memory);
	j->turns = kept.kind == VALUE_LIST ? kept.count : 0;
	j->items = kept.items;
}

void journey_begin_step(struct journey *j)
{
	const struct plan_step *step = journey_step(j);
	struct expr_env *env = journey_env(j);
	double times;

	j->turn = 0;
	j->turns = 1;
	j->items = NULL;
	if (step->each)
		each_turn(j, step, env);
	if (step->repeat) {
		times = expr_number(step->repeat, env);
		if (times > JOURNEY_LOOP_MAX)
			expr_fail(env, "repeat is at most %d, not %g", JOURNEY_LOOP_MAX, times);
		j->turns = times > 0 ? (uint32_t)times : 0;
	}
	j->phase = PHASE_TURN;
	if (env->failed)
		journey_break(j, NULL);
}

/* ---- what a step changes ---- */

static void put_variable(struct journey *j, unsigned variable, const struct value *v)
{
	j->variables[variable] = value_keep(v, &j->memory);
}

static void do_sets(struct journey *j, const struct plan_set *sets, unsigned count, struct expr_env *env)
{
	for (unsigned i = 0; i < count && !env->failed; i++) {
		struct value v = expr_value(sets[i].value, env);

		put_variable(j, sets[i].variable, &v);
	}
}

static struct journey_event *new_event(struct journey *j)
{
	if (j->result.event_count == j->event_room) {
		uint32_t room = j->event_room ? 2 * j->event_room : 8;
		struct journey_event *events = memory_take(&j->memory, room * sizeof(*events));

		if (!events)
			return NULL;
		if (j->event_room)
			memcpy(events, j->events, j->event_room * sizeof(*events));
		j->events = events;
		j->event_room = room;
	}
	j->result.events = j->events;
	return &j->events[j->result.event_count++];
}

static void do_event(struct journey *j, const struct plan_event *e, struct expr_env *env)
{
	struct buf *b = &j->room->payload;
	struct journey_event *event;

	buf_reset(b);
	for (unsigned i = 0; i < e->count; i++) {
		struct value v = expr_value(e->values[i], env);

		buf_c(b, i ? ',' : '{');
		buf_json_text(b, e->names[i]);
		buf_c(b, ':');
		value_json(&v, b);
	}
	buf_z(b, e->count ? "}" : "{}");
	event = env->failed ? NULL : new_event(j);
	if (event)
		*event = (struct journey_event){e->type, j->now_ms, memory_str(&j->memory, buf_str(b))};
}

static void do_rest(struct journey *j, struct expr_env *env)
{
	const struct plan_step *step = journey_step(j);

	do_sets(j, step->sets, step->set_count, env);
	if (step->event && !env->failed)
		do_event(j, step->event, env);
	j->phase = PHASE_THINK;
	if (env->failed)
		journey_break(j, NULL);
	else if (j->memory.overflowed)
		journey_break(j, "needs more memory than a session has, 1 MiB");
}

void journey_think(struct journey *j)
{
	const struct plan_step *step = journey_step(j);
	struct expr_env *env = journey_env(j);

	j->wait_s = step->think ? expr_number(step->think, env) : 0;
	j->phase = PHASE_NEXT;
	if (env->failed)
		journey_break(j, NULL);
}

/* ---- whether ---- */

static bool is_done(const struct plan_step *step, struct expr_env *env)
{
	if (step->when && !expr_truth(step->when, env))
		return false;
	return !step->chance || draws_unit(env->draws) < expr_number(step->chance, env);
}

void journey_take_turn(struct journey *j)
{
	const struct plan_step *step = journey_step(j);
	struct expr_env *env = journey_env(j);
	bool done = is_done(step, env);

	if (env->failed) {
		journey_break(j, NULL);
	} else if (!done) {
		j->phase = PHASE_NEXT;
	} else if (step->request) {
		j->tries = 0;
		journey_ask(j);
	} else {
		do_rest(j, env);
	}
}

/* ---- the request ---- */

/* Path, headers and body one after the other in the room's buffer, then in one piece of the journey's memory. */
static bool write_request(struct journey *j, const struct plan_request *r, struct expr_env *env)
{
	struct buf *b = &j->room->request;
	size_t path, headers;
	struct str all;

	buf_reset(b);
	template_write(&r->path, env, b);
	path = b->n;
	template_write(&r->headers, env, b);
	headers = b->n - path;
	template_write(&r->body, env, b);
	all = memory_str(&j->memory, buf_str(b));
	if (!env->failed && (!buf_ok(b) || all.n != b->n))
		expr_fail(env, "the request is too large: a session has 1 MiB");
	if (env->failed)
		return false;
	j->request.path = (struct str){all.p, path};
	j->request.headers = (struct str){all.p + path, headers};
	j->request.body = (struct str){all.p + path + headers, all.n - path - headers};
	return true;
}

void journey_ask(struct journey *j)
{
	const struct plan_request *r = journey_step(j)->request;

	j->before_request = memory_mark(&j->memory);
	j->request =
		(struct journey_request){.endpoint = r->endpoint, .method = r->method, .timeout_ms = r->timeout_ms};
	j->phase = PHASE_ASKED;
	if (!j->run->mocked && !write_request(j, r, journey_env(j)))
		journey_break(j, NULL);
}

/* ---- the answer ---- */

static bool is_among(int status, const int *statuses, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (statuses[i] == status)
			return true;
	return false;
}

static bool is_good_status(const struct plan_request *r, int status)
{
	if (r->status_count == 0)
		return status >= 200 && status <= 299;
	return is_among(status, r->statuses, r->status_count);
}

static bool is_tried_again(const struct plan_retry *retry, enum err e, int status, unsigned tries)
{
	unsigned cause = e == ERR_TARGET_TIMEOUT   ? RETRY_TIMEOUT
			 : e == ERR_TARGET_REFUSED ? RETRY_REFUSED
			 : e == ERR_TARGET_CLOSED  ? RETRY_CLOSED
						   : 0;

	if (tries > retry->times)
		return false;
	return e ? (retry->causes & cause) != 0 : is_among(status, retry->statuses, retry->status_count);
}

static void say_failure(struct journey *j, enum err e, bool was_good)
{
	struct str name = j->run->scenario->endpoints[j->request.endpoint];

	if (e)
		journey_fail_text(j, "%.*s: %s", STRF(name), err_info(e)->title);
	else if (was_good)
		journey_fail_text(j, "%.*s: %d, but not the answer that was expected", STRF(name), j->status);
	else
		journey_fail_text(j, "%.*s: %d", STRF(name), j->status);
}

/* Tries again, or goes where a failure leads. The second failure on that way ends it. */
static void request_failed(struct journey *j, enum err e, bool was_good)
{
	const struct plan_request *r = journey_step(j)->request;
	struct expr_env *env = &j->room->env;

	j->result.failed_calls++;
	j->tries++;
	if (is_tried_again(&r->retry, e, j->status, j->tries)) {
		j->result.retries++;
		j->wait_s = expr_number(r->retry.wait, env);
		j->phase = PHASE_AGAIN;
		if (env->failed)
			journey_break(j, NULL);
		return;
	}
	say_failure(j, e, was_good);
	if (r->fail == NOWHERE || j->failing) {
		journey_finish(j, j->run->scenario->failed);
		return;
	}
	j->failing = true;
	j->state = r->fail;
	j->phase = PHASE_STATE;
}

/* What is taken out of an answer is JSON, or is not taken. */
static struct value extracted(struct journey *j, struct str pointer)
{
	struct str json;

	if (!pick_pointer(j->body, pointer, &json) || json_check(json, NULL))
		return (struct value){0};
	if (json.n <= MADE_BYTES_MAX)
		return value_made_of_json(json, false, &j->room->scratch);
	return value_of_json(json, false, &j->room->scratch);
}

static void do_extracts(struct journey *j, const struct plan_step *step)
{
	for (unsigned i = 0; i < step->extract_count; i++) {
		struct value v = extracted(j, step->extracts[i].pointer);

		put_variable(j, step->extracts[i].variable, &v);
	}
}

void journey_answer(struct journey *j, const struct journey_reply *reply)
{
	const struct plan_step *step = journey_step(j);
	struct expr_env *env = journey_env(j);
	bool good_status;

	memory_back_to(&j->memory, j->before_request);
	j->result.calls++;
	j->status = reply->err ? 0 : reply->status;
	j->body = reply->body;
	good_status = !reply->err && is_good_status(step->request, j->status);
	if (good_status && (!step->request->where || expr_truth(step->request->where, env))) {
		do_extracts(j, step);
		do_rest(j, env);
	} else if (env->failed) {
		journey_break(j, NULL);
	} else {
		request_failed(j, reply->err, good_status);
	}
	j->body = (struct str){0};
}

void journey_answer_mock(struct journey *j)
{
	const struct plan_step *step = journey_step(j);
	const struct plan_request *r = step->request;
	struct expr_env *env = journey_env(j);
	bool fails = r->mock_fails && draws_unit(&j->draws) < expr_number(r->mock_fails, env);

	memory_back_to(&j->memory, j->before_request);
	j->result.calls++;
	j->status = fails ? 503 : r->mock_status;
	if (env->failed) {
		journey_break(j, NULL);
	} else if (!is_good_status(r, j->status)) {
		request_failed(j, OK, false);
	} else {
		do_sets(j, step->mock_sets, step->mock_set_count, env);
		do_rest(j, env);
	}
}
