/* Entity tags: lists of them as RFC 9110 has them, and whether a change may go on. */
#include "harness.h"

#include "http/call.h"
#include "http/etag.h"

static void a_list_is_read_tag_by_tag(void **state)
{
	struct str list = STR(" , \"a\",\t W/\"b,c\" ,,\"\" ,\"caf\xc3\xa9\"");
	struct etag tag;

	(void)state;
	assert_int_equal(etag_next(&list, &tag), ETAG_FOUND);
	assert_str(tag.text, "a");
	assert_false(tag.weak);
	assert_int_equal(etag_next(&list, &tag), ETAG_FOUND);
	assert_str(tag.text, "b,c"); /* a comma is part of a tag like any other */
	assert_true(tag.weak);
	assert_int_equal(etag_next(&list, &tag), ETAG_FOUND);
	assert_int_equal(tag.text.n, 0);
	assert_int_equal(etag_next(&list, &tag), ETAG_FOUND);
	assert_str(tag.text, "caf\xc3\xa9");
	assert_int_equal(etag_next(&list, &tag), ETAG_END);
}

static void what_is_no_tag_breaks_the_list(void **state)
{
	static const char *const broken[] = {"a",       "\"",      "\"a",       "W/",  "W/a",
					     "w/\"a\"", "\"a b\"", "\"a\x7f\"", "'a'", "* "};
	struct etag tag;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		struct str list = str_of(broken[i]);

		assert_int_equal(etag_next(&list, &tag), ETAG_BROKEN);
	}
}

static void a_tag_that_is_listed_is_had(void **state)
{
	static const struct {
		const char *list;
		bool has;
	} cases[] = {{"\"t\"", true},    {"W/\"t\"", true},     {"\"a\", \"b\",\"t\"", true}, {"*", true},
		     {"", false},        {"\"T\"", false},      {"\"t-1\"", false},           {"\"a\",\"t", false},
		     {"t", false},       {"\"a\" \"t\"", true}, {"\"a\", b, \"t\"", false},   {"\"t\", *", true},
		     {"*, \"x\"", false}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (etag_is_listed(str_of(cases[i].list), STR("t")) != cases[i].has)
			fail_msg("%s", cases[i].list);
}

static void a_change_is_held_against_the_version_it_was_made_for(void **state)
{
	static const struct {
		const char *if_match;
		enum err err;
	} cases[] = {{"", OK},
		     {"*", OK},
		     {"\"7\"", OK},
		     {"\"7-3\"", OK}, /* what follows tells of something no change overwrites */
		     {"\"6-3\", \"7-9\"", OK},
		     {"\"6\"", ERR_PRECONDITION},
		     {"\"70\"", ERR_PRECONDITION},
		     {"\"\"", ERR_PRECONDITION},
		     {"\"x\"", ERR_PRECONDITION},
		     {"W/\"7\"", ERR_PRECONDITION}, /* a weak tag names no one state */
		     {"7", ERR_INVALID},
		     {"\"6\", 7", ERR_INVALID},
		     {"\"7\", 6", OK}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct call c = {.if_match = str_of(cases[i].if_match)};

		if (call_if_match(&c, 7) != cases[i].err)
			fail_msg("%s", cases[i].if_match);
		assert_int_equal(c.problem.err, cases[i].err);
	}
}

static void the_tag_of_bytes_depends_on_each_of_them(void **state)
{
	char one[ETAG_OF_BYTES], other[ETAG_OF_BYTES];

	(void)state;
	assert_str(etag_of(STR("{\"a\":1}"), one), "c5e3762ffc8453c6");
	assert_int_equal(etag_of((struct str){0}, other).n, 16);
	etag_of(STR("{\"a\":2}"), other);
	assert_string_not_equal(one, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_read_tag_by_tag),
		cmocka_unit_test(what_is_no_tag_breaks_the_list),
		cmocka_unit_test(a_tag_that_is_listed_is_had),
		cmocka_unit_test(a_change_is_held_against_the_version_it_was_made_for),
		cmocka_unit_test(the_tag_of_bytes_depends_on_each_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
