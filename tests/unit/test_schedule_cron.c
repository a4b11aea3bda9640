/* Cron lines: what each means, on ordinary days and on those that change the clock; and what is refused, how. */
#include "harness.h"

#include "base/clock.h"
#include "schedule/cron.h"

#define ZONES "/usr/share/zoneinfo"

static struct zones *zones;

static int open_zones(void **state)
{
	(void)state;
	zones = zones_new(STR(ZONES));
	return 0;
}

static int close_zones(void **state)
{
	(void)state;
	zones_destroy(&zones);
	return 0;
}

static const struct zone *zone_of(const char *name)
{
	const struct zone *z = NULL;
	struct problem p = {0};
	if (zones_get(zones, str_of(name), "timezone", &z, &p))
		fail_msg("%s", p.detail);
	return z;
}

static struct cron cron_of(const char *line)
{
	struct cron c;
	struct problem p = {0};
	if (cron_parse(str_of(line), &c, &p))
		fail_msg("%s: %s", line, p.detail);
	return c;
}

static int64_t at(int year, int month, int day, int hour, int minute)
{
	return ((clock_day(year, month, day) * 24 + hour) * 60 + minute) * 60000;
}

/* The next fires after a time, "MM-DD HH:MM" in UTC each. */
static void assert_fires(const char *line, const char *zone, int64_t after_ms, const char *expected)
{
	char got[256] = "", text[CLOCK_TEXT];
	struct cron c = cron_of(line);
	for (size_t n = 0; n < strlen(expected); n = strlen(got)) {
		after_ms = cron_next_ms(&c, zone_of(zone), after_ms);
		clock_format(after_ms, text);
		text[10] = ' ';
		snprintf(got + n, sizeof got - n, "%s%.11s", n ? ", " : "", text + 5);
	}
	if (strcmp(got, expected))
		fail_msg("%s in %s\nexpected %s\nfires    %s", line, zone, expected, got);
}

/* ---- ordinary days ---- */

static void what_lines_mean(void **state)
{
	static const struct {
		const char *line, *fires;
	} cases[] = {
		{"* * * * *", "11-21 10:01, 11-21 10:02, 11-21 10:03"},
		{"*/15 * * * *", "11-21 10:15, 11-21 10:30, 11-21 10:45, 11-21 11:00"},
		{"5/20 * * * *", "11-21 10:05, 11-21 10:25, 11-21 10:45, 11-21 11:05"},
		{"0 0 * * *", "11-22 00:00, 11-23 00:00"},
		{"30 8-10/2 * * *", "11-21 10:30, 11-22 08:30, 11-22 10:30"},
		{"0 9 * * mon-fri", "11-23 09:00, 11-24 09:00, 11-25 09:00, 11-26 09:00, 11-27 09:00, 11-30 09:00"},
		{"0 9 * * 7", "11-22 09:00, 11-29 09:00"},
		{"0 9 * * sat-sun", "11-22 09:00, 11-28 09:00, 11-29 09:00"},
		{"0 9 * * SUN,3", "11-22 09:00, 11-25 09:00, 11-29 09:00"},
		{"0 0 1 jan,jul *", "01-01 00:00, 07-01 00:00, 01-01 00:00"},
		{"0 0 13 * 5", "11-27 00:00, 12-04 00:00, 12-11 00:00, 12-13 00:00"},
		{"0 0 */2 * 5", "11-27 00:00, 12-11 00:00, 12-25 00:00"},
		{"0 0 L * ?", "11-30 00:00, 12-31 00:00, 01-31 00:00, 02-28 00:00"},
		{"0 0 L-3 * *", "11-27 00:00, 12-28 00:00"},
		{"0 0 LW * *", "11-30 00:00, 12-31 00:00, 01-29 00:00"},
		{"0 0 1W * *", "12-01 00:00, 01-01 00:00, 02-01 00:00, 03-01 00:00, 04-01 00:00, 05-03 00:00"},
		{"0 0 15W 8 *", "08-16 00:00, 08-15 00:00, 08-15 00:00, 08-15 00:00, 08-15 00:00, 08-16 00:00"},
		{"0 0 31W * *", "12-31 00:00, 01-29 00:00, 03-31 00:00, 05-31 00:00, 07-30 00:00"},
		{"0 0 ? * friL", "11-27 00:00, 12-25 00:00, 01-29 00:00"},
		{"0 0 * * 2#2,mon#5", "11-30 00:00, 12-08 00:00, 01-12 00:00"},
		{"@daily", "11-22 00:00"},
		{"@Weekly", "11-22 00:00, 11-29 00:00"},
		{"@hourly", "11-21 11:00"},
		{"@yearly", "01-01 00:00"},
		{" 0\t0  29 2 * ", "02-29 00:00"},
	};
	(void)state;
	for (unsigned i = 0; i < COUNT_OF(cases); i++)
		assert_fires(cases[i].line, "UTC", at(2026, 11, 21, 10, 0), cases[i].fires);
}

