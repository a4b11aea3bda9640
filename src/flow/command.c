/* What callers ask for. Each command checks all before it changes anything. */
#include "flow/flow_priv.h"

#include <stdlib.h>

enum { MINUTE_MS = 60000 };

/* ---- new ones ---- */

static enum err check_spec(const struct flow *f, const struct flow_spec *spec, struct problem *p)
{
	if (f->live >= f->env.max_live)
		return problem_set(p, ERR_TOO_MANY, "%llu executions have not ended; no more fit",
				   (unsigned long long)f->live);
	if (spec->attempts_max < 1 || spec->attempts_max > FLOW_ATTEMPTS_MAX)
		return problem_field(p, ERR_INVALID, "max_attempts", "must be between 1 and %d", FLOW_ATTEMPTS_MAX);
	if (spec->backoff_ms < 0 || spec->backoff_ms > FLOW_RETRY_MAX_MS)
		return problem_field(p, ERR_INVALID, "backoff_ms", "must be between 0 and an hour");
	if (spec->deadline_ms && spec->deadline_ms <= f->batch.now_ms)
		return problem_field(p, ERR_INVALID, "deadline", "must lie in the future");
	return OK;
}

static struct flow_execution *make(const struct flow *f, const struct flow_spec *spec)
{
	struct flow_execution *e = NEW(struct flow_execution);

	*e = (struct flow_execution){.id = spec->id,
				     .tenant = spec->tenant,
				     .squad = spec->squad,
				     .task = spec->task,
				     .priority = (uint8_t)spec->priority,
				     .attempt = 1,
				     .attempts_max = (uint16_t)spec->attempts_max,
				     .backoff_ms = (uint32_t)spec->backoff_ms,
				     .created_ms = f->batch.now_ms,
				     .deadline_ms = spec->deadline_ms};
	return e;
}

enum err flow_add(struct flow *f, const struct flow_spec *spec, struct flow_execution **out, struct problem *p)
{
	struct flow_execution *e;
	enum err err = check_spec(f, spec, p);

	CHECK(f->batch.open);
	if (!err)
		err = graph_check(f, &(struct flow_execution){0}, spec->steps, spec->steps_count, p);
	if (err)
		return err;
	e = *out = make(f, spec);
	execution_enter(f, e, false);
	for (size_t i = 0; i < spec->steps_count; i++)
		graph_add(f, e, &spec->steps[i]);
	execution_arrange(f, e);
	return OK;
}

/* ---- moves ---- */

enum err execution_refuses(const struct flow_execution *e, const char *what, struct problem *p)
{
	return problem_set(p, ERR_CONFLICT, "an execution that is %s cannot be %s",
			   enum_execution_state.values[e->state].text, what);
}

void command_done(struct flow *f, struct flow_execution *e)
{
	execution_advance(f, e);
	execution_arrange(f, e);
	flow_follow(f);
}

enum err flow_start(struct flow *f, int64_t tenant, int64_t id, struct str by, struct flow_execution **out,
		    struct problem *p)
{
	enum err err = execution_get(f, tenant, id, out);

	if (err)
		return err;
	if ((*out)->ended)
		return execution_refuses(*out, "started", p);
	if ((*out)->started_ms)
		return OK;
	execution_touch(f, *out);
	(*out)->started_ms = f->batch.now_ms;
	flow_tell(f, *out,
		  &(struct flow_event){.kind = FLOW_STARTED, .from = -1, .to = -1, .attempt = 1, .agent = by});
	command_done(f, *out);
	return OK;
}

enum err flow_cancel(struct flow *f, int64_t tenant, int64_t id, struct str by, struct str reason,
		     struct flow_execution **out, struct problem *p)
{
	enum err err = execution_get(f, tenant, id, out);

