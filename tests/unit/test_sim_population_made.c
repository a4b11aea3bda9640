/* Agents that are drawn: as declared, the same for the same seed, and each on its own.
 * Statistics are of fixed seeds: limits are those that a right program passes in all but one of 10,000. */
#include "harness.h"

#include "sim/scenario.h"

#include <math.h>

enum { N = 20000 };
static const double sure = 3.9; /* deviations */

/* A scenario that does nothing, with this population. */
static enum err parse(const char *population, struct scenario **out, struct problem *p)
{
	struct buf b = BUF_INIT(0);
	enum err e;

	buf_fmt(&b,
		"{\"tenfold_scenario\":1,\"name\":\"made\",\"parameters\":[{\"name\":\"base\",\"value\":10}],"
		"\"population\":%s,\"schedule\":{\"sessions_per_week\":1},"
		"\"outcomes\":[{\"name\":\"done\",\"kind\":\"completed\"},{\"name\":\"failed\",\"kind\":\"failed\"}"
		"],"
		"\"start\":\"only\",\"states\":[{\"name\":\"only\",\"end\":\"done\"}]}",
		population);
	e = scenario_parse(buf_str(&b), STR("made.json"), out, p);
	buf_free(&b);
	return e;
}

static struct scenario *scenario_with(const char *population)
{
	struct problem p = {0};
	struct scenario *s;

	if (parse(population, &s, &p))
		fail_msg("%s", p.detail);
	return s;
}

static struct population *made(const struct scenario *s, uint64_t seed, uint32_t count)
{
	struct problem p = {0};
	struct population *made;

	if (population_generate(s, seed, count, &made, &p))
		fail_msg("%s", p.detail);
	return made;
}

static struct value value_of(const struct population *p, uint32_t agent, const char *name)
{
	static struct value room[POPULATION_WORDS_MAX];

	return population_value(p, agent, (unsigned)population_find(p, str_of(name)), room);
}

static double number_of(const struct population *p, uint32_t agent, const char *name)
{
	struct value v = value_of(p, agent, name);

	assert_int_equal(v.kind, VALUE_NUMBER);
	return v.number;
}

/* ---- marginals ---- */

static const char numbers[] =
	"{\"attributes\":["
	"{\"name\":\"age\",\"kind\":\"number\",\"normal\":{\"mean\":42,\"sd\":16,\"min\":18,\"max\":100,\"round\":"
	"1}},"
	"{\"name\":\"budget\",\"kind\":\"number\",\"lognormal\":{\"median\":35,\"sigma\":0.5}},"
	"{\"name\":\"even\",\"kind\":\"number\",\"uniform\":{\"min\":-1,\"max\":1}},"
	"{\"name\":\"trait\",\"kind\":\"number\",\"beta\":{\"a\":2,\"b\":1,\"round\":0.01}},"
	"{\"name\":\"happy\",\"kind\":\"bool\",\"chance\":0.25},"
	"{\"name\":\"income\",\"kind\":\"word\",\"weights\":[{\"word\":\"low\",\"weight\":3},{\"word\":\"none\","
	"\"weight\":0},{\"word\":\"high\",\"weight\":1}]},"
	"{\"name\":\"likes\",\"kind\":\"words\",\"words\":[\"a\",\"b\",\"c\",\"d\",\"e\"],\"count\":{\"min\":2,"
	"\"max\":4}}]}";

/* The largest distance between what is counted and the distribution (Kolmogorov and Smirnov): 2.23 / sqrt(n) is passed
 * by one in 10,000. */
static void assert_distribution(const struct population *p, const char *name, double (*below)(double))
{
	enum { POINTS = 100 };

	for (int i = 1; i < POINTS; i++) {
		double at = number_of(p, (uint32_t)i * (N / POINTS), name), share = 0;

		for (uint32_t agent = 0; agent < N; agent++)
			share += number_of(p, agent, name) <= at;
		assert_true(fabs(share / N - below(at)) < 2.23 / sqrt(N) + 2e-4);
	}
}

static double normal_below(double z)
{
	return erfc(-z / M_SQRT2) / 2;
}

static double age_below(double age) /* rounded: all up to half a year more */
{
	double low = normal_below((18 - 42) / 16.0), high = normal_below((100 - 42) / 16.0);

	return age >= 100 ? 1 : (normal_below((age + 0.5 - 42) / 16) - low) / (high - low);
}

static double budget_below(double budget)
{
	return normal_below(log(budget / 35) / 0.5);
}

static double even_below(double v)
{
	return (v + 1) / 2;
}

