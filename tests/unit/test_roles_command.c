/*
 * The command for a shell: what Gas Town's string is, byte for byte, how ours is quoted, what it does not show, and
 * what no program can be given. test_roles_shell.c has shells read the strings back.
 */
#include "harness.h"

#include "roles_kit/spawning.h"

static struct spawning the;

/* ---- the string ---- */

/* Who shows this variable shows where its value comes from instead. */
static bool shown_from(const char *key, const char *variable)
{
	for (size_t i = 0; i < the.command.env.n; i++)
		if (str_eqz(the.command.env.v[i].key, key))
			return str_eqz(the.command.env_from.v[i], variable);
	return false;
}

static void compat_is_gas_towns_string_to_the_byte(void **state)
{
	(void)state;
	the.query.compat = true;
	the.options.prompt = STR("run `gt prime` for \"$X\" \\ now!\nthen go");
	spawning_make(&the);
	assert_str(the.command.shell,
		   "exec env BD_ACTOR=alpha/polecats/toast BD_BACKUP_ENABLED=false BD_DOLT_AUTO_COMMIT=off "
		   "BEADS_AGENT_NAME=alpha/toast BEADS_DOLT_AUTO_START=0 CLAUDECODE= CLAUDE_CODE_EFFORT_LEVEL=high "
		   "GIT_AUTHOR_NAME=toast GIT_CEILING_DIRECTORIES=/gt GT_AGENT=claude GT_POLECAT=toast "
		   "GT_PROCESS_NAMES=node,claude GT_RIG=alpha GT_ROLE=alpha/polecats/toast GT_ROOT=/gt "
		   "GT_SESSION_ID_ENV=CLAUDE_SESSION_ID NODE_OPTIONS= "
		   "claude --dangerously-skip-permissions --settings /gt/alpha/polecats/.claude/settings.json "
		   "\"run \\`gt prime\\` for \\\"\\$X\\\" \\\\ now!\nthen go\"");
}

static void compat_keeps_the_prompts_flag_and_opencodes_permission(void **state)
{
	(void)state;
	spawning_role(&the, ROLE_MAYOR, "", "");
	spawning_agent(&the, "opencode");
	the.query.compat = true;
	the.options.prompt = STR("hi");
	spawning_make(&the);
	assert_str(
		the.command.shell,
		"exec env BD_ACTOR=mayor BD_BACKUP_ENABLED=false BEADS_DOLT_AUTO_START=0 CLAUDECODE= "
		"CLAUDE_CODE_EFFORT_LEVEL=high GIT_AUTHOR_NAME=mayor GIT_CEILING_DIRECTORIES=/gt GT_AGENT=opencode "
		"GT_PROCESS_NAMES=opencode,node,bun GT_ROLE=mayor GT_ROOT=/gt NODE_OPTIONS= "
		"OPENCODE_PERMISSION='{\"*\":\"allow\"}' opencode --prompt \"hi\"");
}

static void without_compat_the_same_spawn_differs_only_in_how_it_is_quoted(void **state)
{
	(void)state;
	the.options.prompt = STR("gt prime");
	spawning_make(&the);
	assert_str(the.command.shell,
		   "exec env BD_ACTOR=alpha/polecats/toast BD_BACKUP_ENABLED=false BD_DOLT_AUTO_COMMIT=off "
		   "BEADS_AGENT_NAME=alpha/toast BEADS_DOLT_AUTO_START=0 CLAUDECODE= CLAUDE_CODE_EFFORT_LEVEL=high "
		   "GIT_AUTHOR_NAME=toast GIT_CEILING_DIRECTORIES=/gt GT_AGENT=claude GT_POLECAT=toast "
		   "GT_PROCESS_NAMES=node,claude GT_RIG=alpha GT_ROLE=alpha/polecats/toast GT_ROOT=/gt "
		   "GT_SESSION_ID_ENV=CLAUDE_SESSION_ID NODE_OPTIONS= "
		   "claude --dangerously-skip-permissions --settings /gt/alpha/polecats/.claude/settings.json 'gt "
		   "prime'");
}