	if (err)
		return err;
	if ((*out)->ended == EXECUTION_CANCELLED)
		return OK;
	if ((*out)->ended)
		return execution_refuses(*out, "cancelled", p);
	execution_touch(f, *out);
	execution_ends(f, *out, EXECUTION_CANCELLED, by, reason);
	execution_arrange(f, *out);
	flow_follow(f);
	return OK;
}

enum err flow_pause(struct flow *f, int64_t tenant, int64_t id, struct str by, struct flow_execution **out,
		    struct problem *p)
{
	enum err err = execution_get(f, tenant, id, out);

	if (err)
		return err;
	if ((*out)->ended)
		return execution_refuses(*out, "paused", p);
	if ((*out)->paused)
		return OK;
	execution_touch(f, *out);
	(*out)->paused = true;
	(*out)->full_ms = 0;
	execution_holds(f, *out);
	flow_tell(f, *out, &(struct flow_event){.kind = FLOW_PAUSED, .from = -1, .to = -1, .agent = by});
	command_done(f, *out);
	return OK;
}

enum err flow_resume(struct flow *f, int64_t tenant, int64_t id, struct str by, struct flow_execution **out,
		     struct problem *p)
{
	enum err err = execution_get(f, tenant, id, out);

	if (err)
		return err;
	if ((*out)->ended)
		return execution_refuses(*out, "resumed", p);
	if (!(*out)->paused)
		return OK;
	execution_touch(f, *out);
	(*out)->paused = false;
	flow_tell(f, *out, &(struct flow_event){.kind = FLOW_RESUMED, .from = -1, .to = -1, .agent = by});
	command_done(f, *out);
	return OK;
}

void flow_pause_squad(struct flow *f, int64_t squad, bool paused)
{
	bool changed = paused ? idmap_add(&f->paused, squad, NULL) : idmap_remove(&f->paused, squad);
	struct idmap_cursor c;

	CHECK(f->batch.open);
	if (!changed)
		return;
	*VEC_PUSH(&f->batch.squads) = squad;
	for (c = idmap_below(&f->by_id, INT64_MAX); idmap_next_down(&f->by_id, &c);) {
		struct flow_execution *e = c.value;

		if (e->squad != squad || e->ended)
			continue;
		execution_touch(f, e);
		if (paused)
			execution_holds(f, e);
		execution_advance(f, e);
		execution_arrange(f, e);
	}
	flow_follow(f);
}

/* ---- steps ---- */

enum err flow_extend(struct flow *f, int64_t tenant, int64_t id, const struct flow_step_spec *steps, size_t count,
		     struct str by, struct flow_execution **out, struct problem *p)
{
	enum err err = execution_get(f, tenant, id, out);

	if (err)
		return err;
	if ((*out)->ended)
		return execution_refuses(*out, "given steps", p);
	err = graph_check(f, *out, steps, count, p);
	if (err)
		return err;
	execution_touch(f, *out);
	for (size_t i = 0; i < count; i++) {
		graph_add(f, *out, &steps[i]);
		flow_tell(f, *out,
			  &(struct flow_event){.kind = FLOW_STEP_ADDED,
					       .from = -1,
					       .to = -1,
					       .step = steps[i].id,
					       .member = steps[i].member,
					       .agent = by,
					       .text = steps[i].name});
	}
	command_done(f, *out);
	return OK;
}

static enum err find_approval(const struct flow_execution *e, int64_t id, bool yes, struct flow_step **out,
			      struct problem *p)
{
	struct flow_step *s = step_find(e, id);

	*out = s;
	if (!s)
		return ERR_NOT_FOUND;
	if (s->kind != STEP_APPROVAL)
		return problem_set(p, ERR_CONFLICT, "the step %s is no approval", s->name->text);
	if (s->state == (yes ? STEP_COMPLETED : STEP_FAILED))
		return OK;
	if (s->state != STEP_WAITING)
		return problem_set(p, ERR_CONFLICT, "the approval %s is %s", s->name->text,
				   enum_step_state.values[s->state].text);
	return OK;
}

