/* How a population behaved, and what realism makes of it: figures reckoned by hand, chi-square as SciPy has it (rows
 * "shape" of tests/data/sim_statistics.txt), and populations that are drawn alike and not alike. */
#include "harness.h"

#include "sim/draws.h"
#include "sim/realism.h"
#include "sim/realism_types.h"

#include <math.h>

enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS, HOURS_A_WEEK = 168 };
static const int64_t monday = INT64_C(1767571200000); /* 2026-01-05 */

/* A run of so many hours, with so many agents in each. */
static struct behaviour *seen(uint32_t agents, int hours)
{
	struct behaviour *b = behaviour_new(agents);

	for (int h = 0; h < hours; h++)
		behaviour_cycle(b, monday + h * (int64_t)HOUR_MS, agents);
	return b;
}

static void session(struct behaviour *b, uint32_t agent, enum outcome_kind how, int64_t hour, double items)
{
	behaviour_session(b, &(struct behaviour_visit){agent, how, monday + hour * HOUR_MS, items});
}

static void sessions(struct behaviour *b, int count, enum outcome_kind how, double items)
{
	for (int i = 0; i < count; i++)
		session(b, 0, how, 0, items);
}

struct judged {
	struct arena *arena;
	struct sim_realism r;
};

static struct judged judge(const struct behaviour *b, const char *name)
{
	struct judged j = {.arena = arena_new(1 << 20)};
	struct sim_profile profile;
	struct problem p = {0};

	if (profile_load(str_of(name), j.arena, &profile, &p))
		fail_msg("%s", p.detail);
	realism_judge(b, &profile, j.arena, &j.r);
	return j;
}

static const struct realism_line *line(const struct judged *j, enum realism_figure figure)
{
	for (size_t i = 0; i < j->r.lines_count; i++)
		if (j->r.lines[i].figure == (int)figure)
			return &j->r.lines[i];
	fail_msg("no line of figure %d", (int)figure);
	abort();
}

static const struct realism_shape *shape(const struct judged *j, enum realism_by by)
{
	for (size_t i = 0; i < j->r.shapes_count; i++)
		if (j->r.shapes[i].by == (int)by)
			return &j->r.shapes[i];
	fail_msg("no shape by %d", (int)by);
	abort();
}

static void assert_close(double found, double expected)
{
	if (!(fabs(found - expected) <= 1e-6 * fabs(expected) + 1e-12))
		fail_msg("%.12g, not %.12g", found, expected);
}

/* ---- figures ---- */

/* 300 of 1,000 buy, of 800 carts; Wilson's interval of 0.3 at 1,000 is 0.27241 to 0.32912 (SciPy). */
static void shares_have_the_interval_of_wilson(void **state)
{
	struct behaviour *b = seen(10, 24);
	struct judged j;
	const struct realism_line *l;

	(void)state;
	sessions(b, 300, END_COMPLETED, 2);
	sessions(b, 500, END_ABANDONED, 1);
	sessions(b, 200, END_ABANDONED, 0);
	sessions(b, 77, END_FAILED, 5); /* in none of the figures */
	j = judge(b, "general-ecom");
	l = line(&j, REALISM_CONVERSION);
	assert_int_equal(l->count, 1000);
	assert_close(l->value, 0.3);
	assert_close(l->low, 0.2724068425);
	assert_close(l->high, 0.3291238609);
	assert_close(l->z, (0.3 - 0.0301) / sqrt(0.3 * 0.7 / 1000));
	assert_int_equal(l->verdict, REALISM_DIFFERENT);
	assert_close(line(&j, REALISM_CARTS)->value, 0.8);
	assert_close(line(&j, REALISM_ABANDONMENT)->value, 500.0 / 800);
	assert_int_equal(line(&j, REALISM_ABANDONMENT)->count, 800);
	assert_int_equal(j.r.sessions, 1000);
	assert_int_equal(j.r.failed, 77);
	assert_close(j.r.days, 1);
	arena_destroy(&j.arena);
	behaviour_free(&b);
}

