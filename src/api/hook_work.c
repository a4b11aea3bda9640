/* See hook_work.h. */
#include "api/hook_work.h"

#include "api/app.h"
#include "api/enqueue.h"
#include "hooks/hook.h"
#include "hooks/mapping.h"

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

/* A call of nobody's, in the name of the hook: enqueueing asks it for tenant, time and memory. */
static struct call call_of(struct hook_work *w, const struct hook_delivery_waiting_out *d, struct db *db,
			   int64_t now_ms)
{
	return (struct call){.magic = CALL_MAGIC,
			     .arena = w->arena,
			     .app = w->app,
			     .db = db,
			     .now_ms = now_ms,
			     .caller = {.tenant = d->tenant, .key_name = STR("hook")}};
}

static struct hook_delivery_done_in became(struct hook_work *w, enum hook_delivery_state state, int64_t work,
					   const struct problem *p)
{
	struct hook_delivery_done_in done = {.state = (int64_t)state, .work = work};
	if (state == HOOK_DELIVERY_FAILED)
		done.detail = arena_str(w->arena, str_of(p->detail[0] ? p->detail : err_info(p->err)->title));
	return done;
}

/* Errors of the event's are noted with it; those of the queue or the store, which may pass, end the run. */
static bool is_of_the_event(enum err err)
{
	return err == ERR_INVALID || err == ERR_MISSING_FIELD || err == ERR_MISTYPED || err == ERR_MALFORMED ||
	       err == ERR_TOO_LARGE;
}

static enum err see_to(struct hook_work *w, const struct hook_delivery_waiting_out *d, struct db *db,
		       int64_t now_ms, struct hook_delivery_done_in *out)
{
	struct mapping_event event = {.hook = d->name, .name = d->event, .body = d->body};
	struct hook_rules rules;
	struct work_new item;
	struct item *made = NULL;
	struct problem p = {0};
	bool existed;
	enum err err = json_decode(&type_hook_rules, d->rules, 0, w->arena, &rules, &p);
	const struct hook_rule *rule = err ? NULL : mapping_find(rules.rules, rules.rules_count, &event);
	struct call c = call_of(w, d, db, now_ms);
	if (!err && rule)
		err = mapping_work(rule, &event, w->arena, &item, &p);
	if (!err && rule)
		err = enqueue_one(&c, &item, NULL, &made, &existed, &p);
	p.err = err;
	if (err)
		*out = became(w, HOOK_DELIVERY_FAILED, 0, &p);
	else
		*out = became(w, rule ? HOOK_DELIVERY_DONE : HOOK_DELIVERY_IGNORED, made ? made->id : 0, &p);
	out->id = d->id;
	out->processed_ms = now_ms;
	return is_of_the_event(err) ? OK : err;
}

/* What the queue would not take now goes on waiting, and what comes behind it. */
static enum err run(struct chore *chore, struct db *db, int64_t now_ms)
{
	struct hook_work *w = CONTAINER_OF(chore, struct hook_work, chore);
	arena_reset(w->arena);
	w->count = 0;
	enum err err = q_hook_delivery_waiting(db, &(struct hook_delivery_waiting_in){AT_ONCE}, take_waiting, w);
	size_t seen = 0;
	for (enum err each = OK; seen < w->count && !err && !each;) {
		each = see_to(w, &w->waiting[seen], db, now_ms, &w->done[seen]);
		seen += each == OK;
	}
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
	w->chore = (struct chore){.run = run, .done = done};
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
