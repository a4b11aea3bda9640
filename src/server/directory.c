/* See directory.h. */
#include "server/directory.h"

#include "accounts/accounts.h"
#include "accounts/upkeep.h"
#include "api/hook_work.h"
#include "api/kept.h"
#include "api/runner.h"
#include "api/schedules.h"
#include "archive/archiver.h"
#include "directory/follower.h"
#include "directory/index.h"
#include "directory/sequencer.h"
#include "hooks/hook.h"
#include "http/http.h"
#include "jobs/jobs.h"
#include "limits/limits.h"
#include "telemetry/metrics.h"
#include "webhooks/webhooks.h"

enum { CHANGES_IN_MEMORY = 1 << 14 };

#define REDIS_PREFIX "tenfold"

static bool numbers_here(void *ctx)
{
	const struct app *app = ctx;
	return store_kind(app->store) == STORE_SQLITE || jobs_held(app->jobs, JOB_SEQUENCER);
}

/* Where keys have changed, whoever streams may be no more. */
static void changes_applied(void *ctx)
{
	struct app *app = ctx;
	uint64_t revision = keyring_revision(app->keyring);
	if (revision != app->keys_told)
		http_wake_every_stream(app->http);
	else
		http_wake_streams(app->http);
	app->keys_told = revision;
}

static double applied_number(void *ctx, unsigned index1, unsigned index2)
{
	(void)index1, (void)index2;
	return (double)follower_applied(((const struct app *)ctx)->follower);
}

static double behind_seconds(void *ctx, unsigned index1, unsigned index2)
{
	(void)index1, (void)index2;
	return (double)(clock_mono_ns() - follower_current_ns(((const struct app *)ctx)->follower)) / 1e9;
}

static double job_age_seconds(void *ctx, unsigned index1, unsigned index2)
{
	(void)index2;
	return (double)jobs_age_ms(((const struct app *)ctx)->jobs, (enum job_name)index1) / 1000;
}

static int64_t new_id(void *ctx)
{
	return app_new_id(ctx);
}

/* Where the schedules of the server itself stand. */
static int64_t home_tenant(struct server *s)
{
	struct keyring_tenant tenant;
	bool found = keyring_find_tenant(s->app.keyring, STR("default"), s->arena, &tenant);
	return found ? tenant.id : 0;
}

static void add_jobs(struct server *s, bool exclusive)
{
	struct app *app = &s->app;
	app->beats = (struct beats_config){.feed = app->feed,
					   .metrics = app->metrics,
					   .silence_ms = s->params->agent_silence,
					   .sweep_ms = s->params->agent_sweep,
					   .new_id = new_id,
					   .ctx = app};
	app->upkeep = (struct upkeep_config){.feed = app->feed, .changes_kept_ms = s->params->changes_kept};
	schedules_add(app, home_tenant(s), exclusive);
	beats_sweep(&app->beats, app->jobs);
	upkeep_add(&app->upkeep, app->jobs);
	accounts_upkeep(app->jobs, app->feed);
}

static void make_feed(struct server *s)
{
	struct app *app = &s->app;
	bool exclusive = store_kind(app->store) == STORE_SQLITE;
	app->feed = changes_new(CHANGES_IN_MEMORY, exclusive);
	app->jobs = jobs_new(&(struct jobs_config){.process_id = s->dir->process_id,
						   .lease_ms = s->params->owner_lease,
						   .exclusive = exclusive,
						   .post = runner_post_chore,
						   .app = app,
						   .metrics = app->metrics});
	if (!exclusive)
		app->sequencer = sequencer_new(app->store, app->feed, app->jobs, app->metrics);
	add_jobs(s, exclusive);
	app->follower = follower_new(&(struct follower_config){.store = app->store,
							       .feed = app->feed,
							       .numbers_here = numbers_here,
							       .applied = changes_applied,
							       .ctx = app});
	metrics_compute(app->metrics, METRIC_changes_applied, applied_number, app);
	metrics_compute(app->metrics, METRIC_changes_behind_seconds, behind_seconds, app);
	metrics_compute(app->metrics, METRIC_job_age_seconds, job_age_seconds, app);
}

