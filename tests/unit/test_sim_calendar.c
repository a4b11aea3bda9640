/* The calendar: hours that follow one another, eagerness that adds up to what was asked for, seasons over New Year.
 * What is drawn here is drawn from fixed seeds: limits are those that a right program passes in all but one of
 * 10,000. */
#include "harness.h"

#include "sim/calendar.h"
#include "sim/draws.h"

#include <math.h>

enum { WEEK = 168 };
static const int64_t monday = INT64_C(1780272000000);        /* 2026-06-01T00:00Z */
static const int64_t new_years_eve = INT64_C(1798675200000); /* 2026-12-31T00:00Z */

/* Instacart's orders of 2017 by hour, in per cent; and days that differ. */
static const double shop_hours[24] = {0.67, 0.36, 0.22, 0.16, 0.16, 0.28, 0.89, 2.69, 5.21, 7.54, 8.43, 8.32,
				      7.98, 8.13, 8.27, 8.29, 7.97, 6.69, 5.35, 4.11, 3.05, 2.28, 1.80, 1.17};
static const double shop_days[7] = {17.17, 13.66, 12.77, 12.46, 13.25, 13.12, 17.56};

static struct calendar flat(int64_t start_ms)
{
	struct calendar c = {.start_ms = start_ms};

	for (unsigned i = 0; i < 24; i++)
		c.hour[i] = 1;
	for (unsigned i = 0; i < 7; i++)
		c.weekday[i] = 1;
	return c;
}

static struct calendar shop(int64_t start_ms)
{
	struct calendar c = {.start_ms = start_ms};

	memcpy(c.hour, shop_hours, sizeof(c.hour));
	memcpy(c.weekday, shop_days, sizeof(c.weekday));
	return c;
}

static struct eagerness even(float weekly)
{
	return (struct eagerness){.weekly = weekly, .part = {1, 1, 1}, .day = {1, 1, 1}};
}

static double in_a_week(const struct calendar *c, const struct eagerness *e)
{
	double sum = 0;

	for (uint32_t cycle = 0; cycle < WEEK; cycle++) {
		struct moment m;

		calendar_moment(c, cycle, &m);
		sum += eagerness_in(e, &m);
	}
	return sum;
}

static void hours_follow_one_another_over_days_months_and_years(void **state)
{
	struct calendar c = flat(new_years_eve);

	(void)state;
	for (uint32_t cycle = 0; cycle < 3 * 366 * 24; cycle++) {
		time_t seconds = (time_t)(c.start_ms / 1000 + (int64_t)cycle * 3600);
		struct moment m;
		struct tm tm;

		calendar_moment(&c, cycle, &m);
		assert_non_null(gmtime_r(&seconds, &tm));
		assert_int_equal(m.ms, (int64_t)seconds * 1000);
		assert_int_equal(m.hour, tm.tm_hour);
		assert_int_equal(m.weekday, (tm.tm_wday + 6) % 7);
		assert_int_equal(m.month, tm.tm_mon + 1);
		assert_int_equal(m.day, tm.tm_mday);
	}
}

static void a_day_has_its_parts_and_a_week_its_kinds_of_days(void **state)
{
	struct calendar c = flat(monday);

	(void)state;
	for (uint32_t cycle = 0; cycle < WEEK; cycle++) {
		uint32_t hour = cycle % 24, day = cycle / 24;
		struct moment m;

		calendar_moment(&c, cycle, &m);
		assert_int_equal(m.part, hour < 5 || hour >= 17 ? PART_EVENING
					 : hour < 12            ? PART_MORNING
								: PART_AFTERNOON);
		assert_int_equal(m.kind, day < 5 ? DAY_WEEKDAY : day == 5 ? DAY_SATURDAY : DAY_SUNDAY);
	}
}

/* Whatever the tables and the preferences, 3.2 a week are 3.2 a week. */
static void an_agent_of_3_2_sessions_a_week_has_3_2(void **state)
{
	struct rng r = test_seed();
	struct eagerness e = even(3.2f);
	struct calendar c = flat(monday);

	(void)state;
	eagerness_normalise(&c, &e);
	assert_true(fabs(in_a_week(&c, &e) - 3.2) < 1e-5);
	for (int i = 0; i < 200; i++) {
		c = shop(monday + (int64_t)rng_below(&r, 10000) * CALENDAR_HOUR_MS); /* any hour of any week */
		e = even(3.2f);
		for (unsigned k = 0; k < 3; k++) {
			e.part[k] = (float)rng_below(&r, 100) / 50;
			e.day[k] = (float)(1 + rng_below(&r, 100)) / 50;
		}
		e.part[PART_MORNING] += 0.01f;
		eagerness_normalise(&c, &e);
		assert_true(fabs(in_a_week(&c, &e) - 3.2) < 1e-4);
	}
}

static void who_is_eager_at_no_hour_never_comes(void **state)
{
	struct calendar c = flat(monday);
	struct eagerness e = {.weekly = 3.2f, .part = {1, 1, 1}};

	(void)state;
	eagerness_normalise(&c, &e);
	assert_true(in_a_week(&c, &e) == 0);
}

