/*
 * The thread that knows when jobs are due; see jobs.h.
 *
 * It posts chores without holding the lock. A step runs on a writer's thread, where it owns the job's `run`, and
 * reports under the lock when it is done. One further chore, the watch, renews the leases and reads the table.
 */
#include "jobs/jobs.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/cond.h"
#include "base/log.h"
#include "base/magic.h"
#include "store/queries.h"
#include "telemetry/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

enum {
	JOBS_MAGIC = 0x4a4f4253,
	RESULT_MAX = 200,
	RUN_BYTES_MAX = 16 << 20,
	BACKOFF_MS = 1000,
	BACKOFF_MAX_MS = 60000,
	GAP_MS = 1000,
	LATE_PERIODS = 5,
	LATE_MS = 5000,
	WATCHES_PER_LEASE = 4,
	NS_PER_MS = 1000000
};

/* What is known of a job, from its runs here and from the table. */
struct known {
	enum job_place place;
	bool ended;             /* well, once at least */
	int64_t ended_ns;       /* the last time; clock_mono_ns() */
	int64_t lease_until_ns; /* ours */
	int64_t runs, failures;
	char result[RESULT_MAX + 1];
};

struct one {
	struct chore chore;
	struct jobs *jobs;
	struct job_spec spec;

	struct job_run run; /* the step's, while it runs */
	bool found_elsewhere;
	int64_t posted_ns;

	bool is_running; /* these under the lock */
	bool is_woken;   /* since it was posted */
	int64_t due_ns;
	unsigned failed;            /* in a row */
	int64_t failures_not_noted; /* in the table */
	struct known known;
};

struct jobs {
	unsigned magic;
	struct jobs_config config;
	int64_t started_ns;
	pthread_t thread;
	bool has_thread;
	size_t count;
	struct one all[JOBS_MAX];

	struct chore watch, leave;
	struct job_row rows[JOBS_MAX]; /* what the watch has read; texts in `arena` */
	size_t row_count;
	struct arena *arena;
	int64_t watch_posted_ns;

	pthread_mutex_t lock; /* what follows, and what is marked so above */
	pthread_cond_t changed;
	unsigned running; /* chores that are posted and not done */
	bool stopping, is_watching;
	int64_t watch_due_ns;
};

static int64_t after_ms(int64_t ms)
{
	return clock_mono_ns() + ms * NS_PER_MS;
}

static void set_result(struct known *k, struct str text)
{
	size_t n = text.n < RESULT_MAX ? text.n : RESULT_MAX;
	memcpy(k->result, text.p ? text.p : "", n);
	k->result[n] = '\0';
}

/* ---- a step, on a writer's thread ---- */

static enum err begin(struct one *o, struct db *db, int64_t now_ms)
{
	const struct jobs_config *config = &o->jobs->config;
	int64_t period_ms = o->spec.period_ms;
	struct job_begin_in in = {.id = (int64_t)o->spec.name + 1,
				  .holder = config->process_id,
				  .lease_ms = config->lease_ms,
				  .gap_ms = period_ms + period_ms / 4 + GAP_MS,
				  .exclusive = config->exclusive};
	struct job_begin_out out;
	enum err err = q_job_begin(db, &in, o->run.arena, &out);
	o->found_elsewhere = err == ERR_NOT_FOUND;
	if (err)
		return err;
	o->run.now_ms = now_ms;
	o->run.watched_ms = now_ms - (out.now_ms - out.since_ms);
	return OK;
}

static enum err end(struct one *o, struct db *db)
{
	struct job_end_in in = {.id = (int64_t)o->spec.name + 1,
				.holder = o->jobs->config.process_id,
				.failures = o->failures_not_noted,
				.result = buf_str(&o->run.result)};
	return q_job_end(db, &in);
}

static enum err run_step(struct chore *c, struct db *db, int64_t now_ms)
{
	struct one *o = CONTAINER_OF(c, struct one, chore);
	arena_reset(o->run.arena);
	buf_reset(&o->run.result);
	o->run.more = false;
	o->run.again_ms = 0;
	enum err err = begin(o, db, now_ms);
	if (o->found_elsewhere)
		return OK;
	if (!err)
		err = o->spec.step(o->spec.ctx, db, &o->run);
	return err ? err : end(o, db);
}

/* ---- what came of it ---- */

