/*
 * Executions: the calls that change one. They run inside a batch on the queue's thread, on memory; what is looked at
 * is in executions_read.c.
 */
#include "api/executions.h"
#include "api/api.h"
#include "api/app.h"

#include "squads/project.h"
#include "squads/squad.h"
#include "squads/template.h"

#include <stdio.h>

static struct flow_rows *flow_of(struct call *c)
{
	return call_app(c)->flow;
}

static struct str caller_name(const struct call *c)
{
	return c->caller.key_name;
}

static enum err read_row(struct call *c, int64_t id, struct execution_row *out)
{
	enum err err = q_execution_get(c->db, &(struct id_row){id}, c->arena, out);
	if (err == ERR_NOT_FOUND || (!err && out->tenant != c->caller.tenant))
		return call_fail(c, ERR_NOT_FOUND,
				 "there is no such execution here; one that is archived is restored first");
	return err;
}

enum err execution_gone(struct call *c, int64_t id)
{
	struct execution_row row;
	enum err err = read_row(c, id, &row);
	return err ? err
		   : call_fail(c, ERR_CONFLICT, "the execution has ended: it is %s",
			       enum_execution_state.values[row.state].text);
}

/* e: what the command that answered err found; NULL for nothing. */
static enum err answer(struct call *c, int64_t id, enum err err, const struct flow_execution *e,
		       struct execution_stand *out)
{
	if (err == ERR_NOT_FOUND)
		return e ? call_fail(c, err, "the execution has no such step") : execution_gone(c, id);
	if (err)
		return err;
	out->id = e->id;
	out->state = e->state;
	if (e->block)
		PUT(out, execution_stand, block, e->block);
	return OK;
}

/* ---- steps as they are given ---- */

/* Places of steps by their names: those there are, then those of this call. */
struct naming {
	struct call *c;
	const struct flow_execution *there; /* NULL: none */
	int64_t squad;
	const struct execution_step_new *steps;
	bool wishes; /* roles that nobody has are for whoever comes */
};

static bool find_there(const struct flow_execution *e, struct str name, uint16_t *out)
{
	for (size_t i = 0; e && i < e->steps_count; i++) {
		*out = (uint16_t)i;
		if (str_eq(name_str(e->steps[i].name), name))
			return true;
	}
	return false;
}

static bool find_before(const struct naming *n, size_t i, struct str name, uint16_t *out)
{
	size_t there = n->there ? n->there->steps_count : 0;
	for (size_t k = 0; k < i; k++) {
		*out = (uint16_t)(there + k);
		if (str_eq(n->steps[k].name, name))
			return true;
	}
	return find_there(n->there, name, out);
}

static enum err name_needs(const struct naming *n, size_t i, struct flow_step_spec *spec)
{
	const struct execution_step_new *in = &n->steps[i];
	uint16_t *needs = ARENA_ARRAY(n->c->arena, uint16_t, in->needs_count);
	if (!needs)
		return ERR_INTERNAL;
	for (size_t k = 0; k < in->needs_count; k++) {
		char field[64];
		snprintf(field, sizeof(field), "steps[%zu].needs[%zu]", i, k);
		if (!find_before(n, i, in->needs[k], &needs[k]))
			return problem_field(&n->c->problem, ERR_INVALID, field,
					     "no step before this one is called '%.*s'", STRF(in->needs[k]));
	}
	spec->needs = needs;
	spec->needs_count = in->needs_count;
	return OK;
}

/* An id of 0 is whoever takes it. */
static enum err find_member(const struct naming *n, size_t i, int64_t *out)
{
	const struct execution_step_new *in = &n->steps[i];
	int role = in->role == MEMBER_QA_TESTER ? MEMBER_TESTER : in->role;
	struct squad_member_of_role_out member = {0};
	enum err err = OK;
	char field[32];
	if (HAS(in, execution_step_new, role))
		err = q_squad_member_of_role(n->c->db, &(struct squad_member_of_role_in){n->squad, role},
					     n->c->arena, &member);
	*out = member.id;
	if (err != ERR_NOT_FOUND || n->wishes)
		return err == ERR_NOT_FOUND ? OK : err;
	snprintf(field, sizeof(field), "steps[%zu].role", i);
	return problem_field(&n->c->problem, ERR_INVALID, field, "no active member of the squad is in that role");
}

