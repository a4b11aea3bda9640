/*
 * Questions of steps: asking, answering, passing on. They run inside a batch on the queue's thread, on memory; what is
 * looked at is in questions_read.c.
 */
#include "api/api.h"
#include "api/app.h"
#include "api/costs.h"
#include "api/executions.h"
#include "api/lease.h"

#include "squads/routing.h"

static struct flow_rows *flow_of(struct call *c)
{
	return call_app(c)->flow;
}

/* ---- where it stands ---- */

static void put_level(const struct flow_level *level, struct question_stand *out)
{
	if (level->role >= 0)
		PUT(out, question_stand, role, level->role);
	if (level->member)
		PUT(out, question_stand, member, level->member);
}

/* As the last event of this batch that is about it says. */
static enum err answer(struct call *c, int64_t question, struct question_stand *out)
{
	size_t count;
	const struct flow_event *events = flow_events(flow_of(c)->flow, &count);

	for (size_t i = count; i-- > 0;) {
		const struct flow_asking *a = &events[i].asking;

		if (!a->question || a->question->id != question)
			continue;
		out->id = question;
		out->state = events[i].kind == FLOW_QUESTION_ANSWERED ? (int)QUESTION_ANSWERED : (int)QUESTION_OPEN;
		out->level = a->level;
		put_level(&a->question->levels[a->level], out);
		if (out->state == QUESTION_OPEN && a->due_ms)
			PUT(out, question_stand, due_at, a->due_ms);
		return OK;
	}
	UNREACHABLE();
}

/* ---- asking ---- */

static const struct flow_step *find_step(const struct flow_execution *e, int64_t id)
{
	for (size_t i = 0; i < e->steps_count; i++)
		if (e->steps[i].id == id)
			return &e->steps[i];
	return NULL;
}

static void take_levels(const struct squad_route *route, struct flow_question *out)
{
	for (size_t i = 0; i < route->levels_count; i++) {
		const struct question_level *from = &route->levels[i];
		struct flow_level *to = &out->levels[out->levels_count++];

		to->role = HAS(from, question_level, role) ? from->role : -1;
		to->member = HAS(from, question_level, member) ? from->member : 0;
	}
}

static enum err route(struct call *c, const struct question_new *in, const struct flow_execution *e,
		      const struct flow_step *step, struct squad_route *out)
{
	struct routing_asked asked = {
		.squad = e->squad, .asker = step->member, .kind = in->kind, .text = in->text, .from_role = -1};
	enum err err = routing_decide(c, &asked, out);

	if (!err && out->levels_count == 0)
		return call_fail(c, ERR_CONFLICT,
				 "the rule that counts names nobody who could be asked, and no person");
	return err;
}

/* The attempt that asks: 0 when it is over already. */
static int64_t attempt_of(struct call *c, const struct flow_step *step)
{
	const struct item *item = work_find(call_app(c)->persist->work, step->item);

	return item ? item->attempt : 0;
}

static enum err ask(struct call *c, const struct question_new *in, const struct flow_step *step,
		    const struct work_token *token, const struct squad_route *by, struct question_stand *out)
{
	int64_t attempt = attempt_of(c, step);
	struct flow_question question = {
		.id = app_new_id(call_app(c)), .wait_ms = in->wait_ms, .again_ms = in->again_ms};
	struct flow_routing *routing = ARENA_NEW(c->arena, struct flow_routing);
	struct flow_execution *e;
	enum err err;

	if (!routing)
		return ERR_INTERNAL;
	*routing = (struct flow_routing){.kind = in->kind, .rule = HAS(by, squad_route, rule) ? by->rule : 0};
	take_levels(by, &question);
	err = flow_rows_ask(flow_of(c), c->caller.tenant, in->id, in->step, token, &question, routing, in->text, &e,
			    &c->problem);
	if (err)
		return err;
	costs_note(c, e, step, attempt, &in->used);
	return answer(c, question.id, out);
}

enum err api_question_ask(struct call *c, const struct question_new *in, struct question_stand *out)
{
	const struct flow_execution *e = flow_find(flow_of(c)->flow, in->id);
	const struct flow_step *step;
	struct squad_route by;
	struct work_token token;
	enum err err;

	if (!e || e->tenant != c->caller.tenant)
		return execution_gone(c, in->id);
	step = find_step(e, in->step);
	if (!step)
		return problem_field(&c->problem, ERR_INVALID, "step", "the execution has no such step");
	err = lease_token(in->token, &token, &c->problem);
	if (!err)
		err = route(c, in, e, step, &by);
	return err ? err : ask(c, in, step, &token, &by, out);
}

/* ---- answering ---- */

/* One that is not in memory any more. */
static enum err say_why_not(struct call *c, int64_t id)
{
	struct question_row row;
	enum err err = q_question_get(c->db, &(struct id_row){id}, c->arena, &row);

	if (err == ERR_NOT_FOUND || (!err && row.tenant != c->caller.tenant))
		return call_fail(c, ERR_NOT_FOUND, "there is no such question here");
	return err ? err
		   : call_fail(c, ERR_CONFLICT, "the question is %s", enum_question_state.values[row.state].text);
}

/* The squad's, and given steps. */
static enum err check_member(struct call *c, int64_t squad, int64_t id)
{
	struct squad_member_row member;
	enum err err = q_squad_member_get(c->db, &(struct id_row){id}, c->arena, &member);

	if (err == ERR_NOT_FOUND || (!err && (member.squad != squad || !member.active)))
		return problem_field(&c->problem, ERR_INVALID, "member",
				     "there is no such active member in the squad");
	return err;
}

/* May the caller, as that member if it is not 0, speak to it? *is_persons: it waits for a person. */
static enum err check_speaker(struct call *c, int64_t question, int64_t member, bool *is_persons)
{
	struct flow *flow = flow_of(c)->flow;
	const struct flow_question *q = flow_find_question(flow, question);
	const struct flow_execution *e = q ? flow_find(flow, q->execution) : NULL;
	const struct flow_asking *asking;

	*is_persons = false;
	if (!e || e->tenant != c->caller.tenant)
		return say_why_not(c, question);
	asking = flow_find_asking(flow, q);
	*is_persons = asking && q->levels[asking->level].member == 0;
	return member ? check_member(c, e->squad, member) : OK;
}

enum err api_question_answer(struct call *c, const struct question_answer_in *in, struct question_stand *out)
{
	int64_t member = HAS(in, question_answer_in, member) ? in->member : 0;
	struct flow_execution *e;
	bool is_persons;
	enum err err = check_speaker(c, in->id, member, &is_persons);

	if (!err && is_persons && c->caller.scope < SCOPE_OPERATOR)
		return call_fail(c, ERR_FORBIDDEN, "the question has come to a person: it takes an operator's key");
	if (!err)
		err = flow_answer(flow_of(c)->flow, c->caller.tenant, in->id, member, c->caller.key_name,
				  in->answer, &e, &c->problem);
	return err ? err : answer(c, in->id, out);
}

enum err api_question_escalate(struct call *c, const struct question_escalate_in *in, struct question_stand *out)
{
	int64_t member = HAS(in, question_escalate_in, member) ? in->member : 0;
	struct flow_execution *e;
	bool is_persons;
	enum err err = check_speaker(c, in->id, member, &is_persons);

	if (!err)
		err = flow_escalate(flow_of(c)->flow, c->caller.tenant, in->id, member, c->caller.key_name, in->why,
				    &e, &c->problem);
	return err ? err : answer(c, in->id, out);
}
