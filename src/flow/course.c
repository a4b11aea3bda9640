/*
 * Where an execution stands. It follows from its steps; this is the table of what may follow what, and any other
 * move is a bug and stops the program.
 */
#include "flow/flow_priv.h"

#include <inttypes.h>

#define TO(state) (1u << (state))
#define ENDS      (TO(EXECUTION_COMPLETED) | TO(EXECUTION_FAILED) | TO(EXECUTION_CANCELLED))

static const uint8_t may_become[] = {
	[EXECUTION_PENDING] = TO(EXECUTION_QUEUED) | TO(EXECUTION_BLOCKED) | TO(EXECUTION_RETRYING) | ENDS,
	[EXECUTION_QUEUED] = TO(EXECUTION_IN_PROGRESS) | TO(EXECUTION_BLOCKED) | TO(EXECUTION_RETRYING) | ENDS,
	[EXECUTION_IN_PROGRESS] = TO(EXECUTION_BLOCKED) | TO(EXECUTION_RETRYING) | ENDS,
	[EXECUTION_BLOCKED] = TO(EXECUTION_QUEUED) | TO(EXECUTION_IN_PROGRESS) | TO(EXECUTION_RETRYING) | ENDS,
	[EXECUTION_RETRYING] = TO(EXECUTION_QUEUED) | TO(EXECUTION_IN_PROGRESS) | TO(EXECUTION_BLOCKED) | ENDS,
	[EXECUTION_COMPLETED] = 0,
	[EXECUTION_FAILED] = TO(EXECUTION_QUEUED) | TO(EXECUTION_BLOCKED) | TO(EXECUTION_RETRYING) | ENDS,
	[EXECUTION_CANCELLED] = TO(EXECUTION_QUEUED) | TO(EXECUTION_BLOCKED) | TO(EXECUTION_RETRYING) | ENDS,
};

static const enum execution_event_kind ending_kind[] = {
	[EXECUTION_COMPLETED] = FLOW_COMPLETED,
	[EXECUTION_FAILED] = FLOW_ERROR,
	[EXECUTION_CANCELLED] = FLOW_CANCELLED,
};

/* ---- what its steps say ---- */

bool execution_may_run(const struct flow *f, const struct flow_execution *e)
{
	return e->started_ms && !e->ended && !e->paused && !e->retry_ms && !flow_squad_is_paused(f, e->squad);
}

static enum execution_block block_of_step(const struct flow_step *s)
{
	if (s->asking.question)
		return BLOCK_QUESTION;
	return s->kind == STEP_APPROVAL ? BLOCK_APPROVAL : BLOCK_EVENT;
}

/* What a person has to see to comes first. */
static enum execution_block block_of_steps(const struct flow_execution *e)
{
	enum execution_block block = BLOCK_EVENT;

	for (size_t i = 0; i < e->steps_count && block != BLOCK_APPROVAL; i++)
		if (e->steps[i].state == STEP_WAITING && block_of_step(&e->steps[i]) != BLOCK_EVENT)
			block = block_of_step(&e->steps[i]);
	return block;
}

static enum execution_block block_of(const struct flow *f, const struct flow_execution *e)
{
	if (e->paused || flow_squad_is_paused(f, e->squad))
		return BLOCK_PAUSE;
	return e->standing[STEP_WAITING] ? block_of_steps(e) : BLOCK_NONE;
}

static enum execution_state state_of(const struct flow_execution *e, enum execution_block block)
{
	if (e->ended)
		return e->ended;
	if (!e->started_ms)
		return EXECUTION_PENDING;
	if (e->standing[STEP_RUNNING])
		return EXECUTION_IN_PROGRESS;
	if (e->retry_ms)
		return EXECUTION_RETRYING;
	if (block == BLOCK_PAUSE || (!e->standing[STEP_READY] && !e->full_ms && block != BLOCK_NONE))
		return EXECUTION_BLOCKED;
	return e->claimed ? EXECUTION_IN_PROGRESS : EXECUTION_QUEUED;
}

static void say_where_it_stands(struct flow *f, struct flow_execution *e, struct str by, struct str why)
{
	enum execution_block block = block_of(f, e);
	enum execution_state from = e->state, to = state_of(e, block);

	e->block = to == EXECUTION_BLOCKED ? (uint8_t)block : BLOCK_NONE;
	if (from == to)
		return;
	CHECK(may_become[from] & TO(to));
	e->state = (uint8_t)to;
	flow_tell(f, e,
		  &(struct flow_event){.kind = FLOW_STATUS,
				       .from = (int)from,
				       .to = (int)to,
				       .attempt = e->attempt,
				       .agent = by,
				       .text = why});
}

