/* A run's arithmetic, and its lines. */
#include "harness.h"

#include "sim/budget.h"
#include "sim/plain.h"
#include "sim_kit/way.h"
#include "sim_kit/world.h"

struct sum {
	struct world world;
	struct scenario *scenario;
	struct population *who;
	struct engine_config config;
	struct budget budget;
	struct buf words;
};

static void open_sum(struct sum *s, const struct way *way)
{
	world_init(&s->world);
	way_make(way, &s->scenario, &s->who);
	world_config(&s->world, s->scenario, s->who, &s->config);
	s->config.rate = 50;
	s->words = BUF_INIT(1 << 16);
}

static const char *reckon(struct sum *s)
{
	budget_of(&s->config, &s->budget);
	buf_reset(&s->words);
	budget_write(&s->budget, &s->words);
	return buf_cstr(&s->words);
}

static void close_sum(struct sum *s)
{
	buf_free(&s->words);
	world_free(&s->world);
	population_free(&s->who);
	scenario_free(&s->scenario);
}

static void the_seeds_arithmetic_comes_out(void **state)
{
	static const struct way way = {.agents = 375, .calls = 6, .weekly = 1};
	struct sum s;

	(void)state;
	open_sum(&s, &way);
	assert_non_null(strstr(reckon(&s),
			       "375 agents x 40 % active x 6 calls = 900 requests a cycle, at 50/s 18.0 s of "
			       "its 75.0 s\n"));
	assert_true(budget_fits(&s.budget));
	assert_true(budget_seconds(&s.budget, 0.4) == 18);
	s.config.time_scale = 400;
	assert_non_null(strstr(reckon(&s), "warning   a cycle can need 18.0 s and has 9.0 s"));
	assert_false(budget_fits(&s.budget));
	assert_non_null(strstr(buf_cstr(&s.words), "--time-scale to 200"));
	close_sum(&s);
}

static void a_scenario_that_assumes_no_calls_is_not_said_to_make_none(void **state)
{
	static const struct way way = {.agents = 375, .calls = 0, .weekly = 1};
	struct sum s;

	(void)state;
	open_sum(&s, &way);
	assert_null(strstr(reckon(&s), "requests a cycle"));
	assert_non_null(strstr(buf_cstr(&s.words), "% of the agents are active in a cycle"));
	close_sum(&s);
}

/* One of a hundred and sixty-eight hours: 1 - exp(-1 / 168) of the agents in each, on the average. */
static void the_schedule_is_reckoned_over_a_week(void **state)
{
	static const struct way way = {.agents = 2000, .calls = 1, .weekly = 1};
	struct sum s;

	(void)state;
	open_sum(&s, &way);
	reckon(&s);
	assert_true(s.budget.mean > 0.0059 && s.budget.mean < 0.0060);
	assert_true(s.budget.peak >= s.budget.mean);
	close_sum(&s);
}

static void arrivals_and_closed_runs_have_words_of_their_own(void **state)
{
	static const struct way way = {.agents = 10, .calls = 6, .weekly = 1};
	struct sum s;

	(void)state;
	open_sum(&s, &way);
	s.config.model = MODEL_ARRIVALS;
	s.config.arrivals = (struct arrival_plan){.from = 2, .to = 10, .over_s = 60};
	assert_non_null(strstr(reckon(&s), "up to 10 sessions a second x 6 calls = 60 requests a second"));
	assert_false(budget_fits(&s.budget));
	s.config.model = MODEL_CLOSED;
	assert_non_null(strstr(reckon(&s), "10 agents begin again and again"));
	assert_true(budget_fits(&s.budget));
	close_sum(&s);
}

static void a_line_says_how_far_it_is(void **state)
{
	struct engine_view v = {.cycle = 14,
				.cycles = 168,
				.agents = 372,
				.admitted = 37,
				.under_way = 12,
				.simulated_ms = INT64_C(1767621600000),
				.elapsed_ms = 14000,
				.rate_measured = 48.94,
				.totals = {.sessions = 310, .failures = 2}};
	struct buf b = BUF_INIT(1 << 12);

	(void)state;
	plain_progress(&v, &b);
	assert_string_equal(buf_cstr(&b),
			    "cycle 14 of 168  2026-01-05 14:00  37 of 372 agents  12 under way  310 sessions  "
			    "48.9 requests/s  2 failed  0:02:34 to go");
	buf_reset(&b);
	v.state = ENGINE_PAUSED;
	v.pause = PAUSE_BREAKER;
	v.cycles = 0;
	plain_progress(&v, &b);
	assert_null(strstr(buf_cstr(&b), "to go"));
	assert_non_null(strstr(buf_cstr(&b), "BREAKER OPEN: tenfold sim ctl goes on or ends it"));
	assert_int_equal(plain_left_ms(&v), -1);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_seeds_arithmetic_comes_out),
		cmocka_unit_test(a_scenario_that_assumes_no_calls_is_not_said_to_make_none),
		cmocka_unit_test(the_schedule_is_reckoned_over_a_week),
		cmocka_unit_test(arrivals_and_closed_runs_have_words_of_their_own),
		cmocka_unit_test(a_line_says_how_far_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
