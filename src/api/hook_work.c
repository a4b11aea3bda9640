/* See hook_work.h. */
#include "api/hook_work.h"

#include "api/api.h"
#include "api/app.h"
#include "api/enqueue.h"
#include "api/executions.h"
#include "hooks/hook.h"
#include "hooks/mapping.h"
#include "squads/project.h"

#include <pthread.h>

enum { AT_ONCE = 20, ARENA_BYTES = 64 << 20 };

struct hook_work {
	struct chore chore;
	struct app *app;
	struct arena *arena; /* of the chore while it runs */
	struct hook_delivery_waiting_out waiting[AT_ONCE];
	struct hook_delivery_done_in done[AT_ONCE];
	size_t count;

	pthread_mutex_t lock; /* what follows */
	bool posted, woken;
};

/* ---- on the queue's thread ---- */

static enum err take_waiting(void *ctx, const void *row)
{
	struct hook_work *w = ctx;
	struct hook_delivery_waiting_out *d = &w->waiting[w->count++];
	*d = *(const struct hook_delivery_waiting_out *)row;
	d->event = arena_str(w->arena, d->event);
	d->body = arena_str(w->arena, d->body);
	d->name = arena_str(w->arena, d->name);
	d->rules = arena_str(w->arena, d->rules);
	return arena_overflowed(w->arena) ? ERR_TOO_LARGE : OK;
}

/* A call of nobody's, in the name of the hook: what makes things asks it for tenant, time and memory. */
static struct call call_of(struct hook_work *w, const struct hook_delivery_waiting_out *d, struct db *db,
			   int64_t now_ms)
{
	return (struct call){
		.magic = CALL_MAGIC,
		.arena = w->arena,
		.app = w->app,
		.db = db,
		.now_ms = now_ms,
		.caller = {.tenant = d->tenant, .key_name = arena_fmt(w->arena, "hook %.*s", STRF(d->name))}};
}

/* One delivery, and what is made of it. */
struct seeing {
	struct call c;
	const struct hook_delivery_waiting_out *delivery;
	const struct hook_rule *rule;
	struct mapping_event event;
	int64_t work, task, execution; /* 0: none */
	bool nobody;                   /* it was for somebody who is not there; c.problem says who */
};

/* ---- a task and its execution ---- */

static enum err find_task(struct seeing *s, const struct task_new *in)
{
	struct task_external_out found;
	struct task_row made;
	if (s->task && q_task_get(s->c.db, &(struct id_row){s->task}, s->c.arena, &made) == OK)
		return OK; /* by an earlier try that came no further */
	s->task = 0;
	if (!HAS(in, task_new, external_id))
		return ERR_NOT_FOUND;
	enum err err = q_task_external(s->c.db, &(struct task_external_in){in->project, in->external_id},
				       s->c.arena, &found);
	s->task = err ? 0 : found.id;
	return err;
}

static enum err make_task(struct seeing *s)
{
	struct task_new in;
	struct project_task made;
	enum err err = mapping_task(s->rule, &s->event, s->c.arena, &in, &s->c.problem);
	if (!err)
		err = find_task(s, &in);
	if (err != ERR_NOT_FOUND)
		return err;
	err = task_add(&s->c, app_new_id(call_app(&s->c)), &in, &made);
	s->task = err ? 0 : made.id;
	return err;
}

/* The one that goes on already, or a new one. */
static enum err begin_of_task(struct seeing *s)
{
	struct task_row task;
	struct execution_new in;
	struct flow_execution *e;
	enum err err = flow_rows_of_task(call_app(&s->c)->flow, s->task, &e);
	if (!err && !e)
		err = q_task_get(s->c.db, &(struct id_row){s->task}, s->c.arena, &task);
	if (!err && !e)
		err = mapping_execution(s->rule, &s->event, task.squad, s->task, s->c.arena, &in, &s->c.problem);
	if (!err && !e)
		err = execution_begin(&s->c, &in, &e);
	s->execution = err ? 0 : e->id;
	return err;
}

static enum err begin_alone(struct seeing *s)
{
	struct execution_new in;
	struct flow_execution *e;
	enum err err = mapping_execution(s->rule, &s->event, s->rule->squad, 0, s->c.arena, &in, &s->c.problem);
	if (!err)
		err = execution_begin(&s->c, &in, &e);
	s->execution = err ? 0 : e->id;
	return err;
}

