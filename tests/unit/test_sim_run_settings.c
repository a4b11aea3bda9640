/* What a run is told, and what a resume takes over. */
#include "harness.h"

#include "sim/run_settings.h"

struct told {
	struct arena *arena;
	struct sim_run_args args;
	struct run_settings settings;
	struct problem problem;
};

static void give(struct told *t, const char *field, const char *value)
{
	const struct json_field *f = json_field_by_name(&type_sim_run_args, str_of(field));
	uint32_t i = (uint32_t)(f - type_sim_run_args.fields);

	assert_int_equal(json_set_text(&type_sim_run_args, i, str_of(value), t->arena, &t->args, &t->problem), OK);
	t->args.seen |= UINT64_C(1) << i;
}

static struct told begin(void)
{
	return (struct told){.arena = arena_new(1 << 20)};
}

static enum err reads(struct told *t)
{
	assert_int_equal(json_finish(&type_sim_run_args, 0, &t->args, &t->problem), OK);
	return run_settings_read(&t->args, t->arena, &t->settings, &t->problem);
}

static void end(struct told *t)
{
	arena_destroy(&t->arena);
}

static void without_words_it_is_as_the_seed_has_it(void **state)
{
	struct told t = begin();

	(void)state;
	assert_int_equal(reads(&t), OK);
	assert_true(t.settings.time_scale == 48 && t.args.rate == 50);
	assert_int_equal(t.args.agents, 372);
	assert_int_equal(t.args.burst, 50);
	assert_int_equal(t.args.groups, 10);
	assert_int_equal(t.args.warmup_cycles, 8);
	assert_int_equal(t.args.checkpoint_every, 10);
	assert_int_equal(t.args.pool + t.args.overflow, 50 + 75);
	assert_int_equal(t.settings.on_open, ON_OPEN_WAIT);
	assert_false(t.settings.arrives);
	end(&t);
}

static void a_check_waits_for_nobody_unless_told_to(void **state)
{
	struct told one = begin(), other = begin();

	(void)state;
	give(&one, "fail_if", "http.failed>0");
	assert_int_equal(reads(&one), OK);
	assert_int_equal(one.settings.on_open, ON_OPEN_EXIT);
	give(&other, "fail_if", "http.failed>0");
	give(&other, "on_open", "wait");
	assert_int_equal(reads(&other), OK);
	assert_int_equal(other.settings.on_open, ON_OPEN_WAIT);
	end(&one);
	end(&other);
}

static void a_seed_that_is_not_given_is_drawn(void **state)
{
	struct told one = begin(), other = begin();

	(void)state;
	assert_int_equal(reads(&one), OK);
	assert_int_equal(reads(&other), OK);
	assert_int_not_equal(one.settings.seed, other.settings.seed);
	end(&one);
	end(&other);
}

static void times_and_arrivals_are_read(void **state)
{
	struct told t = begin();

	(void)state;
	give(&t, "start", "2026-03-02");
	give(&t, "time_scale", "3600");
	give(&t, "cycles", "100");
	give(&t, "arrivals", "ramp:2-7.5");
	give(&t, "on_open", "cooldown=1.5");
	assert_int_equal(reads(&t), OK);
	assert_int_equal(t.settings.start_ms, INT64_C(1772409600000));
	assert_true(t.settings.arrives && t.settings.arrivals.from == 2 && t.settings.arrivals.to == 7.5);
	assert_true(t.settings.arrivals.over_s == 100);
	assert_int_equal(t.settings.on_open, ON_OPEN_COOLDOWN);
	assert_int_equal(t.settings.cooldown_ms, 1500);
	end(&t);
}

static void refuses(const char *field, const char *value, const char *says)
{
	struct told t = begin();

	give(&t, field, value);
	assert_int_not_equal(reads(&t), OK);
	if (!strstr(t.problem.detail, says))
		fail_msg("%s %s: %s", field, value, t.problem.detail);
	end(&t);
}

static void what_cannot_be_is_told(void **state)
{
	(void)state;
	refuses("time_scale", "0", "--time-scale");
	refuses("time_scale", "-3", "--time-scale");
	refuses("time_scale", "nan", "--time-scale");
	refuses("start", "2026-13-02", "--start");
	refuses("start", "2026-01-05T08:00:01Z", "whole hour");
	refuses("arrivals", "constant:0", "--arrivals");
	refuses("arrivals", "constant:-1", "--arrivals");
	refuses("arrivals", "ramp:1", "--arrivals");
	refuses("arrivals", "ramp:0-0", "--arrivals");
	refuses("arrivals", "poisson:1e9", "--arrivals");
	refuses("on_open", "exit=3", "--on-open");
	refuses("on_open", "cooldown=-1", "--on-open");
}

static void a_resume_takes_over_what_is_not_given(void **state)
{
	struct told before = begin(), now = begin();

	(void)state;
	give(&before, "seed", "5");
	give(&before, "set", "a=1");
	give(&before, "agents", "20");
	give(&before, "cycles", "10");
	assert_int_equal(reads(&before), OK);
	give(&now, "resume", "true");
	give(&now, "cycles", "30");
	give(&now, "rate", "7");
	give(&now, "agents", "20");
	assert_int_equal(json_finish(&type_sim_run_args, 0, &now.args, &now.problem), OK);
	assert_int_equal(run_settings_take_over(&now.args, &before.args, &now.problem), OK);
	assert_int_equal(now.args.seed, 5);
	assert_int_equal(now.args.set_count, 1);
	assert_int_equal(now.args.cycles, 30);
	assert_true(now.args.rate == 7 && now.args.resume);
	give(&now, "set", "b=2");
	assert_int_equal(run_settings_take_over(&now.args, &before.args, &now.problem), ERR_CONFLICT);
	assert_non_null(strstr(now.problem.detail, "--set: is not what the run was begun with"));
	end(&before);
	end(&now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_words_it_is_as_the_seed_has_it),
		cmocka_unit_test(a_check_waits_for_nobody_unless_told_to),
		cmocka_unit_test(a_seed_that_is_not_given_is_drawn),
		cmocka_unit_test(times_and_arrivals_are_read),
		cmocka_unit_test(what_cannot_be_is_told),
		cmocka_unit_test(a_resume_takes_over_what_is_not_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
