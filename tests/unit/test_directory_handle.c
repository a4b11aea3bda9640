/* Handles: which there may be, which are kept, and what to have instead of one that is taken. */
#include "harness.h"

#include "directory/handle.h"

static bool is_good(const char *handle)
{
	struct problem p = {0};
	enum err err = handle_check(str_of(handle), &p);
	assert_true(err == OK ? p.field_count == 0
			      : p.field_count == 1 && strcmp(p.fields[0].field, "handle") == 0);
	return err == OK;
}

static void the_rule(void **state)
{
	static const char *const good[] = {"abc", "a-b", "0-9", "a--b", "x0123456789012345678901234567890", "123"};
	static const char *const bad[] = {
		"",
		"ab",
		"-ab",
		"ab-",
		"Abc",
		"a_b",
		"a b",
		"a.b",
		"x01234567890123456789012345678901",
		"---",
		"a\tb",
		"\xc3\xa9tude",
		"a/b",
		"ag_0000000000009",
	};
	(void)state;
	for (unsigned i = 0; i < COUNT_OF(good); i++)
		assert_row(good[i], is_good(good[i]));
	for (unsigned i = 0; i < COUNT_OF(bad); i++)
		assert_row(bad[i], !is_good(bad[i]));
}

/* The list is searched by halves, so each of its words must be found, first and last among them. */
static void reserved_words_are_refused(void **state)
{
	static const char *const words[] = {"about",  "admin",   "agents",     "batch", "challenge",
					    "search", "tenfold", "well-known", "www"};
	struct problem p = {0};
	(void)state;
	for (unsigned i = 0; i < COUNT_OF(words); i++) {
		assert_row(words[i], handle_is_reserved(str_of(words[i])));
		assert_row(words[i], !is_good(words[i]));
	}
	assert_false(handle_is_reserved(STR("abou")));
	assert_false(handle_is_reserved(STR("admin2")));
	assert_false(handle_is_reserved(STR("zzz")));
	assert_int_equal(handle_check(STR("admin"), &p), ERR_INVALID);
	assert_string_equal(p.fields[0].detail, "'admin' is reserved; take another");
}

static void each_reserved_word_is_found(void **state)
{
	static const char *const words[] = {
#define RESERVED(word) word,
#include "directory/reserved.def"
#undef RESERVED
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		assert_row(words[i], handle_is_reserved(str_of(words[i])));
		assert_row(words[i], i == 0 || strcmp(words[i - 1], words[i]) < 0);
	}
}

static void others_are_near_and_good(void **state)
{
	static const char *const taken[] = {"abc", "a-b", "x0123456789012345678901234567890",
					    "x012345678901234567890123456-x-y", "99999"};
	(void)state;
	for (unsigned i = 0; i < COUNT_OF(taken); i++) {
		struct handle_text others[HANDLE_OTHERS];
		handle_others(str_of(taken[i]), others);
		for (int k = 0; k < HANDLE_OTHERS; k++) {
			assert_row(others[k].text, is_good(others[k].text));
			assert_row(others[k].text, strcmp(others[k].text, taken[i]) != 0);
			for (int m = 0; m < k; m++)
				assert_row(others[k].text, strcmp(others[k].text, others[m].text) != 0);
		}
	}
	struct handle_text others[HANDLE_OTHERS];
	handle_others(STR("abc"), others);
	assert_string_equal(others[0].text, "abc-2");
	assert_string_equal(others[1].text, "abc-3");
	handle_others(STR("x0123456789012345678901234567-90"), others);
	assert_string_equal(others[0].text, "x0123456789012345678901234567-2");
}

static void slugs(void **state)
{
	char long_one[SLUG_MAX + 2];
	(void)state;
	memset(long_one, 'x', sizeof(long_one));
	assert_true(slug_is_good(STR("ab")) && slug_is_good(STR("admin")) &&
		    slug_is_good((struct str){long_one, SLUG_MAX}));
	assert_false(slug_is_good(STR("a")) || slug_is_good(STR("")) || slug_is_good(STR("A-b")) ||
		     slug_is_good(STR("-ab")) || slug_is_good((struct str){long_one, SLUG_MAX + 1}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rule),
		cmocka_unit_test(reserved_words_are_refused),
		cmocka_unit_test(each_reserved_word_is_found),
		cmocka_unit_test(others_are_near_and_good),
		cmocka_unit_test(slugs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
