/*
 * From the files of a town to what is started: the ladder's answer handed to the command, with compat as Gas Town
 * would print it, and without as it should be.
 */
#include "harness.h"

#include "roles/command.h"
#include "town_kit/story.h"

static struct story *s;
static struct role_command command;

static enum err start(struct role_query q, struct command_options o)
{
	enum err err = story_ask(s, q);

	return err ? err : role_command(s->town, &q, &s->answer, &o, s->arena, &command, &s->problem);
}

static void started(struct role_query q, struct command_options o)
{
	if (start(q, o))
		fail_msg("%s", s->problem.detail);
}

/* The command of a polecat called toast in the rig alpha, as Gas Town prints it or as we do. */
static void polecat(bool compat, const char *prompt)
{
	started(
		(struct role_query){
			.role = STR("polecat"), .rig = STR("alpha"), .name = STR("toast"), .compat = compat},
		(struct command_options){.prompt = str_of(prompt)});
}

static void mayor(bool compat, struct command_options o)
{
	started((struct role_query){.role = STR("mayor"), .compat = compat}, o);
}

/* The string from the program on: what stands before it is environment. */
static const char *program(const char *name)
{
	const char *found = strstr(command.shell.p, name);

	return found ? found : command.shell.p;
}

static bool has(const char *part)
{
	return strstr(command.shell.p, part) != NULL;
}

static const char *variable(const char *key)
{
	for (size_t i = 0; i < command.env.n; i++)
		if (str_eqz(command.env.v[i].key, key))
			return arena_z(s->arena, command.env.v[i].value);
	return "(unset)";
}

/* ---- Gas Town to the letter ---- */

static void a_fresh_town_starts_claude(void **state)
{
	(void)state;
	polecat(true, "gt prime");
	assert_str(command.shell,
		   "exec env BD_ACTOR=alpha/polecats/toast BD_BACKUP_ENABLED=false BD_DOLT_AUTO_COMMIT=off "
		   "BEADS_AGENT_NAME=alpha/toast BEADS_DOLT_AUTO_START=0 CLAUDECODE= CLAUDE_CODE_EFFORT_LEVEL=high "
		   "GIT_AUTHOR_NAME=toast GIT_CEILING_DIRECTORIES=/t GT_AGENT=claude GT_POLECAT=toast "
		   "GT_PROCESS_NAMES=node,claude GT_RIG=alpha GT_ROLE=alpha/polecats/toast GT_ROOT=/t "
		   "GT_SESSION_ID_ENV=CLAUDE_SESSION_ID NODE_OPTIONS= "
		   "/bin/claude --dangerously-skip-permissions --settings /t/alpha/polecats/.claude/settings.json "
		   "\"gt prime\"");
}

static void a_preset_of_role_agents_takes_the_prompt_its_way(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'role_agents':{'polecat':'gemini'}}");
	polecat(true, "gt prime");
	assert_string_equal(program("gemini --"), "gemini --approval-mode yolo -i \"gt prime\"");
	assert_string_equal(variable("GT_PROCESS_NAMES"), "gemini");
	assert_string_equal(variable("GT_SESSION_ID_ENV"), "GEMINI_SESSION_ID");
	story_put(s, "settings/config.json", "{'role_agents':{'polecat':'codex'}}");
	polecat(true, "gt prime");
	assert_string_equal(program("codex --"),
			    "codex --dangerously-bypass-approvals-and-sandbox"); /* no prompt */
}