static int64_t rest_ms(const struct one *o)
{
	int64_t period_ms = o->spec.period_ms, again_ms = o->run.again_ms;
	return again_ms > 0 && again_ms < period_ms ? again_ms : period_ms;
}

static void went_well(struct one *o)
{
	struct known *k = &o->known;
	o->failed = 0;
	o->failures_not_noted = 0;
	o->due_ns = o->run.more || o->is_woken ? 0 : after_ms(rest_ms(o));
	k->place = JOB_HERE;
	k->lease_until_ns = o->posted_ns + o->jobs->config.lease_ms * NS_PER_MS;
	k->ended = true;
	k->ended_ns = clock_mono_ns();
	k->runs++;
	set_result(k, buf_str(&o->run.result));
	metrics_add_at(o->jobs->config.metrics, METRIC_job_runs_total, (unsigned)o->spec.name, 0, 1);
}

/* Not ready or not any more is no failure of the job's. */
static bool is_failure(enum err err)
{
	return err != ERR_STANDBY && err != ERR_SHUTTING_DOWN;
}

static void went_wrong(struct one *o, enum err err)
{
	int64_t wait_ms = o->failed < 6 ? BACKOFF_MS << o->failed : BACKOFF_MAX_MS;
	o->due_ns = after_ms(wait_ms);
	if (!is_failure(err))
		return;
	o->failed++;
	o->failures_not_noted++;
	o->known.failures++;
	set_result(&o->known, str_of(err_info(err)->title));
	metrics_add_at(o->jobs->config.metrics, METRIC_job_failures_total, (unsigned)o->spec.name, 0, 1);
	LOG_W("job.failed", "job=%s error=%s again_in_ms=%" PRId64, enum_job_name.values[o->spec.name].text,
	      err_info(err)->code, wait_ms);
}

/* A step is over; the lock is held. */
static void end_one(struct jobs *j)
{
	j->running--;
	pthread_cond_broadcast(&j->changed);
}

static void step_done(struct chore *c, enum err outcome)
{
	struct one *o = CONTAINER_OF(c, struct one, chore);
	struct jobs *j = o->jobs;
	bool committed = !outcome && !o->found_elsewhere;
	if (committed && o->spec.committed)
		o->spec.committed(o->spec.ctx);
	pthread_mutex_lock(&j->lock);
	o->is_running = false;
	if (committed) {
		went_well(o);
	} else if (!outcome) {
		o->known.place = JOB_ELSEWHERE;
		o->due_ns = INT64_MAX; /* the watch tells when the lease has lapsed */
	} else {
		went_wrong(o, outcome);
	}
	end_one(j);
	pthread_mutex_unlock(&j->lock);
}

/* ---- the watch ---- */

static enum err read_row(void *ctx, const void *row)
{
	struct jobs *j = ctx;
	const struct job_row *r = row;
	if (j->row_count == JOBS_MAX)
		return OK;
	j->rows[j->row_count] = *r;
	j->rows[j->row_count++].result = arena_str(j->arena, r->result);
	return OK;
}

static enum err run_watch(struct chore *c, struct db *db, int64_t now_ms)
{
	(void)now_ms;
	struct jobs *j = CONTAINER_OF(c, struct jobs, watch);
	arena_reset(j->arena);
	j->row_count = 0;
	struct job_renew_in in = {.holder = j->config.process_id, .lease_ms = j->config.lease_ms};
	enum err err = j->config.exclusive ? OK : q_job_renew(db, &in);
	return err ? err : q_job_all(db, read_row, j);
}

/* What the table says of a job that does not run here just now. */
static void learn(struct jobs *j, struct one *o, const struct job_row *r)
{
	struct known *k = &o->known;
	bool is_ours = r->holder == j->config.process_id, lapsed = r->lease_until_ms <= r->now_ms;
	k->place = lapsed && !j->config.exclusive ? JOB_NOWHERE : is_ours ? JOB_HERE : JOB_ELSEWHERE;
	k->lease_until_ns = is_ours ? j->watch_posted_ns + j->config.lease_ms * NS_PER_MS : 0;
	if (lapsed && o->due_ns == INT64_MAX)
		o->due_ns = 0;
	k->runs = r->runs;
	k->failures = r->failures + o->failures_not_noted;
	k->ended = r->ended_ms > 0;
	k->ended_ns = clock_mono_ns() - (r->now_ms - r->ended_ms) * NS_PER_MS;
	if (!o->failed)
		set_result(k, r->result);
}

