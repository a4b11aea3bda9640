/* Executions out of rows: at start-up all that have not ended, and one that ended, to be tried again. */
#include "flow/flow_priv.h"

#include <stdlib.h>

/* ---- one ---- */

static enum err check_row(const struct flow_loading *row, struct problem *p)
{
	if (row->state < EXECUTION_PENDING || row->state > EXECUTION_CANCELLED)
		return problem_set(p, ERR_INTERNAL, "execution %lld: no such state: %d", (long long)row->id,
				   row->state);
	return OK;
}

/* Only what asked a question waits in a step that a worker carries out. */
static bool waits_rightly(const struct flow_step_loading *s)
{
	bool asks = s->state == STEP_WAITING && s->spec.kind != STEP_WAIT && s->spec.kind != STEP_APPROVAL;

	return asks == (s->asking.question != NULL);
}

static enum err check_steps(const struct flow_loading *row, const struct flow_step_loading *steps, size_t count,
			    struct problem *p)
{
	if (count == 0 || count > FLOW_STEPS_MAX)
		return problem_set(p, ERR_INTERNAL, "execution %lld: it has %zu steps", (long long)row->id, count);
	for (size_t i = 0; i < count; i++) {
		if (steps[i].state < STEP_PENDING || steps[i].state > STEP_CANCELLED)
			return problem_set(p, ERR_INTERNAL, "step %lld: no such state: %d",
					   (long long)steps[i].spec.id, steps[i].state);
		if (!waits_rightly(&steps[i]))
			return problem_set(p, ERR_INTERNAL, "step %lld: it is %s, and its question is not there",
					   (long long)steps[i].spec.id,
					   enum_step_state.values[steps[i].state].text);
		for (size_t k = 0; k < steps[i].spec.needs_count; k++)
			if (steps[i].spec.needs[k] >= i)
				return problem_set(p, ERR_INTERNAL, "step %lld: needs one behind it",
						   (long long)steps[i].spec.id);
	}
	return OK;
}

static struct flow_execution *execution_of(const struct flow_loading *row)
{
	struct flow_execution *e = NEW(struct flow_execution);

	*e = (struct flow_execution){.id = row->id,
				     .tenant = row->tenant,
				     .squad = row->squad,
				     .task = row->task,
				     .state = (uint8_t)row->state,
				     .block = (uint8_t)row->block,
				     .priority = (uint8_t)row->priority,
				     .paused = row->paused,
				     .claimed = row->claimed,
				     .attempt = (uint16_t)row->attempt,
				     .attempts_max = (uint16_t)row->attempts_max,
				     .backoff_ms = (uint32_t)row->backoff_ms,
				     .created_ms = row->created_ms,
				     .started_ms = row->started_ms,
				     .changed_ms = row->changed_ms,
				     .deadline_ms = row->deadline_ms,
				     .retry_ms = row->retry_ms,
				     .last_event = row->last_event,
				     .timer_place = HEAP_NOWHERE};
	return e;
}

static void load_step(struct flow *f, struct flow_execution *e, const struct flow_step_loading *row)
{
	struct flow_step *s;

	graph_add(f, e, &row->spec);
	s = &e->steps[e->steps_count - 1];
	e->standing[STEP_PENDING]--;
	e->standing[row->state]++;
	s->state = (uint8_t)row->state;
	s->progress = (uint8_t)row->progress;
	s->item = row->item;
	s->signalled = row->signalled;
	s->questions = (uint8_t)row->questions;
	if (row->asking.question)
		question_load(f, e, s, &row->asking);
	s->touched = false;
}

static enum err from_rows(struct flow *f, const struct flow_loading *row, const struct flow_step_loading *steps,
			  size_t count, struct flow_execution **out, struct problem *p)
{
	enum err err = check_row(row, p);

	if (!err)
		err = check_steps(row, steps, count, p);
	if (err)
		return err;
	*out = execution_of(row);
	for (size_t i = 0; i < count; i++)
		load_step(f, *out, &steps[i]);
	return OK;
}

/* ---- start-up ---- */

enum err flow_load(struct flow *f, const struct flow_loading *row, const struct flow_step_loading *steps,
		   size_t steps_count, struct problem *p)
{
	struct flow_execution *e;
	enum err err = from_rows(f, row, steps, steps_count, &e, p);

	if (err)
		return err;
	if (!idmap_add(&f->by_id, e->id, e)) {
		execution_free(f, e);
		return problem_set(p, ERR_INTERNAL, "execution %lld is there twice", (long long)row->id);
	}
	flow_count_in(f, e);
	flow_index_add(f, e);
	return OK;
}

void flow_load_paused(struct flow *f, int64_t squad)
{
	idmap_add(&f->paused, squad, NULL);
}

/* Steps that found no room in the queue, and those of a squad that was paused or went on meanwhile. */
void flow_loaded(struct flow *f)
{
	struct idmap_cursor c;

	CHECK(f->batch.open);
	for (c = idmap_below(&f->by_id, INT64_MAX); idmap_next_down(&f->by_id, &c);) {
		execution_touch(f, c.value);
		execution_advance(f, c.value);
		execution_arrange(f, c.value);
	}
	flow_follow(f);
}

/* ---- back to life ---- */

enum err flow_revive(struct flow *f, const struct flow_loading *row, const struct flow_step_loading *steps,
		     size_t steps_count, struct str by, struct flow_execution **out, struct problem *p)
{
	struct flow_execution *e = flow_find(f, row->id);
	enum err err = OK;

	CHECK(f->batch.open);
	if (e)
		return execution_refuses(e, "tried again", p);
	if (row->state != EXECUTION_FAILED && row->state != EXECUTION_CANCELLED)
		return problem_set(p, ERR_CONFLICT, "an execution that is %s cannot be tried again",
				   enum_execution_state.values[row->state].text);
	if (f->live >= f->env.max_live)
		return problem_set(p, ERR_TOO_MANY, "%llu executions have not ended; no more fit",
				   (unsigned long long)f->live);
	err = from_rows(f, row, steps, steps_count, &e, p);
	if (err)
		return err;
	*out = e;
	execution_enter(f, e, true);
	if (e->deadline_ms <= f->batch.now_ms) /* or it would fail again at once */
		e->deadline_ms = 0;
	e->started_ms = f->batch.now_ms;
	e->paused = false;
	flow_tell(f, e,
		  &(struct flow_event){
			  .kind = FLOW_STARTED, .from = -1, .to = -1, .attempt = e->attempt + 1u, .agent = by});
	execution_retries(f, e);
	execution_advance(f, e);
	execution_arrange(f, e);
	flow_follow(f);
	return OK;
}
