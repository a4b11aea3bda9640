/* Problems: the sentence, the fields, their bounds, and nobody listening. */
#include "harness.h"

#include "base/problem.h"

static void a_problem_is_an_error_and_a_sentence(void **state)
{
	struct problem p = {0};

	(void)state;
	assert_int_equal(problem_set(&p, ERR_CONFLICT, "item %s is %s", "w_1", "done"), ERR_CONFLICT);
	assert_int_equal(p.err, ERR_CONFLICT);
	assert_string_equal(p.detail, "item w_1 is done");
	assert_int_equal(p.field_count, 0);
}

static void the_first_field_becomes_the_sentence(void **state)
{
	struct problem p = {0};

	(void)state;
	assert_int_equal(problem_field(&p, ERR_INVALID, "items[3].priority", "must be at most %d", 9), ERR_INVALID);
	assert_int_equal(problem_field(&p, ERR_MISTYPED, "type", "must be text"), ERR_MISTYPED);
	assert_int_equal(p.err, ERR_INVALID);
	assert_string_equal(p.detail, "items[3].priority: must be at most 9");
	assert_int_equal(p.field_count, 2);
	assert_string_equal(p.fields[0].field, "items[3].priority");
	assert_string_equal(p.fields[0].detail, "must be at most 9");
	assert_string_equal(p.fields[1].field, "type");
	assert_string_equal(p.fields[1].detail, "must be text");
}

static void fields_past_the_bound_are_dropped(void **state)
{
	struct problem p = {0};

	(void)state;
	for (int i = 0; i < PROBLEM_FIELDS_MAX + 3; i++)
		assert_int_equal(problem_field(&p, ERR_INVALID, "f", "%d", i), ERR_INVALID);
	assert_int_equal(p.field_count, PROBLEM_FIELDS_MAX);
	assert_string_equal(p.fields[PROBLEM_FIELDS_MAX - 1].detail, "7");
}

static void nobody_need_listen(void **state)
{
	(void)state;
	assert_int_equal(problem_set(NULL, ERR_INTERNAL, "x"), ERR_INTERNAL);
	assert_int_equal(problem_field(NULL, ERR_INVALID, "f", "x"), ERR_INVALID);
}

/* Text of `prefix` ASCII characters and then many euro signs, cut by the bound of the field's detail. */
static void assert_cut_between_characters(int prefix)
{
	struct problem p = {0};
	char text[600] = {0};

	memset(text, 'a', (size_t)prefix);
	while (strlen(text) + 4 < sizeof(text))
		memcpy(text + strlen(text), "\xe2\x82\xac", 3);
	problem_field(&p, ERR_INVALID, text, "%s", text);
	assert_true(str_is_utf8(str_of(p.fields[0].field)));
	assert_true(str_is_utf8(str_of(p.fields[0].detail)));
	assert_true(str_is_utf8(str_of(p.detail)));
	assert_in_range(strlen(p.fields[0].field), sizeof(p.fields[0].field) - 3, sizeof(p.fields[0].field) - 1);
	assert_in_range(strlen(p.fields[0].detail), sizeof(p.fields[0].detail) - 3, sizeof(p.fields[0].detail) - 1);

	problem_set(&p, ERR_INVALID, "%s", text);
	assert_true(str_is_utf8(str_of(p.detail)));
	assert_in_range(strlen(p.detail), sizeof(p.detail) - 3, sizeof(p.detail) - 1);
}

static void long_text_is_cut_but_never_within_a_character(void **state)
{
	(void)state;
	for (int prefix = 0; prefix < 3; prefix++)
		assert_cut_between_characters(prefix);
}

static void long_ascii_text_fills_its_room(void **state)
{
	struct problem p = {0};

	(void)state;
	problem_set(&p, ERR_INVALID, "%0500d", 1);
	assert_int_equal(strlen(p.detail), sizeof(p.detail) - 1);
	problem_set(&p, ERR_INVALID, "%0318d\xc3\xa9",
		    1); /* one byte too long: the last character has to go whole */
	assert_int_equal(strlen(p.detail), 318);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_problem_is_an_error_and_a_sentence),
		cmocka_unit_test(the_first_field_becomes_the_sentence),
		cmocka_unit_test(fields_past_the_bound_are_dropped),
		cmocka_unit_test(nobody_need_listen),
		cmocka_unit_test(long_text_is_cut_but_never_within_a_character),
		cmocka_unit_test(long_ascii_text_fills_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
