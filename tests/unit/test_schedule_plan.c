/* What is to be done about fires, given the time: due, late, missed, too soon after another; jitter. */
#include "harness.h"

#include "base/clock.h"
#include "schedule/plan.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static struct zones *zones;
static struct cron cron;

static int open_zones(void **state)
{
	(void)state;
	zones = zones_new(STR("/usr/share/zoneinfo"));
	return 0;
}

static int close_zones(void **state)
{
	(void)state;
	zones_destroy(&zones);
	return 0;
}

/* The rule of the last line that was given; missed after a minute, as schedules have it. */
static struct plan_rule rule_of(const char *line, enum schedule_missed missed)
{
	struct plan_rule r = {.cron = &cron, .id = 7, .missed = missed, .missed_after_ms = MINUTE, .missed_max = 3};
	assert_int_equal(cron_parse(str_of(line), &cron, NULL), OK);
	assert_int_equal(zones_get(zones, STR("UTC"), "timezone", &r.zone, NULL), OK);
	return r;
}

static const int64_t noon = INT64_C(1795262400000); /* 2026-11-21T12:00:00Z */

struct expected {
	int64_t at_ms, since_ms;
	bool is_missed;
};

static void assert_plan(const struct plan_rule *r, int64_t from_ms, int64_t now_ms, const struct expected *expected,
			size_t count, int64_t next_ms)
{
	struct plan_todo got;
	plan_make(r, from_ms, now_ms, &got);
	assert_int_equal(got.count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(got.fires[i].at_ms, expected[i].at_ms);
		assert_int_equal(got.fires[i].since_ms, expected[i].since_ms);
		assert_int_equal(got.fires[i].is_missed, expected[i].is_missed);
	}
	assert_int_equal(got.next_ms, next_ms);
}

static void nothing_is_due_before_its_time(void **state)
{
	struct plan_rule r = rule_of("0 * * * *", MISSED_ONCE);
	(void)state;
	assert_plan(&r, noon, noon - 1, NULL, 0, noon);
}

static void a_fire_is_due_at_its_time_and_for_a_while_after(void **state)
{
	static const struct expected one[] = {{1795262400000, 1795262400000, false}};
	(void)state;
	for (int policy = MISSED_SKIP; policy <= MISSED_ALL; policy++) {
		struct plan_rule r = rule_of("0 * * * *", (enum schedule_missed)policy);
		assert_plan(&r, noon, noon, one, 1, noon + HOUR);
		assert_plan(&r, noon, noon + MINUTE, one, 1, noon + HOUR);
	}
}

static void what_was_missed_is_only_noted(void **state)
{
	struct plan_rule r = rule_of("0 * * * *", MISSED_SKIP);
	const struct expected missed[] = {{noon + 5 * (int64_t)HOUR, noon, true}};
	(void)state;
	assert_plan(&r, noon, noon + 5 * (int64_t)HOUR + 2 * MINUTE, missed, 1, noon + 6 * (int64_t)HOUR);
	const struct expected and_one[] = {{noon + 4 * (int64_t)HOUR, noon, true},
					   {noon + 5 * (int64_t)HOUR, noon + 5 * (int64_t)HOUR, false}};
	assert_plan(&r, noon, noon + 5 * (int64_t)HOUR + 30000, and_one, 2, noon + 6 * (int64_t)HOUR);
}

static void what_was_missed_fires_once(void **state)
{
	struct plan_rule r = rule_of("0 * * * *", MISSED_ONCE);
	const struct expected last[] = {{noon + 5 * (int64_t)HOUR, noon, false}};
	(void)state;
	assert_plan(&r, noon, noon + 5 * (int64_t)HOUR + 2 * MINUTE, last, 1, noon + 6 * (int64_t)HOUR);
	assert_plan(&r, noon, noon + 5 * (int64_t)HOUR + 30000, last, 1, noon + 6 * (int64_t)HOUR);
}

static void the_last_of_what_was_missed_fire_each(void **state)
{
	struct plan_rule r = rule_of("0 * * * *", MISSED_ALL);
	const struct expected some[] = {{noon + 2 * HOUR, noon, true},
					{noon + 3 * (int64_t)HOUR, noon + 3 * (int64_t)HOUR, false},
					{noon + 4 * (int64_t)HOUR, noon + 4 * (int64_t)HOUR, false},
					{noon + 5 * (int64_t)HOUR, noon + 5 * (int64_t)HOUR, false}};
	(void)state;
	assert_plan(&r, noon, noon + 5 * (int64_t)HOUR + 2 * MINUTE, some, 4, noon + 6 * (int64_t)HOUR);
	assert_plan(&r, noon + 3 * (int64_t)HOUR, noon + 5 * (int64_t)HOUR + 2 * MINUTE, some + 1, 3,
		    noon + 6 * (int64_t)HOUR);
}

