/* See rows.h. What a batch writes; loading is in rows_load.c, the items of steps in rows_item.c. */
#include "flow/events.h"
#include "flow/flow_priv.h"
#include "flow/rows_priv.h"

#include <stdlib.h>

/* ---- life ---- */

struct flow_rows *flow_rows_new(const struct flow_rows_config *config)
{
	struct flow_rows *r = NEW(struct flow_rows);

	r->config = *config;
	r->inputs = bodies_new(FLOW_INPUTS_MAX_BYTES);
	r->rows = NEW(struct flow_batch_rows);
	r->rows->told = BUF_INIT(SIZE_MAX);
	return r;
}

void flow_rows_destroy(struct flow_rows **pr)
{
	struct flow_rows *r = *pr;

	*pr = NULL;
	if (!r)
		return;
	flow_destroy(&r->flow);
	bodies_destroy(&r->inputs);
	flow_rows_forget_spent(r);
	VEC_FREE(&r->rows->executions);
	VEC_FREE(&r->rows->changes);
	VEC_FREE(&r->rows->steps);
	VEC_FREE(&r->rows->step_changes);
	VEC_FREE(&r->rows->events);
	VEC_FREE(&r->rows->squads);
	VEC_FREE(&r->rows->tasks);
	VEC_FREE(&r->rows->costs);
	VEC_FREE(&r->rows->order);
	VEC_FREE(&r->rows->questions);
	VEC_FREE(&r->rows->question_changes);
	VEC_FREE(&r->rows->question_turns);
	map_free(&r->rows->by_question);
	map_free(&r->rows->by_step);
	map_free(&r->rows->by_task);
	map_free(&r->rows->texts);
	buf_free(&r->rows->told);
	free(r->rows);
	free(r);
}

/* ---- a batch ---- */

void flow_rows_begin(struct flow_rows *r, int64_t now_ms)
{
	flow_begin(r->flow, now_ms);
	if (r->fresh)
		flow_loaded(r->flow);
}

bool flow_rows_dirty(const struct flow_rows *r)
{
	size_t i = 0;
	struct flow_change change;

	return r->rows->squads.n > 0 || r->rows->costs.n > 0 || flow_next_change(r->flow, &i, &change);
}

static void forget(struct flow_batch_rows *rows)
{
	rows->executions.n = rows->changes.n = rows->steps.n = rows->step_changes.n = rows->events.n = 0;
	rows->order.n = rows->tasks.n = 0;
	rows->questions.n = rows->question_changes.n = rows->question_turns.n = 0;
	map_free(&rows->by_step);
	map_free(&rows->by_question);
	map_free(&rows->by_task);
	buf_reset(&rows->told);
}

void flow_rows_end(struct flow_rows *r, enum err outcome)
{
	if (outcome)
		flow_undo(r->flow);
	else
		flow_commit(r->flow);
	if (!outcome && r->rows->events.n > 0)
		flow_log_append(r->config.log, r->config.persist->next_batch, r->rows->events.v, r->rows->events.n);
	r->fresh = r->fresh && outcome;
	map_free(&r->rows->texts);
	if (!outcome)
		flow_rows_costs_stored(r);
	r->rows->squads.n = r->rows->costs.n = 0;
	forget(r->rows);
}

/* ---- executions to rows ---- */

static int64_t finished_ms(const struct flow_execution *e)
{
	return e->ended ? e->changed_ms : 0;
}

static struct execution_row row_of(const struct flow_rows *r, const struct flow_execution *e)
{
	const struct flow_texts *texts = map_get(&r->rows->texts, (uint64_t)e->id);

	return (struct execution_row){.id = e->id,
				      .tenant = e->tenant,
				      .squad = e->squad,
				      .task = e->task,
				      .name = texts->name,
				      .state = e->state,
				      .block = e->block,
				      .priority = e->priority,
				      .paused = e->paused,
				      .claimed = e->claimed,
				      .attempt = e->attempt,
				      .attempts_max = e->attempts_max,
				      .backoff_ms = e->backoff_ms,
				      .deadline_ms = e->deadline_ms,
				      .retry_ms = e->retry_ms,
				      .created_ms = e->created_ms,
				      .started_ms = e->started_ms,
				      .changed_ms = e->changed_ms,
				      .finished_ms = finished_ms(e),
				      .last_event = e->last_event,
				      .created_by = texts->created_by,
				      .why = e->why};
}

static struct execution_change_row change_of(const struct flow_execution *e)
{
	return (struct execution_change_row){.id = e->id,
					     .state = e->state,
					     .block = e->block,
					     .paused = e->paused,
					     .claimed = e->claimed,
					     .attempt = e->attempt,
					     .deadline_ms = e->deadline_ms,
					     .retry_ms = e->retry_ms,
					     .started_ms = e->started_ms,
					     .changed_ms = e->changed_ms,
					     .finished_ms = finished_ms(e),
					     .last_event = e->last_event,
					     .why = e->why};
}

