/* The breaker opens on the failure after those that are borne, and on a target that is not there. */
#include "harness.h"

#include "sim/breaker.h"

static struct sim_breaker five_percent_of(uint32_t agents, uint32_t min_failures)
{
	struct sim_breaker b;

	sim_breaker_init(&b, 5, min_failures, 3);
	sim_breaker_cycle(&b, agents);
	return b;
}

static unsigned failures_until_open(struct sim_breaker *b)
{
	unsigned failures = 1;

	while (!sim_breaker_failed(b))
		failures++;
	return failures;
}

static void five_percent_of_372_bears_18_and_opens_on_the_19th(void **state)
{
	struct sim_breaker b = five_percent_of(372, 0);

	(void)state;
	assert_int_equal(sim_breaker_borne(&b), 18);
	for (int i = 0; i < 18; i++)
		assert_false(sim_breaker_failed(&b));
	assert_false(sim_breaker_is_open(&b));
	assert_true(sim_breaker_failed(&b));
	assert_int_equal(b.cause, SIM_BREAKER_FAILURES);
	assert_int_equal(b.trips, 1);
}

static void the_share_is_of_those_admitted(void **state)
{
	static const struct {
		uint32_t agents, min_failures, opens_on;
	} cases[] = {{37, 0, 2},   {93, 0, 5}, {186, 0, 10}, {279, 0, 14},
		     {372, 0, 19}, {37, 5, 5}, {372, 5, 19}, {0, 0, 1}};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		struct sim_breaker b = five_percent_of(cases[i].agents, cases[i].min_failures);

		assert_int_equal(failures_until_open(&b), cases[i].opens_on);
	}
}

static void a_share_that_binary_cannot_hold_is_not_one_short(void **state)
{
	struct sim_breaker b;

	(void)state;
	sim_breaker_init(&b, 0.57, 0, 0);
	sim_breaker_cycle(&b, 10000);
	assert_int_equal(sim_breaker_borne(&b), 57);
	sim_breaker_init(&b, 100, 0, 0);
	sim_breaker_cycle(&b, 372);
	assert_int_equal(sim_breaker_borne(&b), 372);
}

static void failures_of_one_cycle_do_not_count_in_the_next(void **state)
{
	struct sim_breaker b = five_percent_of(372, 0);

	(void)state;
	for (int i = 0; i < 18; i++)
		sim_breaker_failed(&b);
	sim_breaker_cycle(&b, 372);
	assert_int_equal(failures_until_open(&b), 19);
}

static void it_opens_once_and_stays_open_over_the_cycle_until_resumed(void **state)
{
	struct sim_breaker b = five_percent_of(372, 0);

	(void)state;
	failures_until_open(&b);
	assert_false(sim_breaker_failed(&b)); /* those under way still end */
	sim_breaker_cycle(&b, 372);
	sim_breaker_answered(&b);
	assert_true(sim_breaker_is_open(&b));
	sim_breaker_resume(&b);
	assert_false(sim_breaker_is_open(&b));
	assert_int_equal(failures_until_open(&b), 19);
	assert_int_equal(b.trips, 2);
}

static void a_target_that_is_not_there_opens_it_without_waiting_for_failures(void **state)
{
	struct sim_breaker b = five_percent_of(372, 0);

	(void)state;
	assert_false(sim_breaker_nobody(&b));
	assert_false(sim_breaker_nobody(&b));
	sim_breaker_answered(&b);
	assert_false(sim_breaker_nobody(&b));
	assert_false(sim_breaker_nobody(&b));
	sim_breaker_cycle(&b, 372); /* nobody is nobody, in whichever cycle */
	assert_true(sim_breaker_nobody(&b));
	assert_int_equal(b.cause, SIM_BREAKER_TARGET_DOWN);
	sim_breaker_resume(&b);
	assert_false(sim_breaker_nobody(&b));
}

static void without_a_number_a_missing_target_is_left_to_the_failures(void **state)
{
	struct sim_breaker b;

	(void)state;
	sim_breaker_init(&b, 5, 0, 0);
	sim_breaker_cycle(&b, 372);
	for (int i = 0; i < 1000; i++)
		assert_false(sim_breaker_nobody(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_percent_of_372_bears_18_and_opens_on_the_19th),
		cmocka_unit_test(the_share_is_of_those_admitted),
		cmocka_unit_test(a_share_that_binary_cannot_hold_is_not_one_short),
		cmocka_unit_test(failures_of_one_cycle_do_not_count_in_the_next),
		cmocka_unit_test(it_opens_once_and_stays_open_over_the_cycle_until_resumed),
		cmocka_unit_test(a_target_that_is_not_there_opens_it_without_waiting_for_failures),
		cmocka_unit_test(without_a_number_a_missing_target_is_left_to_the_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