static void a_year_of_minutes_is_quickly_dealt_with(void **state)
{
	(void)state;
	for (int policy = MISSED_SKIP; policy <= MISSED_ALL; policy++) {
		struct plan_rule r = rule_of("* * * * *", (enum schedule_missed)policy);
		struct plan_todo got;
		int64_t from_ms = noon - 365 * (int64_t)DAY, begun_ns = clock_mono_ns();
		r.missed_max = 1000;
		plan_make(&r, from_ms, noon, &got);
		assert_true(clock_mono_ns() - begun_ns < 500000000); /* looking at each would take longer */
		assert_int_equal(got.fires[0].since_ms, from_ms);
		if (policy == MISSED_ALL)
			assert_true(got.count == PLAN_FIRES_MAX && got.next_ms < noon - HOUR);
	}
}

/* Dealt with in steps of any length, every fire is in exactly one plan, in order. */
static void no_fire_is_lost_or_dealt_with_twice(void **state)
{
	static const char *const lines[] = {"*/7 * * * *", "0 9 * * mon-fri", "30 2 * * *", "* 3 1 * *"};
	struct rng rng = test_seed();
	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		struct plan_rule r =
			rule_of(lines[rng_below(&rng, COUNT_OF(lines))], (enum schedule_missed)rng_below(&rng, 3));
		r.jitter_ms = rng_below(&rng, 2) ? (int64_t)rng_below(&rng, 2 * HOUR) : 0;
		r.missed_max = 1 + (int64_t)rng_below(&rng, 200);
		int64_t next = cron_next_ms(r.cron, r.zone, noon), now = noon, last = noon;
		for (unsigned step = 0; step < 30; step++) {
			struct plan_todo got;
			now += (int64_t)rng_below(&rng, rng_below(&rng, 4) ? HOUR : 40 * (uint64_t)DAY);
			plan_make(&r, next, now, &got);
			for (size_t i = 0; i < got.count; i++) {
				const struct plan_fire *f = &got.fires[i];
				assert_int_equal(f->since_ms, cron_next_ms(r.cron, r.zone, last));
				assert_true(f->since_ms <= f->at_ms && plan_due_ms(&r, f->at_ms) <= now);
				assert_int_equal(cron_next_ms(r.cron, r.zone, f->at_ms - 1), f->at_ms);
				last = f->at_ms;
			}
			next = got.next_ms;
			assert_int_equal(next, cron_next_ms(r.cron, r.zone, last));
			assert_true(got.count == PLAN_FIRES_MAX || plan_due_ms(&r, next) > now);
		}
	}
}

/* ---- jitter ---- */

static void jitter_is_the_fires_own_and_ends_before_the_next(void **state)
{
	struct plan_rule r = rule_of("*/5 * * * *", MISSED_ONCE), other = r;
	int64_t at = noon, least = INT64_MAX, most = 0;
	unsigned differ = 0;
	(void)state;
	r.jitter_ms = other.jitter_ms = HOUR;
	other.id = 8;
	for (int i = 0; i < 2000; i++, at += 5 * MINUTE) {
		int64_t jitter = plan_due_ms(&r, at) - at;
		assert_true(jitter >= 0 && jitter < 5 * MINUTE);
		assert_int_equal(plan_due_ms(&r, at) - at, jitter);
		differ += plan_due_ms(&other, at) - at != jitter;
		least = jitter < least ? jitter : least;
		most = jitter > most ? jitter : most;
	}
	assert_true(least < 2000 && most > 5 * MINUTE - 2000 && differ > 1900);
	r.jitter_ms = 1000;
	for (int i = 0; i < 2000; i++, at += 5 * MINUTE)
		assert_true(plan_due_ms(&r, at) - at <= 1000);
}

/* ---- overlapping ---- */

static void whether_one_may_begin_beside_another(void **state)
{
	static const enum plan_start expected[3][3] = {[OVERLAP_ALLOW] = {PLAN_START, PLAN_START, PLAN_START},
						       [OVERLAP_SKIP] = {PLAN_START, PLAN_LEAVE, PLAN_LEAVE},
						       [OVERLAP_QUEUE] = {PLAN_START, PLAN_WAIT, PLAN_LEAVE}};
	(void)state;
	for (int policy = 0; policy < 3; policy++)
		for (unsigned unfinished = 0; unfinished < 3; unfinished++)
			assert_int_equal(plan_overlap((enum schedule_overlap)policy, unfinished),
					 expected[policy][unfinished]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_due_before_its_time),
		cmocka_unit_test(a_fire_is_due_at_its_time_and_for_a_while_after),
		cmocka_unit_test(what_was_missed_is_only_noted),
		cmocka_unit_test(what_was_missed_fires_once),
		cmocka_unit_test(the_last_of_what_was_missed_fire_each),
		cmocka_unit_test(a_year_of_minutes_is_quickly_dealt_with),
		cmocka_unit_test(no_fire_is_lost_or_dealt_with_twice),
		cmocka_unit_test(jitter_is_the_fires_own_and_ends_before_the_next),
		cmocka_unit_test(whether_one_may_begin_beside_another),
	};
	return cmocka_run_group_tests(tests, open_zones, close_zones);
}
