/* See execution_told.h. */
#include "api/execution_told.h"

#include "base/magic.h"
#include "directory/changes.h"
#include "webhooks/webhooks.h"

#include <stdlib.h>

/* Something that happened, and what webhooks call it. */
struct news {
	const struct flow_event *event;
	enum webhook_event type;
};

/* ---- what is told of at all ---- */

static const struct flow_step *step_of(const struct flow_event *e)
{
	for (size_t i = 0; i < e->execution->steps_count; i++)
		if (e->execution->steps[i].id == e->step)
			return &e->execution->steps[i];
	return NULL;
}

static bool is_waiting_approval(const struct flow_event *e)
{
	const struct flow_step *s = e->kind == FLOW_STEP_STATUS && e->to == STEP_WAITING ? step_of(e) : NULL;
	return s && s->kind == STEP_APPROVAL;
}

static bool type_of(const struct flow_event *e, enum webhook_event *out)
{
	*out = EVENT_TEST;
	if (e->kind == FLOW_STARTED)
		*out = EVENT_EXECUTION_STARTED;
	else if (e->kind == FLOW_STATUS && e->to == EXECUTION_BLOCKED)
		*out = EVENT_EXECUTION_BLOCKED;
	else if (e->kind == FLOW_COMPLETED)
		*out = EVENT_EXECUTION_COMPLETED;
	else if (e->kind == FLOW_ERROR)
		*out = EVENT_EXECUTION_FAILED;
	else if (e->kind == FLOW_CANCELLED)
		*out = EVENT_EXECUTION_CANCELLED;
	else if (is_waiting_approval(e))
		*out = EVENT_APPROVAL_WAITING;
	return *out != EVENT_TEST;
}

static int by_tenant(const void *a, const void *b)
{
	const struct flow_event *one = ((const struct news *)a)->event, *other = ((const struct news *)b)->event;
	int64_t x = one->execution->tenant, y = other->execution->tenant;
	return x == y ? (one > other) - (one < other) : (x > y) - (x < y);
}

/* In the batch's arena, tenant by tenant, each in order. */
static struct news *collect(struct app *app, size_t *count)
{
	size_t happened;
	const struct flow_event *events = flow_events(app->flow->flow, &happened);
	struct news *news = ARENA_ARRAY(app->persist->arena, struct news, happened);
	*count = 0;
	for (size_t i = 0; news && i < happened; i++) {
		news[*count].event = &events[i];
		*count += type_of(&events[i], &news[*count].type);
	}
	if (*count > 1)
		qsort(news, *count, sizeof *news, by_tenant);
	return news;
}

/* ---- one event ---- */

static void describe(const struct news *n, struct webhook_execution_data *out)
{
	const struct flow_execution *e = n->event->execution;
	const struct flow_step *s = n->type == EVENT_APPROVAL_WAITING ? step_of(n->event) : NULL;
	*out = (struct webhook_execution_data){.execution = e->id,
					       .squad = e->squad,
					       .state = e->state,
					       .attempt = e->attempt,
					       .number = n->event->number};
	if (e->task)
		PUT(out, webhook_execution_data, task, e->task);
	if (e->block)
		PUT(out, webhook_execution_data, block, e->block);
	if (s)
		PUT(out, webhook_execution_data, step, s->id);
	if (s)
		PUT(out, webhook_execution_data, step_name, name_str(s->name));
	if (n->type == EVENT_EXECUTION_FAILED || n->type == EVENT_EXECUTION_CANCELLED)
		PUT(out, webhook_execution_data, why, n->event->text);
}

static enum err row_of(struct app *app, struct db *db, const struct news *n, struct webhook_event_row *out)
{
	struct arena *a = app->persist->arena;
	struct webhook_execution_data data;
	struct execution_name_out named;
	char subject[ID_TEXT];
	enum err err = q_execution_name(db, &(struct id_row){n->event->execution->id}, a, &named);
	if (err)
		return err == ERR_NOT_FOUND ? ERR_INTERNAL : err;
	describe(n, &data);
	data.name = named.name;
	struct buf b = BUF_INIT(0);
	json_encode(&type_webhook_execution_data, &data, 0, &b);
	id_format(subject, "ex_", data.execution);
	*out = (struct webhook_event_row){.id = app_new_id(app),
					  .tenant = n->event->execution->tenant,
					  .type = n->type,
					  .subject = arena_str(a, str_of(subject)),
					  .data = arena_str(a, buf_str(&b)),
					  .at_ms = n->event->at_ms,
					  .pending = 1};
	buf_free(&b);
	return OK;
}

/* ---- those of a tenant ---- */

/* The process that sends hears of it by the feed; where there is no other, by being woken. */
static enum err tell_the_sender(const struct app *app, struct db *db, const struct webhook_event_row *event,
				int64_t webhook)
{
	struct change_fact fact = {.tenant = event->tenant,
				   .entity = ENTITY_WEBHOOK,
				   .op = OP_PUT,
				   .ref = webhook,
				   .at_ms = event->at_ms};
	return store_kind(app->store) == STORE_SQLITE ? OK : q_change_add(db, &fact, 1);
}

static enum err tell_tenant(struct app *app, struct db *db, const struct news *news, size_t count, bool *told)
{
	struct webhook_event_row *rows = ARENA_ARRAY(app->persist->arena, struct webhook_event_row, count);
	struct webhook_wanted wanted;
	size_t n = 0;
	enum err err = rows ? webhook_wanted(db, news[0].event->execution->tenant, &wanted) : ERR_INTERNAL;
	for (size_t i = 0; i < count && !err; i++)
		if (wanted.events >> news[i].type & 1)
			err = row_of(app, db, &news[i], &rows[n++]);
	if (err || !n)
		return err;
	*told = true;
	err = q_webhook_event_insert(db, rows, n);
	return err ? err : tell_the_sender(app, db, &rows[0], wanted.webhook);
}

static size_t of_the_same_tenant(const struct news *news, size_t count)
{
	size_t n = 1;
	while (n < count && news[n].event->execution->tenant == news[0].event->execution->tenant)
		n++;
	return n;
}

/* ---- the batch ---- */

enum err execution_tell(struct app *app, struct db *db, bool *told)
{
	struct webhook_any_out any;
	size_t count;
	const struct news *news = collect(app, &count);
	enum err err = news && count ? q_webhook_any(db, app->persist->arena, &any) : OK;
	*told = false;
	if (err || !count || !any.listening)
		return err;
	for (size_t i = 0, n; i < count && !err; i += n) {
		n = of_the_same_tenant(&news[i], count - i);
		err = tell_tenant(app, db, &news[i], n, told);
	}
	return err;
}

void execution_was_told(struct app *app)
{
	webhooks_wake(app->webhooks);
	if (store_kind(app->store) != STORE_SQLITE)
		changes_ring(app->feed, CHANGES_COMMITTED);
}
