/*
 * What a fire does: it enqueues a work item, on the queue's thread. The item says by its labels which fire of which
 * schedule it is; one that is to wait for the item before it depends on it, however that ends.
 */
#include "api/enqueue.h"
#include "api/schedules.h"

unsigned schedule_unfinished(void *ctx, const struct schedule_row *schedule)
{
	const struct app *app = ctx;
	const struct item *item = work_find(app->persist->work, schedule->last_item);
	if (!item || item->queue->tenant != schedule->tenant)
		return 0;
	return item->state == WORK_BLOCKED ? 2 : 1; /* it waits for the one before it */
}

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

enum err schedule_enqueue(void *ctx, const struct fire *fire, struct arena *a, int64_t now_ms, int64_t *item,
			  struct problem *p)
{
	const struct app *app = ctx;
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
