/* How often shoppers of each class come, and when: four weeks of the built-in ones, drawn from a fixed seed. Limits are
 * those that a right program passes in all but one of 10,000 seeds. */
#include "harness.h"

#include "sim/probability.h"
#include "sim/scenario.h"

#include <math.h>

enum { AGENTS = 3000, WEEKS = 4, CYCLES = WEEKS * 168, CLASSES = 4, HOURS = 24, SEED = 3 };
static const int64_t no_season = INT64_C(1772409600000); /* 2026-03-02, a Monday */

static const struct {
	const char *name;
	double weekly;
} classes[CLASSES] = {{"frequent", 3.2}, {"regular", 1.2}, {"occasional", 0.5}, {"rare", 0.17}};

struct came {
	double agents, integral, expected, variance, sessions; /* of a class */
};

struct crowd {
	struct came of[CLASSES];
	double hours[HOURS], expected_hours[HOURS];
};

static unsigned class_of(const struct population *p, uint32_t agent)
{
	struct value room[POPULATION_WORDS_MAX];
	unsigned attribute = (unsigned)population_find(p, STR("shopping_frequency"));
	struct value v = population_value(p, agent, attribute, room);

	for (unsigned i = 0; i < CLASSES; i++)
		if (str_eqz(v.text, classes[i].name))
			return i;
	fail_msg("no class %.*s", STRF(v.text));
	abort();
}

static void go_through_hours(struct crowd *c, const struct calendar *calendar, uint32_t agent, struct came *class,
			     const struct eagerness *e)
{
	for (uint32_t cycle = 0; cycle < CYCLES; cycle++) {
		struct moment m;
		struct draws d;
		double integral, p;
		bool comes;

		calendar_moment(calendar, cycle, &m);
		integral = eagerness_in(e, &m);
		p = 1 - exp(-integral);
		draws_begin(&d, SEED, DRAW_ACTIVE, agent, cycle, 0);
		comes = draws_unit(&d) < p;
		class->integral += integral;
		class->expected += p;
		class->variance += p * (1 - p);
		class->sessions += comes;
		c->hours[m.hour] += comes;
		c->expected_hours[m.hour] += p;
	}
}

static void gather(struct crowd *c)
{
	struct problem p = {0};
	struct scenario *s;
	struct population *who;
	struct calendar calendar;

	*c = (struct crowd){0};
	if (scenario_load(STR("shopping"), &s, &p) || population_generate(s, SEED, AGENTS, &who, &p))
		fail_msg("%s", p.detail);
	scenario_calendar(s, no_season, &calendar);
	for (uint32_t agent = 0; agent < AGENTS; agent++) {
		struct came *class = &c->of[class_of(who, agent)];
		struct eagerness e;

		scenario_eagerness(s, who, agent, SEED, &e);
		eagerness_normalise(&calendar, &e);
		class->agents++;
		go_through_hours(c, &calendar, agent, class, &e);
	}
	population_free(&who);
	scenario_free(&s);
}

static void each_class_comes_as_often_as_it_says(void **state)
{
	const struct crowd *c = *state;

	for (unsigned i = 0; i < CLASSES; i++) {
		const struct came *class = &c->of[i];
		double rate = class->integral / class->agents / WEEKS;

		if (fabs(rate - classes[i].weekly) > 1e-5 * classes[i].weekly)
			fail_msg("%s: eager for %g a week, not %g", classes[i].name, rate, classes[i].weekly);
		if (fabs(class->sessions - class->expected) > 3.9 * sqrt(class->variance))
			fail_msg("%s: %g sessions, not %g", classes[i].name, class->sessions, class->expected);
	}
}

static void classes_have_their_shares(void **state)
{
	static const double shares[CLASSES] = {0.15, 0.35, 0.35, 0.15};
	const struct crowd *c = *state;
	double chi = 0;

	for (unsigned i = 0; i < CLASSES; i++)
		chi += pow(c->of[i].agents - AGENTS * shares[i], 2) / (AGENTS * shares[i]);
	if (chi_square_above(chi, CLASSES - 1) < 1e-4)
		fail_msg("chi-square %g of %d degrees of freedom", chi, CLASSES - 1);
}

static void sessions_are_spread_over_the_day_as_the_schedule_says(void **state)
{
	const struct crowd *c = *state;
	double chi = 0;

	for (unsigned h = 0; h < HOURS; h++)
		chi += pow(c->hours[h] - c->expected_hours[h], 2) / c->expected_hours[h];
	if (chi_square_above(chi, HOURS) < 1e-4)
		fail_msg("chi-square %g of %d degrees of freedom", chi, HOURS);
	assert_true(c->hours[10] > 5 * c->hours[6]); /* 8.43 to 0.89, by what agents prefer */
}

int main(void)
{
	static struct crowd crowd;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(each_class_comes_as_often_as_it_says, &crowd),
		cmocka_unit_test_prestate(classes_have_their_shares, &crowd),
		cmocka_unit_test_prestate(sessions_are_spread_over_the_day_as_the_schedule_says, &crowd),
	};

	gather(&crowd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