/* A published share has an error of its own when it says what it was measured on. */
static void the_published_error_counts_too(void **state)
{
	struct behaviour *b = seen(10, 24);
	struct judged j;

	(void)state;
	sessions(b, 600, END_COMPLETED, 2);
	sessions(b, 400, END_ABANDONED, 1);
	j = judge(b, "pharmacy");
	assert_close(line(&j, REALISM_CONVERSION)->z,
		     (0.6 - 0.5702) / sqrt(0.6 * 0.4 / 1000 + 0.5702 * 0.4298 / 68247));
	assert_int_equal(line(&j, REALISM_CONVERSION)->verdict, REALISM_ALIKE);
	arena_destroy(&j.arena);
	behaviour_free(&b);
}

/* 6, 7, … 14, ten times each: mean 10, variance 10 * 60 / 89, t of 89 degrees of freedom 1.98698. */
static void baskets_have_mean_and_median_with_their_intervals(void **state)
{
	struct behaviour *b = seen(10, 24);
	const struct realism_line *l;
	struct judged j;
	double half = 1.98697878 * sqrt(10.0 * 60 / 89 / 90);

	(void)state;
	for (int i = 0; i < 90; i++)
		session(b, 0, END_COMPLETED, 0, 6 + i % 9);
	sessions(b, 10, END_ABANDONED, 100); /* no purchase */
	j = judge(b, "grocery");
	l = line(&j, REALISM_BASKET_MEAN);
	assert_close(l->value, 10);
	assert_close(l->low, 10 - half);
	assert_close(l->high, 10 + half);
	assert_int_equal(l->verdict, REALISM_ALIKE);
	l = line(&j, REALISM_BASKET_MEDIAN);
	assert_close(l->value, 10);
	assert_close(l->low, 9); /* ranks 45 - 9.3 and 46 + 9.3, outwards: 35 and 56 */
	assert_close(l->high, 11);
	assert_int_equal(l->verdict, REALISM_OPEN); /* alike is from 7 to 9 */
	assert_false(HAS(l, realism_line, z));
	arena_destroy(&j.arena);
	behaviour_free(&b);
}

static void sessions_of_an_agent_in_a_week_go_by_the_hours_of_agents(void **state)
{
	struct behaviour *b = seen(50, 2 * HOURS_A_WEEK); /* 100 weeks of agents */
	const struct realism_line *l;
	struct judged j;

	(void)state;
	sessions(b, 60, END_COMPLETED, 1);
	sessions(b, 9, END_ABANDONED, 0);
	j = judge(b, "general-ecom");
	l = line(&j, REALISM_VISITS);
	assert_close(l->value, 0.69);
	assert_close(l->low, 0.5368611856); /* Garwood's interval of 69 is 53.68612 to 87.32392 (SciPy) */
	assert_close(l->high, 0.8732391605);
	assert_int_equal(l->verdict, REALISM_ALIKE);
	arena_destroy(&j.arena);
	behaviour_free(&b);
}

static void what_a_run_cannot_show_is_said_not_guessed(void **state)
{
	struct behaviour *b = seen(10, 24);
	struct judged j;

	(void)state;
	sessions(b, 50, END_COMPLETED, (double)NAN);
	j = judge(b, "grocery");
	assert_int_equal(line(&j, REALISM_BASKET_MEAN)->verdict, REALISM_UNKNOWN);
	assert_str(line(&j, REALISM_BASKET_MEAN)->note, "the scenario does not keep \"items\"");
	assert_int_equal(line(&j, REALISM_GAP_MEAN)->verdict, REALISM_UNKNOWN);
	assert_false(HAS(line(&j, REALISM_GAP_MEAN), realism_line, value));
	arena_destroy(&j.arena);
	behaviour_free(&b);
	b = behaviour_new(10);
	j = judge(b, "pharmacy");
	assert_int_equal(line(&j, REALISM_VISITS)->verdict, REALISM_UNKNOWN);
	assert_int_equal(shape(&j, REALISM_HOURS)->verdict, REALISM_UNKNOWN);
	arena_destroy(&j.arena);
	behaviour_free(&b);
}

