/* Scenarios as files: what is taken, and what is said of what is wrong. */
#include "harness.h"

#include "sim/scenario_priv.h"

#include <math.h>

static const char good[] =
	"{\"tenfold_scenario\": 1, \"name\": \"small\",\n"
	" \"parameters\": [{\"name\": \"share\", \"value\": 0.5}, {\"name\": \"pace\", \"value\": 2}],\n"
	" \"tables\": [{\"name\": \"goods\", \"rows\": [{\"id\": 1}, {\"id\": 2}]}],\n"
	" \"population\": {\"attributes\": [\n"
	"  {\"name\": \"age\", \"kind\": \"number\", \"normal\": {\"mean\": 40, \"sd\": 9, \"min\": 18}},\n"
	"  {\"name\": \"rich\", \"kind\": \"number\", \"uniform\": {\"min\": 0, \"max\": 1}},\n"
	"  {\"name\": \"class\", \"kind\": \"word\", \"weights\": [{\"word\": \"a\", \"weight\": 1}, {\"word\": "
	"\"b\", \"weight\": 2}]},\n"
	"  {\"name\": \"older\", \"kind\": \"bool\", \"expr\": \"agent.age > 50\"}],\n"
	"  \"correlations\": [{\"between\": [\"age\", \"rich\"], \"r\": 0.5}]},\n"
	" \"schedule\": {\"sessions_per_week\": \"agent.class == 'a' ? 3 : 1\", \"weekdays\": [1, 1, 1, 1, 1, 2, "
	"2],\n"
	"  \"seasons\": [{\"name\": \"new year\", \"from\": \"12-28\", \"to\": \"01-03\", \"factor\": 2}]},\n"
	" \"headers\": {\"Authorization\": \"Bearer {{key}}\"},\n"
	" \"variables\": [{\"name\": \"list\", \"value\": []}, {\"name\": \"total\", \"value\": 0}],\n"
	" \"keep\": [{\"name\": \"total\", \"value\": \"total\"}],\n"
	" \"outcomes\": [{\"name\": \"done\", \"kind\": \"completed\"}, {\"name\": \"broken\", \"kind\": "
	"\"failed\"}],\n"
	" \"start\": \"look\",\n"
	" \"states\": [\n"
	"  {\"name\": \"look\", \"steps\": [\n"
	"   {\"request\": {\"method\": \"GET\", \"path\": \"/goods?of={{agent.id}}\"},\n"
	"    \"extract\": [{\"to\": \"list\", \"from\": \"/items\"}]},\n"
	"   {\"for_each\": {\"item\": \"good\", \"in\": \"list\"}, \"set\": [{\"to\": \"total\", \"value\": "
	"\"total + good.price\"}]}],\n"
	"   \"next\": [{\"to\": \"look\", \"weight\": \"share\"}, {\"to\": \"buy\", \"weight\": \"1 - share\"}]},\n"
	"  {\"name\": \"buy\", \"steps\": [{\"request\": {\"method\": \"POST\", \"path\": \"/orders\", \"body\": "
	"{\"n\": \"{{total}}\"}}}],\n"
	"   \"end\": \"done\"}]}\n";

/* The good one with `from` replaced by `to`, once. */
static struct str changed(struct buf *b, const char *from, const char *to)
{
	const char *at = strstr(good, from);

	if (!at)
		fail_msg("the scenario has no %s", from);
	buf_reset(b);
	buf_add(b, good, (size_t)(at - good));
	buf_z(b, to);
	buf_z(b, at + strlen(from));
	return buf_str(b);
}

static void check(const char *from, const char *to, const char *expected)
{
	struct buf b = BUF_INIT(1 << 20);
	struct problem p = {0};
	struct scenario *s = NULL;
	enum err e = scenario_parse(changed(&b, from, to), STR("f.json"), &s, &p);

	if (!e || s)
		fail_msg("%s is taken, and should say %s", to, expected);
	if (strcmp(p.detail, expected) != 0)
		fail_msg("%s says\n  %s\nnot\n  %s", to, p.detail, expected);
	buf_free(&b);
}

static struct scenario *parse(const char *text)
{
	struct problem p = {0};
	struct scenario *s = NULL;

	if (scenario_parse(str_of(text), STR("f.json"), &s, &p))
		fail_msg("%s", p.detail);
	return s;
}

