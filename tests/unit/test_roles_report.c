/* Answers as the API tells them: places, how mistakes are written, and what others than the town's own do not see.
 */
#include "harness.h"

#include "roles/report.h"

static const struct role_query query = {.role = {"polecat", 7}, .rig = {"alpha", 5}};

static struct role_resolved reported(const struct role_answer *answer, struct pair *env, struct str *from, size_t n,
				     bool others, struct arena *a)
{
	struct role_command c = {.shell = STR("exec env claude"),
				 .env = {env, n},
				 .env_from = {from, n, false},
				 .argv_shown = {.v = (struct str[]){STR("claude"), STR("")}, .n = 2}};
	struct role_resolved out = {0};

	role_report(&query, answer, &c, others, a, &out);
	return out;
}

static void others_see_no_command_and_no_secrets(void **state)
{
	static const char *const secret[] = {"MY_API_KEY",
					     "github_token",
					     "DB_PASSWORD",
					     "AWS_SECRET_ACCESS_KEY",
					     "ANTHROPIC_CUSTOM_HEADERS",
					     "HTTPS_PROXY",
					     "GOOGLE_APPLICATION_CREDENTIALS"};
	static const char *const plain[] = {"GT_ROLE", "GIT_AUTHOR_NAME", "CLAUDE_CODE_EFFORT_LEVEL"};
	const struct role_answer answer = {.role = ROLE_POLECAT, .agent = STR("claude"), .runs = STR("claude")};
	struct arena *a = arena_new(1 << 20);
	struct pair env[COUNT_OF(secret) + COUNT_OF(plain)] = {0};
	struct str from[COUNT_OF(env)] = {0};
	struct role_resolved out;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(secret); i++)
		env[n++] = (struct pair){.key = str_of(secret[i]), .value = STR("sk-live")};
	for (size_t i = 0; i < COUNT_OF(plain); i++)
		env[n++] = (struct pair){.key = str_of(plain[i]), .value = STR("plain")};
	out = reported(&answer, env, from, n, true, a);
	assert_false(HAS(&out, role_resolved, command));
	for (size_t i = 0; i < n; i++)
		assert_int_equal(HAS(&out.env[i], role_variable, value), i >= COUNT_OF(secret));
	out = reported(&answer, env, from, n, false, a);
	assert_true(HAS(&out, role_resolved, command));
	for (size_t i = 0; i < n; i++)
		assert_true(HAS(&out.env[i], role_variable, value));
	arena_destroy(&a);
}

static void what_is_looked_up_is_told_by_name_to_everybody(void **state)
{
	const struct role_answer answer = {.role = ROLE_POLECAT};
	struct pair env[] = {{.key = STR("X"), .value = STR("sk-live")}};
	struct str from[] = {STR("GROQ_API_KEY")};
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (int others = 0; others < 2; others++) {
		struct role_resolved out = reported(&answer, env, from, 1, others, a);

		assert_false(HAS(&out.env[0], role_variable, value));
		assert_str(out.env[0].from, "GROQ_API_KEY");
		assert_int_equal(out.argv_count, 2);
	}
	arena_destroy(&a);
}

static void mistakes_are_written_as_compilers_do(void **state)
{
	static const struct {
		struct fault fault;
		const char *shown;
	} cases[] = {
		{{SEVERITY_ERROR, {"a.json", 3, 7}, {"bad", 3}}, "a.json:3:7: error: bad"},
		{{SEVERITY_WARNING, {"a.json", 0, 0}, {"bad", 3}}, "a.json: warning: bad"},
		{{SEVERITY_HINT, {NULL, 0, 0}, {"so\x1b[2J", 6}}, "hint: so\\u001b[2J"},
	};
	struct arena *a = arena_new(1 << 20);
	struct buf b = BUF_INIT(0);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct role_mistake m = role_report_fault(&cases[i].fault, a);

		buf_reset(&b);
		role_fault_show(&m, &b);
		assert_string_equal(buf_cstr(&b), cases[i].shown);
	}
	assert_str(role_place((struct origin){"a.json", 3, 7}, "x", a), "a.json:3");
	assert_str(role_place((struct origin){"a.json", 0, 0}, "x", a), "a.json");
	assert_str(role_place((struct origin){0}, "built in", a), "built in");
	buf_free(&b);
	arena_destroy(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(others_see_no_command_and_no_secrets),
		cmocka_unit_test(what_is_looked_up_is_told_by_name_to_everybody),
		cmocka_unit_test(mistakes_are_written_as_compilers_do),
	};

	return cmocka_run_group_tests_name("roles_report", tests, NULL, NULL);
}
