/* The scenarios that are built in, without a target: what their agents do is what their files declare. */
#include "harness.h"

#include "sim/journey.h"

#include <math.h>

enum { AGENTS = 4000, SESSIONS = 10, BASKET_MAX = 200 };

/* What came of many sessions. */
struct tally {
	int sessions, calls, failed_calls, outcomes[8], events[4];
	double kept[SCENARIO_KEPT_MAX], kept_squares[SCENARIO_KEPT_MAX];
	int items[BASKET_MAX]; /* sessions by their second kept value, of those that were completed */
};

struct world {
	struct scenario *scenario;
	struct population *who;
	struct moment moment;
	struct journey_room *room;
	struct journey_run run;
	struct journey_start start;
	struct tally tally;
};

static void begin(struct world *w, const char *name)
{
	struct problem p = {0};

	*w = (struct world){.moment = {.hour = 9}};
	if (scenario_load(str_of(name), &w->scenario, &p) ||
	    population_generate(w->scenario, 11, AGENTS, &w->who, &p))
		fail_msg("%s", p.detail);
	w->room = journey_room_new();
	w->run = (struct journey_run){.scenario = w->scenario,
				      .population = w->who,
				      .seed = 11,
				      .run_id = STR("run_1"),
				      .key = STR("k_1"),
				      .mocked = true};
	w->start = (struct journey_start){.moment = &w->moment};
}

static void end(struct world *w)
{
	journey_room_free(&w->room);
	population_free(&w->who);
	scenario_free(&w->scenario);
}

static void add(struct tally *t, const struct journey_result *r, unsigned kept)
{
	t->sessions++;
	t->calls += (int)r->calls;
	t->failed_calls += (int)r->failed_calls;
	t->outcomes[r->outcome]++;
	for (unsigned i = 0; i < kept; i++) {
		t->kept[i] += r->kept[i];
		t->kept_squares[i] += r->kept[i] * r->kept[i];
	}
	if (r->outcome == 0 && r->kept[1] >= 0 && r->kept[1] < BASKET_MAX)
		t->items[(int)r->kept[1]]++;
}

/* Each agent has SESSIONS of them, from cycle `first` on. */
static void go(struct world *w, uint32_t first)
{
	w->tally = (struct tally){0};
	for (uint32_t i = 0; i < AGENTS * SESSIONS; i++) {
		struct journey *j;

		w->start.agent = i % AGENTS;
		w->start.cycle = first + i / AGENTS;
		j = journey_begin(w->room, &w->run, &w->start);
		while (journey_next(j, 0) != WANT_NOTHING)
			if (journey_wait_s(j) == 0)
				journey_answer_mock(j);
		if (journey_result(j)->failure.n)
			fail_msg("%.*s", STRF(journey_result(j)->failure));
		add(&w->tally, journey_result(j), scenario_kept_count(w->scenario));
		journey_end(w->room, &j);
	}
}

/* Five standard errors of a share. */
static void assert_share(const char *what, int of, int all, double expected)
{
	double error = 5 * sqrt(expected * (1 - expected) / all);

	if (fabs((double)of / all - expected) > error)
		fail_msg("%s: %d of %d, not %g +- %g", what, of, all, expected, error);
}

static void assert_mean(const struct tally *t, unsigned kept, double expected)
{
	double mean = t->kept[kept] / t->sessions;
	double error = 5 * sqrt((t->kept_squares[kept] / t->sessions - mean * mean) / t->sessions);

	if (fabs(mean - expected) > error)
		fail_msg("kept %u: mean %g, not %g +- %g", kept, mean, expected, error);
}

static unsigned outcome(const struct scenario *s, const char *name)
{
	for (unsigned i = 0; i < scenario_outcome_count(s); i++)
		if (str_eqz(scenario_outcome_name(s, i), name))
			return i;
	fail_msg("no outcome %s", name);
	return 0;
}

/* ---- visitors of a shop ---- */

/* Over a week the mean of the days' factors, and of the devices', is 1: 10.1% fill a cart, of whom 49% * 60.8% buy. */
static void of_a_hundred_visitors_ten_fill_a_cart_and_three_buy(void **state)
{
	int carts = 0, bought = 0, sessions = 0;
	struct world w;

	(void)state;
	begin(&w, "general-ecom");
	for (w.moment.weekday = 0; w.moment.weekday < 7; w.moment.weekday++) {
		go(&w, (uint32_t)(w.moment.weekday * SESSIONS));
		assert_int_equal(w.tally.outcomes[outcome(w.scenario, "failed")], 0);
		sessions += w.tally.sessions;
		bought += w.tally.outcomes[outcome(w.scenario, "completed")];
		carts += w.tally.sessions - w.tally.outcomes[outcome(w.scenario, "looked")];
	}
	assert_share("carts", carts, sessions, 0.101);
	assert_share("left", carts - bought, carts, 0.702);
	assert_share("conversion", bought, sessions, 0.0301);
	/* of the shop's 27 products nobody sees more: of a mean of 4.41 that takes 0.005 */
	assert_mean(&w.tally, 3, 4.405);
	end(&w);
}

