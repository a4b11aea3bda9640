/* How many workers there should be: figures for which HorizontalPodAutoscaler's own answers are known or follow. */
#include "harness.h"

#include "base/clock.h"
#include "schedule/autoscale.h"

enum { SECOND = 1000, MINUTE = 60000 };

/* ---- what a metric proposes ---- */

static void a_total_is_shared(void **state)
{
	(void)state;
	assert_int_equal(autoscale_by_total(0.1, 600, 100, 3), 6);
	assert_int_equal(autoscale_by_total(0.1, 200, 100, 4), 2);
	assert_int_equal(autoscale_by_total(0.1, 250, 100, 1), 3);
	assert_int_equal(autoscale_by_total(0.1, 250, 100, 3), 2 + 1);
	assert_int_equal(autoscale_by_total(0.1, 330, 100, 3), 3);
	assert_int_equal(autoscale_by_total(0.1, 331, 100, 3), 4);
	assert_int_equal(autoscale_by_total(0.1, 0, 100, 5), 0);
	assert_int_equal(autoscale_by_total(0.1, 250, 100, 0), 3);
}

/* 80 % of a capacity of 50 a second each. */
static void a_rate_of_requests_is_a_total(void **state)
{
	(void)state;
	assert_int_equal(autoscale_by_total(0.1, 400, 0.8 * 50, 4), 10);
}

static void a_queue_is_kept_between_two_depths(void **state)
{
	struct autoscale_band b = autoscale_band_defaults;
	(void)state;
	assert_int_equal(autoscale_by_band(&b, 101, 5, 1000), 5);
	assert_int_equal(autoscale_by_band(&b, 101, 5, 1000 + 59999), 5);
	assert_int_equal(autoscale_by_band(&b, 5000, 5, 1000 + 60000), 8);
	assert_int_equal(autoscale_by_band(&b, 100, 5, 1000 + 61000), 5);
	assert_int_equal(autoscale_by_band(&b, 101, 5, 1000 + 62000), 5);
	assert_int_equal(autoscale_by_band(&b, 19, 8, 200000), 8);
	assert_int_equal(autoscale_by_band(&b, 20, 8, 499000), 8);
	assert_int_equal(autoscale_by_band(&b, 19, 8, 500000), 8);
	assert_int_equal(autoscale_by_band(&b, 0, 8, 799999), 8);
	assert_int_equal(autoscale_by_band(&b, 0, 8, 800000), 6);
}

static void hours_ask_for_their_workers_and_no_longer(void **state)
{
	struct zones *zones = zones_new(STR("/usr/share/zoneinfo"));
	struct autoscale_hours hours[2] = {{.workers = 10}, {.workers = 15}};
	static const char *const lines[] = {"30 8 * * mon-fri", "0 18 * * mon-fri", "0 12 * * *", "0 13 * * *"};
	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(cron_parse(str_of(lines[2 * i]), &hours[i].begin, NULL), OK);
		assert_int_equal(cron_parse(str_of(lines[2 * i + 1]), &hours[i].end, NULL), OK);
		assert_int_equal(zones_get(zones, STR("Europe/Berlin"), "zone", &hours[i].zone, NULL), OK);
	}
	int64_t friday_ms = clock_day(2026, 11, 20) * 86400000 - 60 * (int64_t)MINUTE;
	static const int wanted[24] = {[8] = 10, 10, 10, 10, 15, 10, 10, 10, 10, 10};
	for (int hour = 0; hour < 24; hour++) {
		int64_t at_ms = friday_ms + (hour * 60 + 45) * (int64_t)MINUTE;
		assert_int_equal(autoscale_by_hours(hours, 2, at_ms), wanted[hour]);
	}
	assert_int_equal(autoscale_by_hours(hours, 2, friday_ms + 510 * (int64_t)MINUTE - 1), 0);
	assert_int_equal(autoscale_by_hours(hours, 2, friday_ms + 510 * (int64_t)MINUTE), 10);
	zones_destroy(&zones);
}

/* ---- what becomes of it ---- */

/* Every 15 s, as the controller does, with what is proposed for good; notes each number that comes of it. */
static void assert_ladder(int64_t current, int64_t proposed, const int64_t *expected, size_t count)
{
	struct autoscaler a;
	int64_t now = 1000000, last_change = 0;
	size_t n = 0;
	autoscale_init(&a, &autoscale_defaults);
	for (int i = 0; i < 200 && n < count; i++, now += 15 * SECOND) {
		int64_t decided = autoscale_decide(&a, proposed, false, current, now);
		if (decided == current)
			continue;
		assert_int_equal(decided, expected[n++]);
		assert_true(last_change == 0 || now - last_change >= MINUTE);
		last_change = now;
		autoscale_changed(&a, current, decided, now);
		current = decided;
	}
	assert_int_equal(n, count);
	assert_int_equal(autoscale_decide(&a, proposed, false, current, now + 600 * SECOND), current);
	autoscale_free(&a);
}

static void up_and_down_by_the_ladder(void **state)
{
	static const int64_t up[] = {3, 5, 8, 12, 18, 20}, down[] = {15, 11, 8, 6, 4, 3, 2};
	(void)state;
	assert_ladder(2, 1000, up, COUNT_OF(up));
	assert_ladder(20, 0, down, COUNT_OF(down));
}

