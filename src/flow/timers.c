/* One heap of executions by what is due first in each. */
#include "flow/flow_priv.h"

static int64_t earlier(int64_t a, int64_t b)
{
	return b && b < a ? b : a;
}

int64_t execution_due_ms(const struct flow_execution *e)
{
	int64_t due = NEVER_MS;

	if (e->ended)
		return due;
	due = earlier(due, e->deadline_ms);
	due = earlier(due, e->full_ms);
	if (!e->paused)
		due = earlier(due, e->retry_ms);
	for (size_t i = 0; e->standing[STEP_WAITING] && i < e->steps_count; i++)
		if (e->steps[i].state == STEP_WAITING)
			due = earlier(earlier(due, e->steps[i].until_ms), e->steps[i].asking.due_ms);
	return due;
}

bool flow_due_before(const void *a, const void *b)
{
	const struct flow_execution *one = a, *other = b;

	return one->due_ms != other->due_ms ? one->due_ms < other->due_ms : one->id < other->id;
}

static void time_came(struct flow *f, struct flow_execution *e, struct flow_step *s)
{
	if (s->asking.question)
		question_time_came(f, e, s);
	else if (s->kind == STEP_WAIT)
		step_ends(f, e, s, STEP_COMPLETED, &(struct cause){0});
	else
		step_ends(f, e, s, STEP_FAILED, &(struct cause){.ending.error = STR("nobody approved in time")});
}

static bool is_due(const struct flow *f, int64_t ms)
{
	return ms && ms <= f->batch.now_ms;
}

static void apply_waits(struct flow *f, struct flow_execution *e)
{
	for (size_t i = 0; e->standing[STEP_WAITING] && i < e->steps_count; i++) {
		struct flow_step *s = &e->steps[i];

		if (s->state == STEP_WAITING && (is_due(f, s->until_ms) || is_due(f, s->asking.due_ms)))
			time_came(f, e, s);
	}
}

static void apply(struct flow *f, struct flow_execution *e)
{
	execution_touch(f, e);
	if (is_due(f, e->deadline_ms)) {
		execution_ends(f, e, EXECUTION_FAILED, (struct str){0}, STR("its deadline passed"));
	} else {
		apply_waits(f, e);
		if (is_due(f, e->full_ms))
			e->full_ms = 0;
		if (is_due(f, e->retry_ms) && !e->paused)
			execution_retries(f, e);
		execution_advance(f, e);
	}
	execution_arrange(f, e);
}

bool flow_tick(struct flow *f, size_t max)
{
	CHECK(f->batch.open);
	for (size_t i = 0; i < max && flow_next_due_ms(f) <= f->batch.now_ms; i++) {
		apply(f, heap_peek(&f->timers));
		flow_follow(f);
	}
	return flow_next_due_ms(f) <= f->batch.now_ms;
}

int64_t flow_next_due_ms(const struct flow *f)
{
	const struct flow_execution *e = heap_peek(&f->timers);

	return e ? e->due_ms : NEVER_MS;
}