static enum err spec_of(const struct naming *n, size_t i, struct flow_step_spec *spec)
{
	const struct execution_step_new *in = &n->steps[i];
	*spec = (struct flow_step_spec){.id = app_new_id(call_app(n->c)),
					.name = in->name,
					.awaited = in->event,
					.kind = in->kind,
					.phase = in->phase,
					.until_ms = HAS(in, execution_step_new, until) ? in->until : 0,
					.timeout_ms = HAS(in, execution_step_new, timeout_ms) ? in->timeout_ms : 0,
					.attempts_max = in->max_attempts,
					.optional = in->optional};
	enum err err = find_member(n, i, &spec->member);
	return err ? err : name_needs(n, i, spec);
}

/* The specs of steps, and what goes with them; all in the call's arena. `input` is for those that have none. */
static enum err read_steps(const struct naming *n, size_t count, struct str input, struct flow_step_spec **specs,
			   struct flow_texts **texts)
{
	struct call *c = n->c;
	struct str *inputs = ARENA_ARRAY(c->arena, struct str, count);
	enum err err = OK;
	*specs = ARENA_ARRAY(c->arena, struct flow_step_spec, count);
	*texts = ARENA_NEW(c->arena, struct flow_texts);
	if (!inputs || !*specs || !*texts)
		return ERR_INTERNAL;
	for (size_t i = 0; i < count && !err; i++) {
		inputs[i] = n->steps[i].input.n ? n->steps[i].input : input;
		err = spec_of(n, i, &(*specs)[i]);
	}
	(*texts)->inputs = inputs;
	return err;
}

/* ---- new ones ---- */

static enum err find_squad(struct call *c, int64_t id)
{
	struct squad_row squad;
	enum err err = flow_rows_squad(flow_of(c), c->caller.tenant, id, &squad);
	if (err == ERR_NOT_FOUND)
		return problem_field(&c->problem, ERR_INVALID, "squad", "there is no such squad here");
	return err ? err : squad_check_open(c, &squad);
}

/* The steps of its own, or of its template. */
static enum err given_steps(struct call *c, const struct execution_new *in, struct squad_template *out)
{
	*out = (struct squad_template){.steps = in->steps, .steps_count = in->steps_count};
	if (!HAS(in, execution_new, template))
		return in->steps_count
			       ? OK
			       : problem_field(&c->problem, ERR_INVALID, "steps", "give steps, or a template");
	if (in->steps_count)
		return problem_field(&c->problem, ERR_INVALID, "template", "give steps or a template, not both");
	return template_find(in->template, c->arena, out, &c->problem);
}

enum err execution_begin(struct call *c, const struct execution_new *in, struct flow_execution **out)
{
	struct squad_template given;
	struct flow_step_spec *steps;
	struct flow_texts *texts;
	enum err err = find_squad(c, in->squad);
	if (!err && HAS(in, execution_new, task))
		err = task_check_begin(c, in->task, in->squad);
	if (!err)
		err = given_steps(c, in, &given);
	if (err)
		return err;
	struct naming naming = {
		.c = c, .squad = in->squad, .steps = given.steps, .wishes = HAS(in, execution_new, template)};
	err = read_steps(&naming, given.steps_count, in->input, &steps, &texts);
	if (err)
		return err;
	texts->name = in->name;
	texts->created_by = caller_name(c);
	struct flow_spec spec = {.id = app_new_id(call_app(c)),
				 .tenant = c->caller.tenant,
				 .squad = in->squad,
				 .task = HAS(in, execution_new, task) ? in->task : 0,
				 .priority = in->priority,
				 .attempts_max = in->max_attempts,
				 .backoff_ms = in->backoff_ms,
				 .deadline_ms = HAS(in, execution_new, deadline) ? in->deadline : 0,
				 .steps = steps,
				 .steps_count = given.steps_count};
	err = flow_rows_add(flow_of(c), &spec, texts, out, &c->problem);
	if (!err && in->start)
		err = flow_start(flow_of(c)->flow, c->caller.tenant, spec.id, caller_name(c), out, &c->problem);
	return err;
}

enum err api_execution_add(struct call *c, const struct execution_new *in, struct execution_stand *out)
{
	struct flow_execution *e = NULL;
	enum err err = execution_begin(c, in, &e);
	return answer(c, 0, err, e, out);
}