static void a_custom_agent_has_its_arguments_and_environment(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{'role_agents':{'polecat':'claude-sonnet'},'role_effort':{'polecat':'low'},'agents':{'claude-"
		  "sonnet':"
		  "{'command':'claude','args':['--dangerously-skip-permissions','--model','sonnet[1m]'],"
		  "'env':{'NODE_OPTIONS':'--max-old-space-size=4096'}}}}");
	polecat(true, "");
	assert_true(has(" NODE_OPTIONS=--max-old-space-size=4096 "));
	assert_true(has(" CLAUDE_CODE_EFFORT_LEVEL=low "));
	assert_true(has(" GT_AGENT=claude-sonnet "));
	assert_true(has("claude --dangerously-skip-permissions --model 'sonnet[1m]' --settings "));
}

static void the_wrapper_of_the_rigs_runtime_wraps_every_agent(void **state)
{
	(void)state;
	story_put(s, "alpha/settings/config.json",
		  "{'type':'rig-settings','version':1,'role_agents':{'polecat':'gemini'},"
		  "'runtime':{'command':'claude','exec_wrapper':['exitbox','run','--profile=x y','--']}}");
	polecat(true, "");
	assert_true(has(" NODE_OPTIONS= exitbox run --profile=x y -- gemini --approval-mode yolo"));
	polecat(false, "");
	assert_true(has(" exitbox run '--profile=x y' -- gemini --approval-mode yolo"));
}

static void an_override_of_several_words_is_exported_whole(void **state)
{
	(void)state;
	started((struct role_query){.role = STR("mayor"), .agent = STR("opencode acp"), .compat = true},
		(struct command_options){0});
	assert_string_equal(variable("GT_AGENT"), "opencode acp");
	assert_string_equal(variable("GT_PROCESS_NAMES"), "opencode,node,bun");
	assert_true(has(" GT_AGENT='opencode acp' "));
	assert_string_equal(program(" opencode acp"), " opencode acp");
}

static void compat_goes_on_as_the_provider_does(void **state)
{
	static const struct {
		const char *agent, *end;
	} rows[] = {
		{"{'command':'claude','args':['-x']}", "claude -x --resume s1"},
		{"{'provider':'gemini','args':['-x']}", "gemini -x --resume s1"},
		{"{'provider':'codex','args':['-x']}", "codex resume s1 -x"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		story_put(s, "settings/config.json",
			  arena_fmt(s->arena, "{'default_agent':'mine','agents':{'mine':%s}}", rows[i].agent).p);
		for (int compat = 0; compat < 2; compat++) {
			mayor(compat, (struct command_options){.resume = STR("s1")});
			assert_true(command.shell.n > strlen(rows[i].end));
			assert_string_equal(command.shell.p + command.shell.n - strlen(rows[i].end), rows[i].end);
		}
	}
}

/* ---- better ---- */

/* Defect 3 of research/gastown.md 2.10. */
static void the_key_of_groq_reaches_it_and_no_string_shows_it(void **state)
{
	(void)state;
	story_env(s, "GROQ_API_KEY", "gsk-live");
	story_put(s, "settings/config.json", "{'role_agents':{'polecat':'groq-compound'}}");
	polecat(true, "");
	assert_true(has(" ANTHROPIC_API_KEY='$GROQ_API_KEY' ")); /* which no server takes for a key */
	polecat(false, "");
	assert_string_equal(variable("ANTHROPIC_API_KEY"), "gsk-live");
	assert_true(has(" ANTHROPIC_API_KEY=\"$GROQ_API_KEY\" "));
	assert_false(has("gsk-live"));
}

/* Defect 4. */
static void a_variant_of_claude_in_agents_json_is_claude(void **state)
{
	(void)state;
	story_put(s, "settings/agents.json",
		  "{'version':1,'agents':{'claude-fast':{'command':'claude','args':['--model','haiku']}}}");
	story_put(s, "settings/config.json", "{'role_agents':{'polecat':'claude-fast'}}");
	polecat(true, "");
	assert_false(has("--settings"));
	polecat(false, "");
	assert_true(has("--model haiku --settings /t/alpha/polecats/.claude/settings.json"));
	assert_string_equal(variable("GT_PROCESS_NAMES"), "node,claude");
}

static void a_model_and_an_effort_of_this_spawn_reach_each_program_its_way(void **state)
{
	static const struct {
		const char *agent, *model, *effort, *part;
	} rows[] = {
		{"claude", "opus", "xhigh", "--model opus"},
		{"gemini", "gemini-3.1-pro", "", "--model gemini-3.1-pro"},
		{"codex", "gpt-5.4", "max", "--model gpt-5.4"},
		{"codex", "", "max", "model_reasoning_effort=xhigh"},
		{"vibe", "large", "", "VIBE_ACTIVE_MODEL=large"},
		{"pi", "", "low", "--thinking low"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		started((struct role_query){.role = STR("mayor"),
					    .agent = str_of(rows[i].agent),
					    .model = str_of(rows[i].model),
					    .effort = str_of(rows[i].effort)},
			(struct command_options){0});
		if (!has(rows[i].part))
			fail_msg("no %s in %s", rows[i].part, command.shell.p);
	}
	started((struct role_query){.role = STR("mayor"), .effort = STR("xhigh")}, (struct command_options){0});
	assert_string_equal(variable("CLAUDE_CODE_EFFORT_LEVEL"), "xhigh");
}

static void an_account_of_the_town_is_the_folder_of_its_settings(void **state)
{
	(void)state;
	story_env(s, "HOME", "/users/u");
	story_put(s, "mayor/accounts.json",
		  "{'version':1,'accounts':{'work':{'config_dir':'~/.claude-work'}},'default':'work'}");
	for (int compat = 0; compat < 2; compat++) {
		mayor(compat, (struct command_options){0});
		assert_string_equal(variable("CLAUDE_CONFIG_DIR"), "/users/u/.claude-work");
	}
}

static void a_worker_gets_each_preset_without_a_terminal(void **state)
{
	static const struct {
		const char *agent, *end; /* NULL: it cannot */
	} rows[] = {
		{"claude", "--output-format json -p 'fix it'"},
		{"groq-compound", "--output-format json -p 'fix it'"},
		{"gemini", "--output-format json -p 'fix it'"},
		{"codex", "--json 'fix it'"},
		{"cursor", "--output-format json -p 'fix it'"},
		{"opencode", "--format json 'fix it'"},
		{"copilot", "-p 'fix it'"},
		{"pi", "--no-session -p 'fix it'"},
		{"omp", "--prompt 'fix it'"},
		{"vibe", "--output json -p 'fix it'"},
		{"auggie", NULL},
		{"amp", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		enum err err = start((struct role_query){.role = STR("polecat"),
							 .rig = STR("alpha"),
							 .name = STR("toast"),
							 .agent = str_of(rows[i].agent)},
				     (struct command_options){.non_interactive = true, .prompt = STR("fix it")});

		assert_row(rows[i].agent, err == (rows[i].end ? OK : ERR_INVALID));
		if (!err)
			assert_string_equal(command.shell.p + command.shell.n - strlen(rows[i].end), rows[i].end);
	}
}

static void names_from_files_that_mean_something_to_a_shell_are_words(void **state)
{
	(void)state;
	story_put_raw(s, "settings/config.json",
		      "{\"role_agents\":{\"polecat\":\"$(touch x)\"},\"agents\":{\"$(touch "
		      "x)\":{\"command\":\"/opt/a b;c\","
		      "\"args\":[\"`id`\",\"\",\"~\"],\"env\":{\"K;K\":\"a\\nb\"}}}}");
	story_install(s, "/opt/a b;c");
	polecat(false, "$HOME");
	assert_true(has(" GT_AGENT='$(touch x)' "));
	assert_true(has(" 'K;K'='a\nb' "));
	assert_true(has(" '/opt/a b;c' '`id`' '' '~' '$HOME'"));
}

#define TEST(name) STORY_TEST(name, s)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_fresh_town_starts_claude),
		TEST(a_preset_of_role_agents_takes_the_prompt_its_way),
		TEST(a_custom_agent_has_its_arguments_and_environment),
		TEST(the_wrapper_of_the_rigs_runtime_wraps_every_agent),
		TEST(an_override_of_several_words_is_exported_whole),
		TEST(compat_goes_on_as_the_provider_does),
		TEST(the_key_of_groq_reaches_it_and_no_string_shows_it),
		TEST(a_variant_of_claude_in_agents_json_is_claude),
		TEST(a_model_and_an_effort_of_this_spawn_reach_each_program_its_way),
		TEST(an_account_of_the_town_is_the_folder_of_its_settings),
		TEST(a_worker_gets_each_preset_without_a_terminal),
		TEST(names_from_files_that_mean_something_to_a_shell_are_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
