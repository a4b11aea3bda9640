/* Executions out of their rows: all that have not ended, when this process takes the slots, and one that has. */
#include "flow/rows_priv.h"

#include "base/log.h"

#include <stdlib.h>

/* ---- one ---- */

static struct flow_loading loading_of(const struct execution_row *row)
{
	return (struct flow_loading){.id = row->id,
				     .tenant = row->tenant,
				     .squad = row->squad,
				     .task = row->task,
				     .state = (int)row->state,
				     .block = (int)row->block,
				     .priority = (int)row->priority,
				     .paused = row->paused,
				     .claimed = row->claimed,
				     .attempt = row->attempt,
				     .attempts_max = row->attempts_max,
				     .backoff_ms = row->backoff_ms,
				     .created_ms = row->created_ms,
				     .started_ms = row->started_ms,
				     .changed_ms = row->changed_ms,
				     .deadline_ms = row->deadline_ms,
				     .retry_ms = row->retry_ms,
				     .last_event = row->last_event};
}

/* Steps being read, in the order of executions and places. Their texts are of the arena. */
struct steps {
	struct arena *arena;
	VEC(struct flow_step_loading) list;
	VEC(int64_t) executions;
	struct flow_open_questions questions;
};

static enum err read_needs(struct arena *a, struct str blob, struct flow_step_spec *spec)
{
	uint16_t *needs = ARENA_ARRAY(a, uint16_t, blob.n); /* one takes a byte at least */
	uint64_t v;

	while (needs && take_varint(&blob, &v))
		needs[spec->needs_count++] = (uint16_t)v;
	spec->needs = needs;
	return needs && blob.n == 0 ? OK : ERR_INTERNAL;
}

static enum err read_step(void *ctx, const void *found)
{
	struct steps *s = ctx;
	const struct step_live_row *row = found;
	struct flow_step_loading *l = VEC_PUSH(&s->list);
	const struct flow_asking *asking;

	*VEC_PUSH(&s->executions) = row->execution;
	*l = (struct flow_step_loading){.spec = {.id = row->id,
						 .member = row->member,
						 .name = arena_str(s->arena, row->name),
						 .awaited = arena_str(s->arena, row->awaited),
						 .kind = (int)row->kind,
						 .phase = (int)row->phase,
						 .until_ms = row->until_ms,
						 .timeout_ms = row->timeout_ms,
						 .attempts_max = row->attempts_max,
						 .optional = row->optional},
					.state = (int)row->state,
					.progress = (int)row->progress,
					.item = row->item,
					.signalled = row->signalled,
					.questions = row->questions};
	asking = map_get(&s->questions.by_step, (uint64_t)row->id);
	if (asking)
		l->asking = *asking;
	return read_needs(s->arena, row->needs, &l->spec);
}

static void steps_free(struct steps *s)
{
	VEC_FREE(&s->list);
	VEC_FREE(&s->executions);
	map_free(&s->questions.by_step);
}

/* ---- all ---- */

struct loading {
	struct flow_rows *rows;
	struct steps steps;
	size_t next; /* step */
	struct problem *problem;
};

static enum err load_squad(void *ctx, const void *row)
{
	struct flow_rows *r = ctx;

	flow_load_paused(r->flow, ((const struct id_row *)row)->id);
	return OK;
}

static enum err load_execution(void *ctx, const void *found)
{
	struct loading *l = ctx;
	const struct execution_row *row = found;
	struct flow_loading loading = loading_of(row);
	size_t first = l->next;

	while (l->next < l->steps.list.n && l->steps.executions.v[l->next] == row->id)
		l->next++;
	return flow_load(l->rows->flow, &loading, l->steps.list.v + first, l->next - first, l->problem);
}

enum err flow_rows_load(struct flow_rows *r, struct db *db, struct problem *p)
{
	struct arena *a = arena_new(SIZE_MAX);
	struct loading l = {.rows = r, .steps = {.arena = a, .questions.arena = a}, .problem = p};
	enum err err = q_squad_paused_all(db, load_squad, r);

	if (!err)
		err = flow_rows_read_questions(db, &l.steps.questions);
	if (!err)
		err = q_step_live_all(db, read_step, &l.steps);
	if (!err)
		err = q_execution_live_all(db, load_execution, &l);
	steps_free(&l.steps);
	arena_destroy(&a);
	return err;
}

enum err flow_rows_acquire(struct flow_rows *r, struct db *db, struct problem *p)
{
	enum err err;

	r->flow = flow_new(&(struct flow_env){.work = r->config.persist->work,
					      .enqueue = flow_rows_enqueue,
					      .ctx = r,
					      .max_live = r->config.max_live});
	r->fresh = true;
	flow_log_starts_at(r->config.log, r->config.persist->batch);
	err = flow_rows_load(r, db, p);
	if (err)
		flow_destroy(&r->flow);
	else
		LOG_I("flow.ready", "executions=%llu", (unsigned long long)flow_count(r->flow));
	return err;
}

void flow_rows_release(struct flow_rows *r)
{
	flow_destroy(&r->flow);
	bodies_destroy(&r->inputs);
	r->inputs = bodies_new(FLOW_INPUTS_MAX_BYTES);
	flow_rows_forget_spent(r);
}

/* ---- back to life ---- */

enum err flow_rows_revive(struct flow_rows *r, int64_t tenant, int64_t id, struct str by,
			  struct flow_execution **out, struct problem *p)
{
	struct persist *persist = r->config.persist;
	struct steps steps = {.arena = persist->arena};
	struct execution_row row;
	struct flow_loading loading;
	enum err err = q_execution_get(persist->db, &(struct id_row){id}, persist->arena, &row);

	if (!err && row.tenant != tenant)
		err = ERR_NOT_FOUND;
	if (!err)
		err = q_step_live_of(persist->db, &(struct id_row){id}, read_step, &steps);
	if (!err) {
		loading = loading_of(&row);
		err = flow_revive(r->flow, &loading, steps.list.v, steps.list.n, by, out, p);
	}
	steps_free(&steps);
	return err;
}