static double trait_below(double v)
{
	return fmin(pow(v + 0.005, 2), 1);
}

static void numbers_are_distributed_as_declared(void **state)
{
	struct scenario *s = scenario_with(numbers);
	struct population *p = made(s, 11, N);

	(void)state;
	assert_distribution(p, "age", age_below);
	assert_distribution(p, "budget", budget_below);
	assert_distribution(p, "even", even_below);
	assert_distribution(p, "trait", trait_below);
	population_free(&p);
	scenario_free(&s);
}

static void assert_share(unsigned counted, double probability)
{
	assert_true(fabs(counted / (double)N - probability) < sure * sqrt(probability * (1 - probability) / N));
}

static void truths_and_words_have_their_shares(void **state)
{
	struct scenario *s = scenario_with(numbers);
	struct population *p = made(s, 12, N);
	unsigned happy = 0, low = 0, none = 0, with_a = 0, sizes[6] = {0};

	(void)state;
	for (uint32_t agent = 0; agent < N; agent++) {
		struct value likes = value_of(p, agent, "likes");

		sizes[likes.count]++;
		with_a += likes.count && str_eqz(likes.items[0].text, "a");
		happy += value_of(p, agent, "happy").boolean;
		low += str_eqz(value_of(p, agent, "income").text, "low");
		none += str_eqz(value_of(p, agent, "income").text, "none");
	}
	assert_share(happy, 0.25);
	assert_share(low, 0.75);
	assert_int_equal(none, 0);
	assert_share(with_a, 3.0 / 5); /* three of the five, on average */
	for (unsigned i = 2; i <= 4; i++)
		assert_share(sizes[i], 1.0 / 3);
	assert_int_equal(sizes[0] + sizes[1] + sizes[5], 0);
	population_free(&p);
	scenario_free(&s);
}

static void values_are_within_their_ends_and_multiples_as_they_are_written(void **state)
{
	struct scenario *s = scenario_with(numbers);
	struct population *p = made(s, 13, N);

	(void)state;
	for (uint32_t agent = 0; agent < N; agent++) {
		double age = number_of(p, agent, "age"), trait = number_of(p, agent, "trait");
		char text[32];

		assert_true(age >= 18 && age <= 100 && age == nearbyint(age));
		snprintf(text, sizeof(text), "%.2f", trait);
		assert_true(strtod(text, NULL) == trait);
	}
	population_free(&p);
	scenario_free(&s);
}

/* ---- correlations ---- */

static double score_correlation(const struct population *p, const char *a, const char *b, double (*score)(double))
{
	double xy = 0, xx = 0, yy = 0;

	for (uint32_t agent = 0; agent < N; agent++) {
		double x = score(number_of(p, agent, a)), y = score(number_of(p, agent, b));

		xy += x * y;
		xx += x * x;
		yy += y * y;
	}
	return xy / sqrt(xx * yy);
}

static double itself(double v)
{
	return v;
}

/* The error of a correlation r of n pairs is (1 - r²) / sqrt(n). */
static void numbers_go_together_as_declared_and_keep_their_own_distribution(void **state)
{
	struct scenario *s =
		scenario_with("{\"attributes\":["
			      "{\"name\":\"a\",\"kind\":\"number\",\"normal\":{\"mean\":0,\"sd\":1}},"
			      "{\"name\":\"word\",\"kind\":\"word\",\"weights\":[{\"word\":\"x\",\"weight\":1}]},"
			      "{\"name\":\"b\",\"kind\":\"number\",\"normal\":{\"mean\":0,\"sd\":1}},"
			      "{\"name\":\"even\",\"kind\":\"number\",\"uniform\":{\"min\":-1,\"max\":1}},"
			      "{\"name\":\"alone\",\"kind\":\"number\",\"normal\":{\"mean\":0,\"sd\":1}}],"
			      "\"correlations\":[{\"between\":[\"b\",\"a\"],\"r\":-0.4},{\"between\":[\"a\","
			      "\"even\"],\"r\":0.7}]}");
	struct population *p = made(s, 14, N);

	(void)state;
	assert_true(fabs(score_correlation(p, "a", "b", itself) + 0.4) < sure * (1 - 0.16) / sqrt(N));
	assert_true(fabs(score_correlation(p, "a", "alone", itself)) < sure / sqrt(N));
	assert_true(fabs(score_correlation(p, "b", "even", itself)) < sure / sqrt(N));
	/* Of a normal and an even one whose scores have 0.7: 0.7 * sqrt(3 / pi). */
	assert_true(fabs(score_correlation(p, "a", "even", itself) - 0.7 * sqrt(3 / M_PI)) < sure / sqrt(N));
	assert_distribution(p, "even", even_below);
	assert_distribution(p, "b", normal_below);
	population_free(&p);
	scenario_free(&s);
}

