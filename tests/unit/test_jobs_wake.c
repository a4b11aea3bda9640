/* When background jobs are due: one that is woken while it runs, runs once more. */
#include "harness.h"

#include "base/magic.h"
#include "jobs/jobs.h"
#include "telemetry/metrics.h"

#include <pthread.h>

enum { PERIOD_MS = 600000, POSTED_MAX = 16, WAIT_S = 20 };

/* Where steps would be run: here they are only taken note of, and said to be over. */
struct poster {
	pthread_mutex_t lock;
	pthread_cond_t posted;
	struct chore *chores[POSTED_MAX];
	size_t n;
};

static void post(void *app, struct chore *chore)
{
	struct poster *p = app;
	pthread_mutex_lock(&p->lock);
	CHECK(p->n < POSTED_MAX);
	p->chores[p->n++] = chore;
	pthread_cond_broadcast(&p->posted);
	pthread_mutex_unlock(&p->lock);
}

/* The nth that was posted. */
static struct chore *await(struct poster *p, size_t nth)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_S;
	pthread_mutex_lock(&p->lock);
	while (p->n < nth)
		assert_int_equal(pthread_cond_timedwait(&p->posted, &p->lock, &until), 0);
	struct chore *chore = p->chores[nth - 1];
	pthread_mutex_unlock(&p->lock);
	return chore;
}

static enum err step(void *ctx, struct db *db, struct job_run *run)
{
	(void)ctx, (void)db, (void)run;
	return OK;
}

static void woken_while_it_runs(void **state)
{
	static const char *const jobs_names[] = {"a", "b", "c", "d", "e", "f", "g", "h",
						 "i", "j", "k", "l", "m", "n", "o", "p"};
	struct metrics_values names = {jobs_names, COUNT_OF(jobs_names)};
	struct metrics *metrics = metrics_new(&(struct metrics_config){
		.route = names, .state = names, .event = names, .job = names, .version = "x"});
	struct poster p = {.lock = PTHREAD_MUTEX_INITIALIZER, .posted = PTHREAD_COND_INITIALIZER};
	struct jobs *jobs = jobs_new(&(struct jobs_config){
		.process_id = 7, .lease_ms = 1000, .exclusive = true, .post = post, .app = &p, .metrics = metrics});
	struct problem problem = {0};
	(void)state;
	jobs_add(jobs, &(struct job_spec){JOB_EXPIRY, PERIOD_MS, step, NULL, NULL});
	assert_int_equal(jobs_start(jobs, &problem), OK);
	struct chore *watch = await(&p, 1), *chore = await(&p, 2);
	watch->done(watch, OK);
	jobs_wake(jobs, JOB_EXPIRY);
	chore->done(chore, OK);
	assert_ptr_equal(await(&p, 3), chore); /* long before its period is over */
	chore->done(chore, OK);
	jobs_wake(jobs, JOB_EXPIRY);
	assert_ptr_equal(await(&p, 4), chore);
	chore->done(chore, OK);
	jobs_stop(jobs);
	assert_int_equal(p.n, 4); /* woken once, it ran once */
	jobs_destroy(&jobs);
	metrics_destroy(&metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(woken_while_it_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
