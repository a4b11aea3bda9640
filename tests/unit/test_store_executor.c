/*
 * The executor against a real SQLite file and a queue of its own that is as simple as can be: a task is a number,
 * and writing it is a row of work_events with that number. A number that is there already breaks the batch.
 */
#include "store_kit.h"

#include "base/vec.h"
#include "store/executor.h"

#include <pthread.h>
#include <stdatomic.h>

enum { WITHOUT_AN_ANSWER = 777 };

struct number {
	struct task task;
	int64_t value;
	unsigned parts; /* before the last */
	bool asks;      /* the store first, and writes another number when there is no answer */
	int64_t written;
	bool answered;
	enum err outcome;
};

/* A clock that tests move while the executor's thread reads it. */
struct shared_clock {
	struct clock clock;
	_Atomic int64_t ms;
};

static int64_t shared_now(struct clock *c)
{
	return atomic_load(&((struct shared_clock *)(void *)c)->ms);
}

struct fixture {
	struct kit *kit;
	struct executor *executor;
	struct shared_clock clock;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t answered;
	int refuse_acquire; /* so many times STANDBY */
	bool always_due;
	size_t ticks;
	VEC(struct number *) batch, order;
};

/* ---- operations ---- */

static enum err op_acquire(void *ctx, struct db *db, struct problem *p)
{
	struct fixture *f = ctx;
	(void)db;
	if (f->refuse_acquire-- > 0)
		return problem_set(p, ERR_STANDBY, "not yet");
	return OK;
}

static void op_release(void *ctx, struct db *db)
{
	(void)ctx, (void)db;
}

static void op_begin(void *ctx, int64_t now_ms)
{
	struct fixture *f = ctx;
	(void)now_ms;
	f->batch.n = 0;
}

static void op_run(void *ctx, struct task *t, struct db *db)
{
	struct fixture *f = ctx;
	struct number *n = CONTAINER_OF(t, struct number, task);
	struct event_last_out last;
	bool in_vain = n->asks && q_event_last(db, f->kit->arena, &last);
	n->written = in_vain ? WITHOUT_AN_ANSWER : n->value;
	if (t->share < t->cost)
		n->parts++;
	else
		*VEC_PUSH(&f->batch) = n;
}

static bool op_tick(void *ctx)
{
	((struct fixture *)ctx)->ticks++;
	return false;
}

static bool op_dirty(void *ctx)
{
	return ((struct fixture *)ctx)->batch.n > 0;
}

static enum err op_open(void *ctx, struct db *db)
{
	(void)ctx, (void)db;
	return OK;
}

static enum err op_flush(void *ctx, struct db *db)
{
	struct fixture *f = ctx;
	for (size_t i = 0; i < f->batch.n; i++) {
		struct event_row row = {.seq = f->batch.v[i]->written, .at_ms = 1, .events = STR("x")};
		enum err err = q_event_insert(db, &row, 1);
		if (err)
			return err;
	}
	return OK;
}

