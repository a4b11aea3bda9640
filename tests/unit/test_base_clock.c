/* Time: the slewing rule as plain data, its system clock, a clock that is told, and timestamps. */
#include "harness.h"

#include "base/clock.h"

#include <pthread.h>

static const int64_t WALL = 1750000000000;

static void a_clock_nobody_touches_follows_boot_time_exactly(void **state)
{
	struct clock_slew s = {0};

	(void)state;
	for (int64_t t = 0; t < 100000; t += 37)
		assert_int_equal(clock_slew_now(&s, 5000 + t, WALL + t), WALL + t);
	assert_int_equal(s.offset_ms, 0);
}

static void a_wall_clock_set_forward_is_reached_one_percent_faster(void **state)
{
	struct clock_slew s = {0};
	int64_t t;

	(void)state;
	clock_slew_now(&s, 0, WALL);
	for (t = 0; t <= 100000; t += 10) {
		assert_int_equal(clock_slew_now(&s, t, WALL + 1000 + t), WALL + t + t / 100);
		assert_int_equal(s.offset_ms, 1000 - t / 100);
	}
	assert_int_equal(clock_slew_now(&s, t + 500, WALL + 1000 + t + 500), WALL + 1000 + t + 500);
}

static void a_wall_clock_set_back_is_reached_one_percent_slower_and_never_by_going_back(void **state)
{
	struct clock_slew s = {0};
	int64_t last = clock_slew_now(&s, 0, WALL);

	(void)state;
	for (int64_t t = 0; t <= 100000; t++) {
		int64_t now = clock_slew_now(&s, t, WALL - 1000 + t);

		assert_in_range(now - last, 0, 1);
		assert_in_range(now - (WALL + t - t / 100), 0, 1);
		last = now;
	}
	assert_int_equal(clock_slew_now(&s, 100050, WALL - 1000 + 100050), WALL - 1000 + 100050);
}

static void frequent_readings_do_not_hold_up_the_slewing(void **state)
{
	struct clock_slew often = {0}, seldom = {0};

	(void)state;
	clock_slew_now(&often, 0, WALL);
	clock_slew_now(&seldom, 0, WALL);
	for (int64_t t = 0; t < 60000; t++)
		clock_slew_now(&often, t, WALL + 3000 + t);
	assert_int_equal(clock_slew_now(&often, 60000, WALL + 63000), WALL + 60600);
	assert_int_equal(clock_slew_now(&seldom, 60000, WALL + 63000), WALL + 60600);
}

static void an_anchor_that_is_given_is_kept(void **state)
{
	struct clock_slew s = {.anchor_boot_ms = 100, .anchor_ms = WALL, .last_ms = WALL};

	(void)state;
	assert_int_equal(clock_slew_now(&s, 150, WALL + 7000), WALL + 50);
	assert_int_equal(s.offset_ms, 6950);
}

static void setting_the_wall_clock_is_noticed_once_per_change(void **state)
{
	static const int64_t set_ms[] = {0, 499, 500, -499, -500, 3600000, 0};
	struct clock_slew s = {0};
	int64_t wall_minus_boot = WALL;

	(void)state;
	clock_slew_now(&s, 0, WALL);
	assert_false(s.wall_was_set);
	for (unsigned i = 0; i < COUNT_OF(set_ms); i++) {
		int64_t t = 1000 * (i + 1);

		wall_minus_boot += set_ms[i];
		clock_slew_now(&s, t, t + wall_minus_boot);
		assert_int_equal(s.wall_was_set, llabs(set_ms[i]) >= 500);
		clock_slew_now(&s, t + 1, t + 1 + wall_minus_boot);
		assert_false(s.wall_was_set);
	}
}

/* Whatever is done to the wall clock: between any two readings ours ran at most 1% off, but for two milliseconds.
 */
