/* Which rule of routing matches a question. */
#include "harness.h"

#include "squads/routing.h"

static bool has(const char *text, const char *word)
{
	return routing_has_word(str_of(text), str_of(word));
}

static void a_word_stands_by_itself_in_whatever_case(void **state)
{
	(void)state;
	assert_true(has("Which DataBase?", "database"));
	assert_true(has("database", "DATABASE"));
	assert_true(has("the data model, again", "data model"));
	assert_true(has("(sql)", "sql"));
	assert_false(has("Which databases?", "database"));
	assert_false(has("nosql", "sql"));
	assert_false(has("sql_mode", "sql"));
	assert_false(has("gr\xc3\xb6\xc3\x9f"
			 "e",
			 "gr"));
	assert_true(has("nosql or sql", "sql"));
	assert_false(has("", "sql"));
	assert_false(has("sq", "sql"));
	assert_false(has("anything", ""));
}

static const char *why(const struct routing_rule_row *rule, const char *text, int role)
{
	const char *reason;

	return routing_matches(rule, str_of(text), role, &reason) ? "it matches" : reason;
}

static void a_rule_matches_when_all_it_says_holds(void **state)
{
	struct routing_rule_row rule = {.from_role = -1, .keywords = STR("sql\nschema"), .active = true};

	(void)state;
	assert_string_equal(why(&rule, "Which schema?", -1), "it matches");
	assert_string_equal(why(&rule, "Which colour?", -1), "none of its words stands in the question");
	rule.from_role = MEMBER_TESTER;
	assert_string_equal(why(&rule, "Which schema?", MEMBER_TESTER), "it matches");
	assert_string_equal(why(&rule, "Which schema?", MEMBER_DESIGNER),
			    "it is for what somebody in another role asks");
	assert_string_equal(why(&rule, "Which schema?", -1), "it is for what somebody in another role asks");
	rule.active = false;
	assert_string_equal(why(&rule, "Which schema?", MEMBER_TESTER), "it is not active");
	rule = (struct routing_rule_row){.from_role = -1, .active = true};
	assert_string_equal(why(&rule, "", -1), "it matches");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_stands_by_itself_in_whatever_case),
		cmocka_unit_test(a_rule_matches_when_all_it_says_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