/* Defect 10 of research/gastown.md 2.10. */
static void gas_town_quotes_with_gaps_and_we_without(void **state)
{
	static const struct {
		const char *word, *compat, *ours;
	} rows[] = {
		{"plain", "plain", "plain"},
		{"a b", "'a b'", "'a b'"},
		{"it's", "'it'\\''s'", "'it'\\''s'"},
		{"~", "~", "'~'"},
		{"=x", "=x", "'=x'"},
		{"a^b", "a^b", "'a^b'"},
		{"%1", "%1", "%1"},
		{"", "", "''"},
		{"\r", "\r", "'\r'"},
		{"caf\xc3\xa9", "caf\xc3\xa9", "'caf\xc3\xa9'"},
		{"!", "'!'", "'!'"},
		{"a\tb", "'a\tb'", "'a\tb'"},
		{"x;y", "'x;y'", "'x;y'"},
		{"sonnet[1m]", "'sonnet[1m]'", "'sonnet[1m]'"},
		{"{\"*\":1}", "'{\"*\":1}'", "'{\"*\":1}'"},
		{"a,b:c/d.e@f", "a,b:c/d.e@f", "a,b:c/d.e@f"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buf compat = BUF_INIT(0), ours = BUF_INIT(0);

		quote_compat(&compat, str_of(rows[i].word));
		buf_shell_word(&ours, str_of(rows[i].word));
		assert_true(str_eqz(buf_str(&compat), rows[i].compat));
		assert_true(str_eqz(buf_str(&ours), rows[i].ours));
		buf_free(&compat);
		buf_free(&ours);
	}
}

static void compat_loses_an_empty_argument_as_gas_town_does(void **state)
{
	struct str args[] = {STR("--x"), STR(""), STR("y")};

	(void)state;
	spawning_args(&the, args, 3);
	the.answer.claude = false;
	the.query.compat = true;
	spawning_make(&the);
	assert_true(spawning_shell_has(&the, "claude --x  y"));
	the.query.compat = false;
	spawning_make(&the);
	assert_true(spawning_shell_has(&the, "claude --x '' y"));
}

/* Defect 3 of research/gastown.md 2.10. */
static void a_secret_is_looked_up_when_it_is_spawned_and_shown_by_name(void **state)
{
	(void)state;
	spawning_agent(&the, "groq-compound");
	memory_files_env(the.files, "GROQ_API_KEY", "gsk 'live'");
	spawning_make(&the);
	assert_variable(&the, "ANTHROPIC_API_KEY", "gsk 'live'");
	assert_true(spawning_shell_has(&the, " ANTHROPIC_API_KEY=\"$GROQ_API_KEY\" "));
	assert_true(shown_from("ANTHROPIC_API_KEY", "GROQ_API_KEY"));
	assert_false(spawning_shell_has(&the, "live"));
	assert_int_equal(the.command.unset.n, 0);
	the.options.reveal = true;
	spawning_make(&the);
	assert_true(spawning_shell_has(&the, " ANTHROPIC_API_KEY='gsk '\\''live'\\''' "));
	memory_files_env(the.files, "GROQ_API_KEY", NULL);
	spawning_make(&the);
	assert_variable(&the, "ANTHROPIC_API_KEY", "");
	assert_int_equal(the.command.unset.n, 1);
	assert_str(the.command.unset.v[0], "GROQ_API_KEY");
	the.query.compat = true;
	spawning_make(&the);
	assert_variable(&the, "ANTHROPIC_API_KEY", "$GROQ_API_KEY"); /* which no server takes for a key */
	assert_true(spawning_shell_has(&the, " ANTHROPIC_API_KEY='$GROQ_API_KEY' "));
}

static void a_key_that_is_passed_on_is_shown_by_name(void **state)
{
	(void)state;
	memory_files_env(the.files, "ANTHROPIC_API_KEY", "sk-1");
	memory_files_env(the.files, "HTTPS_PROXY", "http://u:pw@proxy");
	memory_files_env(the.files, "ANTHROPIC_MODEL", "opus");
	spawning_make(&the);
	assert_true(spawning_shell_has(&the, " ANTHROPIC_API_KEY=\"$ANTHROPIC_API_KEY\" "));
	assert_true(spawning_shell_has(&the, " HTTPS_PROXY=\"$HTTPS_PROXY\" "));
	assert_true(spawning_shell_has(&the, " ANTHROPIC_MODEL=opus "));
	assert_false(spawning_shell_has(&the, "sk-1"));
	assert_false(spawning_shell_has(&the, "pw"));
	the.query.compat = true;
	spawning_make(&the);
	assert_true(spawning_shell_has(&the, " ANTHROPIC_API_KEY=sk-1 "));
}

static void only_a_whole_value_names_a_variable(void **state)
{
	static const struct {
		const char *written, *value;
	} rows[] = {
		{"$SECRET", "s3"},
		{"${SECRET}", "s3"},
		{"$SECRET ", "$SECRET "},
		{"x$SECRET", "x$SECRET"},
		{"$secret", "$secret"},
		{"${SECRET", "${SECRET"},
		{"$SECRET}", "$SECRET}"},
		{"$", "$"},
		{"$5", "$5"},
		{"${}", "${}"},
		{"$(SECRET)", "$(SECRET)"},
		{"$$", "$$"},
	};
	struct str arg[1];
	struct pair own[] = {{STR("K"), {0}, {0}}};

	(void)state;
	memory_files_env(the.files, "SECRET", "s3");
	memory_files_env(the.files, "secret", "s4");
	the.answer.claude = false;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		arg[0] = own[0].value = str_of(rows[i].written);
		spawning_args(&the, arg, 1);
		spawning_env(&the, own, 1);
		the.options.prompt = str_of(rows[i].written);
		spawning_make(&the);
		assert_variable(&the, "K", rows[i].value);
		assert_str(the.command.argv.v[1], rows[i].value);
		assert_str(the.command.argv.v[2], rows[i].written); /* a prompt never does */
	}
}

