/* Writes that are gathered: one transaction for those that came together, in the order of their keys; what becomes of
 * each when it fails. As "sqlite" or "postgres". */
#include "store_kit.h"

#include "base/log.h"
#include "store/gather.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { WRITES = 12, BATCH = 8, ROOM = 10, KIND = 7, OTHER = 8 };

static enum store_kind kind;

struct write {
	struct task task;
	int64_t key, insert; /* id of a row; 0: refuse without writing */
	int runs;
	enum err outcome;
};

/* A gather with its pool, on a store that fails by a plan, what happened to its writes, and a gate that holds up who
 * writes or blocks. */
struct story {
	struct kit *kit;
	struct pool *pool;
	struct gather *gather;
	struct write writes[WRITES];
	struct task blocker;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool gate_shut, at_gate;
	int ended;
	int order[WRITES]; /* of the ends */
};

static void pass_gate(struct story *s)
{
	pthread_mutex_lock(&s->lock);
	s->at_gate = true;
	pthread_cond_broadcast(&s->changed);
	while (s->gate_shut)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

static void run(void *ctx, struct task *t, struct db *db, enum err why)
{
	if (t->kind == KIND)
		gather_run(t, db, why);
	else
		pass_gate(ctx);
}

static int64_t key_of(const struct task *t)
{
	return ((const struct write *)(const void *)t)->key;
}

static enum err write_row(void *ctx, struct task *t, struct db *db)
{
	struct write *w = CONTAINER_OF(t, struct write, task);
	struct work_live_row row = kit_live(w->insert);

	(void)ctx;
	w->runs++;
	return w->insert ? q_work_live_insert(db, &row, 1) : ERR_NOT_FOUND;
}

/* All that are not refused, in one statement. */
static enum err write_rows(void *ctx, struct task *const *tasks, enum err *outcomes, uint32_t count, struct db *db)
{
	struct work_live_row rows[BATCH];
	size_t n = 0;

	(void)ctx;
	for (uint32_t i = 0; i < count; i++) {
		struct write *w = CONTAINER_OF(tasks[i], struct write, task);

		w->runs++;
		outcomes[i] = w->insert ? OK : ERR_NOT_FOUND;
		if (w->insert)
			rows[n++] = kit_live(w->insert);
	}
	return q_work_live_insert(db, rows, n);
}

static void ended(void *ctx, struct task *t, enum err outcome)
{
	struct write *w = CONTAINER_OF(t, struct write, task);
	struct story *s = ctx;

	w->outcome = outcome;
	pthread_mutex_lock(&s->lock);
	s->order[s->ended++] = (int)(w - s->writes);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static struct story *story_of(const char *fault_plan, bool at_once)
{
	struct story *s = NEW(struct story);
	struct pool_config pool = {
		.mode = DB_WRITE,
		.limits = {.size = 1, .queue_max = ROOM, .wait_ms = 30000, .recycle_ms = 3600000},
		.run = run,
		.ctx = s};
	struct problem p = {0};

	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	s->kit = kit_new(kind, fault_plan);
	kit_open(s->kit);
	pool.store = s->kit->store;
	if (pool_new(&pool, &s->pool, &p) != OK)
		fail_msg("%s", p.detail);
	s->gather = gather_new(&(struct gather_config){.pool = s->pool,
						       .kind = KIND,
						       .batch_max = BATCH,
						       .queue_max = WRITES - 1,
						       .key = key_of,
						       .write = write_row,
						       .write_all = at_once ? write_rows : NULL,
						       .end = ended,
						       .ctx = s});
	s->blocker = (struct task){.cost = 1, .share = 1, .kind = OTHER};
	for (int i = 0; i < WRITES; i++)
		s->writes[i].insert = s->writes[i].key = i + 1;
	return s;
}

static struct story *story_new(const char *fault_plan)
{
	return story_of(fault_plan, false);
}

static void story_free(struct story *s)
{
	pool_destroy(&s->pool);
	gather_destroy(&s->gather);
	kit_free(s->kit);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* The pool's thread is busy until open_gate(), so what is posted meanwhile comes together. */
static void shut_gate(struct story *s)
{
	s->gate_shut = true;
	assert_int_equal(pool_post(s->pool, &s->blocker), OK);
	pthread_mutex_lock(&s->lock);
	while (!s->at_gate)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
	fault_arm(s->kit->store);
}

static void post(struct story *s, int from, int to)
{
	for (int i = from; i < to; i++)
		assert_int_equal(gather_post(s->gather, &s->writes[i].task), OK);
}

static void open_gate(struct story *s, int until_ended)
{
	pthread_mutex_lock(&s->lock);
	s->gate_shut = false;
	pthread_cond_broadcast(&s->changed);
	while (s->ended < until_ended)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

static uint64_t commits(struct story *s)
{
	return fault_commits(s->kit->store);
}

static void one_that_comes_alone_does_not_wait(void **state)
{
	struct story *s = story_new("");

	(void)state;
	fault_arm(s->kit->store);
	for (int i = 0; i < 3; i++) {
		post(s, i, i + 1);
		open_gate(s, i + 1);
	}
	assert_int_equal(commits(s), 3);
	assert_int_equal(kit_live_count(s->kit->db), 3);
	story_free(s);
}

static void what_comes_together_is_one_transaction_in_the_order_of_keys(void **state)
{
	static const int keys[] = {5, 1, 3, 1, -2, 5}, order[] = {4, 1, 3, 2, 0, 5};
	struct story *s = story_new("");

	(void)state;
	shut_gate(s);
	for (int i = 0; i < 6; i++)
		s->writes[i].key = keys[i];
	post(s, 0, 6);
	open_gate(s, 6);
	assert_int_equal(commits(s), 1);
	assert_memory_equal(s->order, order, sizeof(order)); /* of one key as they came */
	assert_int_equal(kit_live_count(s->kit->db), 6);
	story_free(s);
}

static void a_batch_is_bounded_and_so_is_the_queue(void **state)
{
	struct story *s = story_new("");

	(void)state;
	shut_gate(s);
	post(s, 0, WRITES - 1);
	assert_int_equal(gather_post(s->gather, &s->writes[WRITES - 1].task), ERR_OVERLOADED);
	open_gate(s, WRITES - 1);
	assert_int_equal(commits(s), 2);
	post(s, WRITES - 1, WRITES);
	open_gate(s, WRITES);
	assert_int_equal(kit_live_count(s->kit->db), WRITES);
	story_free(s);
}

static void what_is_refused_leaves_the_others_in_their_transaction(void **state)
{
	struct story *s = story_new("");

	(void)state;
	shut_gate(s);
	s->writes[1].insert = 0;
	post(s, 0, 4);
	open_gate(s, 4);
	assert_int_equal(commits(s), 1);
	assert_int_equal(s->writes[1].outcome, ERR_NOT_FOUND);
	assert_int_equal(s->writes[1].runs, 1);
	assert_int_equal(kit_live_count(s->kit->db), 3);
	story_free(s);
}

/* Two rows of one id: the statement of the second fails, and with it the transaction. */
static void one_that_breaks_the_transaction_fails_alone(void **state)
{
	struct story *s = story_new("");

	(void)state;
	shut_gate(s);
	s->writes[2].insert = 1;
	post(s, 0, 4);
	open_gate(s, 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(s->writes[i].outcome, i == 2 ? ERR_ALREADY_EXISTS : OK);
		assert_int_equal(s->writes[i].runs, 2);
	}
	assert_int_equal(kit_live_count(s->kit->db), 3);
	story_free(s);
}

static void a_batch_may_be_written_at_once(void **state)
{
	struct story *s = story_of("", true);

	(void)state;
	shut_gate(s);
	s->writes[2].insert = 0;
	post(s, 0, 5);
	open_gate(s, 5);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(s->writes[i].outcome, i == 2 ? ERR_NOT_FOUND : OK);
		assert_int_equal(s->writes[i].runs, 1);
	}
	assert_int_equal(commits(s), 1);
	assert_int_equal(kit_live_count(s->kit->db), 4);
	story_free(s);
}

static void one_that_breaks_what_is_written_at_once_fails_alone(void **state)
{
	struct story *s = story_of("", true);

	(void)state;
	shut_gate(s);
	s->writes[2].insert = 1;
	post(s, 0, 4);
	open_gate(s, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(s->writes[i].outcome, i == 2 ? ERR_ALREADY_EXISTS : OK);
	assert_int_equal(kit_live_count(s->kit->db), 3);
	story_free(s);
}

static void a_store_that_asks_for_another_try_gets_it(void **state)
{
	struct story *s = story_new("busy@c1..2");

	(void)state;
	shut_gate(s);
	post(s, 0, 3);
	open_gate(s, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(s->writes[i].outcome, OK);
	assert_int_equal(s->writes[0].runs, 3);
	assert_int_equal(kit_live_count(s->kit->db), 3);
	story_free(s);
}

static void a_store_that_is_full_refuses_all_of_a_batch_at_once(void **state)
{
	struct story *s = story_new("full@c1");

	(void)state;
	shut_gate(s);
	post(s, 0, 3);
	open_gate(s, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(s->writes[i].outcome, ERR_STORE_FULL);
		assert_int_equal(s->writes[i].runs, 1);
	}
	assert_int_equal(kit_live_count(s->kit->db), 0);
	story_free(s);
}

/* The connection was lost during COMMIT. SQLite's is in this process, so only PostgreSQL has something to say. */
static void a_commit_without_word_is_asked_for(void **state)
{
	static const struct {
		const char *plan;
		enum err outcome;
		size_t rows;
	} cases[] = {{"unknown@c1", OK, 3}, {"lost@c1", ERR_STORE_UNAVAILABLE, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases) && kind == STORE_POSTGRES; i++) {
		struct story *s = story_new(cases[i].plan);

		shut_gate(s);
		post(s, 0, 3);
		open_gate(s, 3);
		for (int k = 0; k < 3; k++) {
			assert_int_equal(s->writes[k].outcome, cases[i].outcome);
			assert_int_equal(s->writes[k].runs, 1);
		}
		assert_int_equal(kit_live_count(s->kit->db), cases[i].rows);
		story_free(s);
	}
}

static void a_pool_that_ends_writes_what_was_taken(void **state)
{
	struct story *s = story_new("");

	(void)state;
	shut_gate(s);
	post(s, 0, WRITES - 1); /* more than a batch, and the pool takes no successor any more */
	open_gate(s, 0);
	pool_destroy(&s->pool);
	assert_int_equal(s->ended, WRITES - 1);
	assert_int_equal(kit_live_count(s->kit->db), WRITES - 1);
	story_free(s);
}

static void a_pool_that_is_full_refuses_the_first_and_takes_it_later(void **state)
{
	struct story *s = story_new("");
	struct task others[ROOM];

	(void)state;
	shut_gate(s);
	for (int i = 0; i < ROOM; i++) {
		others[i] = s->blocker;
		assert_int_equal(pool_post(s->pool, &others[i]), OK);
	}
	assert_int_equal(gather_post(s->gather, &s->writes[0].task), ERR_OVERLOADED);
	open_gate(s, 0);
	while (gather_post(s->gather, &s->writes[0].task) == ERR_OVERLOADED)
		sched_yield();
	open_gate(s, 1);
	assert_int_equal(s->writes[0].outcome, OK);
	story_free(s);
}

/* Several threads post while batches run: what the thread sanitizer should see. */
static void *post_three(void *arg)
{
	struct story *s = arg;
	static atomic_int next;
	int mine = atomic_fetch_add(&next, 3) % WRITES;

	post(s, mine, mine + 3);
	return NULL;
}

static void many_threads_post(void **state)
{
	struct story *s = story_new("");
	pthread_t ids[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&ids[i], NULL, post_three, s), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(ids[i], NULL);
	open_gate(s, 9);
	assert_int_equal(kit_live_count(s->kit->db), 9);
	story_free(s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_comes_alone_does_not_wait),
		cmocka_unit_test(what_comes_together_is_one_transaction_in_the_order_of_keys),
		cmocka_unit_test(a_batch_is_bounded_and_so_is_the_queue),
		cmocka_unit_test(what_is_refused_leaves_the_others_in_their_transaction),
		cmocka_unit_test(one_that_breaks_the_transaction_fails_alone),
		cmocka_unit_test(a_batch_may_be_written_at_once),
		cmocka_unit_test(one_that_breaks_what_is_written_at_once_fails_alone),
		cmocka_unit_test(a_store_that_asks_for_another_try_gets_it),
		cmocka_unit_test(a_store_that_is_full_refuses_all_of_a_batch_at_once),
		cmocka_unit_test(a_commit_without_word_is_asked_for),
		cmocka_unit_test(a_pool_that_ends_writes_what_was_taken),
		cmocka_unit_test(a_pool_that_is_full_refuses_the_first_and_takes_it_later),
		cmocka_unit_test(many_threads_post),
	};

	assert_int_equal(argc, 2);
	kind = strcmp(argv[1], "postgres") == 0 ? STORE_POSTGRES : STORE_SQLITE;
	if (kind == STORE_POSTGRES)
		kit_need_postgres();
	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests_name("store_gather", tests, NULL, NULL);
}
