/* The load of a queue over time, and what is decided of it. */
#include "harness_arena.h"

#include "schedule/scaler.h"

enum { SECOND = 1000 };

static struct arena *arena;
static const struct scaler_config plain = {.min = 2, .max = 20};

static double proposed_by(const struct autoscale *load, int metric)
{
	for (size_t i = 0; i < load->reasons_count; i++)
		if (load->reasons[i].metric == metric)
			return HAS(&load->reasons[i], autoscale_reason, workers) ? (double)load->reasons[i].workers
										 : -1;
	return -2;
}

static void rates_are_those_of_the_last_minute(void **state)
{
	struct scaler s;
	struct autoscale load;
	struct scaler_figures now = {.busy = 4, .idle = 1};
	(void)state;
	scaler_init(&s, &plain, SECOND);
	scaler_show(&s, &now, SECOND, arena, &load);
	assert_false(HAS(&load, autoscale, arrival_rate));
	for (int second = 2; second <= 300; second++) {
		s.enqueued += second < 200 ? 30 : 10;
		s.ended += 8;
		scaler_show(&s, &now, second * SECOND, arena, &load);
		assert_true(HAS(&load, autoscale, arrival_rate) == (second >= 6));
		if (second == 150)
			assert_float_equal(load.arrival_rate, 30, 0.01);
	}
	assert_float_equal(load.arrival_rate, 10, 0.01);
	assert_float_equal(load.service_rate, 8, 0.01);
	assert_float_equal(load.capacity, 2, 0.01);
	assert_float_equal(load.utilisation, 0.8, 0.0001);
	assert_int_equal(load.watched_ms, 299 * SECOND);
	assert_true(proposed_by(&load, SCALE_BY_RATE) == 7); /* 10 of 0.8 * 2 */
	assert_true(proposed_by(&load, SCALE_BY_UTILISATION) == 5);
	assert_true(proposed_by(&load, SCALE_BY_HOURS) == -2);
	scaler_free(&s);
}

static void it_is_decided_every_15_seconds_and_follows_who_is_there(void **state)
{
	struct scaler s;
	struct autoscale load;
	struct scaler_figures now = {.depth = 1000, .busy = 4};
	int decisions = 0;
	(void)state;
	scaler_init(&s, &plain, SECOND);
	for (int second = 1; second <= 120; second++) {
		s.enqueued += 100;
		s.ended += 4;
		decisions += scaler_show(&s, &now, second * SECOND, arena, &load);
		if (load.desired > now.busy && second % 15 == 1)
			now.busy = load.desired; /* as if they had been started */
	}
	assert_int_equal(decisions, 8);
	assert_int_equal(now.busy, 8); /* 4, 5, a minute for the window, 6, 8: half as many more in any minute */
	scaler_free(&s);
}

static void what_is_not_known_takes_nobody_away(void **state)
{
	struct scaler s;
	struct autoscale load;
	struct scaler_figures idle = {.idle = 12};
	(void)state;
	scaler_init(&s, &plain, SECOND);
	for (int second = 1; second < 900; second += 15)
		scaler_show(&s, &idle, second * SECOND, arena, &load);
	assert_true(proposed_by(&load, SCALE_BY_RATE) == -1);
	assert_int_equal(load.desired, 12);
	scaler_free(&s);
}

static void hours_are_read_and_asked_for(void **state)
{
	struct zones *zones = zones_new(STR("/usr/share/zoneinfo"));
	struct scaler_config config = {.min = 1, .max = 50};
	struct scaler s;
	struct autoscale load;
	struct scaler_figures now = {.idle = 8};
	(void)state;
	assert_int_equal(
		scaler_hours_parse(STR("0 0 * * *; 59 23 * * *; UTC; 9 | 0 1 1 1 *; 0 2 1 1 *; Asia/Tokyo; 40"),
				   zones, "hours", &config, NULL),
		OK);
	assert_int_equal(config.hours_count, 2);
	scaler_init(&s, &config, SECOND);
	for (int second = 1; second < 90; second += 15)
		scaler_show(&s, &now, second * SECOND, arena, &load);
	assert_true(proposed_by(&load, SCALE_BY_HOURS) == 9);
	assert_int_equal(load.desired, 9);
	scaler_free(&s);
	zones_destroy(&zones);
}

static void hours_that_are_none(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {{"9", "0 fields"},
		     {"0 0 * * *", "0 fields"},
		     {"0 0 * * *; 0 25 * * *; UTC; 9", "the hour '25'"},
		     {"0 0 * * *; 0 2 * * *; Mars; 9", "'Mars'"},
		     {"0 0 * * *; 0 2 * * *; UTC; many", "BEGIN; END"},
		     {"0 0 * * *; 0 2 * * *; UTC; 0", "BEGIN; END"},
		     {"0 0 * * *; 0 2 * * *; UTC; 9; 9", "BEGIN; END"}};
	struct zones *zones = zones_new(STR("/usr/share/zoneinfo"));
	(void)state;
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		struct scaler_config config;
		struct problem p = {0};
		assert_row(cases[i].text,
			   scaler_hours_parse(str_of(cases[i].text), zones, "hours", &config, &p) == ERR_INVALID);
		if (!strstr(p.detail, cases[i].says) && i > 0)
			fail_msg("%s: says '%s'", cases[i].text, p.detail);
	}
	zones_destroy(&zones);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(rates_are_those_of_the_last_minute, arena),
		ARENA_TEST(it_is_decided_every_15_seconds_and_follows_who_is_there, arena),
		ARENA_TEST(what_is_not_known_takes_nobody_away, arena),
		ARENA_TEST(hours_are_read_and_asked_for, arena),
		ARENA_TEST(hours_that_are_none, arena),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
