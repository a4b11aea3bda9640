/* The pool: order, its bounds, what becomes of tasks when it ends, when its connections break or age and when all
 * of them hang. What it decides without threads is in test_store_pool_state.c. */
#include "store_kit.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/pool.h"
#include "telemetry/metrics.h"

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
	bool gate_shut;
	int at_gate, finished;
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
	r->at_gate += db != NULL;
	pthread_cond_broadcast(&r->changed);
	while (r->gate_shut && db)
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

static void wait_at_gate(struct report *r, int count)
{
	pthread_mutex_lock(&r->lock);
	while (r->at_gate < count)
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

/* With times that do not come while a test runs. */
static struct pool_config config_of(struct kit *k, enum db_mode mode, unsigned size, struct report *r)
{
	enum { HOUR_MS = 3600000 };

	return (struct pool_config){.store = k ? k->store : NULL,
				    .mode = mode,
				    .limits = {.size = size,
					       .queue_max = TASKS,
					       .wait_ms = HOUR_MS,
					       .idle_ms = HOUR_MS,
					       .check_ms = HOUR_MS,
					       .recycle_ms = HOUR_MS},
				    .run = run_job,
				    .ctx = r};
}

static struct pool *pool_made(const struct pool_config *config)
{
	struct problem p = {0};
	struct pool *pool;

	if (pool_new(config, &pool, &p) != OK)
		fail_msg("%s", p.detail);
	return pool;
}

static struct pool *pool_of(struct kit *k, enum db_mode mode, unsigned size, struct report *r)
{
	struct pool_config config = config_of(k, mode, size, r);

	return pool_made(&config);
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
	struct pool *pool = pool_of(*state, DB_READ, 1, r);
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
	struct pool_config config = config_of(*state, DB_READ, 1, r);
	struct job *jobs = jobs_new();
	struct pool *pool;

	config.limits.queue_max = ROOM;
	pool = pool_made(&config);
	r->gate_shut = true;
	assert_int_equal(pool_post(pool, &jobs[0].task), OK);
	wait_at_gate(r, 1);
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
	struct pool *pool = pool_of(*state, DB_READ, 2, r);
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
	struct pool *pool = pool_of(k, DB_WRITE, 3, r);
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
	struct pool *pool = pool_of(k, DB_WRITE, 1, r);

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
	struct pool_config config = config_of(NULL, DB_READ, 2, NULL);
	struct job *jobs = jobs_new();
	struct pool *pool;

	(void)state;
	config.run = count_without_connection;
	config.ctx = &seen;
	pool = pool_made(&config);
	for (int i = 0; i < TASKS; i++)
		assert_int_equal(pool_post(pool, &jobs[i].task), OK);
	pool_destroy(&pool);
	assert_int_equal(atomic_load(&seen), TASKS);
	free(jobs);
}

static void a_pool_of_a_store_that_is_away_is_none(void **state)
{
	struct pool_config config = config_of(NULL, DB_READ, 2, NULL);
	struct problem p = {0};
	struct pool *pool;
	struct store *s;

	(void)state;
	assert_int_equal(store_open("sqlite:/tmp/tenfold-no-such-folder/store.db", &s, &p), OK);
	config.store = s;
	assert_int_equal(pool_new(&config, &pool, &p), ERR_STORE_UNAVAILABLE);
	assert_null(pool);
	assert_true(strlen(p.detail) > 0);
	store_close(&s);
}

/* ---- more connections, and fewer again ---- */

static double shown(const struct metrics *m, const char *name)
{
	struct buf text = BUF_INIT(1 << 20);
	char line[80];
	const char *at;
	double value;

	metrics_text(m, &text);
	snprintf(line, sizeof(line), "\ntenfold_%s ", name);
	at = strstr(buf_cstr(&text), line);
	assert_non_null(at);
	value = strtod(at + strlen(line), NULL);
	buf_free(&text);
	return value;
}

static void wait_shown(const struct metrics *m, const char *name, double wanted)
{
	int64_t end_ns = clock_mono_ns() + INT64_C(10000000000);

	while (shown(m, name) != wanted)
		if (clock_mono_ns() > end_ns)
			fail_msg("%s is %g and not %g", name, shown(m, name), wanted);
}

static void the_overflow_comes_and_goes(void **state)
{
	struct report *r = report_new();
	struct pool_config config = config_of(*state, DB_READ, 1, r);
	struct metrics *m = metrics_new(&(struct metrics_config){0});
	struct job *jobs = jobs_new();
	struct pool *pool;

	config.metrics = m;
	config.limits.overflow = 2;
	config.limits.idle_ms = 20;
	pool = pool_made(&config);
	r->gate_shut = true;
	for (int i = 0; i < 5; i++)
		assert_int_equal(pool_post(pool, &jobs[i].task), OK);
	wait_at_gate(r, 3);
	assert_int_equal(shown(m, "store_connections_open"), 3);
	assert_int_equal(shown(m, "store_connections_busy"), 3);
	assert_int_equal(shown(m, "store_calls_waiting"), 2);
	open_gate(r);
	wait_finished(r, 5);
	wait_shown(m, "store_connections_open", 1);
	assert_int_equal(shown(m, "store_connections_busy"), 0);
	assert_int_equal(shown(m, "store_connection_wait_seconds_count"), 5);
	assert_int_equal(pool_post(pool, &jobs[5].task), OK); /* and the place is free for another */
	assert_int_equal(pool_post(pool, &jobs[6].task), OK);
	wait_finished(r, 7);
	pool_destroy(&pool);
	metrics_destroy(&m);
	free(jobs);
	report_free(r);
}

/* Whether or not it can be opened: the connections there are go on. */
static void what_cannot_be_opened_is_done_without(void **state)
{
	struct kit *k = *state;
	struct report *r = report_new();
	struct pool_config config = config_of(k, DB_READ, 1, r);
	struct job *jobs = jobs_new();
	struct pool *pool;
	char there[128], elsewhere[128];

	snprintf(there, sizeof(there), "%s/store.db", k->dir);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere.db", k->dir);
	config.limits.overflow = 1;
	pool = pool_made(&config);
	assert_int_equal(rename(there, elsewhere), 0);
	r->gate_shut = true;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pool_post(pool, &jobs[i].task), OK);
	wait_at_gate(r, 1);
	open_gate(r);
	wait_finished(r, 3);
	pool_destroy(&pool);
	assert_int_equal(rename(elsewhere, there), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(jobs[i].why, OK);
	free(jobs);
	report_free(r);
}

/* ---- waiting ---- */

static void nobody_waits_for_ever_while_every_connection_hangs(void **state)
{
	struct report *r = report_new();
	struct pool_config config = config_of(*state, DB_READ, 1, r);
	struct metrics *m = metrics_new(&(struct metrics_config){0});
	struct job *jobs = jobs_new();
	struct pool *pool;

	config.metrics = m;
	config.limits.wait_ms = 20;
	pool = pool_made(&config);
	r->gate_shut = true;
	assert_int_equal(pool_post(pool, &jobs[0].task), OK);
	wait_at_gate(r, 1);
	for (int i = 1; i < 4; i++)
		assert_int_equal(pool_post(pool, &jobs[i].task), OK);
	wait_finished(r, 3);
	for (int i = 1; i < 4; i++) {
		assert_int_equal(jobs[i].why, ERR_OVERLOADED);
		assert_int_equal(r->order[i - 1], i);
	}
	assert_int_equal(shown(m, "store_connection_timeouts_total"), 3);
	open_gate(r);
	wait_finished(r, 4);
	assert_int_equal(jobs[0].why, OK);
	pool_destroy(&pool);
	metrics_destroy(&m);
	free(jobs);
	report_free(r);
}

/* The task is not in the hands of the thread that waits for the sign of life. */
static void nobody_waits_for_ever_for_a_check(void **state)
{
	struct kit *k = kit_new(STORE_SQLITE, "slow@1=500");
	struct report *r = report_new();
	struct pool_config config;
	struct job *jobs = jobs_new();
	struct pool *pool;

	(void)state;
	kit_open(k);
	config = config_of(k, DB_READ, 1, r);
	config.limits.check_ms = 0;
	config.limits.wait_ms = 20;
	pool = pool_made(&config);
	fault_arm(k->store);
	assert_int_equal(pool_post(pool, &jobs[0].task), OK);
	wait_finished(r, 1);
	assert_int_equal(jobs[0].why, ERR_OVERLOADED);
	pool_destroy(&pool);
	free(jobs);
	report_free(r);
	kit_free(k);
}

/* ---- checked and renewed ---- */

/* Runs jobs 0 and 1, each inserting a row, on a pool that asks before each use. */
static void a_connection_that_gives_no_sign_of_life_is_renewed(void **state)
{
	struct kit *k = kit_new(STORE_SQLITE, "fail@3"); /* check, insert, check */
	struct report *r = report_new();
	struct pool_config config;
	struct job *jobs = jobs_new();
	struct pool *pool;

	(void)state;
	kit_open(k);
	config = config_of(k, DB_WRITE, 1, r);
	config.limits.check_ms = 0;
	pool = pool_made(&config);
	fault_arm(k->store);
	for (int i = 0; i < 2; i++) {
		jobs[i].insert = i + 1;
		assert_int_equal(pool_post(pool, &jobs[i].task), OK);
		wait_finished(r, i + 1);
		assert_int_equal(jobs[i].why, OK);
		assert_int_equal(jobs[i].result, OK);
	}
	assert_int_equal(fault_calls(k->store), 5); /* reconnect, insert */
	pool_destroy(&pool);
	free(jobs);
	report_free(r);
	kit_free(k);
}

static void an_old_connection_is_renewed(void **state)
{
	struct kit *k = *state;
	struct report *r = report_new();
	struct pool_config config = config_of(k, DB_WRITE, 1, r);
	struct metrics *m = metrics_new(&(struct metrics_config){0});
	struct job *jobs = jobs_new();
	struct pool *pool;
	int64_t begun_ns;

	config.metrics = m;
	config.limits.recycle_ms = 1;
	pool = pool_made(&config);
	begun_ns = clock_mono_ns();
	while (clock_mono_ns() - begun_ns < config.limits.recycle_ms * 1000000)
		;
	jobs[0].insert = 1;
	assert_int_equal(pool_post(pool, &jobs[0].task), OK);
	wait_finished(r, 1);
	assert_int_equal(jobs[0].result, OK);
	assert_int_equal(shown(m, "store_connections_recycled_total"), 1);
	pool_destroy(&pool);
	metrics_destroy(&m);
	free(jobs);
	report_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_thread_keeps_the_order, ready, done),
		cmocka_unit_test_setup_teardown(a_full_queue_refuses_at_once, ready, done),
		cmocka_unit_test_setup_teardown(ending_runs_what_is_queued, ready, done),
		cmocka_unit_test_setup_teardown(many_threads, ready, done),
		cmocka_unit_test_setup_teardown(the_overflow_comes_and_goes, ready, done),
		cmocka_unit_test_setup_teardown(what_cannot_be_opened_is_done_without, ready, done),
		cmocka_unit_test_setup_teardown(nobody_waits_for_ever_while_every_connection_hangs, ready, done),
		cmocka_unit_test(nobody_waits_for_ever_for_a_check),
		cmocka_unit_test(a_connection_that_gives_no_sign_of_life_is_renewed),
		cmocka_unit_test_setup_teardown(an_old_connection_is_renewed, ready, done),
		cmocka_unit_test(a_broken_connection_is_renewed_before_the_next_task),
		cmocka_unit_test(a_task_is_told_when_there_is_no_connection),
		cmocka_unit_test(a_pool_of_no_store_only_computes),
		cmocka_unit_test(a_pool_of_a_store_that_is_away_is_none),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests_name("store_pool", tests, NULL, NULL);
}