/* ---- gaps ---- */

static void gaps_are_of_purchases_that_were_followed_long_enough(void **state)
{
	struct behaviour *b = seen(10, 10 * 24 + 5); /* ten whole days and a bit */
	uint64_t gaps[BEHAVIOUR_GAP_MAX + 1];

	(void)state;
	session(b, 1, END_COMPLETED, 10, 1);     /* day 0, again on day 0 */
	session(b, 2, END_COMPLETED, 11, 1);     /* day 0, never again */
	session(b, 1, END_COMPLETED, 23, 1);     /* day 0, again on day 3 */
	session(b, 3, END_COMPLETED, 2 * 24, 1); /* day 2, again on day 9 */
	session(b, 1, END_COMPLETED, 3 * 24, 1); /* day 3: day 10 is not over */
	session(b, 3, END_ABANDONED, 4 * 24, 1); /* no purchase */
	session(b, 3, END_COMPLETED, 9 * 24 + 23, 1);
	assert_int_equal(behaviour_gaps(b, 7, gaps), 4);
	assert_int_equal(gaps[0], 1);
	assert_int_equal(gaps[3], 1);
	assert_int_equal(gaps[7], 1);
	assert_int_equal(gaps[1] + gaps[2] + gaps[4] + gaps[5] + gaps[6] + gaps[8], 0);
	assert_int_equal(behaviour_gaps(b, 9, gaps), 3);
	assert_int_equal(behaviour_gaps(b, 10, gaps), 0);
	behaviour_free(&b);
}

/* Records may hold anything: a time before the run, an agent that is none, a purchase before the agent's last. */
static void what_is_out_of_order_is_in_no_gap(void **state)
{
	struct behaviour *b = seen(2, 10 * 24);
	uint64_t gaps[BEHAVIOUR_GAP_MAX + 1];

	(void)state;
	session(b, 1, END_COMPLETED, 5 * 24, 1);
	session(b, 1, END_COMPLETED, 2 * 24, 1);
	session(b, 1, END_COMPLETED, -24 * 30000, 1);
	session(b, 2, END_COMPLETED, 3 * 24, 1);
	session(b, 1, END_COMPLETED, INT64_C(24) * 400000, 1);
	assert_int_equal(behaviour_gaps(b, 0, gaps), 2);
	assert_int_equal(gaps[0], 0);
	assert_int_equal(b->completed, 5);
	behaviour_free(&b);
}

/* Agents who buy with the same chance each day: 1/11 a day makes a mean gap, cut at 30, of 10.37 days; days without
 * an end would make 11. In a run of 120 days gaps that were not followed to their end would be missing, the long ones
 * most. */
static void a_short_run_does_not_make_gaps_look_short(void **state)
{
	enum { AGENTS = 400, DAYS = 120 };
	struct behaviour *b = seen(AGENTS, DAYS * 24);
	double expected = 11 * (1 - pow(10.0 / 11, 30));
	struct judged j;
	const struct realism_line *l;

	(void)state;
	for (int day = 0; day < DAYS; day++)
		for (uint32_t agent = 0; agent < AGENTS; agent++) {
			struct draws d;

			draws_begin(&d, 5, DRAW_SESSION, agent, (uint32_t)day, 0);
			if (draws_unit(&d) < 1.0 / 11)
				session(b, agent, END_COMPLETED, day * 24 + 9, 8);
		}
	j = judge(b, "grocery");
	l = line(&j, REALISM_GAP_MEAN);
	if (fabs(l->value - expected) > 4 * (l->high - l->low) / 2 / 1.96)
		fail_msg("mean gap %g, not %g", l->value, expected);
	l = line(&j, REALISM_AGAIN_7);
	expected = 1 - pow(10.0 / 11, 7);
	if (fabs(l->value - expected) > 4 * (l->high - l->low) / 2 / 1.96)
		fail_msg("%g come again within 7 days, not %g", l->value, expected);
	arena_destroy(&j.arena);
	behaviour_free(&b);
}