static void no_history_makes_it_go_back_or_run_off(void **state)
{
	enum { READINGS = 300 };
	struct rng r = test_seed();

	(void)state;
	for (int round = 0; round < 30; round++) {
		struct clock_slew s = {0};
		int64_t boot[READINGS], ours[READINGS], wall_minus_boot = WALL, t = 1000;

		for (int i = 0; i < READINGS; i++) {
			t += (int64_t)rng_below(&r, rng_below(&r, 20) ? 150 : 100000);
			if (rng_below(&r, 10) == 0)
				wall_minus_boot += (int64_t)rng_below(&r, 20000) - 10000;
			boot[i] = t;
			ours[i] = clock_slew_now(&s, t, t + wall_minus_boot);
			for (int j = 0; j < i; j++) {
				int64_t passed = boot[i] - boot[j], off = ours[i] - ours[j] - passed;

				assert_true(ours[i] >= ours[j]);
				assert_true(llabs(off) <= passed / 100 + 2);
			}
		}
	}
}

static int64_t wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void *read_often(void *clock)
{
	int64_t last = 0;

	for (int i = 0; i < 20000; i++) {
		int64_t now = clock_now_ms(clock);

		if (now < last)
			return clock;
		last = now;
	}
	return NULL;
}

static void the_system_clock_tells_the_time_to_several_threads(void **state)
{
	struct clock *c = clock_system_new();
	pthread_t threads[3];
	void *went_back;

	(void)state;
	assert_true(llabs(clock_now_ms(c) - wall_ms()) < 5000);
	for (unsigned i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_often, c), 0);
	for (unsigned i = 0; i < COUNT_OF(threads); i++) {
		pthread_join(threads[i], &went_back);
		assert_null(went_back);
	}
	clock_system_destroy(&c);
	assert_null(c);
	clock_system_destroy(&c);
}

static void a_virtual_clock_stands_still_until_told(void **state)
{
	struct clock_virtual v;

	(void)state;
	clock_virtual_init(&v, 42);
	assert_int_equal(clock_now_ms(&v.clock), 42);
	v.ms += 1000;
	assert_int_equal(clock_now_ms(&v.clock), 1042);
}

static void timestamps_match_the_c_library(void **state)
{
	struct rng r = test_seed();

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int64_t ms = (int64_t)rng_below(&r, 253402300799999 + 62167219200000) - 62167219200000;
		int64_t of_second = ((ms % 1000) + 1000) % 1000;
		time_t seconds = (ms - of_second) / 1000;
		char ours[CLOCK_TEXT], theirs[64];
		struct tm tm;

		assert_non_null(gmtime_r(&seconds, &tm));
		snprintf(theirs, sizeof(theirs), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
			 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)of_second);
		clock_format(ms, ours);
		assert_string_equal(ours, theirs);
		assert_int_equal(clock_date(ms).year, tm.tm_year + 1900);
		assert_int_equal(clock_date(ms).month, tm.tm_mon + 1);
		assert_int_equal(clock_date(ms).day, tm.tm_mday);
	}
}

static void timestamps_at_the_edges(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{-1, "1969-12-31T23:59:59.999Z"},
		{951782400000, "2000-02-29T00:00:00.000Z"},
		{1735689600000, "2025-01-01T00:00:00.000Z"},
		{253402300799999, "9999-12-31T23:59:59.999Z"},
		{INT64_MAX, "9999-12-31T23:59:59.999Z"},
		{INT64_MIN, "0000-01-01T00:00:00.000Z"},
	};
	char text[CLOCK_TEXT];

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		clock_format(cases[i].ms, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void durations_are_measured_forwards(void **state)
{
	int64_t before = clock_mono_ns();

	(void)state;
	assert_true(before > 0);
	assert_true(clock_mono_ns() >= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_nobody_touches_follows_boot_time_exactly),
		cmocka_unit_test(a_wall_clock_set_forward_is_reached_one_percent_faster),
		cmocka_unit_test(a_wall_clock_set_back_is_reached_one_percent_slower_and_never_by_going_back),
		cmocka_unit_test(frequent_readings_do_not_hold_up_the_slewing),
		cmocka_unit_test(an_anchor_that_is_given_is_kept),
		cmocka_unit_test(setting_the_wall_clock_is_noticed_once_per_change),
		cmocka_unit_test(no_history_makes_it_go_back_or_run_off),
		cmocka_unit_test(the_system_clock_tells_the_time_to_several_threads),
		cmocka_unit_test(a_virtual_clock_stands_still_until_told),
		cmocka_unit_test(timestamps_match_the_c_library),
		cmocka_unit_test(timestamps_at_the_edges),
		cmocka_unit_test(durations_are_measured_forwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