/* Of several executions of a task the newest counts: the store is given each row once. */
static void note_task(struct flow_rows *r, const struct flow_execution *e)
{
	const struct flow_execution *other = e->task ? map_get(&r->rows->by_task, (uint64_t)e->task) : NULL;

	if (e->task && (!other || other->id < e->id))
		map_put(&r->rows->by_task, (uint64_t)e->task, (void *)(uintptr_t)e);
}

/* A task stands where its execution does. */
static void collect_task(struct flow_rows *r, const struct flow_execution *e)
{
	static const uint8_t stands[] = {
		[EXECUTION_PENDING] = TASK_PENDING,         [EXECUTION_QUEUED] = TASK_IN_PROGRESS,
		[EXECUTION_IN_PROGRESS] = TASK_IN_PROGRESS, [EXECUTION_BLOCKED] = TASK_BLOCKED,
		[EXECUTION_RETRYING] = TASK_IN_PROGRESS,    [EXECUTION_COMPLETED] = TASK_COMPLETED,
		[EXECUTION_FAILED] = TASK_FAILED,           [EXECUTION_CANCELLED] = TASK_PENDING};

	if (e->task && map_get(&r->rows->by_task, (uint64_t)e->task) == e)
		*VEC_PUSH(&r->rows->tasks) =
			(struct task_status_row){e->task, stands[e->state], r->config.persist->now_ms};
}

/* ---- steps to rows ---- */

static struct str needs_blob(struct flow_rows *r, const struct flow_step *s)
{
	struct buf b = BUF_INIT(0);
	struct str copy;

	for (size_t i = 0; i < s->needs_count; i++)
		buf_varint(&b, s->needs[i]);
	copy = s->needs_count ? arena_str(r->config.persist->arena, buf_str(&b)) : (struct str){0};
	buf_free(&b);
	return copy;
}

static enum err collect_new_step(struct flow_rows *r, const struct flow_execution *e, size_t place)
{
	const struct flow_step *s = &e->steps[place];
	struct str input;
	enum err err = flow_rows_input(r, e, s, &input);

	*VEC_PUSH(&r->rows->steps) = (struct step_row){.execution = e->id,
						       .place = (int64_t)place,
						       .id = s->id,
						       .member = s->member,
						       .kind = s->kind,
						       .name = name_str(s->name),
						       .awaited = name_str(s->awaited),
						       .until_ms = s->until_ms,
						       .timeout_ms = s->timeout_ms,
						       .attempts_max = s->attempts_max,
						       .optional = s->optional,
						       .needs = needs_blob(r, s),
						       .input = input,
						       .state = STEP_PENDING,
						       .phase = s->phase};
	return err;
}

static bool is_over(const struct flow_step *s)
{
	return s->state == STEP_COMPLETED || s->state == STEP_FAILED || s->state == STEP_CANCELLED;
}

static void collect_step(struct flow_rows *r, const struct flow_execution *e, size_t place)
{
	const struct flow_step *s = &e->steps[place];
	struct flow_batch_rows *rows = r->rows;
	struct flow_ending none = {0};
	const struct flow_ending *ending = s->ending ? s->ending : &none;

	*VEC_PUSH(&rows->step_changes) =
		(struct step_change_row){.execution = e->id,
					 .place = (int64_t)place,
					 .state = s->state,
					 .progress = s->progress,
					 .signalled = s->signalled,
					 .item = s->item,
					 .questions = s->questions,
					 .finished_ms = is_over(s) ? r->config.persist->now_ms : 0,
					 .error = ending->error,
					 .used = ending->used,
					 .result = ending->result};
	map_put(&rows->by_step, (uint64_t)s->id, (void *)(uintptr_t)rows->step_changes.n);
}

static enum err collect_steps(struct flow_rows *r, const struct flow_change *c)
{
	const struct flow_execution *e = c->execution;
	enum err err = OK;

	for (size_t i = c->steps_before; i < e->steps_count && !err; i++)
		err = collect_new_step(r, e, i);
	for (size_t i = 0; i < e->steps_count; i++)
		if (e->steps[i].touched)
			collect_step(r, e, i);
	return err;
}

/* Who took which step, and when, is told by the events alone. */
static void note_taken(struct flow_rows *r, const struct flow_event *event)
{
	uintptr_t place = (uintptr_t)map_get(&r->rows->by_step, (uint64_t)event->step);
	struct step_change_row *row = place ? &r->rows->step_changes.v[place - 1] : NULL;

	if (!row)
		return;
	row->agent = event->agent;
	row->attempt = event->attempt;
	row->started_ms = event->at_ms;
}

/* ---- events to rows ---- */

