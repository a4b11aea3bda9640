/* The breaker under a clock that the test holds. */
#include "harness.h"

#include "redis/breaker.h"

enum { REST_MS = 100, FAILURES = 3 };

static struct breaker fresh(void)
{
	return (struct breaker){.failures_max = FAILURES, .rest_ms = REST_MS};
}

static void fail_times(struct breaker *b, int times, int64_t now_ms)
{
	while (times-- > 0)
		breaker_failed(b, now_ms);
}

static void opens_after_so_many_failures_in_a_row(void **state)
{
	struct breaker b = fresh();

	(void)state;
	fail_times(&b, FAILURES - 1, 0);
	breaker_succeeded(&b);
	fail_times(&b, FAILURES - 1, 0);
	assert_true(breaker_is_closed(&b));
	breaker_failed(&b, 0);
	assert_false(breaker_is_closed(&b));
	assert_false(breaker_try(&b, REST_MS - 1));
	assert_int_equal(breaker_next_ms(&b, 0), REST_MS);
}

static void allows_one_try_after_its_rest(void **state)
{
	struct breaker b = fresh();

	(void)state;
	fail_times(&b, FAILURES, 0);
	assert_true(breaker_try(&b, REST_MS));
	assert_false(breaker_try(&b, REST_MS));
	assert_int_equal(breaker_next_ms(&b, REST_MS), INT64_MAX);
	breaker_succeeded(&b);
	assert_true(breaker_is_closed(&b));
	assert_int_equal(breaker_next_ms(&b, REST_MS), REST_MS);
}

static void rests_twice_as_long_after_each_try_that_failed_up_to_a_bound(void **state)
{
	struct breaker b = fresh();
	int64_t now = 0;

	(void)state;
	fail_times(&b, FAILURES, now);
	for (int i = 0; i < 2 * BREAKER_DOUBLINGS; i++) {
		int doublings = i < BREAKER_DOUBLINGS ? i : BREAKER_DOUBLINGS;

		assert_int_equal(breaker_next_ms(&b, now), now + (REST_MS << doublings));
		now = breaker_next_ms(&b, now);
		assert_true(breaker_try(&b, now));
		breaker_failed(&b, now);
	}
	now = breaker_next_ms(&b, now);
	assert_true(breaker_try(&b, now));
	breaker_succeeded(&b);
	fail_times(&b, FAILURES, now);
	assert_int_equal(breaker_next_ms(&b, now), now + REST_MS);
}

/* Calls that were under way when it opened end later. */
static void late_failures_do_not_make_the_rest_longer(void **state)
{
	struct breaker b = fresh();

	(void)state;
	fail_times(&b, FAILURES, 0);
	fail_times(&b, 10, REST_MS / 2);
	assert_int_equal(breaker_next_ms(&b, 0), REST_MS);
	assert_true(breaker_try(&b, REST_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_after_so_many_failures_in_a_row),
		cmocka_unit_test(allows_one_try_after_its_rest),
		cmocka_unit_test(rests_twice_as_long_after_each_try_that_failed_up_to_a_bound),
		cmocka_unit_test(late_failures_do_not_make_the_rest_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
