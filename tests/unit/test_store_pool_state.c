/* What a pool decides, under a clock that is set by hand: stories of single rules, then all of them under random
 * load. */
#include "harness.h"

#include "base/magic.h"
#include "store/pool_state.h"

#include <string.h>

enum { TASKS = 100000, SIZE = 2, OVERFLOW = 3, QUEUE = 20 };

#define MS INT64_C(1000000)

static const struct pool_limits limits = {.size = SIZE,
					  .overflow = OVERFLOW,
					  .queue_max = QUEUE,
					  .wait_ms = 30000,
					  .idle_ms = 10000,
					  .check_ms = 30000,
					  .recycle_ms = 3600000};

/* A pool, its clock, and every task it was ever given, in order. */
struct play {
	struct pool_state s;
	int64_t now;
	struct task *tasks;
	size_t posted, came_out;
};

static int begin(void **state)
{
	struct play *p = NEW(struct play);

	pool_state_init(&p->s, &limits);
	p->tasks = must_alloc(TASKS * sizeof(*p->tasks));
	p->now = 1000 * MS;
	*state = p;
	return 0;
}

static int end(void **state)
{
	struct play *p = *state;

	pool_state_free(&p->s);
	free(p->tasks);
	free(p);
	return 0;
}

static enum err post(struct play *p, int *call)
{
	enum err e = pool_state_post(&p->s, p->now, &p->tasks[p->posted], call);

	p->posted += e == OK;
	return e;
}

/* First come, first served: what leaves the queue is the oldest that is in it. */
static void assert_next(struct play *p, const struct task *t)
{
	assert_ptr_equal(t, &p->tasks[p->came_out]);
	p->came_out++;
}

static void take(struct play *p, int seat)
{
	assert_next(p, pool_state_take(&p->s, seat));
}

/* Seats 0 … n-1 are BUSY. */
static void occupy(struct play *p, int n)
{
	int call;

	for (int i = 0; i < n; i++) {
		assert_int_equal(post(p, &call), OK);
		assert_int_equal(call, SEAT_NONE);
		if (i > 0) {
			assert_int_equal(pool_state_open(&p->s, p->now), i);
			assert_true(pool_state_opened(&p->s, i, p->now, true));
		}
		take(p, i);
	}
}

static void the_last_to_rest_is_called_first(void **state)
{
	struct play *p = *state;
	int call;

	occupy(p, 3);
	assert_true(pool_state_rest(&p->s, 2, p->now));
	assert_true(pool_state_rest(&p->s, 0, p->now));
	assert_int_equal(post(p, &call), OK);
	assert_int_equal(call, 0);
	assert_int_equal(post(p, &call), OK);
	assert_int_equal(call, 2);
	assert_int_equal(post(p, &call), OK);
	assert_int_equal(call, SEAT_NONE);
}

static void one_is_opened_when_all_are_busy_and_somebody_waits(void **state)
{
	struct play *p = *state;
	int call;

	assert_int_equal(pool_state_open(&p->s, p->now), SEAT_NONE); /* nobody waits */
	occupy(p, SIZE + OVERFLOW);
	assert_int_equal(pool_state_open(&p->s, p->now), SEAT_NONE);
	assert_int_equal(post(p, &call), OK);
	assert_int_equal(pool_state_open(&p->s, p->now), SEAT_NONE); /* there are no more */
}

static void no_more_are_opened_than_tasks_wait(void **state)
{
	struct play *p = *state;
	int call;

	occupy(p, 1);
	assert_int_equal(post(p, &call), OK);
	assert_int_equal(pool_state_open(&p->s, p->now), 1);
	assert_int_equal(pool_state_open(&p->s, p->now), SEAT_NONE);
	assert_int_equal(post(p, &call), OK);
	assert_int_equal(pool_state_open(&p->s, p->now), 2);
}

static void a_failure_to_open_is_not_repeated_for_a_second(void **state)
{
	struct play *p = *state;
	int call;

	occupy(p, 1);
	assert_int_equal(post(p, &call), OK);
	assert_int_equal(pool_state_open(&p->s, p->now), 1);
	assert_false(pool_state_opened(&p->s, 1, p->now, false));
	assert_int_equal(pool_state_open(&p->s, p->now + 1000 * MS - 1), SEAT_NONE);
	assert_true(pool_state_due_ns(&p->s) == p->now + 1000 * MS);
	assert_int_equal(pool_state_open(&p->s, p->now + 1000 * MS), 1);
}

static void the_overflow_goes_after_its_time_and_the_rest_stays(void **state)
{
	struct play *p = *state;

	occupy(p, SIZE + 1);
	assert_true(pool_state_rest(&p->s, 0, p->now));
	assert_true(pool_state_rest(&p->s, 1, p->now + 1));
	assert_true(pool_state_leave_ns(&p->s, 0) == p->now + 10000 * MS);
	assert_false(pool_state_leave(&p->s, 0, p->now + 10000 * MS - 1));
	assert_true(pool_state_leave(&p->s, 0, p->now + 10000 * MS));
	assert_true(pool_state_leave_ns(&p->s, 1) == INT64_MAX);
	assert_false(pool_state_leave(&p->s, 1, INT64_MAX - 1));
}