static enum err make_webhooks(struct server *s, struct problem *p)
{
	struct app *app = &s->app;
	struct webhooks_config config = {.jobs = app->jobs,
					 .clock = app->clock,
					 .metrics = app->metrics,
					 .version = app->version,
					 .exclusive = store_kind(app->store) == STORE_SQLITE,
					 .new_id = new_id,
					 .ctx = app};
	enum err err = reach_read(s->params->webhook_allow, &config.reach, p);
	if (err)
		return err;
	app->webhooks = webhooks_new(&config);
	follower_listen(app->follower, webhooks_follow, app->webhooks);
	hook_upkeep(app->jobs, app->feed);
	follower_listen(app->follower, hook_work_follow, app->hook_work);
	return OK;
}

static enum err make_archiver(struct server *s, struct problem *p)
{
	struct app *app = &s->app;
	struct str given = s->params->archive_dir;
	struct archiver_config config = {.store = app->store,
					 .jobs = app->jobs,
					 .clock = app->clock,
					 .folder = given.n ? arena_z(s->arena, given)
							   : arena_fmt(s->arena, "%s/archive", s->dir->path.p).p,
					 .version = app->version,
					 .look_ms = store_kind(app->store) == STORE_SQLITE ? 60000 : 5000,
					 .new_id = new_id,
					 .ctx = app};
	app->archive_after_ms = s->params->archive_after;
	return archiver_new(&config, &app->archiver, p);
}

/* Answers and limits, of this process or of the deployment. */
static enum err make_kept(struct server *s, struct problem *p)
{
	struct app *app = &s->app;
	struct redis_config redis = {.url = s->params->redis};
	enum err err = s->params->redis.n ? redis_new(&redis, &app->redis, p) : OK;
	if (!err && app->redis)
		err = limits_share(app->limits, app->redis, STR(REDIS_PREFIX), p);
	if (!err && app->redis)
		err = limits_share(app->accounts->tries, app->redis, STR(REDIS_PREFIX "-tries"), p);
	if (err)
		return err;
	app->cache = cache_new(&(struct cache_config){.max_bytes = (size_t)s->params->cache_bytes,
						      .seed = rng_system_word(),
						      .redis = app->redis,
						      .prefix = STR(REDIS_PREFIX),
						      .now_ms = clock_mono_ns() / 1000000});
	if (store_kind(app->store) == STORE_SQLITE)
		cache_trust(app->cache, INT64_MAX); /* nobody else writes there */
	changes_on_commit(app->feed, kept_committed, app);
	follower_listen(app->follower, keyring_follow, app->keyring);
	follower_listen(app->follower, kept_follow, app);
	kept_show(app);
	return OK;
}

/* The last to hear of changes, for it takes longest. */
static void make_index(struct app *app)
{
	app->index = agent_index_new(app->feed, app->metrics);
	follower_listen(app->follower, agent_index_follow, app->index);
}

enum err directory_make(struct server *s, struct problem *p)
{
	make_feed(s);
	enum err err = make_kept(s, p);
	if (!err)
		err = make_webhooks(s, p);
	if (!err)
		err = make_archiver(s, p);
	make_index(&s->app);
	return err;
}

enum err directory_start(struct app *app, struct problem *p)
{
	enum err err = webhooks_start(app->webhooks, p);
	if (!err)
		err = archiver_start(app->archiver, p);
	if (!err)
		err = jobs_start(app->jobs, p);
	if (!err && app->sequencer)
		err = sequencer_start(app->sequencer, p);
	return err ? err : follower_start(app->follower, FOLLOWER_FROM_NOW, p);
}

void directory_stop(struct app *app)
{
	jobs_stop(app->jobs);
	if (app->feed)
		changes_stop(app->feed);
	sequencer_destroy(&app->sequencer);
}
