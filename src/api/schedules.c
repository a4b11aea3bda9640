/* Calls about schedules: see schedule/rows.h. What makes one fire sooner than was known wakes the job. */
#include "api/schedules.h"

#include "api/api.h"
#include "jobs/jobs.h"

enum { LOOK_ALONE_MS = 60000, LOOK_MS = 5000 };

static int64_t new_id(void *ctx)
{
	return app_new_id(ctx);
}

void schedules_add(struct app *app, int64_t home, bool exclusive)
{
	app->firing =
		(struct firing){.zones = app->zones,
				.home = {home, new_id, app},
				.action = {.unfinished = schedule_unfinished, .start = schedule_start, .ctx = app}};
	firing_add(&app->firing, app->jobs, exclusive ? LOOK_ALONE_MS : LOOK_MS);
}

static void wake(void *arg)
{
	const struct app *app = arg;
	jobs_wake(app->jobs, JOB_SCHEDULES);
}

static enum err answer(struct call *c, enum err err, const struct schedule_row *row, struct schedule *out)
{
	if (err)
		return err;
	call_after_commit_once(c, wake, call_app(c));
	return schedule_show(row, c->arena, out);
}

enum err api_schedule_add(struct call *c, const struct schedule_new *in, struct schedule *out)
{
	struct app *app = call_app(c);
	struct schedule_row row;
	return answer(c, schedule_add(c, app->zones, app_new_id(app), in, &row), &row, out);
}

enum err api_schedule_change(struct call *c, const struct schedule_patch *in, struct schedule *out)
{
	struct schedule_row row;
	return answer(c, schedule_change(c, call_app(c)->zones, in->id, c->body, &row), &row, out);
}

enum err api_schedule_pause(struct call *c, const struct schedule_ref *in, struct schedule *out)
{
	struct schedule_row row;
	return answer(c, schedule_set_paused(c, call_app(c)->zones, in->id, true, &row), &row, out);
}

enum err api_schedule_resume(struct call *c, const struct schedule_ref *in, struct schedule *out)
{
	struct schedule_row row;
	return answer(c, schedule_set_paused(c, call_app(c)->zones, in->id, false, &row), &row, out);
}

enum err api_schedule_delete(struct call *c, const struct schedule_ref *in, struct nothing *out)
{
	(void)out;
	return schedule_delete(c, in->id);
}

enum err api_schedule_show(struct call *c, const struct schedule_ref *in, struct schedule *out)
{
	struct schedule_row row;
	enum err err = schedule_read(c, in->id, &row);
	return err ? err : schedule_show(&row, c->arena, out);
}

enum err api_schedule_list(struct call *c, const struct schedule_list_in *in, struct schedule_list_out *out)
{
	return schedule_page(c, in, out);
}

enum err api_schedule_next(struct call *c, const struct schedule_next_in *in, struct schedule_next_out *out)
{
	return schedule_look_ahead(c, call_app(c)->zones, in, out);
}

enum err api_schedule_fires(struct call *c, const struct schedule_fires_in *in, struct schedule_fires_out *out)
{
	return schedule_fire_page(c, in, out);
}
