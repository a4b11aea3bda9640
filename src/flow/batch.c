/*
 * A batch: the executions it touched, what happened in them, and the way back.
 *
 * The first change of an execution takes a copy of it and of its steps; that is all undo needs, because indexes are
 * functions of executions. Between execution_touch() and execution_arrange() one is in no index.
 */
#include "flow/flow_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- touching ---- */

static struct flow_touch *new_touch(struct flow *f, struct flow_execution *e)
{
	struct flow_touch *t = VEC_PUSH(&f->batch.touches);

	CHECK(f->batch.open && e->touch == 0);
	*t = (struct flow_touch){.execution = e, .steps_before = e->steps_count};
	e->touch = (uint32_t)f->batch.touches.n;
	return t;
}

static struct flow_step *copy_of_steps(const struct flow_execution *e)
{
	struct flow_step *copy = must_realloc(NULL, (e->steps_count + 1u) * sizeof(*copy));

	memcpy(copy, e->steps, e->steps_count * sizeof(*copy));
	return copy;
}

void execution_touch(struct flow *f, struct flow_execution *e)
{
	struct flow_touch *t;

	flow_index_remove(f, e);
	if (e->touch > 0)
		return;
	t = new_touch(f, e);
	t->before = *e;
	t->before.touch = 0;
	t->before.steps = copy_of_steps(e);
	t->was_live = true;
}

void execution_arrange(struct flow *f, struct flow_execution *e)
{
	e->changed_ms = f->batch.now_ms;
	if (!has_ended(e))
		flow_index_add(f, e);
}

void execution_enter(struct flow *f, struct flow_execution *e, bool was_ended)
{
	new_touch(f, e)->was_ended = was_ended;
	e->timer_place = HEAP_NOWHERE;
	CHECK(idmap_add(&f->by_id, e->id, e));
	flow_count_in(f, e);
}

void flow_tell(struct flow *f, struct flow_execution *e, const struct flow_event *what)
{
	struct flow_event *event = VEC_PUSH(&f->batch.events);

	*event = *what;
	event->execution = e;
	event->number = ++e->last_event;
	event->at_ms = f->batch.now_ms;
	event->agent = arena_str(f->batch.arena, what->agent);
	event->text = arena_str(f->batch.arena, what->text);
	event->said = arena_str(f->batch.arena, what->said);
}

/* ---- beginning and end ---- */

void flow_batch_free(struct flow_batch *b)
{
	VEC_FREE(&b->touches);
	VEC_FREE(&b->events);
	VEC_FREE(&b->squads);
	VEC_FREE(&b->asked);
	VEC_FREE(&b->over);
	arena_destroy(&b->arena);
}

void flow_begin(struct flow *f, int64_t now_ms)
{
	CHECK(!f->batch.open);
	f->batch.open = true;
	f->batch.now_ms = now_ms;
}

static void end(struct flow *f)
{
	f->batch.open = false;
	f->batch.touches.n = f->batch.events.n = f->batch.squads.n = f->batch.told = 0;
	arena_reset(f->batch.arena);
}

static void settle_down(struct flow_execution *e)
{
	e->touch = 0;
	for (size_t i = 0; i < e->steps_count; i++) {
		e->steps[i].touched = false;
		e->steps[i].ending = NULL;
	}
}

void flow_commit(struct flow *f)
{
	CHECK(f->batch.open);
	for (size_t i = 0; i < f->batch.touches.n; i++) {
		struct flow_touch *t = &f->batch.touches.v[i];

		free(t->before.steps);
		settle_down(t->execution);
		if (!has_ended(t->execution))
			continue;
		idmap_remove(&f->by_id, t->execution->id);
		execution_free(f, t->execution);
	}
	questions_commit(f);
	end(f);
}

/* What was added to it goes: names and needs of the other steps are those of the copy. */
static void drop_new_steps(struct flow *f, struct flow_execution *e, size_t kept)
{
	for (size_t i = kept; i < e->steps_count; i++) {
		name_drop(&f->names, &e->steps[i].name);
		name_drop(&f->names, &e->steps[i].awaited);
		free(e->steps[i].needs);
	}
}

static void restore(struct flow *f, struct flow_execution *e, struct flow_execution *before)
{
	struct flow_step *steps = e->steps;
	uint16_t room = e->steps_room;

	drop_new_steps(f, e, before->steps_count);
	memcpy(steps, before->steps, before->steps_count * sizeof(*steps));
	free(before->steps);
	*e = *before;
	e->steps = steps;
	e->steps_room = room;
	e->timer_place = HEAP_NOWHERE;
	flow_index_add(f, e);
}

static void undo_touch(struct flow *f, struct flow_touch *t)
{
	struct flow_execution *e = t->execution;

	if (!has_ended(e))
		flow_index_remove(f, e);
	if (t->was_live) {
		if (has_ended(e))
			flow_count_in(f, e);
		restore(f, e, &t->before);
		return;
	}
	if (!has_ended(e))
		flow_count_out(f, e);
	idmap_remove(&f->by_id, e->id);
	execution_free(f, e);
}

static void undo_squad(struct flow *f, int64_t squad)
{
	if (!idmap_remove(&f->paused, squad))
		idmap_add(&f->paused, squad, NULL);
}

void flow_undo(struct flow *f)
{
	CHECK(f->batch.open);
	for (size_t i = f->batch.squads.n; i-- > 0;)
		undo_squad(f, f->batch.squads.v[i]);
	for (size_t i = f->batch.touches.n; i-- > 0;)
		undo_touch(f, &f->batch.touches.v[i]);
	questions_undo(f);
	end(f);
}

/* ---- what happened ---- */

bool flow_next_change(const struct flow *f, size_t *i, struct flow_change *out)
{
	const struct flow_touch *t;

	if (*i >= f->batch.touches.n)
		return false;
	t = &f->batch.touches.v[(*i)++];
	*out = (struct flow_change){.execution = t->execution,
				    .was_live = t->was_live,
				    .was_ended = t->was_ended,
				    .is_live = !has_ended(t->execution),
				    .steps_before = t->steps_before};
	return true;
}

const struct flow_event *flow_events(const struct flow *f, size_t *count)
{
	*count = f->batch.events.n;
	return f->batch.events.v;
}