/* ---- hours and weekdays ---- */

static void judge_row(char *text)
{
	struct behaviour *b = seen(1, HOURS_A_WEEK);
	double numbers[9];
	unsigned count = 0;
	struct judged j;
	char *rest = NULL;

	strtok_r(text, " \n", &rest); /* its name */
	for (char *word; count < 9 && (word = strtok_r(NULL, " \n", &rest));)
		if (*word != ':')
			numbers[count++] = strtod(word, NULL);
	assert_int_equal(count, 9);
	for (int day = 0; day < 7; day++)
		for (int i = 0; i < (int)numbers[day]; i++)
			session(b, 0, END_COMPLETED, day * 24 + i % 24, 1);
	j = judge(b, "grocery");
	assert_close(shape(&j, REALISM_WEEKDAYS)->chi_square, numbers[7]);
	assert_close(shape(&j, REALISM_WEEKDAYS)->p, numbers[8]);
	assert_int_equal(shape(&j, REALISM_WEEKDAYS)->df, 6);
	arena_destroy(&j.arena);
	behaviour_free(&b);
}

static void chi_square_is_what_scipy_gives(void **state)
{
	static char text[1 << 16];
	FILE *f = fopen(*state, "r");
	int rows = 0;

	assert_non_null(f);
	while (fgets(text, sizeof(text), f))
		if (strncmp(text, "shape ", 6) == 0) {
			judge_row(text);
			rows++;
		}
	fclose(f);
	assert_int_equal(rows, 3);
}

/* Of a run of one Monday nothing is expected on other days, and hours that it has had twice count twice. */
static void expected_is_only_what_the_run_could_have_had(void **state)
{
	struct behaviour *b = seen(5, 24 + 12);
	struct judged j;
	const struct realism_shape *s;

	(void)state;
	for (int h = 0; h < 36; h++)
		for (int i = 0; i < 20; i++)
			session(b, 0, END_COMPLETED, h, 1);
	j = judge(b, "grocery");
	s = shape(&j, REALISM_WEEKDAYS);
	assert_close(s->bins[0].expected, 13.66 * 24 / (13.66 * 24 + 12.77 * 12));
	assert_close(s->bins[2].expected, 0);
	s = shape(&j, REALISM_HOURS);
	assert_close(s->bins[3].expected / s->bins[2].expected, 0.16 / 0.22);
	assert_close(s->bins[11].expected / s->bins[12].expected, 2 * 8.32 / 7.98);
	assert_int_equal(s->verdict, REALISM_DIFFERENT);
	arena_destroy(&j.arena);
	behaviour_free(&b);
}

static const double instacart[24] = {0.67, 0.36, 0.22, 0.16, 0.16, 0.28, 0.89, 2.69, 5.21, 7.54, 8.43, 8.32,
				     7.98, 8.13, 8.27, 8.29, 7.97, 6.69, 5.35, 4.11, 3.05, 2.28, 1.8,  1.17};

/* Purchases by that profile, each three hours later with probability `late`. */
static struct judged drawn(uint32_t trial, int count, double late)
{
	struct behaviour *b = seen((uint32_t)count, HOURS_A_WEEK);
	struct judged j;
	struct draws d;

	draws_begin(&d, 23, DRAW_SESSION, 0, trial, 0);
	for (int i = 0; i < count; i++) {
		double at = draws_unit(&d) * 100.02;
		int h = 0;

		while (h < 23 && at >= instacart[h])
			at -= instacart[h++];
		h += draws_unit(&d) < late ? 3 : 0;
		session(b, (uint32_t)i, END_COMPLETED, (int64_t)draws_below(&d, 7) * 24 + h % 24, 1);
	}
	j = judge(b, "grocery");
	behaviour_free(&b);
	return j;
}

