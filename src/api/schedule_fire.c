/*
 * What a fire does, on the queue's thread: it enqueues a work item, or begins an execution. An item says by its labels
 * which fire of which schedule it is; one that is to wait for the item before it depends on it, however that ends.
 */
#include "api/enqueue.h"
#include "api/executions.h"
#include "api/schedules.h"

enum { NAME_MAX_SHOWN = 128 };

static unsigned unfinished_items(const struct app *app, const struct schedule_row *schedule)
{
	const struct item *item = work_find(app->persist->work, schedule->last_item);
	if (!item || item->queue->tenant != schedule->tenant)
		return 0;
	return item->state == WORK_BLOCKED ? 2 : 1; /* it waits for the one before it */
}

static unsigned unfinished_executions(const struct app *app, const struct schedule_row *schedule)
{
	const struct flow_execution *e = flow_find(app->flow->flow, schedule->last_execution);
	return (unsigned)(e && !e->ended) + (schedule->waiting_ms > 0);
}

unsigned schedule_unfinished(void *ctx, const struct schedule_row *schedule, const struct schedule_new *given)
{
	return HAS(given, schedule_new, execution) ? unfinished_executions(ctx, schedule)
						   : unfinished_items(ctx, schedule);
}

/* ---- an item ---- */

static struct str id_text(int64_t id, struct arena *a)
{
	char text[ID_TEXT];
	id_format(text, "sc_", id);
	return arena_str(a, str_of(text));
}

static enum err add_labels(const struct fire *fire, struct arena *a, struct work_new *out)
{
	const struct schedule_new *given = fire->given;
	char at[CLOCK_TEXT];
	clock_format(fire->at_ms, at);
	struct json_pair *labels = ARENA_ARRAY(a, struct json_pair, given->labels_count + 2);
	if (!labels)
		return ERR_INTERNAL;
	for (size_t i = 0; i < given->labels_count; i++)
		labels[out->labels_count++] = given->labels[i];
	labels[out->labels_count++] = (struct json_pair){STR("schedule"), id_text(fire->schedule->id, a)};
	labels[out->labels_count++] = (struct json_pair){STR("fire"), arena_str(a, str_of(at))};
	out->labels = labels;
	return OK;
}

static enum err item_of(const struct fire *fire, struct arena *a, int64_t now_ms, struct work_new *out)
{
	const struct schedule_new *given = fire->given;
	*out = (struct work_new){.type = given->type,
				 .title = given->title,
				 .team = given->team,
				 .priority = given->priority,
				 .description = given->description,
				 .payload = given->payload,
				 .max_attempts = given->max_attempts,
				 .lease_ms = given->lease_ms,
				 .assignee = given->assignee};
	if (HAS(given, schedule_new, timeout_ms))
		PUT(out, work_new, deadline, now_ms + given->timeout_ms);
	enum err err = json_finish(&type_work_backoff, 0, &out->backoff, NULL);
	return err ? err : add_labels(fire, a, out);
}

static enum err enqueue(struct app *app, const struct fire *fire, struct arena *a, int64_t now_ms, int64_t *item,
			struct problem *p)
{
	struct work_new in;
	struct item *made;
	bool existed;
	struct work_spec_dependency before = {
		.id = fire->after_item, .on_failure = ON_FAILURE_IGNORE, .standing = DEPENDENCY_LIVE};
	struct enqueuer by = {.persist = app->persist,
			      .arena = a,
			      .tenant = fire->schedule->tenant,
			      .now_ms = now_ms,
			      .name = STR("schedule")};
	enum err err = item_of(fire, a, now_ms, &in);
	if (!err)
		err = enqueue_for(&by, &in, &before, fire->after_item ? 1 : 0, &made, &existed, p);
	*item = err ? 0 : made->id;
	return err;
}

/* ---- an execution ---- */

/* A squad that rests begins nothing by the clock: it would only pile up. */
static enum err look_at_squad(const struct app *app, const struct fire *fire, struct fired *out, struct problem *p)
{
	struct squad_row squad;
	enum err err = flow_rows_squad(app->flow, fire->schedule->tenant, fire->given->execution.squad, &squad);
	if (err == ERR_NOT_FOUND)
		return problem_set(p, err, "its squad is gone");
	out->left_out = !err && squad.status != SQUAD_ACTIVE;
	if (out->left_out)
		out->detail =
			squad.status == SQUAD_PAUSED ? STR("the squad is paused") : STR("the squad is archived");
	return err;
}

static struct execution_new execution_of(const struct fire *fire, int64_t now_ms)
{
	const struct schedule_execution *given = &fire->given->execution;
	struct execution_new out = {.squad = given->squad,
				    .name = given->name.n ? given->name : fire->schedule->name,
				    .priority = given->priority,
				    .max_attempts = given->max_attempts,
				    .backoff_ms = given->backoff_ms,
				    .start = true,
				    .input = given->input,
				    .steps = given->steps,
				    .steps_count = given->steps_count};
	if (HAS(given, schedule_execution, task))
		PUT(&out, execution_new, task, given->task);
	if (HAS(given, schedule_execution, template))
		PUT(&out, execution_new, template, given->template);
	if (HAS(given, schedule_execution, timeout_ms))
		PUT(&out, execution_new, deadline, now_ms + given->timeout_ms);
	return out;
}

static struct str schedule_name(const struct fire *fire, struct arena *a)
{
	return str_clip(arena_fmt(a, "schedule %.*s", STRF(fire->schedule->name)), NAME_MAX_SHOWN);
}

static enum err begin(struct app *app, const struct fire *fire, struct arena *a, int64_t now_ms, struct fired *out,
		      struct problem *p)
{
	struct execution_new in = execution_of(fire, now_ms);
	struct flow_execution *made;
	struct call c = {.magic = CALL_MAGIC,
			 .arena = a,
			 .app = app,
			 .db = app->persist->db,
			 .now_ms = now_ms,
			 .caller = {.tenant = fire->schedule->tenant, .key_name = schedule_name(fire, a)}};
	enum err err = look_at_squad(app, fire, out, p);
	if (err || out->left_out)
		return err;
	err = execution_begin(&c, &in, &made);
	if (err)
		*p = c.problem;
	else
		out->execution = made->id;
	return err;
}

enum err schedule_start(void *ctx, const struct fire *fire, struct arena *a, int64_t now_ms, struct fired *out,
			struct problem *p)
{
	if (schedule_is_built_in(fire->given))
		return schedule_run_built_in(ctx, fire, a, now_ms, out);
	return HAS(fire->given, schedule_new, execution) ? begin(ctx, fire, a, now_ms, out, p)
							 : enqueue(ctx, fire, a, now_ms, &out->item, p);
}
