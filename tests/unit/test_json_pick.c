/* Finding things in JSON text, whole or broken. */
#include "harness.h"

#include "json/pick.h"

static const char text[] = "{\"items\": [ {\"id\": 7, \"a/b\": \"x\\\"y\"}, [1, {\"k\": []}], \"}\" ],\n"
			   " \"t~d\": true, \"\": -1.5e3, \"caf\\u00e9\": null}";

static struct str at(const char *pointer)
{
	struct str out = {0};

	return pick_pointer(str_of(text), str_of(pointer), &out) ? out : STR("nothing");
}

static void pointers_find_what_rfc_6901_says(void **state)
{
	(void)state;
	assert_str(at("/items/0/id"), "7");
	assert_str(at("/items/0/a~1b"), "\"x\\\"y\"");
	assert_str(at("/items/1/1/k"), "[]");
	assert_str(at("/items/2"), "\"}\"");
	assert_str(at("/t~0d"), "true");
	assert_str(at("/"), "-1.5e3");
	assert_str(at("/caf\xc3\xa9"), "null");
	assert_true(at("").n == sizeof(text) - 1);
	assert_str(at("/items/3"), "nothing");
	assert_str(at("/items/00"), "nothing");
	assert_str(at("/items/-1"), "nothing");
	assert_str(at("/items/0/id/x"), "nothing");
	assert_true(pick_pointer_valid(STR("")) && pick_pointer_valid(STR("/a~0~1")));
	assert_false(pick_pointer_valid(STR("a")) || pick_pointer_valid(STR("/a~2")) ||
		     pick_pointer_valid(STR("/a~")));
}

static void paths_of_faults_find_the_place(void **state)
{
	(void)state;
	assert_str(pick_path(str_of(text), STR("items[1][1].k")), "[]");
	assert_str(pick_path(str_of(text), STR("items[0].id")), "7");
	assert_true(pick_path(str_of(text), STR("items[0].nothing")).p == strchr(text, '[') + 2);
	assert_true(pick_path(str_of(text), STR("")).p == text);
}

static void escapes_become_what_they_mean(void **state)
{
	struct str inside = STR("a\\n\\u00e9\\ud83d\\ude00\\/\\\\\\\"\\ud800");
	char room[64];
	size_t n = pick_unescape(inside, room);

	(void)state;
	assert_str(((struct str){room, n}), "a\n\xc3\xa9\xf0\x9f\x98\x80/\\\"\xef\xbf\xbd");
}

static void no_prefix_of_a_text_is_read_past_its_end(void **state)
{
	static const char *const pointers[] = {"/items/0/a~1b", "/items/1/1/k", "/caf\xc3\xa9", "/none"};

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		char *copy = malloc(n + 1);
		struct str out;

		memcpy(copy, text, n);
		for (size_t i = 0; i < COUNT_OF(pointers); i++)
			if (pick_pointer((struct str){copy, n}, str_of(pointers[i]), &out))
				assert_true(out.p >= copy && out.p + out.n <= copy + n);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pointers_find_what_rfc_6901_says),
		cmocka_unit_test(paths_of_faults_find_the_place),
		cmocka_unit_test(escapes_become_what_they_mean),
		cmocka_unit_test(no_prefix_of_a_text_is_read_past_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
