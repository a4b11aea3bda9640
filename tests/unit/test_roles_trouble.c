/* Whose fault a bad end is: the words of programs whose provider has met its limit, and those that mean nothing. */
#include "harness.h"

#include "roles/trouble.h"

static void what_programs_say_of_their_limits(void **state)
{
	static const struct {
		const char *said;
		enum trouble_kind kind;
	} cases[] = {
		{"ERROR: You've hit your usage limit. Try again at 3:05 PM.\n", TROUBLE_QUOTA},
		{"{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\"}}", TROUBLE_QUOTA},
		{"Error 429: RESOURCE_EXHAUSTED", TROUBLE_QUOTA},
		{"openai.RateLimitError: insufficient_quota", TROUBLE_QUOTA},
		{"Your credit balance is too low to access the API", TROUBLE_QUOTA},
		{"529 {\"type\":\"overloaded_error\"}", TROUBLE_AWAY},
		{"Invalid API key · Please run /login", TROUBLE_AWAY},
		{"", TROUBLE_NONE},
		{"3 tests failed", TROUBLE_NONE},
		{"the quota of the disk", TROUBLE_NONE},
		{"usage limi", TROUBLE_NONE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(trouble_in(str_of(cases[i].said)).kind, cases[i].kind);
}

/* Words at the very end, and text that is not terminated. */
static void the_words_may_stand_anywhere_and_are_told(void **state)
{
	struct str text = STR("x: Usage Limit ReachedZ");
	struct trouble t;

	(void)state;
	t = trouble_in((struct str){text.p, text.n - 1});
	assert_int_equal(t.kind, TROUBLE_QUOTA);
	assert_true(str_eqz(t.words, "usage limit reached"));
	assert_int_equal(trouble_in((struct str){text.p, text.n - 2}).kind, TROUBLE_NONE);
}

static void the_end_is_known_when_it_was_told(void **state)
{
	static const char *const untold[] = {"usage limit reached", "usage limit reached|",
					     "usage limit reached|17637", "usage limit reached|tomorrow at 10",
					     "usage limit reached 1763712000"};

	(void)state;
	assert_int_equal(trouble_in(STR("Claude AI usage limit reached|1763712000")).until_ms, 1763712000000);
	for (size_t i = 0; i < COUNT_OF(untold); i++)
		assert_int_equal(trouble_in(str_of(untold[i])).until_ms, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_programs_say_of_their_limits),
		cmocka_unit_test(the_words_may_stand_anywhere_and_are_told),
		cmocka_unit_test(the_end_is_known_when_it_was_told),
	};

	return cmocka_run_group_tests_name("roles_trouble", tests, NULL, NULL);
}
