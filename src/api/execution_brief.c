/*
 * The brief of a step: all that whoever carries it out is given. It is put together on the queue's thread, from memory
 * and from the store that memory is written to: what came of a step stands there before the next can be claimed.
 */
#include "api/api.h"
#include "api/app.h"

#include "squads/member.h"

enum {
	NEED_CHARACTERS = 64 << 10,   /* of one result */
	NEEDS_CHARACTERS = 256 << 10, /* of all of them */
	ERROR_CHARACTERS = 4 << 10
};

/* ---- who and what ---- */

static enum err put_member(struct call *c, int64_t id, struct step_brief *out)
{
	struct squad_member_row row;
	enum err err = id ? q_squad_member_get(c->db, &(struct id_row){id}, c->arena, &row) : ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND) /* whoever takes it; or it was taken out of the squad meanwhile */
		return OK;
	if (err)
		return err;
	PUT(out, step_brief, member, id);
	PUT(out, step_brief, member_name, row.name);
	PUT(out, step_brief, role, (int)row.role);
	PUT(out, step_brief, town_role, (int)row.town_role);
	PUT(out, step_brief, system_prompt, member_prompt(&row));
	if (row.provider.p)
		PUT(out, step_brief, provider, row.provider);
	if (row.model.p)
		PUT(out, step_brief, model, row.model);
	return OK;
}

static enum err put_name(struct call *c, int64_t id, struct step_brief *out)
{
	struct execution_name_out named;
	enum err err = q_execution_name(c->db, &(struct id_row){id}, c->arena, &named);
	if (!err)
		PUT(out, step_brief, execution_name, named.name);
	return err;
}

static enum err put_task(struct call *c, int64_t id, struct step_brief *out)
{
	struct task_row row;
	enum err err = id ? q_task_get(c->db, &(struct id_row){id}, c->arena, &row) : ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err)
		return err;
	PUT(out, step_brief, task, id);
	PUT(out, step_brief, task_title, row.title);
	if (row.description.n)
		PUT(out, step_brief, task_description, row.description);
	return OK;
}

static enum err put_input(struct call *c, const struct flow_execution *e, const struct flow_step *s,
			  struct step_brief *out)
{
	struct step_input_get_in in = {e->id, s - e->steps};
	struct step_input_get_out row;
	enum err err = q_step_input_get(c->db, &in, c->arena, &row);
	if (!err && row.input.n)
		PUT(out, step_brief, input, row.input);
	return err;
}

/* ---- what it needs ---- */

/* Whole, or how it begins: as much as is left. */
static void put_result(const struct step_result_get_out *row, int64_t *left, struct step_need *out)
{
	if (row->characters == 0)
		return;
	if (row->characters <= NEED_CHARACTERS && row->characters <= *left) {
		PUT(out, step_need, result, row->result);
		*left -= row->characters;
		return;
	}
	struct str beginning = str_clip(row->result, (size_t)(*left < NEED_CHARACTERS ? *left : NEED_CHARACTERS));
	PUT(out, step_need, characters, row->characters);
	if (beginning.n)
		PUT(out, step_need, beginning, beginning);
	*left -= *left < NEED_CHARACTERS ? *left : NEED_CHARACTERS;
}

static enum err put_need(struct call *c, const struct flow_execution *e, size_t place, int64_t *left,
			 struct step_need *out)
{
	struct step_result_get_in in = {e->id, (int64_t)place, NEED_CHARACTERS};
	struct step_result_get_out row;
	enum err err = q_step_result_get(c->db, &in, c->arena, &row);
	if (err)
		return err;
	*out = (struct step_need){.name = arena_str(c->arena, name_str(e->steps[place].name)),
				  .kind = e->steps[place].kind,
				  .state = (int)row.state};
	if (row.state == STEP_COMPLETED)
		put_result(&row, left, out);
	else if (row.error.n)
		PUT(out, step_need, error, str_clip(row.error, ERROR_CHARACTERS));
	return OK;
}

static enum err put_needs(struct call *c, const struct flow_execution *e, const struct flow_step *s,
			  struct step_brief *out)
{
	int64_t left = NEEDS_CHARACTERS;
	struct step_need *needs = ARENA_ARRAY(c->arena, struct step_need, s->needs_count);
	enum err err = needs ? OK : ERR_INTERNAL;
	for (size_t i = 0; i < s->needs_count && !err; i++)
		err = put_need(c, e, s->needs[i], &left, &needs[i]);
	if (err || s->needs_count == 0)
		return err;
	PUT(out, step_brief, needs, needs);
	out->needs_count = s->needs_count;
	return OK;
}

/* ---- what it asked ---- */

struct asked {
	struct arena *arena;
	struct question_given v[FLOW_QUESTIONS_MAX];
	size_t count;
};

static enum err take_answered(void *ctx, const void *found)
{
	struct asked *a = ctx;
	const struct question_row *row = found;
	if (row->state == QUESTION_ANSWERED && a->count < FLOW_QUESTIONS_MAX)
		a->v[a->count++] = (struct question_given){.kind = arena_str(a->arena, row->kind),
							   .question = arena_str(a->arena, row->question),
							   .answer = arena_str(a->arena, row->answer),
							   .answered_by = arena_str(a->arena, row->answered_by)};
	return OK;
}

static enum err put_questions(struct call *c, const struct flow_step *s, struct step_brief *out)
{
	struct asked *a = ARENA_NEW(c->arena, struct asked);
	enum err err = a ? OK : ERR_INTERNAL;
	if (err || s->questions == 0)
		return err;
	a->arena = c->arena;
	err = q_question_of_step(c->db, &(struct id_row){s->id}, take_answered, a);
	PUT(out, step_brief, questions, a->v);
	out->questions_count = a->count;
	return err;
}

/* ---- the call ---- */

static const struct flow_step *find(const struct flow_execution *e, int64_t id)
{
	for (size_t i = 0; i < e->steps_count; i++)
		if (e->steps[i].id == id)
			return &e->steps[i];
	return NULL;
}

enum err api_execution_brief(struct call *c, const struct step_brief_in *in, struct step_brief *out)
{
	const struct flow_execution *e = flow_find(call_app(c)->flow->flow, in->id);
	if (!e || e->tenant != c->caller.tenant || e->ended)
		return call_fail(c, ERR_NOT_FOUND, "there is no such execution here that has not ended");
	const struct flow_step *s = find(e, in->step);
	if (!s)
		return call_fail(c, ERR_NOT_FOUND, "the execution has no such step");
	out->execution = e->id;
	out->step = s->id;
	out->squad = e->squad;
	out->kind = s->kind;
	out->name = arena_str(c->arena, name_str(s->name));
	if (s->phase)
		PUT(out, step_brief, phase, s->phase);
	enum err err = put_name(c, e->id, out);
	if (!err)
		err = put_member(c, s->member, out);
	if (!err)
		err = put_task(c, e->task, out);
	if (!err)
		err = put_input(c, e, s, out);
	if (!err)
		err = put_needs(c, e, s, out);
	return err ? err : put_questions(c, s, out);
}
