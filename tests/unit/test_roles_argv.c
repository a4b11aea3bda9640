/*
 * The words an agent is started with: settings, prompts and sessions, as each program takes them.
 */
#include "harness.h"

#include "roles_kit/spawning.h"

static struct spawning the;

/* ---- arguments ---- */

static void settings_are_given_to_claude_in_four_roles_once(void **state)
{
	static const struct {
		enum role role;
		const char *path;
	} rows[] = {
		{ROLE_CREW, "/gt/alpha/crew/.claude/settings.json"},
		{ROLE_WITNESS, "/gt/alpha/witness/.claude/settings.json"},
		{ROLE_REFINERY, "/gt/alpha/refinery/.claude/settings.json"},
		{ROLE_POLECAT, "/gt/alpha/polecats/.claude/settings.json"},
		{ROLE_MAYOR, NULL},
		{ROLE_DEACON, NULL},
		{ROLE_BOOT, NULL},
		{ROLE_DOG, NULL},
	};
	struct str own[] = {STR("--settings"), STR("x.json")}, joined[] = {STR("--settings=x.json")};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		spawning_role(&the, rows[i].role, "alpha", "toast");
		spawning_make(&the);
		assert_int_equal(the.command.argv.n, rows[i].path ? 4 : 2);
		if (rows[i].path)
			assert_string_equal(
				spawning_words(&the, 2),
				arena_z(the.arena, arena_fmt(the.arena, "--settings %s", rows[i].path)));
	}
	spawning_role(&the, ROLE_POLECAT, "", "toast");
	spawning_make(&the);
	assert_int_equal(the.command.argv.n, 2); /* no rig, no folder of settings */
	spawning_role(&the, ROLE_POLECAT, "alpha", "toast");
	spawning_args(&the, own, 2);
	spawning_make(&the);
	assert_string_equal(spawning_words(&the, 1), "--settings x.json");
	spawning_args(&the, joined, 1);
	spawning_make(&the);
	assert_string_equal(spawning_words(&the, 1), "--settings=x.json");
	the.answer.claude = false;
	spawning_args(&the, own, 0);
	spawning_make(&the);
	assert_int_equal(the.command.argv.n, 1);
}

static void the_path_of_settings_is_shortened_as_go_does(void **state)
{
	static const struct {
		const char *dir, *file, *path;
	} rows[] = {
		{"", "", "/gt/alpha/polecats/.claude/settings.json"},
		{"hooks//x/", "./s.json", "/gt/alpha/polecats/hooks/x/s.json"},
		{"../../shared", "s.json", "/gt/shared/s.json"},
		{"../../../../../..", "s.json", "/s.json"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		the.answer.runtime.hooks.dir = str_of(rows[i].dir);
		the.answer.runtime.hooks.settings_file = str_of(rows[i].file);
		spawning_make(&the);
		assert_string_equal(spawning_words(&the, 3), rows[i].path);
	}
}

static void each_program_takes_its_prompt_its_own_way(void **state)
{
	static const struct {
		const char *command, *words;
	} rows[] = {
		{"claude", "go on"},
		{"opencode", "--prompt go on"},
		{"/users/u/.opencode/bin/opencode", "--prompt go on"},
		{"copilot", "-i go on"},
		{"/usr/bin/copilot", "-i go on"},
		{"gemini", "-i go on"},
		{"/usr/bin/gemini", "-i go on"},
		{"gt-gemini", "go on"},
		{"auggie", "go on"},
	};

	(void)state;
	the.answer.claude = false;
	spawning_args(&the, NULL, 0);
	the.options.prompt = STR("go on");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		the.answer.runtime.command = str_of(rows[i].command);
		spawning_make(&the);
		assert_string_equal(spawning_words(&the, 1), rows[i].words);
	}
	the.answer.runtime.prompt_mode = PROMPT_NONE;
	spawning_make(&the);
	assert_int_equal(the.command.argv.n, 1);
}

static void an_agents_own_prompt_counts_when_none_is_given(void **state)
{
	(void)state;
	spawning_args(&the, NULL, 0);
	the.answer.claude = false;
	the.answer.runtime.initial_prompt = STR("gt prime");
	spawning_make(&the);
	assert_string_equal(spawning_words(&the, 1), "gt prime");
	the.options.prompt = STR("other");
	spawning_make(&the);
	assert_string_equal(spawning_words(&the, 1), "other");
	the.options = (struct command_options){.resume = STR("s1")};
	spawning_make(&the);
	assert_string_equal(spawning_words(&the, 1), "--resume s1"); /* the session has it already */
	the.query.compat = true;
	the.options = (struct command_options){0};
	spawning_make(&the);
	assert_int_equal(the.command.argv.n, 1); /* Gas Town looks at it only when another prompt is given */
}

static void a_prompt_is_not_taken_for_an_option(void **state)
{
	(void)state;
	the.answer.claude = false;
	spawning_args(&the, NULL, 0);
	the.options.prompt = STR("--mcp-config=/tmp/x");
	spawning_make(&the);
	assert_string_equal(spawning_words(&the, 1), " --mcp-config=/tmp/x");
	the.query.compat = true;
	spawning_make(&the);
	assert_string_equal(spawning_words(&the, 1), "--mcp-config=/tmp/x");
}