enum err flow_approve(struct flow *f, int64_t tenant, int64_t id, int64_t step, bool yes, struct str by,
		      struct str note, struct flow_execution **out, struct problem *p)
{
	struct flow_step *s;
	struct cause why = {.agent = by};
	enum err err = execution_get(f, tenant, id, out);

	if (!err && (*out)->ended)
		return execution_refuses(*out, "approved", p);
	if (!err)
		err = find_approval(*out, step, yes, &s, p);
	if (err || s->state != STEP_WAITING)
		return err;
	if (yes)
		why.ending.result = note;
	else
		why.ending.error = note.n ? note : STR("refused");
	execution_touch(f, *out);
	step_ends(f, *out, s, yes ? STEP_COMPLETED : STEP_FAILED, &why);
	command_done(f, *out);
	return OK;
}

/* Is it a wait for this that has not heard of it? */
static bool awaits(const struct flow_step *s, const struct name *name)
{
	return s->awaited == name && !s->signalled && (s->state == STEP_WAITING || s->state == STEP_PENDING);
}

static bool is_awaited(const struct flow_execution *e, const struct name *name)
{
	for (size_t i = 0; name && i < e->steps_count; i++)
		if (awaits(&e->steps[i], name))
			return true;
	return false;
}

static void signal_step(struct flow *f, struct flow_execution *e, struct flow_step *s, const struct cause *why)
{
	s->signalled = true;
	s->touched = true;
	step_keeps(f, s, &why->ending);
	if (s->state == STEP_WAITING)
		step_ends(f, e, s, STEP_COMPLETED, why);
}

enum err flow_signal(struct flow *f, int64_t tenant, int64_t id, struct str name, struct str data, struct str by,
		     struct flow_execution **out, struct problem *p)
{
	const struct name *awaited = name_find(&f->names, name);
	struct cause why = {.agent = by, .ending.result = data};
	enum err err = execution_get(f, tenant, id, out);

	if (err)
		return err;
	if ((*out)->ended)
		return execution_refuses(*out, "sent events", p);
	if (!is_awaited(*out, awaited))
		return problem_set(p, ERR_CONFLICT, "no step waits for '%.*s'", STRF(name));
	execution_touch(f, *out);
	for (size_t i = 0; i < (*out)->steps_count; i++)
		if (awaits(&(*out)->steps[i], awaited))
			signal_step(f, *out, &(*out)->steps[i], &why);
	command_done(f, *out);
	return OK;
}

/* Within a minute from the first of it. */
static enum err check_talk(const struct flow *f, const struct flow_execution *e, struct problem *p)
{
	int64_t left = e->talk_ms + MINUTE_MS - f->batch.now_ms;

	if (e->talked < FLOW_MESSAGES_A_MINUTE || left <= 0)
		return OK;
	p->retry_after_s = (int)((left + 999) / 1000);
	return problem_set(p, ERR_RATE_LIMITED, "an execution takes %d messages a minute", FLOW_MESSAGES_A_MINUTE);
}

static void count_talk(const struct flow *f, struct flow_execution *e)
{
	if (f->batch.now_ms - e->talk_ms >= MINUTE_MS) {
		e->talk_ms = f->batch.now_ms;
		e->talked = 0;
	}
	e->talked++;
}

enum err flow_note(struct flow *f, int64_t tenant, int64_t id, const struct flow_event *what,
		   struct flow_execution **out, struct problem *p)
{
	enum err err = execution_get(f, tenant, id, out);

	if (err)
		return err;
	if ((*out)->ended)
		return execution_refuses(*out, "added to", p);
	if (what->step && !step_find(*out, what->step))
		return ERR_NOT_FOUND;
	if (what->kind == FLOW_MESSAGE)
		err = check_talk(f, *out, p);
	if (err)
		return err;
	execution_touch(f, *out);
	if (what->kind == FLOW_MESSAGE)
		count_talk(f, *out);
	flow_tell(f, *out, what);
	execution_arrange(f, *out);
	return OK;
}