static enum err make_task_and_begin(struct seeing *s)
{
	if (!s->rule->project)
		return begin_alone(s);
	enum err err = make_task(s);
	return !err && mapping_begins(s->rule) ? begin_of_task(s) : err;
}

/* ---- a signal, a message ---- */

static enum err find_addressee(struct seeing *s, struct flow_execution **out)
{
	struct str external;
	struct task_external_out task;
	int64_t id;
	*out = NULL;
	enum err err = mapping_addressee(s->rule, &s->event, s->c.arena, &id, &external, &s->c.problem);
	if (err)
		return err;
	if (id) {
		*out = flow_find(call_app(&s->c)->flow->flow, id);
		return OK;
	}
	err = q_task_external(s->c.db, &(struct task_external_in){s->rule->project, external}, s->c.arena, &task);
	if (!err)
		err = flow_rows_of_task(call_app(&s->c)->flow, task.id, out);
	s->task = err ? 0 : task.id;
	return err == ERR_NOT_FOUND ? OK : err;
}

/* One that goes on; s->nobody when there is none. */
static enum err find_told(struct seeing *s, struct flow_execution **out)
{
	enum err err = find_addressee(s, out);
	if (err || (*out && !(*out)->ended && (*out)->tenant == s->c.caller.tenant))
		return err;
	s->nobody = true;
	problem_set(&s->c.problem, ERR_NOT_FOUND, "no execution that it is for goes on");
	return OK;
}

static enum err signal_it(struct seeing *s)
{
	struct execution_signal_in in;
	struct flow_execution *e;
	enum err err = find_told(s, &e);
	if (err || s->nobody)
		return err;
	err = mapping_signal(s->rule, &s->event, e->id, s->c.arena, &in, &s->c.problem);
	if (err)
		return err;
	err = flow_signal(call_app(&s->c)->flow->flow, e->tenant, e->id, in.event, in.data, s->c.caller.key_name,
			  &e, &s->c.problem);
	s->nobody = err == ERR_CONFLICT;
	s->execution = err ? 0 : e->id;
	return s->nobody ? OK : err;
}

static enum err say_it(struct seeing *s)
{
	struct message_new in;
	struct message said;
	struct flow_execution *e;
	enum err err = find_told(s, &e);
	if (err || s->nobody)
		return err;
	err = mapping_message(s->rule, &s->event, e->id, s->c.arena, &in, &s->c.problem);
	if (!err)
		err = api_message_send(&s->c, &in, &said);
	s->execution = err ? 0 : e->id;
	return err;
}

/* ---- any of them ---- */

static enum err make_item(struct seeing *s)
{
	struct work_new in;
	struct item *made;
	bool existed;
	enum err err = mapping_work(s->rule, &s->event, s->c.arena, &in, &s->c.problem);
	if (!err)
		err = enqueue_one(&s->c, &in, NULL, &made, &existed, &s->c.problem);
	s->work = err ? 0 : made->id;
	return err;
}

static enum err follow_rule(struct seeing *s)
{
	switch (mapping_kind_of(s->rule)) {
	case MAPPING_ITEM:
		return make_item(s);
	case MAPPING_TASK:
		return make_task_and_begin(s);
	case MAPPING_SIGNAL:
		return signal_it(s);
	case MAPPING_MESSAGE:
		return say_it(s);
	}
	UNREACHABLE();
}

/* Errors of the event's are noted with it, and so is a message too many. Those of the queue or the store, which may
 * pass, end the run. */
static bool is_of_the_event(enum err err)
{
	return err == ERR_INVALID || err == ERR_MISSING_FIELD || err == ERR_MISTYPED || err == ERR_MALFORMED ||
	       err == ERR_TOO_LARGE || err == ERR_CONFLICT || err == ERR_NOT_FOUND || err == ERR_ALREADY_EXISTS ||
	       err == ERR_RATE_LIMITED;
}

static enum hook_delivery_state state_after(const struct seeing *s, enum err err)
{
	if (err)
		return is_of_the_event(err) ? HOOK_DELIVERY_FAILED : HOOK_DELIVERY_WAITING;
	return s->rule && !s->nobody ? HOOK_DELIVERY_DONE : HOOK_DELIVERY_IGNORED;
}