static void a_leap_day_is_waited_for(void **state)
{
	struct cron c = cron_of("0 12 29 2 *");
	(void)state;
	assert_int_equal(cron_next_ms(&c, zone_of("UTC"), at(2026, 11, 21, 0, 0)), at(2028, 2, 29, 12, 0));
	assert_int_equal(cron_next_ms(&c, zone_of("UTC"), at(2096, 3, 1, 0, 0)), at(2104, 2, 29, 12, 0));
}

static void a_fire_is_after_the_time_that_was_asked_for(void **state)
{
	struct cron c = cron_of("0 12 * * *");
	int64_t noon = at(2026, 11, 21, 12, 0);
	(void)state;
	assert_int_equal(cron_next_ms(&c, zone_of("UTC"), noon - 1), noon);
	assert_int_equal(cron_next_ms(&c, zone_of("UTC"), noon), noon + 86400000);
	assert_int_equal(cron_next_ms(&c, zone_of("UTC"), at(1969, 12, 31, 11, 59)), at(1969, 12, 31, 12, 0));
}

/* ---- days that change the clock ---- */

/* Berlin 2026: 29 March 2:00 becomes 3:00 (1:00 UTC), 25 October 3:00 becomes 2:00 (1:00 UTC). */
static void times_that_are_left_out_fire_once_after_the_gap(void **state)
{
	int64_t eve = at(2026, 3, 28, 12, 0);
	(void)state;
	assert_fires("30 2 * * *", "Europe/Berlin", eve, "03-29 01:00, 03-30 00:30");
	assert_fires("0 2 * * *", "Europe/Berlin", eve, "03-29 01:00, 03-30 00:00");
	assert_fires("10,20,50 2 * * *", "Europe/Berlin", eve, "03-29 01:00, 03-30 00:10");
	assert_fires("0,30 2,3 * * *", "Europe/Berlin", eve, "03-29 01:00, 03-29 01:30, 03-30 00:00");
	assert_fires("59 1 * * *", "Europe/Berlin", eve, "03-29 00:59, 03-29 23:59");
	assert_fires("0 3 * * *", "Europe/Berlin", eve, "03-29 01:00, 03-30 01:00");
}

static void times_that_come_twice_fire_the_first_time(void **state)
{
	int64_t eve = at(2026, 10, 24, 12, 0);
	(void)state;
	assert_fires("30 2 * * *", "Europe/Berlin", eve, "10-25 00:30, 10-26 01:30");
	assert_fires("0 3 * * *", "Europe/Berlin", eve, "10-25 02:00, 10-26 02:00");
	assert_fires("0,30 2 * * *", "Europe/Berlin", eve, "10-25 00:00, 10-25 00:30, 10-26 01:00");
	assert_fires("30 2 * * *", "Europe/Berlin", at(2026, 10, 25, 1, 10), "10-26 01:30");
}

static void a_rhythm_goes_by_what_the_clock_shows(void **state)
{
	(void)state;
	assert_fires("*/30 * * * *", "Europe/Berlin", at(2026, 3, 29, 0, 20),
		     "03-29 00:30, 03-29 01:00, 03-29 01:30, 03-29 02:00");
	assert_fires("*/30 * * * *", "Europe/Berlin", at(2026, 10, 24, 23, 40),
		     "10-25 00:00, 10-25 00:30, 10-25 01:00, 10-25 01:30, 10-25 02:00");
	assert_fires("0 * * * *", "Europe/Berlin", at(2026, 10, 24, 23, 40),
		     "10-25 00:00, 10-25 01:00, 10-25 02:00");
	assert_fires("*/20 2 * * *", "Europe/Berlin", at(2026, 3, 28, 12, 0), "03-30 00:00, 03-30 00:20");
	assert_fires("0 */2 * * *", "Europe/Berlin", at(2026, 3, 28, 23, 30), "03-29 02:00, 03-29 04:00");
}

/* Lord Howe moves by half an hour, at 2:00; Samoa left out a day; Casablanca goes back for Ramadan. */
static void clocks_that_move_in_other_ways(void **state)
{
	(void)state;
	assert_fires("10 2 * * *", "Australia/Lord_Howe", at(2026, 10, 3, 12, 0), "10-03 15:30, 10-04 15:10");
	assert_fires("45 1 * * *", "Australia/Lord_Howe", at(2026, 4, 4, 12, 0), "04-04 14:45, 04-05 15:15");
	assert_fires("0 10 * * *", "Pacific/Apia", at(2011, 12, 29, 12, 0),
		     "12-29 20:00, 12-30 10:00, 12-30 20:00");
	assert_fires("30 2 * * *", "Africa/Casablanca", at(2026, 2, 14, 12, 0), "02-15 01:30, 02-16 02:30");
}

/* ---- what is refused ---- */

