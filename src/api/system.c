/* Health, metrics, and the API's own description. */
#include "api/api.h"
#include "api/app.h"
#include "api/forward.h"

#include "directory/index.h"
#include "jobs/jobs.h"
#include "telemetry/exposition.h"
#include "telemetry/metrics.h"

enum err api_health_live(struct call *c, const struct nothing *in, struct health *out)
{
	(void)in;
	out->status = HEALTH_OK;
	out->version = str_of(call_app(c)->version);
	return OK;
}

static enum health_status queue_health(const struct app *app)
{
	if (atomic_load(&app->stopping))
		return HEALTH_STOPPING;
	switch (executor_state(app->executor)) {
	case EXECUTOR_STARTING:
		return HEALTH_STARTING;
	case EXECUTOR_STANDBY:
		return HEALTH_STANDBY;
	case EXECUTOR_READY:
		return HEALTH_OK;
	case EXECUTOR_READ_ONLY:
		return HEALTH_READ_ONLY;
	case EXECUTOR_FAILING:
		return HEALTH_FAILING;
	case EXECUTOR_STOPPED:
		return HEALTH_STOPPING;
	}
	UNREACHABLE();
}

static struct job_health job_health(const struct job_status *job)
{
	struct job_health out = {.name = job->name, .late = job->late, .result = job->result};
	if (HAS(job, job_status, age_ms))
		PUT(&out, job_health, age_ms, job->age_ms);
	return out;
}

static void put_jobs(struct call *c, struct health *out)
{
	struct job_status jobs[JOBS_MAX];
	size_t count = jobs_list(call_app(c)->jobs, c->arena, jobs);
	struct job_health *shown = ARENA_ARRAY(c->arena, struct job_health, count);
	for (size_t i = 0; shown && i < count; i++)
		shown[i] = job_health(&jobs[i]);
	PUT(out, health, jobs, shown);
	out->jobs_count = shown ? count : 0;
}

static void put_index(struct app *app, struct health *out)
{
	struct agent_index_progress progress;
	agent_index_progress(app->index, &progress);
	PUT(out, health, index,
	    ((struct index_health){.status = progress.complete ? HEALTH_OK : HEALTH_STARTING,
				   .agents = progress.agents,
				   .total = progress.total}));
}

enum err api_job_list(struct call *c, const struct nothing *in, struct job_list *out)
{
	(void)in;
	out->items = ARENA_ARRAY(c->arena, struct job_status, JOBS_MAX);
	if (out->items)
		out->items_count = jobs_list(call_app(c)->jobs, c->arena, out->items);
	return OK;
}

enum err api_health_ready(struct call *c, const struct nothing *in, struct health *out)
{
	(void)in;
	struct app *app = call_app(c);
	enum health_status queue = queue_health(app);
	struct problem why = {0};
	executor_detail(app->executor, &why);
	out->status = (int)queue;
	out->version = str_of(app->version);
	PUT(out, health, queue, (int)queue);
	PUT(out, health, store, queue == HEALTH_FAILING || queue == HEALTH_READ_ONLY ? (int)queue : HEALTH_OK);
	put_index(app, out);
	put_jobs(c, out);
	if (why.detail[0])
		PUT(out, health, detail, arena_str(c->arena, str_of(why.detail)));
	bool passed_on = queue == HEALTH_STANDBY && app->forward && forward_has_owner(app->forward);
	if (passed_on)
		out->status = HEALTH_OK;
	else if (queue != HEALTH_OK)
		c->status = 503;
	return OK;
}

enum err api_health(struct call *c, const struct nothing *in, struct health *out)
{
	return api_health_ready(c, in, out);
}

enum err api_metrics(struct call *c, const struct nothing *in, struct nothing *out)
{
	(void)in;
	(void)out;
	struct buf b = BUF_INIT(0);
	metrics_text(call_app(c)->metrics, &b);
	c->text = arena_str(c->arena, buf_str(&b));
	c->content_type = EXPOSITION_CONTENT_TYPE;
	buf_free(&b);
	return OK;
}

enum err api_openapi(struct call *c, const struct nothing *in, struct nothing *out)
{
	(void)in;
	(void)out;
	c->text = call_app(c)->openapi;
	c->content_type = "application/json";
	c->is_public = true;
	return OK;
}