static void watch_done(struct chore *c, enum err outcome)
{
	struct jobs *j = CONTAINER_OF(c, struct jobs, watch);
	pthread_mutex_lock(&j->lock);
	for (size_t i = 0; i < j->count && !outcome; i++)
		for (size_t k = 0; k < j->row_count; k++)
			if (j->rows[k].id == (int64_t)j->all[i].spec.name + 1 && !j->all[i].is_running)
				learn(j, &j->all[i], &j->rows[k]);
	bool again = outcome || !j->config.exclusive;
	j->watch_due_ns = again ? after_ms(j->config.lease_ms / WATCHES_PER_LEASE) : INT64_MAX;
	j->is_watching = false;
	end_one(j);
	pthread_mutex_unlock(&j->lock);
}

/* ---- the thread ---- */

static void post(struct jobs *j, struct chore *c)
{
	j->running++;
	pthread_mutex_unlock(&j->lock);
	j->config.post(j->config.app, c);
	pthread_mutex_lock(&j->lock);
}

/* Posts what is due; the lock is held, and let go meanwhile. Until when the thread may rest. */
static int64_t post_what_is_due(struct jobs *j)
{
	int64_t next_ns = INT64_MAX;
	if (!j->is_watching && j->watch_due_ns <= clock_mono_ns()) {
		j->is_watching = true;
		j->watch_posted_ns = clock_mono_ns();
		post(j, &j->watch);
	}
	for (size_t i = 0; i < j->count; i++) {
		struct one *o = &j->all[i];
		if (!o->is_running && o->due_ns <= clock_mono_ns()) {
			o->is_running = true;
			o->is_woken = false;
			o->posted_ns = clock_mono_ns();
			post(j, &o->chore);
		}
	}
	for (size_t i = 0; i < j->count; i++)
		if (!j->all[i].is_running && j->all[i].due_ns < next_ns)
			next_ns = j->all[i].due_ns;
	return !j->is_watching && j->watch_due_ns < next_ns ? j->watch_due_ns : next_ns;
}

static void rest_until(struct jobs *j, int64_t ns)
{
	struct timespec until = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
	if (ns == INT64_MAX)
		pthread_cond_wait(&j->changed, &j->lock);
	else
		pthread_cond_timedwait(&j->changed, &j->lock, &until);
}