static void a_good_one_is_what_it_says(void **state)
{
	struct scenario *s = parse(good);

	(void)state;
	assert_str(scenario_name(s), "small");
	assert_str(scenario_text_of(s), good);
	assert_int_equal(scenario_endpoint_count(s), 2);
	assert_str(scenario_endpoint_name(s, 0), "GET /goods?of={{agent.id}}");
	assert_str(scenario_endpoint_name(s, 1), "POST /orders");
	assert_int_equal(scenario_outcome_count(s), 2);
	assert_int_equal(scenario_outcome_kind(s, 1), END_FAILED);
	assert_str(scenario_kept_name(s, 0), "total");
	assert_false(scenario_has_idle(s) || scenario_has_cleanup(s) || scenario_offers(s));
	assert_int_equal(s->attribute_count, 4);
	assert_int_equal(s->plan_attributes[0].spread, SPREAD_NORMAL);
	assert_true(s->plan_attributes[0].max == HUGE_VAL && s->plan_attributes[0].min == 18);
	assert_int_equal(s->plan_attributes[2].attribute.word_count, 2);
	assert_true(s->correlations[0].one == 0 && s->correlations[0].other == 1);
	assert_true(s->schedule.calendar.weekday[6] == 2 && s->schedule.calendar.hour[0] == 1);
	assert_int_equal(s->schedule.calendar.seasons[0].from_month, 12);
	scenario_free(&s);
	assert_null(s);
}

static void faults_name_file_line_field_and_what_was_meant(void **state)
{
	(void)state;
	check("\"name\": \"small\"", "\"nmae\": \"small\"",
	      "f.json:1: nmae: there is no such field; did you mean \"name\"?");
	check("\"start\": \"look\"", "\"start\": \"lok\"",
	      "f.json:16: start: there is no state \"lok\"; did you mean \"look\"?");
	check("{\"to\": \"buy\", \"weight\"", "{\"to\": \"by\", \"weight\"",
	      "f.json:22: states[0].next[1].to: there is no state \"by\"; did you mean \"buy\"?");
	check("total + good.price", "totl + good.price",
	      "f.json:21: states[0].steps[1].set[0].value: there is no \"totl\"; did you mean \"total\"? (at "
	      "character 1)");
	check("\"to\": \"list\", \"from\"", "\"to\": \"lists\", \"from\"",
	      "f.json:20: states[0].steps[0].extract[0].to: there is no variable \"lists\"; did you mean "
	      "\"list\"?");
	check("\"end\": \"done\"", "\"end\": \"doen\"",
	      "f.json:24: states[1].end: there is no outcome \"doen\"; did you mean \"done\"?");
}

static void what_is_not_json_has_a_line_and_a_column(void **state)
{
	(void)state;
	check("\"start\": \"look\",", "\"start\": \"look\"", "f.json:17:2: expected ',' or '}', not a string");
}

static void weights_and_chances_are_numbers_that_make_sense(void **state)
{
	(void)state;
	check("\"weight\": \"share\"", "\"weight\": -1",
	      "f.json:22: states[0].next[0].weight: must be from 0 to 1e+300, not -1");
	check("\"weight\": \"share\"}, {\"to\": \"buy\", \"weight\": \"1 - share\"",
	      "\"weight\": 0}, {\"to\": \"buy\", \"weight\": \"1 - 1\"",
	      "f.json:22: states[0].next: must have weights with a sum above 0");
	check("\"weight\": \"share\"", "\"weight\": \"0 / 0\"",
	      "f.json:22: states[0].next[0].weight: division by 0 (at character 3)");
	check("\"weight\": \"share\"", "\"weight\": null",
	      "f.json:22: states[0].next[0].weight: must be a number, true, false or a text with an expression");
	check("\"weight\": 1}, {\"word\"", "\"weight\": -1}, {\"word\"",
	      "f.json:7: population.attributes[2].weights[0].weight: must be at least 0, not -1");
	check("{\"word\": \"a\", \"weight\": 1}, {\"word\": \"b\", \"weight\": 2}",
	      "{\"word\": \"a\", \"weight\": 0}",
	      "f.json:7: population.attributes[2].weights: must have a sum above 0");
	check("\"for_each\"", "\"chance\": 1.5, \"for_each\"",
	      "f.json:21: states[0].steps[1].chance: must be from 0 to 1, not 1.5");
	check("[1, 1, 1, 1, 1, 2, 2]", "[1, 1]", "f.json:10: schedule.weekdays: must be a list of 7 numbers");
	check("[1, 1, 1, 1, 1, 2, 2]", "[1, 1, 1, 1, 1, 2, -2]",
	      "f.json:10: schedule.weekdays: must be numbers of at least 0, not all 0");
	check("12-28", "13-28", "f.json:11: schedule.seasons[0].from: must be a day of the year as MM-DD");
}

