/* Handles of imported agents: names as they read where that is possible, marked by a hash where it is not. */
#include "harness.h"

#include "import/agents.h"

static const char *handle(const char *name, bool marked, const char *identity)
{
	static struct handle_text out;

	import_handle(str_of(name), marked, str_of(identity), &out);
	return out.text;
}

static void names_that_read_as_handles_become_them(void **state)
{
	static const char *const pairs[][2] = {
		{"github-mcp", "github-mcp"},
		{"GitHub MCP", "github-mcp"},
		{" a.b_c/d  e - f ", "a-b-c-d-e-f"},
		{"deb-python3.11", "deb-python3-11"},
		{"123", "123"},
		{"a-name-of-exactly-32-characters-", "a-name-of-exactly-32-characters"},
		{"abcdefghijklmnopqrstuvwxyz012345", "abcdefghijklmnopqrstuvwxyz012345"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pairs); i++)
		assert_string_equal(handle(pairs[i][0], false, pairs[i][0]), pairs[i][1]);
}

/* Written down, not computed: a handle that changes loses its agent. */
static void others_get_a_mark_that_never_changes(void **state)
{
	static const char *const pairs[][2] = {
		{"g++", "g-"},
		{"ab", "ab-"},
		{"admin", "admin-"},
		{"Admin!", "admin-"},
		{"天気", "agent-"},
		{"---", "agent-"},
		{"", "agent-"},
		{"abcdefghijklmnopqrstuvwxyz0123456", "abcdefghijklmnopqrstuvwxy-"},
		{"abcdefghijklmnopqrstuvwx-yz0123456789", "abcdefghijklmnopqrstuvwx-"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		const char *out = handle(pairs[i][0], false, pairs[i][0]);

		assert_row(pairs[i][0], strncmp(out, pairs[i][1], strlen(pairs[i][1])) == 0);
		assert_int_equal(strlen(out), strlen(pairs[i][1]) + 6);
		assert_int_equal(handle_check(str_of(out), NULL), OK);
	}
	assert_string_equal(handle("g++", false, "g++"), "g-005b83");
	assert_string_equal(handle("magic-mcp", true, "io.github.21st-dev/magic-mcp"), "magic-mcp-r19zcy");
}

static void the_mark_is_that_of_the_identity(void **state)
{
	char first[HANDLE_MAX + 1];

	(void)state;
	snprintf(first, sizeof(first), "%s", handle("server", true, "one/server"));
	assert_string_equal(first, handle("server", true, "one/server"));
	assert_string_not_equal(first, handle("server", true, "two/server"));
}

static void any_name_makes_a_good_handle(void **state)
{
	struct rng r = test_seed();

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char name[64];
		struct handle_text out;
		size_t n = rng_below(&r, sizeof(name));

		for (size_t k = 0; k < n; k++)
			name[k] = rng_below(&r, 3) ? "az-. 9Z"[rng_below(&r, 7)] : (char)rng_below(&r, 256);
		import_handle((struct str){name, n}, rng_below(&r, 4) == 0, (struct str){name, n}, &out);
		assert_int_equal(handle_check(str_of(out.text), NULL), OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_read_as_handles_become_them),
		cmocka_unit_test(others_get_a_mark_that_never_changes),
		cmocka_unit_test(the_mark_is_that_of_the_identity),
		cmocka_unit_test(any_name_makes_a_good_handle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