/* One that is only being opened does not count: it may fail. */
static void one_connection_is_never_given_up(void **state)
{
	struct play *p = *state;
	int call;

	p->s.limits.size = 1;
	occupy(p, 1);
	assert_int_equal(post(p, &call), OK);
	assert_int_equal(pool_state_open(&p->s, p->now), 1);
	assert_false(pool_state_rest(&p->s, 0, p->now));
	take(p, 0);
	assert_true(pool_state_rest(&p->s, 0, p->now));
	assert_false(pool_state_leave(&p->s, 0, INT64_MAX - 1));
	assert_false(pool_state_opened(&p->s, 1, p->now, false));
	assert_int_equal(p->s.count[SEAT_IDLE], 1);
}

static void a_task_waits_so_long_and_no_longer(void **state)
{
	struct play *p = *state;
	int call;

	occupy(p, 1);
	assert_int_equal(post(p, &call), OK);
	p->now += 5 * MS;
	assert_int_equal(post(p, &call), OK);
	p->now += 29995 * MS;
	assert_true(pool_state_due_ns(&p->s) <= p->now);
	assert_next(p, pool_state_overdue(&p->s, p->now));
	assert_null(pool_state_overdue(&p->s, p->now + 5 * MS - 1));
	assert_next(p, pool_state_overdue(&p->s, p->now + 5 * MS));
	assert_null(pool_state_overdue(&p->s, INT64_MAX));
}

static void a_stop_refuses_and_opens_no_more(void **state)
{
	struct play *p = *state;
	int call;

	occupy(p, 1);
	assert_int_equal(post(p, &call), OK);
	p->s.stopping = true;
	assert_int_equal(post(p, &call), ERR_SHUTTING_DOWN);
	assert_int_equal(pool_state_open(&p->s, p->now), SEAT_NONE);
	assert_false(pool_state_rest(&p->s, 0, p->now));
	take(p, 0);
}

/* ---- all of it, under random load ---- */

static unsigned live(const struct pool_state *s)
{
	return s->count[SEAT_AWAKE] + s->count[SEAT_BUSY] + s->count[SEAT_IDLE];
}

static void assert_bounds(const struct play *p)
{
	const struct pool_state *s = &p->s;
	unsigned count[SEAT_IDLE + 1] = {0};

	for (int i = 0; i < SIZE + OVERFLOW; i++)
		count[s->seats[i].state]++;
	assert_memory_equal(count, s->count, sizeof(count));
	assert_int_equal(s->queued, p->posted - p->came_out);
	assert_in_range(s->queued, 0, QUEUE);
	assert_in_range(live(s), 1, SIZE + OVERFLOW);
	if (s->count[SEAT_IDLE]) /* nobody rests while a task waits that nobody is on the way to */
		assert_true(s->queued <= s->count[SEAT_AWAKE]);
	if (!s->queued)
		return;
	assert_true(s->count[SEAT_AWAKE] + s->count[SEAT_BUSY] > 0);
	assert_true(pool_state_due_ns(s) <= s->first->queued_ns + 30000 * MS);
}

/* What the keeper does when it is woken. */
static void keep(struct play *p)
{
	struct task *t;

	while ((t = pool_state_overdue(&p->s, p->now))) {
		assert_true(p->now - t->queued_ns >= 30000 * MS);
		assert_next(p, t);
	}
	while (pool_state_open(&p->s, p->now) != SEAT_NONE)
		assert_bounds(p);
	assert_true(pool_state_due_ns(&p->s) > p->now);
}

/* The next step of a seat's thread. */
static void step(struct play *p, int seat, struct rng *r)
{
	unsigned before = live(&p->s);
	struct task *t;

	switch (p->s.seats[seat].state) {
	case SEAT_EMPTY:
		break;
	case SEAT_OPENING:
		pool_state_opened(&p->s, seat, p->now, rng_below(r, 4) > 0);
		break;
	case SEAT_AWAKE:
		t = pool_state_take(&p->s, seat);
		if (t)
			assert_next(p, t);
		else
			assert_true(pool_state_rest(&p->s, seat, p->now));
		break;
	case SEAT_BUSY:
		pool_state_rest(&p->s, seat, p->now);
		break;
	case SEAT_IDLE:
		if (pool_state_leave(&p->s, seat, p->now))
			assert_true(before > SIZE);
		break;
	}
}

static void order_and_bounds_hold_under_random_load(void **state)
{
	struct play *p = *state;
	struct rng r = test_seed();
	unsigned refused = 0;

	while (p->posted < TASKS - 1) {
		uint64_t dice = rng_below(&r, 10);
		int call;

		if (dice < 4)
			refused += post(p, &call) == ERR_OVERLOADED;
		else if (dice < 9)
			step(p, (int)rng_below(&r, SIZE + OVERFLOW), &r);
		else
			p->now += (int64_t)rng_below(&r, rng_below(&r, 50) ? 20 : 40000) * MS;
		assert_bounds(p);
		keep(p);
		assert_bounds(p);
	}
	assert_true(refused > 0);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(the_last_to_rest_is_called_first),
		STORY(one_is_opened_when_all_are_busy_and_somebody_waits),
		STORY(no_more_are_opened_than_tasks_wait),
		STORY(a_failure_to_open_is_not_repeated_for_a_second),
		STORY(the_overflow_goes_after_its_time_and_the_rest_stays),
		STORY(one_connection_is_never_given_up),
		STORY(a_task_waits_so_long_and_no_longer),
		STORY(a_stop_refuses_and_opens_no_more),
		STORY(order_and_bounds_hold_under_random_load),
	};

	return cmocka_run_group_tests_name("store_pool_state", tests, NULL, NULL);
}