static void devices_and_days_have_their_factors(void **state)
{
	int carts[2] = {0}, sessions[2] = {0}, device;
	struct value room[POPULATION_WORDS_MAX];
	struct world w;

	(void)state;
	begin(&w, "general-ecom");
	device = population_find(w.who, STR("device"));
	w.moment.weekday = 1;
	for (uint32_t agent = 0; agent < AGENTS; agent++) {
		struct value v = population_value(w.who, agent, (unsigned)device, room);
		int desktop = str_eqz(v.text, "desktop");

		for (w.start.cycle = 0; w.start.cycle < 30; w.start.cycle++) {
			struct journey *j;

			w.start.agent = agent;
			j = journey_begin(w.room, &w.run, &w.start);
			while (journey_next(j, 0) != WANT_NOTHING)
				if (journey_wait_s(j) == 0)
					journey_answer_mock(j);
			sessions[desktop]++;
			carts[desktop] += journey_result(j)->outcome != outcome(w.scenario, "looked");
			journey_end(w.room, &j);
		}
	}
	/* a Tuesday: 0.101 * 1.136 * 0.864, and * 1.227 */
	assert_share("mobile", carts[0], sessions[0], 0.099131);
	assert_share("desktop", carts[1], sessions[1], 0.140781);
	end(&w);
}

/* ---- households ---- */

static void baskets_of_groceries_have_ten_products_and_a_median_of_eight(void **state)
{
	int below = 0, median = 0, orders;
	struct world w;

	(void)state;
	begin(&w, "grocery");
	go(&w, 0);
	orders = w.tally.outcomes[outcome(w.scenario, "completed")];
	assert_share("orders", orders, w.tally.sessions, 0.298);
	while (below + w.tally.items[median] <= orders / 2)
		below += w.tally.items[median++];
	assert_in_range(median, 8, 8);
	/* 8 * exp((0.45^2 + 0.52^2) / 2), at least 1; households differ, and so do their means */
	assert_true(fabs(w.tally.kept[1] / w.tally.sessions - 10.13) < 0.4);
	assert_true(w.tally.kept[0] > 0.25 * w.tally.kept[2] && w.tally.kept[0] < 0.35 * w.tally.kept[2]);
	end(&w);
}

/* ---- a fleet ---- */

static void a_fleet_settles_what_it_claims(void **state)
{
	enum { REGISTERED, BEATS, ENQUEUED, CLAIMED, COMPLETED, FAILED, RELEASED };
	const double *kept;
	struct world w;
	int claimed;

	(void)state;
	begin(&w, "fleet");
	go(&w, 0);
	kept = w.tally.kept;
	assert_int_equal(w.tally.failed_calls, 0);
	assert_true(kept[REGISTERED] == 0 && kept[BEATS] == w.tally.sessions);
	assert_true(kept[CLAIMED] > 0 && kept[CLAIMED] == kept[COMPLETED] + kept[FAILED] + kept[RELEASED]);
	assert_mean(&w.tally, ENQUEUED, 1.5);
	claimed = (int)kept[CLAIMED];
	assert_share("failed", (int)kept[FAILED], claimed, 0.05);
	assert_share("released", (int)kept[RELEASED], claimed, 0.02);
	/* the mocked queue has an item for four claims of ten, and after one that finds none no other is made */
	assert_mean(&w.tally, CLAIMED, 0.4 + 0.16 + 0.064 + 0.0256);
	/* nothing enqueued, 1 / (1 + 1.5), and nothing found */
	assert_share("idle", w.tally.outcomes[outcome(w.scenario, "idle")], w.tally.sessions, 0.4 * 0.6);
	end(&w);
}

/* ---- all of them ---- */

/* What a scenario assumes of itself is what comes of it: calls of a session, to a tenth. */
static void assumptions_are_what_comes_about(void **state)
{
	(void)state;
	for (unsigned i = 1; scenario_built_in(i); i++) {
		double assumed, calls;
		struct world w;

		begin(&w, scenario_built_in(i)->name);
		go(&w, 0);
		assumed = scenario_assumptions(w.scenario).calls_per_agent;
		calls = (double)w.tally.calls / w.tally.sessions;
		if (fabs(calls - assumed) > 0.1 * assumed)
			fail_msg("%s: %g calls of a session, not %g", scenario_built_in(i)->name, calls, assumed);
		end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_hundred_visitors_ten_fill_a_cart_and_three_buy),
		cmocka_unit_test(devices_and_days_have_their_factors),
		cmocka_unit_test(baskets_of_groceries_have_ten_products_and_a_median_of_eight),
		cmocka_unit_test(a_fleet_settles_what_it_claims),
		cmocka_unit_test(assumptions_are_what_comes_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