enum err api_execution_steps(struct call *c, const struct execution_steps_in *in, struct execution_stand *out)
{
	struct flow_rows *flow = flow_of(c);
	struct flow_execution *e = flow_find(flow->flow, in->id);
	struct flow_step_spec *steps;
	struct flow_texts *texts;
	if (!e || e->tenant != c->caller.tenant)
		return execution_gone(c, in->id);
	struct naming naming = {.c = c, .there = e, .squad = e->squad, .steps = in->steps};
	enum err err = read_steps(&naming, in->steps_count, (struct str){0}, &steps, &texts);
	if (!err)
		err = flow_rows_extend(flow, c->caller.tenant, in->id, steps, in->steps_count, texts,
				       caller_name(c), &e, &c->problem);
	return answer(c, in->id, err, e, out);
}

/* ---- moves ---- */

typedef enum err move_fn(struct flow *f, int64_t tenant, int64_t id, struct str by, struct flow_execution **out,
			 struct problem *p);

static enum err move(struct call *c, int64_t id, move_fn *to, struct execution_stand *out)
{
	struct flow_execution *e = NULL;
	enum err err = to(flow_of(c)->flow, c->caller.tenant, id, caller_name(c), &e, &c->problem);
	return answer(c, id, err, e, out);
}

enum err api_execution_start(struct call *c, const struct execution_ref *in, struct execution_stand *out)
{
	return move(c, in->id, flow_start, out);
}

enum err api_execution_pause(struct call *c, const struct execution_ref *in, struct execution_stand *out)
{
	return move(c, in->id, flow_pause, out);
}

enum err api_execution_resume(struct call *c, const struct execution_ref *in, struct execution_stand *out)
{
	return move(c, in->id, flow_resume, out);
}

/* Cancelling what was cancelled changes nothing, and is no error. */
static enum err answer_cancelled(struct call *c, int64_t id, struct execution_stand *out)
{
	struct execution_row row;
	enum err err = read_row(c, id, &row);
	if (!err && row.state != EXECUTION_CANCELLED)
		return execution_gone(c, id);
	out->id = id;
	out->state = EXECUTION_CANCELLED;
	return err;
}

enum err api_execution_cancel(struct call *c, const struct execution_cancel_in *in, struct execution_stand *out)
{
	struct flow_execution *e = NULL;
	enum err err = flow_cancel(flow_of(c)->flow, c->caller.tenant, in->id, caller_name(c), in->reason, &e,
				   &c->problem);
	return err == ERR_NOT_FOUND ? answer_cancelled(c, in->id, out) : answer(c, in->id, err, e, out);
}

/* What is on its way to a file does not come back to life. */
static enum err refuse_moving(struct call *c, const struct execution_row *row)
{
	struct archive_moves_out on_its_way = {0};
	enum err err = OK;
	if (row->finished_ms)
		err = q_archive_moves(c->db, &(struct archive_moves_in){row->tenant, row->finished_ms}, c->arena,
				      &on_its_way);
	if (!err && on_its_way.moves)
		return call_fail(c, ERR_CONFLICT, "it is being archived; restore it then");
	return err;
}

enum err api_execution_retry(struct call *c, const struct execution_ref *in, struct execution_stand *out)
{
	struct flow_execution *e = NULL;
	struct execution_row row;
	enum err err = read_row(c, in->id, &row);
	if (!err)
		err = find_squad(c, row.squad);
	if (!err)
		err = refuse_moving(c, &row);
	if (!err)
		err = flow_rows_revive(flow_of(c), c->caller.tenant, in->id, caller_name(c), &e, &c->problem);
	return err ? err : answer(c, in->id, err, e, out);
}

/* What comes of a yes is JSON, as all results are; what comes of a no is a sentence. */
static struct str verdict_note(struct call *c, const struct execution_approve_in *in)
{
	struct buf b = BUF_INIT(0);
	struct str json;
	if (!in->approve || !in->note.n)
		return in->note;
	buf_json_text(&b, in->note);
	json = arena_str(c->arena, buf_str(&b));
	buf_free(&b);
	return json;
}

enum err api_execution_approve(struct call *c, const struct execution_approve_in *in, struct execution_stand *out)
{
	struct flow_execution *e = NULL;
	enum err err = flow_approve(flow_of(c)->flow, c->caller.tenant, in->id, in->step, in->approve,
				    caller_name(c), verdict_note(c, in), &e, &c->problem);
	return answer(c, in->id, err, e, out);
}

enum err api_execution_signal(struct call *c, const struct execution_signal_in *in, struct execution_stand *out)
{
	struct flow_execution *e = NULL;
	enum err err = flow_signal(flow_of(c)->flow, c->caller.tenant, in->id, in->event, in->data, caller_name(c),
				   &e, &c->problem);
	return answer(c, in->id, err, e, out);
}