static void correlations_that_contradict_each_other_are_refused(void **state)
{
	struct scenario *s =
		scenario_with("{\"attributes\":["
			      "{\"name\":\"a\",\"kind\":\"number\",\"uniform\":{\"min\":0,\"max\":1}},"
			      "{\"name\":\"b\",\"kind\":\"number\",\"uniform\":{\"min\":0,\"max\":1}},"
			      "{\"name\":\"c\",\"kind\":\"number\",\"uniform\":{\"min\":0,\"max\":1}}],"
			      "\"correlations\":[{\"between\":[\"a\",\"b\"],\"r\":0.9},"
			      "{\"between\":[\"b\",\"c\"],\"r\":0.9},{\"between\":[\"a\",\"c\"],\"r\":-0.9}]}");
	struct problem problem = {0};
	struct population *p;

	(void)state;
	assert_int_equal(population_generate(s, 1, 10, &p, &problem), ERR_INVALID);
	assert_string_equal(problem.fields[0].field, "population.correlations");
	assert_null(p);
	scenario_free(&s);
}

/* ---- expressions ---- */

static const char computed[] =
	"{\"attributes\":["
	"{\"name\":\"income\",\"kind\":\"word\",\"weights\":[{\"word\":\"low\",\"weight\":1},{\"word\":\"high\","
	"\"weight\":1}]},"
	"{\"name\":\"budget\",\"kind\":\"number\",\"expr\":\"agent.income == 'low' ? base : 2 * base + "
	"agent.number\"},"
	"{\"name\":\"class\",\"kind\":\"word\",\"words\":[\"small\",\"large\"],\"expr\":\"agent.budget > 10 ? "
	"'large' : "
	"'small'\"},"
	"{\"name\":\"rich\",\"kind\":\"bool\",\"expr\":\"agent.budget > 20\"},"
	"{\"name\":\"email\",\"kind\":\"text\",\"expr\":\"concat(agent.id, '@simulation.local')\"},"
	"{\"name\":\"dice\",\"kind\":\"number\",\"expr\":\"integer(1, 6)\"}]}";

static void expressions_see_what_stands_before_them(void **state)
{
	struct scenario *s = scenario_with(computed);
	struct population *p = made(s, 15, 500);
	unsigned sixes = 0;

	(void)state;
	for (uint32_t agent = 0; agent < 500; agent++) {
		bool low = str_eqz(value_of(p, agent, "income").text, "low");
		double budget = low ? 10 : 20 + agent;
		char email[64];

		assert_true(number_of(p, agent, "budget") == budget);
		assert_str(value_of(p, agent, "class").text, low ? "small" : "large");
		assert_int_equal(value_of(p, agent, "rich").boolean, budget > 20);
		snprintf(email, sizeof(email), "agent_%03u@simulation.local", agent + 1);
		assert_str(value_of(p, agent, "email").text, email);
		assert_true(number_of(p, agent, "dice") >= 1 && number_of(p, agent, "dice") <= 6);
		sixes += number_of(p, agent, "dice") == 6;
	}
	assert_in_range(sixes, 50, 117); /* 83.3 and four deviations of 8.3 */
	population_free(&p);
	scenario_free(&s);
}