static void a_command_may_begin_with_a_variable(void **state)
{
	static const struct {
		const char *written, *value, *shown;
	} rows[] = {
		{"$TOOLS/claude", "/opt/my tools/claude", " \"$TOOLS\"/claude"},
		{"${TOOLS}/a b", "/opt/my tools/a b", " \"$TOOLS\"'/a b'"},
		{"$TOOLS", "/opt/my tools", " \"$TOOLS\""},
		{"$TOOLSx", "$TOOLSx", " '$TOOLSx'"},
		{"~/x", "/users/u/x", " /users/u/x"},
		{"~root/x", "~root/x", " '~root/x'"},
	};

	(void)state;
	memory_files_env(the.files, "TOOLS", "/opt/my tools");
	memory_files_env(the.files, "HOME", "/users/u");
	the.answer.claude = false;
	spawning_args(&the, NULL, 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		the.answer.runtime.command = str_of(rows[i].written);
		spawning_make(&the);
		assert_str(the.command.argv.v[0], rows[i].value);
		assert_true(spawning_shell_has(&the, rows[i].shown));
	}
}

/* ---- what cannot be started ---- */

static void what_no_program_can_be_given_is_refused(void **state)
{
	static char long_prompt[131072];
	struct str nul[] = {{"a\0b", 3}};
	struct pair names[] = {{STR("A=B"), STR("x"), {0}}, {STR(""), STR("x"), {0}}, {{"A\0B", 3}, STR("x"), {0}}};

	(void)state;
	spawning_args(&the, nul, 1);
	assert_int_equal(spawning_try(&the), ERR_INVALID);
	spawning_args(&the, NULL, 0);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		spawning_env(&the, &names[i], 1);
		assert_int_equal(spawning_try(&the), ERR_INVALID);
		assert_non_null(strstr(the.problem.detail, "variable"));
	}
	spawning_env(&the, NULL, 0);
	memset(long_prompt, 'x', sizeof(long_prompt));
	the.options.prompt = (struct str){long_prompt, sizeof(long_prompt)};
	assert_int_equal(spawning_try(&the), ERR_TOO_LARGE);
	assert_non_null(strstr(the.problem.detail, "131071"));
	the.options.prompt.n--;
	spawning_make(&the);
	the.options.prompt.n = 0;
	the.answer.runtime.command = (struct str){0};
	assert_int_equal(spawning_try(&the), ERR_INVALID);
}

static void a_full_arena_is_an_error(void **state)
{
	struct arena *small = arena_new(6000);
	struct spawn s = spawning_facts(&the);

	(void)state;
	s.arena = small;
	assert_int_equal(spawn_command(&s, &the.command, &the.problem), ERR_TOO_LARGE);
	arena_destroy(&small);
}

#define TEST(name) SPAWNING_TEST(name, the)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(compat_is_gas_towns_string_to_the_byte),
		TEST(compat_keeps_the_prompts_flag_and_opencodes_permission),
		TEST(without_compat_the_same_spawn_differs_only_in_how_it_is_quoted),
		TEST(gas_town_quotes_with_gaps_and_we_without),
		TEST(compat_loses_an_empty_argument_as_gas_town_does),
		TEST(a_secret_is_looked_up_when_it_is_spawned_and_shown_by_name),
		TEST(a_key_that_is_passed_on_is_shown_by_name),
		TEST(only_a_whole_value_names_a_variable),
		TEST(a_command_may_begin_with_a_variable),
		TEST(what_no_program_can_be_given_is_refused),
		TEST(a_full_arena_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