static struct hook_delivery_done_in became(struct hook_work *w, const struct seeing *s, enum err err)
{
	const struct problem *p = &s->c.problem;
	enum hook_delivery_state state = state_after(s, err);
	struct hook_delivery_done_in done = {.id = s->delivery->id,
					     .state = (int64_t)state,
					     .work = s->work,
					     .task = s->task,
					     .execution = s->execution,
					     .processed_ms = state == HOOK_DELIVERY_WAITING ? 0 : s->c.now_ms};
	if (state == HOOK_DELIVERY_FAILED || s->nobody)
		done.detail = arena_str(w->arena, str_of(p->detail[0] ? p->detail : err_info(err)->title));
	return done;
}

static enum err see_to(struct hook_work *w, const struct hook_delivery_waiting_out *d, struct db *db,
		       int64_t now_ms, struct hook_delivery_done_in *out)
{
	struct seeing s = {.c = call_of(w, d, db, now_ms),
			   .delivery = d,
			   .event = {.hook = d->name, .name = d->event, .body = d->body},
			   .task = d->task};
	struct hook_rules rules;
	enum err err = json_decode(&type_hook_rules, d->rules, 0, w->arena, &rules, &s.c.problem);
	s.rule = err ? NULL : mapping_find(rules.rules, rules.rules_count, &s.event);
	if (s.rule)
		err = follow_rule(&s);
	*out = became(w, &s, err);
	return is_of_the_event(err) ? OK : err;
}

/* What the queue would not take now goes on waiting, with the task that was made of it, and what comes behind it. */
static enum err run(struct chore *chore, struct db *db, int64_t now_ms)
{
	struct hook_work *w = CONTAINER_OF(chore, struct hook_work, chore);
	arena_reset(w->arena);
	w->count = 0;
	enum err err = q_hook_delivery_waiting(db, &(struct hook_delivery_waiting_in){AT_ONCE}, take_waiting, w);
	size_t seen = 0;
	for (enum err each = OK; seen < w->count && !err && !each; seen++)
		each = see_to(w, &w->waiting[seen], db, now_ms, &w->done[seen]);
	w->count = seen;
	return err || !seen ? err : q_hook_delivery_done(db, w->done, seen);
}

/* ---- from others ---- */

static void post(struct hook_work *w)
{
	w->chore.task = (struct task){.cost = AT_ONCE, .share = AT_ONCE, .kind = TASK_CHORE};
	executor_post_always(w->app->executor, &w->chore.task);
}

static void done(struct chore *chore, enum err outcome)
{
	struct hook_work *w = CONTAINER_OF(chore, struct hook_work, chore);
	pthread_mutex_lock(&w->lock);
	bool again = !outcome && (w->woken || w->count == AT_ONCE);
	w->posted = again;
	w->woken = false;
	pthread_mutex_unlock(&w->lock);
	if (again)
		post(w);
}

void hook_work_wake(struct hook_work *w)
{
	pthread_mutex_lock(&w->lock);
	bool first = !w->posted;
	w->posted = true;
	w->woken = !first;
	pthread_mutex_unlock(&w->lock);
	if (first)
		post(w);
}

enum err hook_work_follow(void *ctx, struct db *db, const struct change_row *rows, size_t count)
{
	bool concerned = count == 0;
	(void)db;
	for (size_t i = 0; i < count; i++)
		concerned = concerned || rows[i].entity == ENTITY_HOOK;
	if (concerned)
		hook_work_wake(ctx);
	return OK;
}

/* ---- life ---- */

struct hook_work *hook_work_new(struct app *app)
{
	struct hook_work *w = NEW(struct hook_work);
	w->app = app;
	w->arena = arena_new(ARENA_BYTES);
	w->chore = (struct chore){.run = run, .done = done, .on_queue = true};
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

void hook_work_destroy(struct hook_work **w)
{
	struct hook_work *ending = *w;
	if (!ending)
		return;
	arena_destroy(&ending->arena);
	pthread_mutex_destroy(&ending->lock);
	free(ending);
	*w = NULL;
}