static void ways_lead_somewhere_and_take_time(void **state)
{
	(void)state;
	check("\"end\": \"done\"}]}", "\"end\": \"done\"}, {\"name\": \"lost\", \"end\": \"done\"}]}",
	      "f.json:24: states[2].name: nothing leads to \"lost\"");
	check("   \"end\": \"done\"}", "   \"about\": \"\"}",
	      "f.json:23: states[1]: has no way on: give it next, or the end with an outcome");
	check("   \"end\": \"done\"}]}",
	      "   \"next\": [{\"to\": \"a\"}]}, {\"name\": \"a\", \"next\": [{\"to\": \"b\"}]},\n"
	      "  {\"name\": \"b\", \"next\": [{\"to\": \"a\"}, {\"to\": \"look\"}]}]}",
	      "f.json:24: states[2].next: leads from \"a\" back to it without a request and without thinking: "
	      "no time would pass");
}

static void names_are_names_and_stand_once(void **state)
{
	(void)state;
	check("{\"name\": \"total\", \"value\": 0}", "{\"name\": \"list\", \"value\": 0}",
	      "f.json:13: variables[1].name: stands twice, also in variables[0]");
	check("{\"name\": \"total\", \"value\": 0}",
	      "{\"name\": \"share\", \"value\": 0}, {\"name\": \"total\", \"value\": 0}",
	      "f.json:13: variables[1].name: is also the name of a parameter, in parameters[0]");
	check("{\"name\": \"pace\"", "{\"name\": \"hour\"",
	      "f.json:2: parameters[1].name: hour means something else in expressions: take another name");
	check("\"item\": \"good\"", "\"item\": \"total\"",
	      "f.json:21: states[0].steps[1].for_each.item: is also the name of a variable");
	check("{\"name\": \"buy\"", "{\"name\": \"look\"",
	      "f.json:22: states[0].next[1].to: there is no state \"buy\"");
}

static void requests_are_checked_before_they_are_sent(void **state)
{
	(void)state;
	check("/orders", "orders",
	      "f.json:23: states[1].steps[0].request.path: must begin with '/' and have no spaces, '#' or "
	      "characters past ASCII");
	check("{{total}}", "{{total}",
	      "f.json:23: states[1].steps[0].request.body: an operator or \"}}\" is expected here (at character "
	      "8)");
	check("\"headers\": {\"Authorization\"", "\"headers\": {\"Host\": \"x\", \"Authorization\"",
	      "f.json:12: headers.Host: is written by the client itself");
	check("Bearer {{key}}", "Bearer {{kee}}",
	      "f.json:12: headers.Authorization: there is no \"kee\"; did you mean \"key\"? (at character 10)");
	check("\"from\": \"/items\"", "\"from\": \"items\"",
	      "f.json:20: states[0].steps[0].extract[0].from: must be a JSON pointer: empty, or begin with '/'; ~ "
	      "only in ~0 and ~1");
	check("\"for_each\"", "\"extract\": [{\"to\": \"list\", \"from\": \"\"}], \"for_each\"",
	      "f.json:21: states[0].steps[1].extract: belongs to a request, and this step has none");
}

static void attributes_have_one_distribution_of_their_kind(void **state)
{
	(void)state;
	check("\"uniform\": {\"min\": 0, \"max\": 1}", "\"chance\": 0.5",
	      "f.json:6: population.attributes[1]: needs exactly one of what says how it is distributed: "
	      "normal, lognormal, uniform, beta or expr");
	check("\"uniform\": {\"min\": 0, \"max\": 1}", "\"uniform\": {\"min\": 1, \"max\": 0}",
	      "f.json:6: population.attributes[1].uniform: has its min above its max");
	check("\"min\": 18}", "\"min\": 99}",
	      "f.json:5: population.attributes[0].normal: has its ends so far from its mean that nothing falls "
	      "between them");
	check("[\"age\", \"rich\"]", "[\"age\", \"class\"]",
	      "f.json:9: population.correlations[0].between: \"class\" is no number with a distribution");
	check("agent.age > 50", "agent.order > 50",
	      "f.json:8: population.attributes[3].expr: there is no agent.order (at character 7)");
}