static void refusals_name_the_part(void **state)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{"", "0 fields and needs 5"},
		{"* * * *", "4 fields and needs 5"},
		{"0 0 12 * * ?", "there are no seconds"},
		{"60 * * * *", "the minute '60' is not one of 0 to 59"},
		{"* 24 * * *", "the hour '24'"},
		{"* * 0 * *", "the day of month '0' is not one of 1 to 31"},
		{"* * * 13 *", "the month '13' is not one of 1 to 12 or a name"},
		{"* * * * 8", "the day of week '8'"},
		{"* * * janu *", "the month 'janu'"},
		{"a * * * *", "the minute 'a'"},
		{"-1 * * * *", "the minute '-1'"},
		{"+1 * * * *", "the minute '+1'"},
		{"1,,2 * * * *", "a comma too many"},
		{"1, * * * *", "a comma too many"},
		{"*/0 * * * *", "needs a step of 1 to 59"},
		{"*/90 * * * *", "needs a step of 1 to 59"},
		{"*/ * * * *", "needs a step"},
		{"50-10 * * * *", "runs backwards"},
		{"* * * * fri-mon", "runs backwards"},
		{"* * 32W * *", "before W"},
		{"* * L-31 * *", "after L-"},
		{"* * * * mon#6", "needs 1 to 5 after #"},
		{"* * * * L", "needs a day before it"},
		{"* * * * 9L", "the day of week '9L'"},
		{"? * * * *", "the minute '?'"},
		{"00000 * * * *", "the minute '00000'"},
		{"@reboot", "'@reboot' is none of"},
		{"0 0 30 2 *", "never fires: no such day (30) comes in such a month (2)"},
		{"0 0 31 4,6,9,11 *", "never fires"},
		{"0 0 31W feb *", "never fires"},
		{"0 0 L-29 2 *", "never fires"},
	};
	(void)state;
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		struct problem p = {0};
		struct cron c;
		assert_row(cases[i].line, cron_parse(str_of(cases[i].line), &c, &p) == ERR_INVALID);
		assert_row(cases[i].line, strcmp(p.fields[0].field, "cron") == 0);
		if (!strstr(p.detail, cases[i].says))
			fail_msg("%s: says '%s', not '%s'", cases[i].line, p.detail, cases[i].says);
	}
}

/* ---- properties ---- */

static const char *const some_zones[] = {"UTC",
					 "Europe/Berlin",
					 "America/New_York",
					 "Australia/Lord_Howe",
					 "Asia/Kathmandu",
					 "Africa/Casablanca",
					 "Pacific/Apia"};

static void random_field(struct rng *r, int min, int max, char *out, size_t size)
{
	int a = min + (int)rng_below(r, (uint64_t)(max - min + 1));
	int b = a + (int)rng_below(r, (uint64_t)(max - a + 1));
	switch (rng_below(r, 6)) {
	case 0:
		snprintf(out, size, "%d", a);
		break;
	case 1:
		snprintf(out, size, "%d-%d", a, b);
		break;
	case 2:
		snprintf(out, size, "*/%d", 1 + b % 6);
		break;
	case 3:
		snprintf(out, size, "%d,%d", b, a);
		break;
	default:
		snprintf(out, size, "*");
	}
}

static void random_line(struct rng *r, char *out, size_t size)
{
	char f[5][16];
	random_field(r, 0, 59, f[0], sizeof f[0]);
	random_field(r, 0, 23, f[1], sizeof f[1]);
	random_field(r, 1, 28, f[2], sizeof f[2]);
	random_field(r, 1, 12, f[3], sizeof f[3]);
	random_field(r, 0, 6, f[4], sizeof f[4]);
	snprintf(out, size, "%s %s %s %s %s", f[0], f[1], f[2], f[3], f[4]);
}

/* What is next does not depend on from where one looks, as long as nothing fires in between. */
static void next_is_the_same_from_anywhere_before_it(void **state)
{
	struct rng r = test_seed();
	char line[96];
	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		random_line(&r, line, sizeof line);
		const struct zone *z = zone_of(some_zones[rng_below(&r, COUNT_OF(some_zones))]);
		struct cron c = cron_of(line);
		int64_t after = at(2000, 1, 1, 0, 0) + (int64_t)rng_below(&r, UINT64_C(1577836800000));
		int64_t next = cron_next_ms(&c, z, after);
		assert_row(line, next > after && next % 1000 == 0);
		int64_t between = after + (int64_t)rng_below(&r, (uint64_t)(next - after));
		assert_row(line, cron_next_ms(&c, z, between) == next);
		assert_row(line, cron_next_ms(&c, z, next - 1) == next);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_lines_mean),
		cmocka_unit_test(a_leap_day_is_waited_for),
		cmocka_unit_test(a_fire_is_after_the_time_that_was_asked_for),
		cmocka_unit_test(times_that_are_left_out_fire_once_after_the_gap),
		cmocka_unit_test(times_that_come_twice_fire_the_first_time),
		cmocka_unit_test(a_rhythm_goes_by_what_the_clock_shows),
		cmocka_unit_test(clocks_that_move_in_other_ways),
		cmocka_unit_test(refusals_name_the_part),
		cmocka_unit_test(next_is_the_same_from_anywhere_before_it),
	};
	return cmocka_run_group_tests(tests, open_zones, close_zones);
}