/* The events' places, those of each execution together: a counting sort by touch. order[i] is behind order[i - 1]. */
static void put_in_order(struct flow_rows *r, const struct flow_event *events, size_t count, size_t *ends)
{
	size_t *order = r->rows->order.v;

	for (size_t i = 0; i < count; i++)
		ends[events[i].execution->touch]++;
	for (size_t t = 1; t <= r->flow->batch.touches.n; t++)
		ends[t] += ends[t - 1];
	for (size_t i = count; i-- > 0;)
		order[--ends[events[i].execution->touch]] = i;
}

static void collect_events_of(struct flow_rows *r, const struct flow_event *events, const size_t *order,
			      size_t count)
{
	const struct flow_event *first = &events[order[0]];
	size_t begin = r->rows->told.n;

	for (size_t i = 0; i < count; i++)
		execution_event_encode(&r->rows->told, &events[order[i]], order[i]);
	*VEC_PUSH(&r->rows->events) = (struct execution_event_row){.execution = first->execution->id,
								   .first = first->number,
								   .tenant = first->execution->tenant,
								   .squad = first->execution->squad,
								   .seq = r->config.persist->next_batch,
								   .at_ms = first->at_ms,
								   .events = {NULL, r->rows->told.n - begin}};
}

static void collect_events(struct flow_rows *r)
{
	size_t count, touches = r->flow->batch.touches.n;
	const struct flow_event *events = flow_events(r->flow, &count);
	size_t *ends = ARENA_ARRAY(r->config.persist->arena, size_t, touches + 2);

	while (r->rows->order.n < count)
		*VEC_PUSH(&r->rows->order) = 0;
	put_in_order(r, events, count, ends);
	ends[touches + 1] = count;
	for (size_t t = 1; t <= touches; t++)
		if (ends[t + 1] > ends[t])
			collect_events_of(r, events, r->rows->order.v + ends[t], ends[t + 1] - ends[t]);
	for (size_t i = 0; i < count; i++)
		if (events[i].kind == FLOW_STEP_STATUS && events[i].to == STEP_RUNNING)
			note_taken(r, &events[i]);
	for (size_t i = 0; i < count; i++)
		if (events[i].asking.question)
			flow_rows_collect_question(r, &events[i]);
}

/* The buffer stands still only now. */
static void place_events(struct flow_batch_rows *rows)
{
	size_t at = 0;

	for (size_t i = 0; i < rows->events.n; i++) {
		rows->events.v[i].events.p = rows->told.p + at;
		at += rows->events.v[i].events.n;
	}
}

/* ---- writing ---- */

static enum err collect(struct flow_rows *r)
{
	struct flow_change c;
	enum err err = OK;

	forget(r->rows);
	for (size_t i = 0; !err && flow_next_change(r->flow, &i, &c);) {
		if (c.was_live || c.was_ended)
			*VEC_PUSH(&r->rows->changes) = change_of(c.execution);
		else
			*VEC_PUSH(&r->rows->executions) = row_of(r, c.execution);
		note_task(r, c.execution);
		err = collect_steps(r, &c);
	}
	for (size_t i = 0; !err && flow_next_change(r->flow, &i, &c);)
		collect_task(r, c.execution);
	if (err)
		return err;
	collect_events(r);
	place_events(r->rows);
	return buf_ok(&r->rows->told) ? OK : ERR_TOO_LARGE;
}

#define WRITE(query, vec) \
	if (!err)         \
	err = query(db, (vec).v, (vec).n)

enum err flow_rows_flush(struct flow_rows *r, struct db *db)
{
	enum err err = collect(r);

	WRITE(q_execution_insert, r->rows->executions);
	WRITE(q_execution_update, r->rows->changes);
	WRITE(q_step_insert, r->rows->steps);
	WRITE(q_step_update, r->rows->step_changes);
	WRITE(q_execution_event_insert, r->rows->events);
	WRITE(q_squad_update, r->rows->squads);
	WRITE(q_task_status_update, r->rows->tasks);
	WRITE(q_question_insert, r->rows->questions);
	WRITE(q_question_update, r->rows->question_changes);
	WRITE(q_question_turn_insert, r->rows->question_turns);
	WRITE(q_cost_entry_insert, r->rows->costs);
	return err;
}

#undef WRITE

/* ---- for handlers ---- */

enum err flow_rows_add(struct flow_rows *r, const struct flow_spec *spec, const struct flow_texts *texts,
		       struct flow_execution **out, struct problem *p)
{
	enum err err;

	flow_rows_keep_inputs(r, spec->steps, spec->steps_count, texts);
	err = flow_add(r->flow, spec, out, p);
	if (!err)
		map_put(&r->rows->texts, (uint64_t)spec->id, (void *)(uintptr_t)texts);
	return err;
}

enum err flow_rows_extend(struct flow_rows *r, int64_t tenant, int64_t id, const struct flow_step_spec *steps,
			  size_t count, const struct flow_texts *texts, struct str by, struct flow_execution **out,
			  struct problem *p)
{
	flow_rows_keep_inputs(r, steps, count, texts);
	return flow_extend(r->flow, tenant, id, steps, count, by, out, p);
}