static void what_an_expression_cannot_give_is_said_with_agent_and_attribute(void **state)
{
	static const struct {
		const char *attribute, *says;
	} cases[] = {
		{"{\"name\":\"a\",\"kind\":\"number\",\"expr\":\"1 / (agent.number - 1)\"}", "agent_002"},
		{"{\"name\":\"a\",\"kind\":\"number\",\"expr\":\"[agent.number]\"}", "no number"},
		{"{\"name\":\"a\",\"kind\":\"word\",\"words\":[\"small\",\"large\"],\"expr\":\"agent.number > 0 ? "
		 "'smal' : "
		 "'small'\"}",
		 "did you mean \"small\""},
		{"{\"name\":\"a\",\"kind\":\"word\",\"words\":[\"small\"],\"expr\":\"agent.number\"}", "no word"},
		{"{\"name\":\"a\",\"kind\":\"bool\",\"chance\":\"agent.number\"}", "no probability"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		struct problem problem = {0};
		struct buf b = BUF_INIT(0);
		struct population *p;
		struct scenario *s;

		buf_fmt(&b, "{\"attributes\":[%s]}", cases[i].attribute);
		s = scenario_with(buf_cstr(&b));
		assert_row(cases[i].attribute, population_generate(s, 1, 3, &p, &problem) == ERR_INVALID);
		assert_memory_equal(problem.fields[0].field, "population.attributes[0].", 25);
		if (!strstr(problem.fields[0].detail, cases[i].says))
			fail_msg("%s: %s", cases[i].attribute, problem.fields[0].detail);
		buf_free(&b);
		scenario_free(&s);
	}
}

/* ---- seeds ---- */

static void assert_same_agent(const struct population *a, uint32_t one, const struct population *b, uint32_t other)
{
	for (unsigned i = 0; i < population_attribute_count(a); i++) {
		struct value x[POPULATION_WORDS_MAX], y[POPULATION_WORDS_MAX];
		struct value left = population_value(a, one, i, x), right = population_value(b, other, i, y);

		assert_true(value_equal(&left, &right));
	}
}

static void the_same_seed_makes_the_same_agents_however_many_there_are(void **state)
{
	struct scenario *s = scenario_with(numbers);
	struct population *few = made(s, 16, 372), *many = made(s, 16, 5000), *others = made(s, 17, 372);
	unsigned alike = 0;

	(void)state;
	for (uint32_t agent = 0; agent < 372; agent++) {
		assert_same_agent(few, agent, many, agent);
		alike += number_of(few, agent, "budget") == number_of(others, agent, "budget");
	}
	assert_int_equal(alike, 0);
	population_free(&few);
	population_free(&many);
	population_free(&others);
	scenario_free(&s);
}

static void agents_of_a_directory_keep_their_ids_and_get_the_rest(void **state)
{
	static const struct str ids[] = {{"alice", 5}, {"ag_01h2k3m4n5p6q", 16}},
				twice[] = {{"bob", 3}, {"bob", 3}}, spaced[] = {{"a b", 3}};
	struct scenario *s = scenario_with(numbers);
	struct population *p, *generated = made(s, 18, 2);
	char room[POPULATION_ROOM];
	struct problem problem = {0};

	(void)state;
	assert_int_equal(population_of_ids(s, 18, ids, 2, &p, &problem), OK);
	assert_str(population_id(p, 1, room), "ag_01h2k3m4n5p6q");
	assert_same_agent(p, 1, generated, 1);
	population_free(&p);
	assert_int_equal(population_of_ids(s, 18, twice, 2, &p, &problem), ERR_INVALID);
	assert_int_equal(population_of_ids(s, 18, spaced, 1, &p, &problem), ERR_INVALID);
	assert_int_equal(population_of_ids(s, 18, ids, 0, &p, &problem), ERR_INVALID);
	population_free(&generated);
	scenario_free(&s);
}

static void the_built_in_shoppers_can_be_made(void **state)
{
	struct problem problem = {0};
	struct scenario *s;
	struct population *p;

	(void)state;
	for (unsigned i = 0; scenario_built_in(i); i++) {
		if (scenario_load(str_of(scenario_built_in(i)->name), &s, &problem))
			fail_msg("%s", problem.detail);
		p = made(s, 1, 372);
		assert_int_equal(population_count(p), 372);
		population_free(&p);
		scenario_free(&s);
	}
}

static void nobody_and_too_many_are_refused(void **state)
{
	struct scenario *s = scenario_with("{}");
	struct problem problem = {0};
	struct population *p;

	(void)state;
	assert_int_equal(population_generate(s, 1, 0, &p, &problem), ERR_INVALID);
	assert_int_equal(population_generate(s, 1, POPULATION_AGENTS_MAX + 1, &p, &problem), ERR_INVALID);
	p = made(s, 1, 10);
	assert_int_equal(population_attribute_count(p), 0);
	population_free(&p);
	scenario_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_distributed_as_declared),
		cmocka_unit_test(truths_and_words_have_their_shares),
		cmocka_unit_test(values_are_within_their_ends_and_multiples_as_they_are_written),
		cmocka_unit_test(numbers_go_together_as_declared_and_keep_their_own_distribution),
		cmocka_unit_test(correlations_that_contradict_each_other_are_refused),
		cmocka_unit_test(expressions_see_what_stands_before_them),
		cmocka_unit_test(what_an_expression_cannot_give_is_said_with_agent_and_attribute),
		cmocka_unit_test(the_same_seed_makes_the_same_agents_however_many_there_are),
		cmocka_unit_test(agents_of_a_directory_keep_their_ids_and_get_the_rest),
		cmocka_unit_test(the_built_in_shoppers_can_be_made),
		cmocka_unit_test(nobody_and_too_many_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