static void *jobs_main(void *arg)
{
	struct jobs *j = arg;
	pthread_mutex_lock(&j->lock);
	while (!j->stopping) {
		int64_t next_ns = post_what_is_due(j);
		if (!j->stopping && next_ns > clock_mono_ns())
			rest_until(j, next_ns);
	}
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

/* ---- looking at them ---- */

bool jobs_held(struct jobs *j, enum job_name name)
{
	bool held = false;
	pthread_mutex_lock(&j->lock);
	for (size_t i = 0; i < j->count; i++) {
		const struct known *k = &j->all[i].known;
		if (j->all[i].spec.name == name)
			held = k->place == JOB_HERE && (j->config.exclusive || clock_mono_ns() < k->lease_until_ns);
	}
	pthread_mutex_unlock(&j->lock);
	return held;
}

void jobs_wake(struct jobs *j, enum job_name name)
{
	pthread_mutex_lock(&j->lock);
	for (size_t i = 0; i < j->count; i++)
		if (j->all[i].spec.name == name && j->all[i].due_ns != INT64_MAX) {
			j->all[i].is_woken = true;
			j->all[i].due_ns = j->all[i].failed ? j->all[i].due_ns : 0;
		}
	pthread_cond_broadcast(&j->changed);
	pthread_mutex_unlock(&j->lock);
}

static int64_t age_ms(const struct jobs *j, const struct one *o)
{
	int64_t since_ns = o->known.ended ? o->known.ended_ns : j->started_ns;
	int64_t ns = clock_mono_ns() - since_ns;
	return ns > 0 ? ns / NS_PER_MS : 0;
}

int64_t jobs_age_ms(struct jobs *j, enum job_name name)
{
	int64_t age = 0;
	pthread_mutex_lock(&j->lock);
	for (size_t i = 0; i < j->count; i++)
		if (j->all[i].spec.name == name)
			age = age_ms(j, &j->all[i]);
	pthread_mutex_unlock(&j->lock);
	return age;
}

static struct job_status describe(const struct jobs *j, const struct one *o, struct arena *a)
{
	const struct known *k = &o->known;
	struct job_status out = {.name = (int)o->spec.name,
				 .runs_in = (int)k->place,
				 .period_ms = o->spec.period_ms,
				 .late = age_ms(j, o) > LATE_PERIODS * o->spec.period_ms + LATE_MS,
				 .runs = k->runs,
				 .failures = k->failures,
				 .result = arena_str(a, str_of(k->result))};
	if (k->ended)
		PUT(&out, job_status, age_ms, age_ms(j, o));
	return out;
}

size_t jobs_list(struct jobs *j, struct arena *a, struct job_status *out)
{
	pthread_mutex_lock(&j->lock);
	for (size_t i = 0; i < j->count; i++)
		out[i] = describe(j, &j->all[i], a);
	pthread_mutex_unlock(&j->lock);
	return j->count;
}

/* ---- life ---- */

struct jobs *jobs_new(const struct jobs_config *config)
{
	CHECK(config->process_id != 0);
	struct jobs *j = NEW(struct jobs);
	j->magic = JOBS_MAGIC;
	j->config = *config;
	j->started_ns = clock_mono_ns();
	j->arena = arena_new(RUN_BYTES_MAX);
	j->watch = (struct chore){.run = run_watch, .done = watch_done};
	pthread_mutex_init(&j->lock, NULL);
	cond_mono_init(&j->changed);
	return j;
}

void jobs_add(struct jobs *j, const struct job_spec *spec)
{
	CHECK(j->count < JOBS_MAX && !j->has_thread && spec->period_ms > 0);
	struct one *o = &j->all[j->count++];
	o->jobs = j;
	o->spec = *spec;
	o->chore = (struct chore){.run = run_step, .done = step_done, .on_queue = spec->on_queue};
	o->run.arena = arena_new(RUN_BYTES_MAX);
	o->run.result = BUF_INIT(RESULT_MAX);
}

enum err jobs_start(struct jobs *j, struct problem *p)
{
	CHECK_OBJ(j, JOBS_MAGIC);
	if (pthread_create(&j->thread, NULL, jobs_main, j) != 0)
		return problem_set(p, ERR_OVERLOADED, "no thread for the background jobs could be started");
	j->has_thread = true;
	return OK;
}

static enum err run_leave(struct chore *c, struct db *db, int64_t now_ms)
{
	(void)now_ms;
	struct jobs *j = CONTAINER_OF(c, struct jobs, leave);
	return q_job_leave(db, &(struct job_leave_in){j->config.process_id});
}

static void leave_done(struct chore *c, enum err outcome)
{
	(void)outcome;
	struct jobs *j = CONTAINER_OF(c, struct jobs, leave);
	pthread_mutex_lock(&j->lock);
	end_one(j);
	pthread_mutex_unlock(&j->lock);
}

static void wait_for_chores(struct jobs *j)
{
	while (j->running > 0)
		pthread_cond_wait(&j->changed, &j->lock);
}

void jobs_stop(struct jobs *j)
{
	if (!j || !j->has_thread)
		return;
	pthread_mutex_lock(&j->lock);
	j->stopping = true;
	pthread_cond_broadcast(&j->changed);
	pthread_mutex_unlock(&j->lock);
	pthread_join(j->thread, NULL);
	j->has_thread = false;
	pthread_mutex_lock(&j->lock);
	wait_for_chores(j);
	if (!j->config.exclusive) {
		j->leave = (struct chore){.run = run_leave, .done = leave_done};
		post(j, &j->leave);
		wait_for_chores(j);
	}
	pthread_mutex_unlock(&j->lock);
}

void jobs_destroy(struct jobs **j)
{
	struct jobs *ending = *j;
	if (!ending)
		return;
	CHECK_OBJ(ending, JOBS_MAGIC);
	jobs_stop(ending);
	for (size_t i = 0; i < ending->count; i++) {
		arena_destroy(&ending->all[i].run.arena);
		buf_free(&ending->all[i].run.result);
	}
	arena_destroy(&ending->arena);
	pthread_cond_destroy(&ending->changed);
	pthread_mutex_destroy(&ending->lock);
	ending->magic = 0;
	free(ending);
	*j = NULL;
}