/* Does this agent begin a session in this cycle? As the engine asks. */
static bool comes(const struct eagerness *e, const struct moment *m, uint32_t agent, uint32_t cycle)
{
	struct draws d;

	draws_begin(&d, 42, DRAW_ACTIVE, agent, cycle, 0);
	return draws_unit(&d) < -expm1(-eagerness_in(e, m));
}

/* 2,000 agents of four weeks: 25,600 sessions are to be expected if nothing were lost. What is lost, because a cycle
 * has one or none, is computed; what is counted differs from that by its sampling error alone. */
static void sessions_that_are_drawn_are_as_many_as_the_rates_say_hour_by_hour(void **state)
{
	enum { AGENTS = 2000, WEEKS = 4 };
	struct calendar c = shop(monday);
	struct eagerness e = even(3.2f);
	double chi = 0, expected_all = 0, variance = 0;
	unsigned seen_all = 0, cells = 0;

	(void)state;
	eagerness_normalise(&c, &e);
	for (uint32_t hour = 0; hour < WEEK; hour++) {
		double expected = 0, p = 0;
		unsigned seen = 0;

		for (uint32_t week = 0; week < WEEKS; week++) {
			uint32_t cycle = week * WEEK + hour;
			struct moment m;

			calendar_moment(&c, cycle, &m);
			p = -expm1(-eagerness_in(&e, &m));
			expected += AGENTS * p;
			for (uint32_t agent = 0; agent < AGENTS; agent++)
				seen += comes(&e, &m, agent, cycle);
		}
		expected_all += expected;
		variance += expected * (1 - p);
		seen_all += seen;
		if (expected >= 5) {
			chi += pow(seen - expected, 2) / (expected * (1 - p));
			cells++;
		}
	}
	assert_in_range(cells, 150, WEEK);
	assert_true(chi < cells * pow(1 - 2.0 / (9 * cells) + 3.719 * sqrt(2.0 / (9 * cells)), 3));
	assert_true(fabs(seen_all - expected_all) < 3.9 * sqrt(variance));
	assert_true(expected_all > 0.98 * 3.2 * AGENTS * WEEKS && expected_all < 3.2 * AGENTS * WEEKS);
}

static void no_eagerness_makes_a_probability_past_1(void **state)
{
	struct calendar c = shop(monday);
	struct eagerness e = {.weekly = 1e6f, .part = {9, 9, 9}, .day = {9, 9, 9}};

	(void)state;
	c.seasons[c.season_count++] = (struct season){STR("all year"), 1, 1, 12, 31, 1000};
	eagerness_normalise(&c, &e);
	for (uint32_t cycle = 0; cycle < WEEK; cycle++) {
		struct moment m;
		double p;

		calendar_moment(&c, cycle, &m);
		p = -expm1(-eagerness_in(&e, &m));
		assert_true(p >= 0 && p <= 1);
	}
}

static void a_season_has_its_first_and_last_day_and_goes_over_new_year(void **state)
{
	static const struct {
		int month, day;
		double factor;
	} days[] = {
		{11, 21, 1}, {11, 22, 1.6}, {11, 30, 1.6}, {12, 1, 1},  {12, 19, 1},
		{12, 20, 2}, {12, 24, 3},   {12, 25, 2},   {12, 31, 2}, {1, 1, 2},
		{1, 6, 2},   {1, 7, 1},     {2, 28, 1},    {2, 29, 5},  {3, 1, 1},
	};
	struct calendar c = flat(new_years_eve);

	(void)state;
	c.seasons[0] = (struct season){STR("black friday"), 11, 22, 11, 30, 1.6};
	c.seasons[1] = (struct season){STR("holidays"), 12, 20, 1, 6, 2};
	c.seasons[2] = (struct season){STR("eve"), 12, 24, 12, 24, 1.5};
	c.seasons[3] = (struct season){STR("leap day"), 2, 29, 2, 29, 5};
	c.season_count = 4;
	for (unsigned i = 0; i < COUNT_OF(days); i++)
		assert_true(calendar_season(&c, days[i].month, days[i].day) == days[i].factor);
}

/* The first six days of the week from New Year's Eve are in a season of factor 2. */
static void a_season_multiplies_what_a_week_without_one_has(void **state)
{
	struct calendar c = flat(new_years_eve);
	struct eagerness e = even(3.2f);

	(void)state;
	c.seasons[c.season_count++] = (struct season){STR("holidays"), 12, 20, 1, 5, 2};
	eagerness_normalise(&c, &e);
	assert_true(fabs(in_a_week(&c, &e) - 3.2 * (6 * 2 + 1) / 7) < 1e-5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hours_follow_one_another_over_days_months_and_years),
		cmocka_unit_test(a_day_has_its_parts_and_a_week_its_kinds_of_days),
		cmocka_unit_test(an_agent_of_3_2_sessions_a_week_has_3_2),
		cmocka_unit_test(who_is_eager_at_no_hour_never_comes),
		cmocka_unit_test(sessions_that_are_drawn_are_as_many_as_the_rates_say_hour_by_hour),
		cmocka_unit_test(no_eagerness_makes_a_probability_past_1),
		cmocka_unit_test(a_season_has_its_first_and_last_day_and_goes_over_new_year),
		cmocka_unit_test(a_season_multiplies_what_a_week_without_one_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
