/* The life of the executions' memory, and what it can tell about itself. */
#include "flow/flow_priv.h"

#include <stdlib.h>

struct flow *flow_new(const struct flow_env *env)
{
	struct flow *f = NEW(struct flow);

	f->env = *env;
	f->batch.arena = arena_new(SIZE_MAX);
	f->by_id.valued = f->questions.valued = true;
	f->timers = HEAP_INIT(flow_due_before, struct flow_execution, timer_place);
	return f;
}

void execution_free(struct flow *f, struct flow_execution *e)
{
	for (size_t i = 0; i < e->steps_count; i++) {
		name_drop(&f->names, &e->steps[i].name);
		name_drop(&f->names, &e->steps[i].awaited);
		free(e->steps[i].needs);
	}
	free(e->steps);
	free(e);
}

void flow_destroy(struct flow **pf)
{
	struct flow *f = *pf;
	struct idmap_cursor c;

	*pf = NULL;
	if (!f)
		return;
	if (f->batch.open)
		flow_commit(f); /* lets go of what the copies hold */
	for (c = idmap_below(&f->by_id, INT64_MAX); idmap_next_down(&f->by_id, &c);)
		execution_free(f, c.value);
	for (c = idmap_below(&f->questions, INT64_MAX); idmap_next_down(&f->questions, &c);)
		free(c.value);
	flow_batch_free(&f->batch);
	idmap_free(&f->by_id);
	idmap_free(&f->questions);
	idmap_free(&f->paused);
	map_free(&f->by_item);
	map_free(&f->live_of);
	heap_free(&f->timers);
	name_table_free(&f->names);
	free(f);
}

/* ---- looking ---- */

bool has_ended(const struct flow_execution *e)
{
	return e->ended != 0;
}

struct flow_execution *flow_find(const struct flow *f, int64_t id)
{
	return idmap_get(&f->by_id, id);
}

const struct flow_question *flow_find_question(const struct flow *f, int64_t id)
{
	return idmap_get(&f->questions, id);
}

const struct flow_asking *flow_find_asking(const struct flow *f, const struct flow_question *q)
{
	const struct flow_execution *e = flow_find(f, q->execution);
	const struct flow_step *s = e ? step_find(e, q->step) : NULL;

	return s && s->asking.question == q ? &s->asking : NULL;
}

enum err execution_get(const struct flow *f, int64_t tenant, int64_t id, struct flow_execution **out)
{
	struct flow_execution *e = flow_find(f, id);

	CHECK(f->batch.open);
	if (!e || e->tenant != tenant)
		return ERR_NOT_FOUND;
	*out = e;
	return OK;
}

bool flow_squad_is_paused(const struct flow *f, int64_t squad)
{
	return idmap_has(&f->paused, squad);
}

bool flow_squad_is_busy(const struct flow *f, int64_t squad)
{
	return map_get(&f->live_of, (uint64_t)squad) != NULL;
}

struct flow_execution *flow_of_item(const struct flow *f, int64_t item, const struct flow_step **step)
{
	struct flow_execution *e = map_get(&f->by_item, (uint64_t)item);

	*step = e ? step_of_item(e, item) : NULL;
	return *step ? e : NULL;
}

uint64_t flow_count(const struct flow *f)
{
	return f->live;
}

/* ---- counts ---- */

static void count(struct flow *f, int64_t squad, int change)
{
	uintptr_t n = (uintptr_t)map_take(&f->live_of, (uint64_t)squad) + (uintptr_t)change;

	if (n)
		map_put(&f->live_of, (uint64_t)squad, (void *)n);
}

void flow_count_in(struct flow *f, const struct flow_execution *e)
{
	f->live++;
	count(f, e->squad, 1);
}

void flow_count_out(struct flow *f, const struct flow_execution *e)
{
	f->live--;
	count(f, e->squad, -1);
}

/* ---- indexes ---- */

static bool is_in_queue(const struct flow_step *s)
{
	return s->state == STEP_READY || s->state == STEP_RUNNING;
}

void flow_index_add(struct flow *f, struct flow_execution *e)
{
	for (size_t i = 0; i < e->steps_count; i++)
		if (is_in_queue(&e->steps[i]))
			map_put(&f->by_item, (uint64_t)e->steps[i].item, e);
	e->due_ms = execution_due_ms(e);
	if (e->due_ms != NEVER_MS)
		heap_push(&f->timers, e);
}

void flow_index_remove(struct flow *f, struct flow_execution *e)
{
	for (size_t i = 0; i < e->steps_count; i++)
		if (is_in_queue(&e->steps[i]))
			map_take(&f->by_item, (uint64_t)e->steps[i].item);
	if (e->timer_place != HEAP_NOWHERE)
		heap_remove(&f->timers, e);
}
