/* Paths are what Go makes of them, so that Gas Town and we name the same files. */
#include "harness.h"

#include "roles/command_priv.h"

static void paths_are_joined_and_cut_as_go_does(void **state)
{
	static const struct {
		const char *a, *b, *joined;
	} joins[] = {{"/gt", "a", "/gt/a"}, {"", "", ""},          {"", "a", "a"},           {"/", "a", "/a"},
		     {"a", "../..", ".."},  {"a", "..", "."},      {"/", "..", "/"},         {"/a/", "//b", "/a/b"},
		     {"a/./b", "", "a/b"},  {"..", "..", "../.."}, {"/a", "b/../../..", "/"}};
	static const struct {
		const char *path, *base;
	} bases[] = {{"", "."}, {"/", "/"}, {"//", "/"}, {"a", "a"}, {"/a/b", "b"}, {"a/b//", "b"}, {"/a", "a"}};
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(joins); i++) {
		const struct str parts[] = {str_of(joins[i].a), str_of(joins[i].b)};

		assert_row(joins[i].a, str_eqz(path_join(arena, parts, 2), joins[i].joined));
	}
	for (size_t i = 0; i < COUNT_OF(bases); i++)
		assert_row(bases[i].path, str_eqz(path_base(str_of(bases[i].path)), bases[i].base));
	arena_destroy(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_joined_and_cut_as_go_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