/* Of draws that are by the profile one in 20 has p below 0.05: of 400 from 4 to 36, which is 3.7 deviations. */
static void draws_by_the_profile_are_alike_as_often_as_p_says(void **state)
{
	int low = 0, different = 0;

	(void)state;
	for (uint32_t trial = 0; trial < 400; trial++) {
		struct judged j = drawn(trial, 3000, 0);
		const struct realism_shape *s = shape(&j, REALISM_HOURS);

		low += s->p < 0.05;
		different += s->verdict == REALISM_DIFFERENT;
		arena_destroy(&j.arena);
	}
	assert_in_range(low, 4, 36);
	assert_in_range(different, 0, 11); /* p below 0.01, and the distance past the tolerance */
}

static void what_is_spread_otherwise_is_different_and_a_small_run_is_open(void **state)
{
	struct judged late = drawn(1, 3000, 0.6), little = drawn(2, 40, 0), slightly = drawn(3, 100000, 0.03);
	const struct realism_shape *s;

	(void)state;
	assert_int_equal(shape(&late, REALISM_HOURS)->verdict, REALISM_DIFFERENT);
	assert_int_equal(shape(&little, REALISM_HOURS)->verdict, REALISM_OPEN);
	s = shape(&slightly, REALISM_HOURS); /* chi-square finds it, and it is little */
	assert_true(s->p < 0.01 && s->distance < 0.05);
	assert_int_equal(s->verdict, REALISM_ALIKE);
	arena_destroy(&late.arena);
	arena_destroy(&little.arena);
	arena_destroy(&slightly.arena);
}

/* ---- profiles ---- */

static void built_in_profiles_are_sound(void **state)
{
	struct behaviour *b = seen(1, HOURS_A_WEEK);

	(void)state;
	for (unsigned i = 0; profile_built_in(i); i++) {
		struct judged j = judge(b, profile_built_in(i)->name); /* shares are as many as there are hours */

		for (size_t k = 0; k < j.r.lines_count; k++)
			assert_row(profile_built_in(i)->name,
				   j.r.lines[k].alike_low <= j.r.lines[k].published &&
					   j.r.lines[k].published <= j.r.lines[k].alike_high);
		arena_destroy(&j.arena);
	}
	behaviour_free(&b);
}

static void scenarios_name_profiles_that_there_are(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct sim_profile profile;
	struct problem p = {0};

	(void)state;
	for (unsigned i = 0; scenario_built_in(i); i++) {
		struct scenario *s;

		assert_int_equal(scenario_load(str_of(scenario_built_in(i)->name), &s, &p), OK);
		if (scenario_profile(s).n && profile_load(scenario_profile(s), a, &profile, &p))
			fail_msg("%s: %s", scenario_built_in(i)->name, p.detail);
		scenario_free(&s);
	}
	assert_int_equal(profile_load(STR("bakery"), a, &profile, &p), ERR_NOT_FOUND);
	assert_string_equal(p.detail, "there is no profile bakery: there are general-ecom, grocery, pharmacy");
	arena_destroy(&a);
}

int main(int argc, char **argv)
{
	char nowhere[] = "";
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_have_the_interval_of_wilson),
		cmocka_unit_test(the_published_error_counts_too),
		cmocka_unit_test(baskets_have_mean_and_median_with_their_intervals),
		cmocka_unit_test(sessions_of_an_agent_in_a_week_go_by_the_hours_of_agents),
		cmocka_unit_test(what_a_run_cannot_show_is_said_not_guessed),
		cmocka_unit_test(gaps_are_of_purchases_that_were_followed_long_enough),
		cmocka_unit_test(what_is_out_of_order_is_in_no_gap),
		cmocka_unit_test(a_short_run_does_not_make_gaps_look_short),
		cmocka_unit_test_prestate(chi_square_is_what_scipy_gives, argc > 1 ? argv[1] : nowhere),
		cmocka_unit_test(expected_is_only_what_the_run_could_have_had),
		cmocka_unit_test(draws_by_the_profile_are_alike_as_often_as_p_says),
		cmocka_unit_test(what_is_spread_otherwise_is_different_and_a_small_run_is_open),
		cmocka_unit_test(built_in_profiles_are_sound),
		cmocka_unit_test(scenarios_name_profiles_that_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