/* ---- ending ---- */

static void cancel_what_is_open(struct flow *f, struct flow_execution *e)
{
	for (size_t i = 0; i < e->steps_count; i++) {
		struct flow_step *s = &e->steps[i];

		if (s->state == STEP_COMPLETED || s->state == STEP_FAILED || s->state == STEP_CANCELLED)
			continue;
		if (s->asking.question)
			question_is_cancelled(f, e, s);
		step_leaves_queue(f, e, s, STR("the execution has ended"));
		step_moves(f, e, s, STEP_CANCELLED, &(struct cause){0});
	}
}

void execution_ends(struct flow *f, struct flow_execution *e, enum execution_state how, struct str by,
		    struct str why)
{
	cancel_what_is_open(f, e);
	e->ended = (uint8_t)how;
	e->retry_ms = e->full_ms = 0;
	e->why = arena_str(f->batch.arena, why);
	flow_count_out(f, e);
	say_where_it_stands(f, e, by, why);
	flow_tell(f, e,
		  &(struct flow_event){.kind = (int)ending_kind[how],
				       .from = -1,
				       .to = -1,
				       .attempt = e->attempt,
				       .agent = by,
				       .text = why});
}

/* ---- going on ---- */

static const struct flow_step *first_failure(const struct flow_execution *e)
{
	for (size_t i = 0; e->standing[STEP_FAILED] && i < e->steps_count; i++)
		if (e->steps[i].state == STEP_FAILED && !e->steps[i].optional)
			return &e->steps[i];
	return NULL;
}

static bool is_done(const struct flow_execution *e)
{
	return e->standing[STEP_COMPLETED] + e->standing[STEP_FAILED] == e->steps_count;
}

/* backoff · 2^(attempt - 1), at most an hour. */
static int64_t backoff_ms(const struct flow_execution *e)
{
	int64_t ms = e->backoff_ms;

	for (unsigned i = 1; i < e->attempt && ms < FLOW_RETRY_MAX_MS; i++)
		ms *= 2;
	return ms < FLOW_RETRY_MAX_MS ? ms : FLOW_RETRY_MAX_MS;
}

static void fail(struct flow *f, struct flow_execution *e, const struct flow_step *s)
{
	struct str error = s->ending ? s->ending->error : (struct str){0};

	execution_ends(f, e, EXECUTION_FAILED, (struct str){0},
		       arena_fmt(f->batch.arena, "the step %s failed%s%.*s", s->name->text, error.n ? ": " : "",
				 STRF(error)));
}

static void meet_failure(struct flow *f, struct flow_execution *e, const struct flow_step *s)
{
	if (s->kind == STEP_APPROVAL || e->attempt >= e->attempts_max)
		fail(f, e, s);
	else if (!e->retry_ms)
		e->retry_ms = f->batch.now_ms + backoff_ms(e);
}

static void begin_what_can(struct flow *f, struct flow_execution *e)
{
	for (size_t i = 0; i < e->steps_count && !e->full_ms; i++)
		if (e->steps[i].state == STEP_PENDING && e->steps[i].unmet == 0)
			step_begins(f, e, &e->steps[i]);
}

void execution_advance(struct flow *f, struct flow_execution *e)
{
	const struct flow_step *failure;

	if (execution_may_run(f, e))
		begin_what_can(f, e);
	failure = first_failure(e);
	if (failure && !e->ended)
		meet_failure(f, e, failure);
	if (!e->ended && e->started_ms && !failure && is_done(e))
		execution_ends(f, e, EXECUTION_COMPLETED, (struct str){0}, (struct str){0});
	say_where_it_stands(f, e, (struct str){0}, (struct str){0});
}

/* What failed, and what was cancelled by the end of an earlier life, begins again. */
void execution_retries(struct flow *f, struct flow_execution *e)
{
	e->retry_ms = 0;
	e->claimed = e->standing[STEP_RUNNING] > 0;
	if (e->attempt < UINT16_MAX)
		e->attempt++;
	for (size_t i = 0; i < e->steps_count; i++) {
		struct flow_step *s = &e->steps[i];

		if (s->state == STEP_CANCELLED || (s->state == STEP_FAILED && !s->optional))
			step_moves(f, e, s, STEP_PENDING, &(struct cause){0});
	}
}

void execution_holds(struct flow *f, struct flow_execution *e)
{
	for (size_t i = 0; i < e->steps_count; i++) {
		struct flow_step *s = &e->steps[i];

		if (s->state != STEP_READY)
			continue;
		step_leaves_queue(f, e, s, STR("the execution is paused"));
		step_moves(f, e, s, STEP_PENDING, &(struct cause){0});
	}
}