static void a_wrapper_stands_before_the_command(void **state)
{
	struct str wrapper[] = {STR("~/bin/box"), STR("run it"), STR("--")};

	(void)state;
	memory_files_env(the.files, "HOME", "/users/u");
	the.answer.runtime.exec_wrapper = (struct texts){wrapper, 3, true};
	the.answer.claude = false;
	spawning_make(&the);
	assert_string_equal(spawning_words(&the, 0),
			    "/users/u/bin/box run it -- claude --dangerously-skip-permissions");
	assert_int_equal(the.command.argv.n, 5);
	assert_true(
		spawning_shell_has(&the, " /users/u/bin/box 'run it' -- claude --dangerously-skip-permissions"));
	the.query.compat = true;
	spawning_make(&the);
	assert_true(spawning_shell_has(&the, " ~/bin/box run it -- claude --dangerously-skip-permissions"));
}

/* ---- going on with a session ---- */

static void each_agent_goes_on_with_a_session_its_own_way(void **state)
{
	static const struct {
		const char *agent, *resume, *words; /* words NULL: it cannot */
	} rows[] = {
		{"claude", "s1", "claude --dangerously-skip-permissions --resume s1"},
		{"claude", "last", "claude --dangerously-skip-permissions --continue"},
		{"gemini", "s1", "gemini --approval-mode yolo --resume s1"},
		{"gemini", "last", NULL},
		{"codex", "s1", "codex resume s1 --dangerously-bypass-approvals-and-sandbox"},
		{"codex", "last", NULL},
		{"amp", "T-1", "amp threads continue T-1 --dangerously-allow-all --no-ide"},
		{"copilot", "last", "copilot --yolo --continue"},
		{"vibe", "s.1_2", "vibe --agent auto-approve --resume s.1_2"},
		{"opencode", "s1", NULL},
		{"pi", "s1", NULL},
	};

	(void)state;
	spawning_role(&the, ROLE_MAYOR, "", "");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		spawning_agent(&the, rows[i].agent);
		the.options.resume = str_of(rows[i].resume);
		if (!rows[i].words) {
			assert_int_equal(spawning_try(&the), ERR_INVALID);
			assert_non_null(strstr(the.problem.detail, rows[i].agent));
			continue;
		}
		spawning_make(&the);
		assert_string_equal(spawning_words(&the, 0), rows[i].words);
	}
}

static void an_id_that_no_session_has_is_refused(void **state)
{
	static const char *const wrong[] = {"a b", "$(x)", "a;b", "-x", "a/b", "'", "a\nb", "\xc3\xa9"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		the.options.resume = str_of(wrong[i]);
		assert_int_equal(spawning_try(&the), ERR_INVALID);
	}
}

/* ---- without a terminal ---- */

static void each_agent_works_without_a_terminal_its_own_way(void **state)
{
	static const struct {
		const char *agent, *words; /* NULL: nobody knows how */
	} rows[] = {
		{"claude", "claude --dangerously-skip-permissions --output-format json -p do it"},
		{"groq-compound", "claude --dangerously-skip-permissions --output-format json -p do it"},
		{"gemini", "gemini --approval-mode yolo --output-format json -p do it"},
		{"codex", "codex exec --dangerously-bypass-approvals-and-sandbox --json do it"},
		{"cursor", "cursor-agent -f --output-format json -p do it"},
		{"opencode", "opencode run --format json do it"},
		{"copilot", "copilot --yolo -p do it"},
		{"pi", "pi -e .pi/extensions/gastown-hooks.js --no-session -p do it"},
		{"omp", "omp --hook .omp/hooks/gastown-hook.ts --prompt do it"},
		{"vibe", "vibe --agent auto-approve --output json -p do it"},
		{"auggie", NULL},
		{"amp", NULL},
	};

	(void)state;
	spawning_role(&the, ROLE_MAYOR, "", "");
	the.options = (struct command_options){.non_interactive = true, .prompt = STR("do it")};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		spawning_agent(&the, rows[i].agent);
		if (!rows[i].words) {
			assert_int_equal(spawning_try(&the), ERR_INVALID);
			assert_non_null(strstr(the.problem.detail, "non_interactive"));
			continue;
		}
		spawning_make(&the);
		assert_string_equal(spawning_words(&the, 0), rows[i].words);
	}
	spawning_agent(&the, "gemini");
	the.options.prompt = (struct str){0};
	assert_int_equal(spawning_try(&the), ERR_INVALID);
}

static void a_worker_can_go_on_with_a_session(void **state)
{
	(void)state;
	spawning_role(&the, ROLE_MAYOR, "", "");
	the.options = (struct command_options){.non_interactive = true, .prompt = STR("more"), .resume = STR("s1")};
	spawning_make(&the);
	assert_string_equal(spawning_words(&the, 0),
			    "claude --dangerously-skip-permissions --resume s1 --output-format json -p more");
	spawning_agent(&the, "codex");
	spawning_make(&the);
	assert_string_equal(spawning_words(&the, 0),
			    "codex exec resume s1 --dangerously-bypass-approvals-and-sandbox --json more");
}

#define TEST(name) SPAWNING_TEST(name, the)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(settings_are_given_to_claude_in_four_roles_once),
		TEST(the_path_of_settings_is_shortened_as_go_does),
		TEST(each_program_takes_its_prompt_its_own_way),
		TEST(an_agents_own_prompt_counts_when_none_is_given),
		TEST(a_prompt_is_not_taken_for_an_option),
		TEST(a_wrapper_stands_before_the_command),
		TEST(each_agent_goes_on_with_a_session_its_own_way),
		TEST(an_id_that_no_session_has_is_refused),
		TEST(each_agent_works_without_a_terminal_its_own_way),
		TEST(a_worker_can_go_on_with_a_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
