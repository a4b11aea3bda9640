/* The pool: order, its bound, what happens to tasks when it ends and when its connections break. */
#include "store_kit.h"

#include "base/log.h"
#include "store/pool.h"

#include <pthread.h>
#include <stdatomic.h>

enum { TASKS = 400 };

struct job {
	struct task task;
	int number;
	int64_t insert; /* id of a row, 0 to only look */
	enum err why, result;
};

/* What the tasks of a test report to, and a gate that holds the first one up. */
struct report {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool gate_shut, at_gate;
	int finished;
	int order[TASKS];
};

static void run_job(void *ctx, struct task *t, struct db *db, enum err why)
{
	struct job *job = CONTAINER_OF(t, struct job, task);
	struct report *r = ctx;
	struct work_live_row row = kit_live(job->insert);

	job->why = why;
	assert_int_equal(db == NULL, why != OK);
	if (db && job->insert)
		job->result = q_work_live_insert(db, &row, 1);
	pthread_mutex_lock(&r->lock);
	r->at_gate = true;
	pthread_cond_broadcast(&r->changed);
	while (r->gate_shut)
		pthread_cond_wait(&r->changed, &r->lock);
	r->order[r->finished++] = job->number;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

static struct report *report_new(void)
{
	struct report *r = NEW(struct report);

	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	return r;
}

static void report_free(struct report *r)
{
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static void wait_finished(struct report *r, int count)
{
	pthread_mutex_lock(&r->lock);
	while (r->finished < count)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
}

static void wait_at_gate(struct report *r)
{
	pthread_mutex_lock(&r->lock);
	while (!r->at_gate)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
}

static void open_gate(struct report *r)
{
	pthread_mutex_lock(&r->lock);
	r->gate_shut = false;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

static struct pool *pool_of(struct kit *k, enum db_mode mode, unsigned threads, unsigned queue_max,
			    struct report *r)
{
	struct problem p = {0};
	struct pool *pool;

	if (pool_new(k->store, mode, threads, queue_max, run_job, r, &pool, &p) != OK)
		fail_msg("%s", p.detail);
	return pool;
}

static struct job *jobs_new(void)
{
	struct job *jobs = must_alloc(TASKS * sizeof(*jobs));

	for (int i = 0; i < TASKS; i++)
		jobs[i].number = i;
	return jobs;
}

static int ready(void **state)
{
	*state = kit_new(STORE_SQLITE, NULL);
	kit_open(*state);
	return 0;
}

static int done(void **state)
{
	kit_free(*state);
	return 0;
}

static void one_thread_keeps_the_order(void **state)
{
	struct report *r = report_new();
	struct pool *pool = pool_of(*state, DB_READ, 1, TASKS, r);
	struct job *jobs = jobs_new();

	for (int i = 0; i < TASKS; i++)
		assert_int_equal(pool_post(pool, &jobs[i].task), OK);
	wait_finished(r, TASKS);
	for (int i = 0; i < TASKS; i++)
		assert_int_equal(r->order[i], i);
	pool_destroy(&pool);
	assert_null(pool);
	free(jobs);
	report_free(r);
}

static void a_full_queue_refuses_at_once(void **state)
{
	enum { ROOM = 10 };
	struct report *r = report_new();
	struct pool *pool = pool_of(*state, DB_READ, 1, ROOM, r);
	struct job *jobs = jobs_new();

	r->gate_shut = true;
	assert_int_equal(pool_post(pool, &jobs[0].task), OK);
	wait_at_gate(r);
	for (int i = 1; i <= ROOM; i++)
		assert_int_equal(pool_post(pool, &jobs[i].task), OK);
	assert_int_equal(pool_post(pool, &jobs[ROOM + 1].task), ERR_OVERLOADED);
	open_gate(r);
	wait_finished(r, ROOM + 1);
	assert_int_equal(pool_post(pool, &jobs[ROOM + 1].task), OK);
	pool_destroy(&pool);
	free(jobs);
	report_free(r);
}

static void ending_runs_what_is_queued(void **state)
{
	struct report *r = report_new();
	struct pool *pool = pool_of(*state, DB_READ, 2, TASKS, r);
	struct job *jobs = jobs_new();

	for (int i = 0; i < TASKS; i++)
		assert_int_equal(pool_post(pool, &jobs[i].task), OK);
	pool_destroy(&pool);
	assert_int_equal(r->finished, TASKS);
	free(jobs);
	report_free(r);
}

/* Several threads post, several run, all of them write: what the thread sanitizer should see. */
struct poster {
	pthread_t id;
	struct pool *pool;
	struct job *jobs;
};

static void *post_share(void *arg)
{
	struct poster *p = arg;

	for (int i = 0; i < TASKS / 4; i++)
		assert_int_equal(pool_post(p->pool, &p->jobs[i].task), OK);
	return NULL;
}

static void many_threads(void **state)
{
	struct kit *k = *state;
	struct report *r = report_new();
	struct pool *pool = pool_of(k, DB_WRITE, 3, TASKS, r);
	struct job *jobs = jobs_new();
	struct poster posters[4];

	for (int i = 0; i < TASKS; i++)
		jobs[i].insert = i + 1;
	for (int i = 0; i < 4; i++) {
		posters[i] = (struct poster){.pool = pool, .jobs = jobs + i * TASKS / 4};
		assert_int_equal(pthread_create(&posters[i].id, NULL, post_share, &posters[i]), 0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(posters[i].id, NULL);
	pool_destroy(&pool);
	for (int i = 0; i < TASKS; i++)
		assert_int_equal(jobs[i].result, OK);
	assert_int_equal(kit_live_count(k->db), TASKS);
	free(jobs);
	report_free(r);
}

/* Runs jobs 0 to 3 one after the other, each inserting a row. */
static void run_four(struct kit *k, struct job *jobs)
{
	struct report *r = report_new();
	struct pool *pool = pool_of(k, DB_WRITE, 1, TASKS, r);

	fault_arm(k->store);
	for (int i = 0; i < 4; i++) {
		jobs[i].insert = i + 1;
		assert_int_equal(pool_post(pool, &jobs[i].task), OK);
		wait_finished(r, i + 1);
	}
	pool_destroy(&pool);
	report_free(r);
}

static void a_broken_connection_is_renewed_before_the_next_task(void **state)
{
	struct kit *k = kit_new(STORE_SQLITE, "fail@2");
	struct job *jobs = jobs_new();

	(void)state;
	kit_open(k);
	run_four(k, jobs);
	assert_int_equal(jobs[0].result, OK);
	assert_int_equal(jobs[1].result, ERR_STORE_UNAVAILABLE);
	assert_int_equal(jobs[2].why, OK);
	assert_int_equal(jobs[2].result, OK);
	assert_int_equal(jobs[3].result, OK);
	assert_int_equal(kit_live_count(k->db), 3);
	free(jobs);
	kit_free(k);
}

static void a_task_is_told_when_there_is_no_connection(void **state)
{
	struct kit *k = kit_new(STORE_SQLITE, "fail@2..3");
	struct job *jobs = jobs_new();

	(void)state;
	kit_open(k);
	run_four(k, jobs);
	assert_int_equal(jobs[1].result, ERR_STORE_UNAVAILABLE);
	assert_int_equal(jobs[2].why, ERR_STORE_UNAVAILABLE); /* the reconnect failed, */
	assert_int_equal(jobs[3].why, ERR_STORE_UNAVAILABLE); /* and is not tried again within a second */
	assert_int_equal(fault_calls(k->store), 3);
	free(jobs);
	kit_free(k);
}

static void count_without_connection(void *ctx, struct task *t, struct db *db, enum err why)
{
	atomic_int *seen = ctx;

	(void)t;
	assert_null(db);
	assert_int_equal(why, OK);
	atomic_fetch_add(seen, 1);
}

static void a_pool_of_no_store_only_computes(void **state)
{
	atomic_int seen = 0;
	struct job *jobs = jobs_new();
	struct problem p = {0};
	struct pool *pool;

	(void)state;
	assert_int_equal(pool_new(NULL, DB_READ, 2, TASKS, count_without_connection, &seen, &pool, &p), OK);
	for (int i = 0; i < TASKS; i++)
		assert_int_equal(pool_post(pool, &jobs[i].task), OK);
	pool_destroy(&pool);
	assert_int_equal(atomic_load(&seen), TASKS);
	free(jobs);
}

static void a_pool_of_a_store_that_is_away_is_none(void **state)
{
	struct problem p = {0};
	struct pool *pool;
	struct store *s;

	(void)state;
	assert_int_equal(store_open("sqlite:/tmp/tenfold-no-such-folder/store.db", &s, &p), OK);
	assert_int_equal(pool_new(s, DB_READ, 2, 10, run_job, NULL, &pool, &p), ERR_STORE_UNAVAILABLE);
	assert_null(pool);
	assert_true(strlen(p.detail) > 0);
	store_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_thread_keeps_the_order, ready, done),
		cmocka_unit_test_setup_teardown(a_full_queue_refuses_at_once, ready, done),
		cmocka_unit_test_setup_teardown(ending_runs_what_is_queued, ready, done),
		cmocka_unit_test_setup_teardown(many_threads, ready, done),
		cmocka_unit_test(a_broken_connection_is_renewed_before_the_next_task),
		cmocka_unit_test(a_task_is_told_when_there_is_no_connection),
		cmocka_unit_test(a_pool_of_no_store_only_computes),
		cmocka_unit_test(a_pool_of_a_store_that_is_away_is_none),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests_name("store_pool", tests, NULL, NULL);
}