static void answer(struct fixture *f, struct number *n, enum err outcome)
{
	pthread_mutex_lock(&f->lock);
	assert_false(n->answered);
	n->answered = true;
	n->outcome = outcome;
	*VEC_PUSH(&f->order) = n;
	f->answered++;
	pthread_cond_signal(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static void op_end(void *ctx, enum err outcome, bool rerun)
{
	struct fixture *f = ctx;
	for (size_t i = 0; i < f->batch.n && !rerun; i++)
		answer(f, f->batch.v[i], outcome);
}

static void op_refuse(void *ctx, struct task *t, enum err why)
{
	answer(ctx, CONTAINER_OF(t, struct number, task), why);
}

static enum err op_ask(void *ctx, struct db *db, bool *committed)
{
	struct fixture *f = ctx;
	struct event_last_out last;
	enum err err = q_event_last(db, f->kit->arena, &last);
	*committed = f->batch.n > 0 && last.seq >= f->batch.v[0]->value;
	return err;
}

static int64_t op_next_due_ms(void *ctx)
{
	return ((struct fixture *)ctx)->always_due ? 0 : INT64_MAX;
}

static void op_idle(void *ctx, struct db *db)
{
	(void)ctx, (void)db;
}

/* ---- the fixture ---- */

static struct fixture *fixture_new(const char *plan)
{
	struct fixture *f = NEW(struct fixture);
	f->kit = kit_new(STORE_SQLITE, plan);
	kit_open(f->kit);
	f->clock = (struct shared_clock){{shared_now}, 1000000};
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	struct executor_config config = {.store = f->kit->store,
					 .clock = &f->clock.clock,
					 .ops = {op_acquire, op_release, op_begin, op_run, op_tick, op_dirty,
						 op_open, op_flush, op_end, op_refuse, op_ask, op_next_due_ms,
						 op_idle},
					 .ctx = f,
					 .queue_max = 5000,
					 .batch_cost_max = 2000};
	struct problem p = {0};
	assert_int_equal(executor_new(&config, &f->executor, &p), OK);
	return f;
}

static void fixture_start(struct fixture *f)
{
	struct problem p = {0};
	if (fault_calls(f->kit->store) == 0)
		fault_arm(f->kit->store);
	assert_int_equal(executor_start(f->executor, &p), OK);
}

static void fixture_free(struct fixture *f)
{
	executor_destroy(&f->executor);
	kit_free(f->kit);
	VEC_FREE(&f->batch);
	VEC_FREE(&f->order);
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->changed);
	free(f);
}

static struct number *numbers(size_t count, int64_t first, int64_t tenant)
{
	struct number *n = must_alloc(count * sizeof *n);
	for (size_t i = 0; i < count; i++)
		n[i] = (struct number){.task = {.tenant = tenant, .cost = 1, .share = 1},
				       .value = first + (int64_t)i};
	return n;
}

static void post(struct fixture *f, struct number *n, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(executor_post(f->executor, &n[i].task), OK);
}

static void wait_for(struct fixture *f, size_t answered)
{
	pthread_mutex_lock(&f->lock);
	while (f->answered < answered)
		pthread_cond_wait(&f->changed, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

static void assert_all(const struct number *n, size_t count, enum err outcome)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(n[i].outcome, outcome);
}

/* ---- stories ---- */

static void test_what_is_answered_is_in_the_store(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("busy@999999");
	struct number *n = numbers(3000, 1, 1);
	post(f, n, 3000);
	fixture_start(f);
	wait_for(f, 3000);
	assert_all(n, 3000, OK);
	assert_int_equal(kit_event_count(f->kit->db), 3000);
	fixture_free(f);
	free(n);
}

static void test_a_burst_of_one_tenant_does_not_hold_up_another(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("busy@999999");
	struct number *burst = numbers(3000, 1, 1), *few = numbers(10, 10000, 2);
	post(f, burst, 3000);
	post(f, few, 10);
	fixture_start(f);
	wait_for(f, 3010);
	size_t last = 0;
	for (size_t i = 0; i < f->order.n; i++)
		if (f->order.v[i]->task.tenant == 2)
			last = i;
	assert_true(last < 100); /* behind one quantum of the burst */
	fixture_free(f);
	free(burst);
	free(few);
}

static void test_a_large_task_goes_on_in_later_batches_while_others_are_answered(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("busy@999999");
	struct number *large = numbers(1, 1, 1), *few = numbers(10, 10, 2);
	large->task.cost = 1000;
	large->task.divisible = true;
	post(f, large, 1);
	post(f, few, 10);
	fixture_start(f);
	wait_for(f, 11);
	assert_int_equal(large->parts, 7); /* of 128, and then the rest */
	assert_ptr_equal(f->order.v[10], large);
	assert_int_equal(executor_queued(f->executor), 0);
	assert_int_equal(kit_event_count(f->kit->db), 11);
	fixture_free(f);
	free(large);
	free(few);
}

static void test_a_large_task_half_done_is_given_up_with_the_rest(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("fail@c2..");
	struct number *large = numbers(1, 1, 1), *few = numbers(10, 10, 2);
	large->task.cost = 1000;
	large->task.divisible = true;
	post(f, large, 1);
	post(f, few, 10);
	fixture_start(f);
	wait_for(f, 11);
	assert_true(large->answered);
	fixture_free(f);
	free(large);
	free(few);
}

static void test_only_the_culprit_of_a_broken_batch_fails(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("busy@999999");
	struct number *n = numbers(10, 1, 1);
	n[6].value = 3; /* there already by then */
	post(f, n, 10);
	fixture_start(f);
	wait_for(f, 10);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(n[i].outcome, i == 6 ? ERR_ALREADY_EXISTS : OK);
	assert_int_equal(kit_event_count(f->kit->db), 9);
	fixture_free(f);
	free(n);
}

static void test_a_full_disk_makes_it_read_only_until_there_is_room(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("full@1..4");
	struct number *n = numbers(3, 1, 1);
	fixture_start(f);
	post(f, n, 1);
	wait_for(f, 1);
	assert_int_equal(n[0].outcome, ERR_STORE_FULL);
	assert_int_equal(executor_state(f->executor), EXECUTOR_READ_ONLY);
	uint64_t calls = fault_calls(f->kit->store);
	post(f, n + 1, 1); /* within the second: refused without trying */
	wait_for(f, 2);
	assert_int_equal(n[1].outcome, ERR_STORE_FULL);
	assert_int_equal(fault_calls(f->kit->store), calls);
	size_t answered = 2;
	do { /* one try a second, until the disk has room again */
		atomic_fetch_add(&f->clock.ms, 1000);
		n[2].answered = false;
		post(f, n + 2, 1);
		wait_for(f, ++answered);
	} while (n[2].outcome == ERR_STORE_FULL && answered < 10);
	assert_int_equal(n[2].outcome, OK);
	assert_int_equal(executor_state(f->executor), EXECUTOR_READY);
	fixture_free(f);
	free(n);
}

static void test_what_is_due_does_not_spin_while_nothing_can_be_written(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("full@*");
	struct number *n = numbers(200, 1, 1);
	f->always_due = true;
	post(f, n, 1);
	fixture_start(f);
	wait_for(f, 1);
	for (size_t i = 1; i < 200; i++) { /* on a clock that stands still: no second passes */
		post(f, n + i, 1);
		wait_for(f, i + 1);
	}
	executor_stop(f->executor);
	assert_all(n, 200, ERR_STORE_FULL);
	assert_in_range(f->ticks, 1, 200);
	fixture_free(f);
	free(n);
}

static void test_a_commit_that_was_made_without_word_is_found(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("unknown@c1");
	struct number *n = numbers(1, 1, 1);
	post(f, n, 1);
	fixture_start(f);
	wait_for(f, 1);
	assert_int_equal(n->outcome, OK);
	assert_int_equal(kit_event_count(f->kit->db), 1);
	fixture_free(f);
	free(n);
}

static void test_a_commit_that_was_lost_without_word_is_made_again(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("lost@c1");
	struct number *n = numbers(1, 1, 1);
	post(f, n, 1);
	fixture_start(f);
	wait_for(f, 1);
	assert_int_equal(n->outcome, OK);
	assert_int_equal(kit_event_count(f->kit->db), 1);
	fixture_free(f);
	free(n);
}

static void test_a_connection_that_breaks_is_renewed_and_nobody_notices(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("fail@c1");
	struct number *n = numbers(5, 1, 1);
	post(f, n, 5);
	fixture_start(f);
	wait_for(f, 5);
	assert_all(n, 5, OK);
	assert_int_equal(kit_event_count(f->kit->db), 5);
	fixture_free(f);
	free(n);
}

static void test_a_store_that_stays_away_is_an_error(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("fail@c1,fail@c2");
	struct number *n = numbers(1, 1, 1);
	post(f, n, 1);
	fixture_start(f);
	wait_for(f, 1);
	assert_int_equal(n->outcome, ERR_STORE_UNAVAILABLE);
	assert_int_equal(kit_event_count(f->kit->db), 0);
	fixture_free(f);
	free(n);
}

static void test_what_was_decided_without_the_answer_of_the_store_is_not_written(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("fail@1");
	struct number *n = numbers(3, 1, 1);
	n[1].asks = true;
	post(f, n, 2);
	fixture_start(f);
	wait_for(f, 2);
	assert_all(n, 2, ERR_STORE_UNAVAILABLE);
	assert_int_equal(kit_event_count(f->kit->db), 0);
	post(f, n + 2, 1);
	wait_for(f, 3);
	assert_int_equal(n[2].outcome, OK);
	fixture_free(f);
	free(n);
}

static void test_who_asked_a_busy_store_in_vain_asks_again(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("busy@1");
	struct number *n = numbers(2, 1, 1);
	n[1].asks = true;
	post(f, n, 2);
	fixture_start(f);
	wait_for(f, 2);
	assert_all(n, 2, OK);
	assert_int_equal(n[1].written, 2);
	assert_int_equal(kit_event_count(f->kit->db), 2);
	fixture_free(f);
	free(n);
}

static void test_a_busy_store_is_tried_again_without_anybody_noticing(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("busy@c1");
	struct number *n = numbers(5, 1, 1);
	post(f, n, 5);
	fixture_start(f);
	wait_for(f, 5);
	assert_all(n, 5, OK);
	assert_int_equal(kit_event_count(f->kit->db), 5);
	fixture_free(f);
	free(n);
}

static void test_a_standby_refuses_and_becomes_owner_later(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("busy@999999");
	struct number *n = numbers(1, 1, 1), *m = numbers(1, 2, 1);
	f->refuse_acquire = 1;
	post(f, n, 1);
	fixture_start(f);
	wait_for(f, 1);
	assert_int_equal(n->outcome, ERR_STANDBY);
	assert_int_equal(executor_state(f->executor), EXECUTOR_STANDBY);
	atomic_fetch_add(&f->clock.ms, 1000);
	post(f, m, 1); /* wakes it up; it becomes owner before it looks at tasks */
	wait_for(f, 2);
	assert_int_equal(m->outcome, OK);
	fixture_free(f);
	free(n);
	free(m);
}

static void test_a_full_queue_and_a_stopped_one_refuse_at_once(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("busy@999999");
	struct number *n = numbers(5001, 1, 1), *late = numbers(1, 9000, 1);
	post(f, n, 5000);
	assert_int_equal(executor_post(f->executor, &n[5000].task), ERR_OVERLOADED);
	fixture_start(f);
	wait_for(f, 1);
	executor_stop(f->executor); /* what was accepted is finished */
	assert_int_equal(f->answered, 5000);
	assert_all(n, 5000, OK);
	assert_int_equal(executor_post(f->executor, &late->task), ERR_SHUTTING_DOWN);
	executor_post_always(f->executor, &late->task);
	assert_int_equal(late->outcome, ERR_SHUTTING_DOWN);
	fixture_free(f);
	free(n);
	free(late);
}

/* A server that could not be built has one, and posts the end of all waits to it. */
static void test_one_that_was_never_started_refuses_what_it_was_given(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("busy@999999");
	struct number *n = numbers(3, 1, 1);
	post(f, n, 2);
	executor_post_always(f->executor, &n[2].task);
	executor_stop(f->executor);
	assert_int_equal(f->answered, 3);
	assert_all(n, 3, ERR_SHUTTING_DOWN);
	fixture_free(f);
	free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_answered_is_in_the_store),
		cmocka_unit_test(test_a_burst_of_one_tenant_does_not_hold_up_another),
		cmocka_unit_test(test_a_large_task_goes_on_in_later_batches_while_others_are_answered),
		cmocka_unit_test(test_a_large_task_half_done_is_given_up_with_the_rest),
		cmocka_unit_test(test_only_the_culprit_of_a_broken_batch_fails),
		cmocka_unit_test(test_a_full_disk_makes_it_read_only_until_there_is_room),
		cmocka_unit_test(test_what_is_due_does_not_spin_while_nothing_can_be_written),
		cmocka_unit_test(test_a_commit_that_was_made_without_word_is_found),
		cmocka_unit_test(test_a_commit_that_was_lost_without_word_is_made_again),
		cmocka_unit_test(test_a_connection_that_breaks_is_renewed_and_nobody_notices),
		cmocka_unit_test(test_a_store_that_stays_away_is_an_error),
		cmocka_unit_test(test_what_was_decided_without_the_answer_of_the_store_is_not_written),
		cmocka_unit_test(test_who_asked_a_busy_store_in_vain_asks_again),
		cmocka_unit_test(test_a_busy_store_is_tried_again_without_anybody_noticing),
		cmocka_unit_test(test_a_standby_refuses_and_becomes_owner_later),
		cmocka_unit_test(test_a_full_queue_and_a_stopped_one_refuse_at_once),
		cmocka_unit_test(test_one_that_was_never_started_refuses_what_it_was_given),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