static void parameters_are_set_and_cohorts_differ_by_them(void **state)
{
	struct scenario *s = parse(good);
	struct problem p = {0};
	uint64_t hash = scenario_hash(s);
	int of[3] = {0};

	(void)state;
	assert_int_equal(scenario_set(s, 0, STR("pace"), 3, &p), OK);
	assert_true(scenario_hash(s) != hash);
	assert_int_equal(scenario_set(s, 0, STR("pase"), 3, &p), ERR_INVALID);
	assert_string_equal(p.detail, "scenario small has no parameter \"pase\"; did you mean \"pace\"?");
	assert_int_equal(scenario_cohort(s,
					 STR("{\"name\": \"slow\", \"share\": 0.25, \"parameters\": [{\"name\": "
					     "\"pace\", \"value\": 9}]}"),
					 STR("c.json"), &p),
			 OK);
	assert_int_equal(scenario_cohort(s, STR("{\"name\": \"fast\", \"share\": 0.5, \"parameters\": []}"),
					 STR("c.json"), &p),
			 OK);
	assert_int_equal(scenario_cohort_count(s), 3);
	assert_str(scenario_cohort_name(s, 1), "slow");
	assert_true(s->cohorts[1].parameters[1] == 9 && s->cohorts[2].parameters[1] == 3 &&
		    s->cohorts[0].parameters[1] == 3);
	p.err = OK;
	p.field_count = 0;
	p.line = 0;
	assert_int_equal(scenario_cohort(s, STR("{\"name\": \"more\", \"share\": 0.5, \"parameters\": []}"),
					 STR("c.json"), &p),
			 ERR_INVALID);
	assert_string_equal(p.detail, "c.json:1: share: with the other cohorts it comes to 1.25, more than all");
	for (uint32_t agent = 0; agent < 20000; agent++)
		of[scenario_cohort_of(s, 7, agent)]++;
	/* a quarter, a half, a quarter of 20,000: five standard errors are 306 and 354 */
	assert_in_range(of[0], 4694, 5306);
	assert_in_range(of[1], 4694, 5306);
	assert_in_range(of[2], 9646, 10354);
	scenario_free(&s);
}

static void built_in_ones_are_good(void **state)
{
	(void)state;
	for (unsigned i = 0; scenario_built_in(i); i++) {
		struct problem p = {0};
		struct scenario *s;

		if (scenario_load(str_of(scenario_built_in(i)->name), &s, &p))
			fail_msg("%s: %s", scenario_built_in(i)->name, p.detail);
		assert_true(str_eqz(scenario_name(s), scenario_built_in(i)->name));
		scenario_free(&s);
	}
	assert_string_equal(scenario_built_in(0)->name, "shopping");
}

static void a_name_that_is_none_says_which_there_are(void **state)
{
	struct problem p = {0};
	struct scenario *s;

	(void)state;
	assert_int_equal(scenario_load(STR("shoping"), &s, &p), ERR_USAGE);
	assert_non_null(strstr(p.detail, "there is no scenario shoping: no such file, and built in are shopping"));
	assert_non_null(strstr(p.detail, "; did you mean \"shopping\"?"));
	assert_int_equal(scenario_load(STR("/tmp"), &s, &p), ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_one_is_what_it_says),
		cmocka_unit_test(faults_name_file_line_field_and_what_was_meant),
		cmocka_unit_test(what_is_not_json_has_a_line_and_a_column),
		cmocka_unit_test(weights_and_chances_are_numbers_that_make_sense),
		cmocka_unit_test(ways_lead_somewhere_and_take_time),
		cmocka_unit_test(names_are_names_and_stand_once),
		cmocka_unit_test(requests_are_checked_before_they_are_sent),
		cmocka_unit_test(attributes_have_one_distribution_of_their_kind),
		cmocka_unit_test(parameters_are_set_and_cohorts_differ_by_them),
		cmocka_unit_test(built_in_ones_are_good),
		cmocka_unit_test(a_name_that_is_none_says_which_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