static void a_peak_that_is_over_soon_is_not_followed(void **state)
{
	struct autoscaler a;
	(void)state;
	autoscale_init(&a, &autoscale_defaults);
	assert_int_equal(autoscale_decide(&a, 4, false, 4, 0), 4);
	assert_int_equal(autoscale_decide(&a, 6, false, 4, 15 * SECOND), 4); /* 4 was proposed in the last minute */
	assert_int_equal(autoscale_decide(&a, 6, false, 4, 60 * SECOND), 6);
	autoscale_free(&a);
}

static void a_lull_is_waited_for_five_minutes(void **state)
{
	struct autoscaler a;
	(void)state;
	autoscale_init(&a, &autoscale_defaults);
	assert_int_equal(autoscale_decide(&a, 8, false, 8, 0), 8);
	for (int s = 15; s < 300; s += 15)
		assert_int_equal(autoscale_decide(&a, 2, false, 8, s * SECOND), 8);
	assert_int_equal(autoscale_decide(&a, 2, false, 8, 300 * SECOND), 6);
	autoscale_free(&a);
}

static void what_is_remembered_is_not_what_was_decided(void **state)
{
	struct autoscaler a;
	(void)state;
	autoscale_init(&a, &autoscale_defaults);
	assert_int_equal(autoscale_decide(&a, 20, false, 8, 0), 12);
	autoscale_changed(&a, 8, 12, 0);
	assert_int_equal(autoscale_decide(&a, 2, false, 12, 15 * SECOND), 12);  /* 20 was proposed */
	assert_int_equal(autoscale_decide(&a, 20, false, 12, 20 * SECOND), 12); /* 2 was, too */
	autoscale_free(&a);
}

static void a_change_counts_for_a_minute(void **state)
{
	struct autoscale_rules rules = autoscale_defaults;
	struct autoscaler a;
	(void)state;
	rules.up_window_ms = rules.down_window_ms = 0;
	autoscale_init(&a, &rules);
	assert_int_equal(autoscale_decide(&a, 20, false, 8, 0), 12);
	autoscale_changed(&a, 8, 10, 0); /* somebody has done less */
	assert_int_equal(autoscale_decide(&a, 20, false, 10, 30 * SECOND), 12);
	autoscale_changed(&a, 10, 12, 30 * SECOND);
	assert_int_equal(autoscale_decide(&a, 20, false, 12, 59 * SECOND), 12);
	assert_int_equal(autoscale_decide(&a, 20, false, 12, 60 * SECOND), 15); /* 10 stood there when it began */
	assert_int_equal(autoscale_decide(&a, 0, false, 12, 60 * SECOND), 7);
	autoscale_free(&a);
}

static void a_metric_that_fails_takes_nobody_away(void **state)
{
	struct autoscale_rules rules = autoscale_defaults;
	struct autoscaler a;
	(void)state;
	rules.up_window_ms = rules.down_window_ms = 0;
	autoscale_init(&a, &rules);
	assert_int_equal(autoscale_decide(&a, 2, true, 8, 0), 8);
	assert_int_equal(autoscale_decide(&a, 9, true, 8, 0), 9);
	assert_int_equal(autoscale_decide(&a, 2, false, 8, 0), 6);
	autoscale_free(&a);
}

static void bounds_hold_at_once(void **state)
{
	struct autoscaler a;
	(void)state;
	autoscale_init(&a, &autoscale_defaults);
	assert_int_equal(autoscale_decide(&a, 50, false, 33, 0), 20);
	assert_int_equal(autoscale_decide(&a, 0, false, 1, 0), 2);
	autoscale_free(&a);
}

/* Whatever is proposed: within the bounds, and never by more than the per cents allow. */
static void no_decision_leaves_its_bounds(void **state)
{
	struct rng rng = test_seed();
	struct autoscaler a;
	int64_t current = 5, now = 0;
	(void)state;
	autoscale_init(&a, &autoscale_defaults);
	for (int i = 0; i < 20000; i++) {
		int64_t decided =
			autoscale_decide(&a, (int64_t)rng_below(&rng, 40), rng_below(&rng, 4) == 0, current, now);
		assert_true(decided >= 2 && decided <= 20);
		assert_true(decided <= (current * 3 + 1) / 2 && decided >= current * 3 / 4);
		autoscale_changed(&a, current, decided, now);
		current = decided;
		now += (int64_t)rng_below(&rng, rng_below(&rng, 3) ? 15 * SECOND : 400 * SECOND);
		assert_true(a.proposed.n < 400 && a.changes.n < 400);
	}
	autoscale_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_total_is_shared),
		cmocka_unit_test(a_rate_of_requests_is_a_total),
		cmocka_unit_test(a_queue_is_kept_between_two_depths),
		cmocka_unit_test(hours_ask_for_their_workers_and_no_longer),
		cmocka_unit_test(up_and_down_by_the_ladder),
		cmocka_unit_test(a_peak_that_is_over_soon_is_not_followed),
		cmocka_unit_test(a_lull_is_waited_for_five_minutes),
		cmocka_unit_test(what_is_remembered_is_not_what_was_decided),
		cmocka_unit_test(a_change_counts_for_a_minute),
		cmocka_unit_test(a_metric_that_fails_takes_nobody_away),
		cmocka_unit_test(bounds_hold_at_once),
		cmocka_unit_test(no_decision_leaves_its_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
