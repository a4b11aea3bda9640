/*
 * From an answer to a command: who each role says it is, what reaches an agent, how each program takes its prompt,
 * and what Gas Town's string is, byte for byte. test_roles_shell.c has shells read the strings back.
 */
#include "harness.h"

#include "roles/command_priv.h"
#include "roles_kit/memory_files.h"

static struct {
	struct memory_files *files;
	struct arena *arena;
	struct role_query query;
	struct role_answer answer;
	struct command_options options;
	struct role_command command;
	struct problem problem;
} the;

/* A polecat of the rig alpha that runs Claude: what a test does not say is so. */
static int set_up(void **state)
{
	(void)state;
	memset(&the, 0, sizeof(the));
	the.files = memory_files_new();
	the.arena = arena_new(16 << 20);
	the.query = (struct role_query){.role = STR("polecat"), .rig = STR("alpha"), .name = STR("toast")};
	the.answer = (struct role_answer){
		.role = ROLE_POLECAT,
		.agent = STR("claude"),
		.runs = STR("claude"),
		.exported = STR("claude"),
		.claude = true,
		.runtime = agents_find(presets_builtin(), STR("claude"))->runtime,
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	memory_files_destroy(&the.files);
	arena_destroy(&the.arena);
	return 0;
}

static void is_role(enum role role, struct str rig, struct str name)
{
	the.answer.role = role;
	the.query.role = str_of(role_texts[role]);
	the.query.rig = rig;
	the.query.name = name;
}

static void runs_agent(const char *name)
{
	the.answer.agent = the.answer.runs = the.answer.exported = str_of(name);
	the.answer.runtime = agents_find(presets_builtin(), str_of(name))->runtime;
	the.answer.claude = str_eqz(the.answer.runtime.command, "claude");
}

static struct spawn spawn(void)
{
	return (struct spawn){
		.files = &the.files->files,
		.town_dir = STR("/gt"),
		.registry = presets_builtin(),
		.query = &the.query,
		.answer = &the.answer,
		.options = &the.options,
		.arena = the.arena,
	};
}

static enum err try(void)
{
	const struct spawn s = spawn();

	the.problem = (struct problem){0};
	return spawn_command(&s, &the.command, &the.problem);
}

static void build(void)
{
	if (try() != OK)
		fail_msg("%s", the.problem.detail);
}

/* NULL: the variable is not set. */
static const char *variable(const char *key)
{
	for (size_t i = 0; i < the.command.env.n; i++)
		if (str_eqz(the.command.env.v[i].key, key))
			return arena_z(the.arena, the.command.env.v[i].value);
	return NULL;
}

static void assert_variable(const char *key, const char *value)
{
	const char *is = variable(key);

	if ((is == NULL) != (value == NULL) || (is && strcmp(is, value) != 0))
		fail_msg("%s is \"%s\", not \"%s\"", key, is ? is : "(unset)", value ? value : "(unset)");
}

/* "claude --resume x": the words of argv from the nth on, with a space between them. */
static const char *words_from(size_t n)
{
	struct str text = {0};

	for (size_t i = n; i < the.command.argv.n; i++)
		text = arena_fmt(the.arena, "%.*s%s%.*s", STRF(text), i > n ? " " : "",
				 STRF(the.command.argv.v[i]));
	return arena_z(the.arena, text);
}

static bool shell_has(const char *part)
{
	return strstr(arena_z(the.arena, the.command.shell), part) != NULL;
}

static void set_args(struct str *v, size_t n)
{
	the.answer.runtime.args = (struct texts){v, n, true};
}

static void set_env(struct pair *v, size_t n)
{
	the.answer.runtime.env = (struct pairs){v, n};
}

/* ---- who it is ---- */

static void each_role_says_who_it_is(void **state)
{
	static const struct {
		enum role role;
		const char *rig, *name, *gt_role, *actor, *author, *gt_rig, *name_var, *agent_name;
	} rows[] = {
		{ROLE_MAYOR, "", "", "mayor", "mayor", "mayor", NULL, NULL, NULL},
		{ROLE_DEACON, "", "", "deacon", "deacon", "deacon", NULL, NULL, NULL},
		{ROLE_BOOT, "", "", "deacon/boot", "deacon-boot", "boot", NULL, NULL, NULL},
		{ROLE_WITNESS, "alpha", "", "alpha/witness", "alpha/witness", "alpha/witness", "alpha", NULL, NULL},
		{ROLE_REFINERY, "alpha", "", "alpha/refinery", "alpha/refinery", "alpha/refinery", "alpha", NULL,
		 NULL},
		{ROLE_POLECAT, "alpha", "toast", "alpha/polecats/toast", "alpha/polecats/toast", "toast", "alpha",
		 "GT_POLECAT", "alpha/toast"},
		{ROLE_CREW, "alpha", "max", "alpha/crew/max", "alpha/crew/max", "max", "alpha", "GT_CREW",
		 "alpha/max"},
		{ROLE_DOG, "", "rex", "dog", "deacon/dogs/rex", "rex", NULL, "GT_DOG_NAME", NULL},
		{ROLE_DOG, "", "", "dog", "dog", "dog", NULL, NULL, NULL},
	};
	static const char *const name_vars[] = {"GT_POLECAT", "GT_CREW", "GT_DOG_NAME"};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
		size_t r = i / 2;

		the.query.compat = i % 2;
		is_role(rows[r].role, str_of(rows[r].rig), str_of(rows[r].name));
		build();
		assert_variable("GT_ROLE", rows[r].gt_role);
		assert_variable("BD_ACTOR", rows[r].actor);
		assert_variable("GIT_AUTHOR_NAME", rows[r].author);
		assert_variable("GT_RIG", rows[r].gt_rig);
		assert_variable("BEADS_AGENT_NAME", rows[r].agent_name);
		for (size_t v = 0; v < COUNT_OF(name_vars); v++)
			assert_variable(name_vars[v], rows[r].name_var && !strcmp(name_vars[v], rows[r].name_var)
							      ? rows[r].name
							      : NULL);
		assert_variable("BD_DOLT_AUTO_COMMIT", rows[r].role == ROLE_POLECAT ? "off" : NULL);
	}
}

static void a_polecat_without_a_name_is_one_of_its_rig(void **state)
{
	(void)state;
	the.query.name = (struct str){0};
	build();
	assert_variable("GT_ROLE", "alpha/polecat"); /* which Gas Town reads as the role polecat, too */
	assert_variable("GT_POLECAT", NULL);
	assert_variable("BEADS_AGENT_NAME", NULL);
	the.query.compat = true;
	build();
	assert_variable("GT_ROLE", "alpha/polecats/");
	assert_variable("GT_POLECAT", "");
	assert_variable("BEADS_AGENT_NAME", "alpha/");
}

static void every_agent_gets_its_town_and_its_guards(void **state)
{
	(void)state;
	the.options.session = STR("gt-alpha-toast");
	build();
	assert_variable("GT_ROOT", "/gt");
	assert_variable("GIT_CEILING_DIRECTORIES", "/gt");
	assert_variable("BD_BACKUP_ENABLED", "false");
	assert_variable("BEADS_DOLT_AUTO_START", "0");
	assert_variable("NODE_OPTIONS", "");
	assert_variable("CLAUDECODE", "");
	assert_variable("GT_SESSION", "gt-alpha-toast");
	assert_variable("GT_SESSION_ID_ENV", "CLAUDE_SESSION_ID");
	assert_variable("GT_AGENT", "claude");
	assert_true(shell_has(" CLAUDECODE= "));
}

static void the_effort_is_exported_and_is_high_when_nobody_says(void **state)
{
	static const struct {
		enum effort effort;
		const char *text;
	} rows[] = {{EFFORT_UNSET, "high"}, {EFFORT_LOW, "low"}, {EFFORT_MEDIUM, "medium"},
		    {EFFORT_HIGH, "high"},  {EFFORT_MAX, "max"}, {EFFORT_XHIGH, "xhigh"},
		    {EFFORT_AUTO, "auto"}};

	(void)state;
	memory_files_env(the.files, "CLAUDE_CODE_EFFORT_LEVEL", "low"); /* deprecated: it does not count */
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		the.answer.effort = rows[i].effort;
		build();
		assert_variable("CLAUDE_CODE_EFFORT_LEVEL", rows[i].text);
	}
}

static void an_account_is_a_folder_of_settings(void **state)
{
	(void)state;
	build();
	assert_variable("CLAUDE_CONFIG_DIR", NULL);
	the.answer.account_config_dir = STR("/users/u/.claude-work");
	build();
	assert_variable("CLAUDE_CONFIG_DIR", "/users/u/.claude-work");
	runs_agent("copilot");
	build();
	assert_variable("COPILOT_HOME", "/users/u/.claude-work");
	the.query.compat = true;
	build();
	assert_variable("COPILOT_HOME", NULL);
}

static void processes_are_those_of_the_program_that_runs(void **state)
{
	static const struct {
		const char *agent, *command, *names;
	} rows[] = {
		{"claude", "claude", "node,claude"},
		{"claude", "/users/u/.claude/local/claude", "node,claude"},
		{"opencode", "opencode", "opencode,node,bun"},
		{"opencode", "gt-opencode", "opencode,node,bun"},
		{"codex", "opencode", "opencode,node,bun"}, /* a custom agent that took a preset's name */
		{"cursor", "cursor-agent", "cursor-agent,agent"},
		{"mine", "/opt/bin/aider", "aider"},
		{"mine", "", "node,claude"},
		{"gemini", "", "gemini"},
		{"", "claude", "node,claude"}, /* a dog of Gas Town's exports no name */
	};

	(void)state;
	the.query.compat = true; /* so that an agent without a command can be asked for */
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		the.answer.exported = str_of(rows[i].agent);
		the.answer.runtime.command = str_of(rows[i].command);
		build();
		assert_variable("GT_PROCESS_NAMES", rows[i].names);
		assert_variable("GT_AGENT", *rows[i].agent ? rows[i].agent : NULL);
	}
}

/* ---- what reaches it ---- */

static void the_port_of_dolt_is_found_in_gas_towns_order(void **state)
{
	static const struct {
		const char *yaml, *gt_port, *beads_port, *daemon, *gt, *beads;
	} rows[] = {
		{NULL, NULL, NULL, NULL, NULL, NULL},
		{"listener:\n  port: 3311\n", "3322", "3333", NULL, "3311", "3311"},
		{"other:\n  port: 1\nlistener:\n  host: x\n  port: 3311", NULL, NULL, NULL, "3311", "3311"},
		{"listener:\n  host: x\nother:\n  port: 1\n", NULL, NULL, NULL, NULL, NULL},
		{"listener:\n  port: many\n", "3322", NULL, NULL, "3322", "3322"},
		{NULL, "3322", "3333", NULL, "3322", "3322"},
		{NULL, "many", NULL, "{\"env\":{\"GT_DOLT_PORT\":\"3344\"}}", "3344", "3344"},
		{NULL, "many", NULL, NULL, "many", "many"},
		{NULL, "many", "3333", NULL, "many", "3333"},
		{NULL, NULL, "3333", NULL, NULL, "3333"},
		{NULL, NULL, NULL, "{\"ENV\":{\"GT_DOLT_PORT\":\"3344\"}}", "3344", "3344"},
		{NULL, NULL, NULL, "{\"env\":{\"gt_dolt_port\":\"3344\"}}", NULL,
		 NULL}, /* a key of a map is exact */
		{NULL, NULL, NULL, "{\"env\":{\"GT_DOLT_PORT\":\"3344\",\"X\":1}}", NULL, NULL},
		{NULL, NULL, NULL, "{\"env\":{\"GT_DOLT_PORT\":\"3344\"}", NULL, NULL},
		{NULL, NULL, NULL, "[]", NULL, NULL},
		{NULL, NULL, NULL, "{\"env\":{\"GT_DOLT_PORT\":\"-5\"}}", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		memory_files_remove(the.files, "/gt/.dolt-data/config.yaml");
		memory_files_remove(the.files, "/gt/mayor/daemon.json");
		if (rows[i].yaml)
			memory_files_put(the.files, "/gt/.dolt-data/config.yaml", rows[i].yaml);
		if (rows[i].daemon)
			memory_files_put(the.files, "/gt/mayor/daemon.json", rows[i].daemon);
		memory_files_env(the.files, "GT_DOLT_PORT", rows[i].gt_port);
		memory_files_env(the.files, "BEADS_DOLT_PORT", rows[i].beads_port);
		build();
		assert_variable("GT_DOLT_PORT", rows[i].gt);
		assert_variable("BEADS_DOLT_PORT", rows[i].beads);
	}
	memory_files_env(the.files, "GT_DOLT_HOST", "mini2");
	build();
	assert_variable("BEADS_DOLT_SERVER_HOST", "mini2");
	memory_files_env(the.files, "BEADS_DOLT_SERVER_HOST", "mini3");
	build();
	assert_variable("BEADS_DOLT_SERVER_HOST", "mini3");
}

static void telemetry_is_exported_only_when_an_address_is_given(void **state)
{
	(void)state;
	memory_files_env(the.files, "GT_OTEL_LOGS_URL", "http://l"); /* without the other it does nothing */
	build();
	assert_variable("OTEL_METRICS_EXPORTER", NULL);
	assert_variable("BD_OTEL_LOGS_URL", NULL);
	memory_files_env(the.files, "GT_OTEL_LOGS_URL", NULL);
	memory_files_env(the.files, "GT_OTEL_METRICS_URL", "http://m");
	build();
	assert_variable("CLAUDE_CODE_ENABLE_TELEMETRY", "1");
	assert_variable("OTEL_METRICS_EXPORTER", "otlp");
	assert_variable("OTEL_METRIC_EXPORT_INTERVAL", "1000");
	assert_variable("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m");
	assert_variable("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf");
	assert_variable("BD_OTEL_METRICS_URL", "http://m");
	assert_variable("OTEL_LOGS_EXPORTER", NULL);
	memory_files_env(the.files, "GT_OTEL_LOGS_URL", "http://l");
	build();
	assert_variable("BD_OTEL_LOGS_URL", "http://l");
	assert_variable("OTEL_LOGS_EXPORTER", "otlp");
	assert_variable("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://l");
	assert_variable("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/protobuf");
	assert_variable("OTEL_LOG_TOOL_DETAILS", "true");
	assert_variable("OTEL_LOG_TOOL_CONTENT", "true");
	assert_variable("OTEL_LOG_USER_PROMPTS", "true");
}

static void telemetry_says_who_works_on_what(void **state)
{
	(void)state;
	memory_files_env(the.files, "GT_OTEL_METRICS_URL", "http://m");
	the.options = (struct command_options){.prompt = STR(" go, now\nand then"),
					       .issue = STR("gt-1"),
					       .topic = STR("assigned"),
					       .session = STR("s,1")};
	build();
	assert_variable("OTEL_RESOURCE_ATTRIBUTES",
			"gt.role=alpha/polecats/toast,gt.rig=alpha,gt.actor=alpha/polecats/toast,gt.agent=toast,"
			"gt.town=gt,gt.prompt=go| now,gt.issue=gt-1,gt.topic=assigned,gt.session=s|1");
	the.options = (struct command_options){.prompt = STR(" \nx")};
	build();
	assert_null(strstr(variable("OTEL_RESOURCE_ATTRIBUTES"), "gt.prompt"));
	the.query.compat = true; /* which says it though nothing be left of it */
	build();
	assert_non_null(strstr(variable("OTEL_RESOURCE_ATTRIBUTES"), ",gt.town=gt,gt.prompt="));
	the.query.compat = false;
	the.options = (struct command_options){.issue = STR("0123456789012345678901234567890123456789X")};
	build();
	assert_non_null(
		strstr(variable("OTEL_RESOURCE_ATTRIBUTES"), "gt.issue=0123456789012345678901234567890123456789"));
	assert_null(strstr(variable("OTEL_RESOURCE_ATTRIBUTES"), "X"));
	the.options.issue = STR("012345678901234567890123456789012345678\xc3\xa9"); /* the bound is inside the é */
	build();
	assert_true(str_is_utf8(str_of(variable("OTEL_RESOURCE_ATTRIBUTES"))));
}

static void only_listed_variables_are_passed_on(void **state)
{
	(void)state;
	memory_files_env(the.files, "ANTHROPIC_API_KEY", "sk-1");
	memory_files_env(the.files, "ANTHROPIC_BASE_URL", "https://other");
	memory_files_env(the.files, "ANTHROPIC_MODEL", "opus");
	memory_files_env(the.files, "AWS_REGION", "");
	memory_files_env(the.files, "OPENAI_API_KEY", "sk-2");
	memory_files_env(the.files, "LD_PRELOAD", "x.so");
	build();
	assert_variable("ANTHROPIC_API_KEY", "sk-1");
	assert_variable("ANTHROPIC_MODEL", "opus");
	assert_variable("ANTHROPIC_BASE_URL", NULL); /* of another provider's agent */
	assert_variable("AWS_REGION", NULL);
	assert_variable("OPENAI_API_KEY", NULL);
	assert_variable("LD_PRELOAD", NULL);
}

static void all_of_the_list_is_passed_on(void **state)
{
	static const char *const names[] = {
#define PASS(name, secret) #name,
#include "roles/passed.def"
#undef PASS
	};

	(void)state;
	assert_int_equal(COUNT_OF(names), 39);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		memory_files_env(the.files, names[i], names[i]);
	build();
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_variable(names[i], names[i]);
}

static void what_the_agent_says_about_its_environment_wins(void **state)
{
	struct pair own[] = {{STR("NODE_OPTIONS"), STR("--max-old-space-size=4096"), {0}},
			     {STR("GT_ROLE"), STR("mine"), {"settings/config.json", 7, 3}},
			     {STR("ANTHROPIC_API_KEY"), STR("sk-own"), {0}}};

	(void)state;
	memory_files_env(the.files, "ANTHROPIC_API_KEY", "sk-1");
	set_env(own, COUNT_OF(own));
	build();
	assert_variable("NODE_OPTIONS", "--max-old-space-size=4096");
	assert_variable("GT_ROLE", "mine");
	assert_variable("ANTHROPIC_API_KEY", "sk-own");
	for (size_t i = 0; i < the.command.env.n; i++)
		if (str_eqz(the.command.env.v[i].key, "GT_ROLE"))
			assert_int_equal(the.command.env.v[i].at.line, 7);
}

static void assignments_are_sorted_as_texts(void **state)
{
	struct pair own[] = {{STR("B"), STR("1"), {0}},
			     {STR("B_"), STR("1"), {0}},
			     {STR("B1"), STR("1"), {0}},
			     {STR("A"), STR("~"), {0}},
			     {STR("B"), STR("2"), {0}}};
	struct str last = {0};

	(void)state;
	set_env(own, COUNT_OF(own));
	for (int compat = 0; compat < 2; compat++) {
		the.query.compat = compat;
		build();
		assert_true(shell_has(" B1=1 B=2 BD_")); /* '1' sorts before '=', and '=' before 'D' */
		last = (struct str){0};
		for (size_t i = 0; i < the.command.env.n; i++) {
			struct pair *p = &the.command.env.v[i];
			struct str text = arena_fmt(the.arena, "%.*s=%.*s", STRF(p->key), STRF(p->value));

			assert_true(str_cmp(last, text) < 0);
			last = text;
		}
	}
}

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
		is_role(rows[i].role, STR("alpha"), STR("toast"));
		build();
		assert_int_equal(the.command.argv.n, rows[i].path ? 4 : 2);
		if (rows[i].path)
			assert_string_equal(words_from(2), arena_z(the.arena, arena_fmt(the.arena, "--settings %s",
											rows[i].path)));
	}
	is_role(ROLE_POLECAT, (struct str){0}, STR("toast"));
	build();
	assert_int_equal(the.command.argv.n, 2); /* no rig, no folder of settings */
	is_role(ROLE_POLECAT, STR("alpha"), STR("toast"));
	set_args(own, 2);
	build();
	assert_string_equal(words_from(1), "--settings x.json");
	set_args(joined, 1);
	build();
	assert_string_equal(words_from(1), "--settings=x.json");
	the.answer.claude = false;
	set_args(own, 0);
	build();
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
		build();
		assert_string_equal(words_from(3), rows[i].path);
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
	set_args(NULL, 0);
	the.options.prompt = STR("go on");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		the.answer.runtime.command = str_of(rows[i].command);
		build();
		assert_string_equal(words_from(1), rows[i].words);
	}
	the.answer.runtime.prompt_mode = PROMPT_NONE;
	build();
	assert_int_equal(the.command.argv.n, 1);
}

static void an_agents_own_prompt_counts_when_none_is_given(void **state)
{
	(void)state;
	set_args(NULL, 0);
	the.answer.claude = false;
	the.answer.runtime.initial_prompt = STR("gt prime");
	build();
	assert_string_equal(words_from(1), "gt prime");
	the.options.prompt = STR("other");
	build();
	assert_string_equal(words_from(1), "other");
	the.options = (struct command_options){.resume = STR("s1")};
	build();
	assert_string_equal(words_from(1), "--resume s1"); /* the session has it already */
	the.query.compat = true;
	the.options = (struct command_options){0};
	build();
	assert_int_equal(the.command.argv.n, 1); /* Gas Town looks at it only when another prompt is given */
}

static void a_prompt_is_not_taken_for_an_option(void **state)
{
	(void)state;
	the.answer.claude = false;
	set_args(NULL, 0);
	the.options.prompt = STR("--mcp-config=/tmp/x");
	build();
	assert_string_equal(words_from(1), " --mcp-config=/tmp/x");
	the.query.compat = true;
	build();
	assert_string_equal(words_from(1), "--mcp-config=/tmp/x");
}

static void a_wrapper_stands_before_the_command(void **state)
{
	struct str wrapper[] = {STR("~/bin/box"), STR("run it"), STR("--")};

	(void)state;
	memory_files_env(the.files, "HOME", "/users/u");
	the.answer.runtime.exec_wrapper = (struct texts){wrapper, 3, true};
	the.answer.claude = false;
	build();
	assert_string_equal(words_from(0), "/users/u/bin/box run it -- claude --dangerously-skip-permissions");
	assert_int_equal(the.command.argv.n, 5);
	assert_true(shell_has(" /users/u/bin/box 'run it' -- claude --dangerously-skip-permissions"));
	the.query.compat = true;
	build();
	assert_true(shell_has(" ~/bin/box run it -- claude --dangerously-skip-permissions"));
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
	is_role(ROLE_MAYOR, (struct str){0}, (struct str){0});
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		runs_agent(rows[i].agent);
		the.options.resume = str_of(rows[i].resume);
		if (!rows[i].words) {
			assert_int_equal(try(), ERR_INVALID);
			assert_non_null(strstr(the.problem.detail, rows[i].agent));
			continue;
		}
		build();
		assert_string_equal(words_from(0), rows[i].words);
	}
}

static void an_id_that_no_session_has_is_refused(void **state)
{
	static const char *const wrong[] = {"a b", "$(x)", "a;b", "-x", "a/b", "'", "a\nb", "\xc3\xa9"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		the.options.resume = str_of(wrong[i]);
		assert_int_equal(try(), ERR_INVALID);
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
	is_role(ROLE_MAYOR, (struct str){0}, (struct str){0});
	the.options = (struct command_options){.non_interactive = true, .prompt = STR("do it")};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		runs_agent(rows[i].agent);
		if (!rows[i].words) {
			assert_int_equal(try(), ERR_INVALID);
			assert_non_null(strstr(the.problem.detail, "non_interactive"));
			continue;
		}
		build();
		assert_string_equal(words_from(0), rows[i].words);
	}
	runs_agent("gemini");
	the.options.prompt = (struct str){0};
	assert_int_equal(try(), ERR_INVALID);
}

static void a_worker_can_go_on_with_a_session(void **state)
{
	(void)state;
	is_role(ROLE_MAYOR, (struct str){0}, (struct str){0});
	the.options = (struct command_options){.non_interactive = true, .prompt = STR("more"), .resume = STR("s1")};
	build();
	assert_string_equal(words_from(0),
			    "claude --dangerously-skip-permissions --resume s1 --output-format json -p more");
	runs_agent("codex");
	build();
	assert_string_equal(words_from(0),
			    "codex exec resume s1 --dangerously-bypass-approvals-and-sandbox --json more");
}

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
	build();
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
	is_role(ROLE_MAYOR, (struct str){0}, (struct str){0});
	runs_agent("opencode");
	the.query.compat = true;
	the.options.prompt = STR("hi");
	build();
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
	build();
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
		assert_true(str_eqz(shell_quote_compat(the.arena, str_of(rows[i].word)), rows[i].compat));
		assert_true(str_eqz(shell_quote(the.arena, str_of(rows[i].word)), rows[i].ours));
	}
}

static void compat_loses_an_empty_argument_as_gas_town_does(void **state)
{
	struct str args[] = {STR("--x"), STR(""), STR("y")};

	(void)state;
	set_args(args, 3);
	the.answer.claude = false;
	the.query.compat = true;
	build();
	assert_true(shell_has("claude --x  y"));
	the.query.compat = false;
	build();
	assert_true(shell_has("claude --x '' y"));
}

/* Defect 3 of research/gastown.md 2.10. */
static void a_secret_is_looked_up_when_it_is_spawned_and_shown_by_name(void **state)
{
	(void)state;
	runs_agent("groq-compound");
	memory_files_env(the.files, "GROQ_API_KEY", "gsk 'live'");
	build();
	assert_variable("ANTHROPIC_API_KEY", "gsk 'live'");
	assert_true(shell_has(" ANTHROPIC_API_KEY=\"$GROQ_API_KEY\" "));
	assert_true(shown_from("ANTHROPIC_API_KEY", "GROQ_API_KEY"));
	assert_false(shell_has("live"));
	assert_int_equal(the.command.unset.n, 0);
	the.options.reveal = true;
	build();
	assert_true(shell_has(" ANTHROPIC_API_KEY='gsk '\\''live'\\''' "));
	memory_files_env(the.files, "GROQ_API_KEY", NULL);
	build();
	assert_variable("ANTHROPIC_API_KEY", "");
	assert_int_equal(the.command.unset.n, 1);
	assert_str(the.command.unset.v[0], "GROQ_API_KEY");
	the.query.compat = true;
	build();
	assert_variable("ANTHROPIC_API_KEY", "$GROQ_API_KEY"); /* which no server takes for a key */
	assert_true(shell_has(" ANTHROPIC_API_KEY='$GROQ_API_KEY' "));
}

static void a_key_that_is_passed_on_is_shown_by_name(void **state)
{
	(void)state;
	memory_files_env(the.files, "ANTHROPIC_API_KEY", "sk-1");
	memory_files_env(the.files, "HTTPS_PROXY", "http://u:pw@proxy");
	memory_files_env(the.files, "ANTHROPIC_MODEL", "opus");
	build();
	assert_true(shell_has(" ANTHROPIC_API_KEY=\"$ANTHROPIC_API_KEY\" "));
	assert_true(shell_has(" HTTPS_PROXY=\"$HTTPS_PROXY\" "));
	assert_true(shell_has(" ANTHROPIC_MODEL=opus "));
	assert_false(shell_has("sk-1"));
	assert_false(shell_has("pw"));
	the.query.compat = true;
	build();
	assert_true(shell_has(" ANTHROPIC_API_KEY=sk-1 "));
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
		set_args(arg, 1);
		set_env(own, 1);
		the.options.prompt = str_of(rows[i].written);
		build();
		assert_variable("K", rows[i].value);
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
	set_args(NULL, 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		the.answer.runtime.command = str_of(rows[i].written);
		build();
		assert_str(the.command.argv.v[0], rows[i].value);
		assert_true(shell_has(rows[i].shown));
	}
}

/* ---- what cannot be started ---- */

static void what_no_program_can_be_given_is_refused(void **state)
{
	static char long_prompt[131072];
	struct str nul[] = {{"a\0b", 3}};
	struct pair names[] = {{STR("A=B"), STR("x"), {0}}, {STR(""), STR("x"), {0}}, {{"A\0B", 3}, STR("x"), {0}}};

	(void)state;
	set_args(nul, 1);
	assert_int_equal(try(), ERR_INVALID);
	set_args(NULL, 0);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		set_env(&names[i], 1);
		assert_int_equal(try(), ERR_INVALID);
		assert_non_null(strstr(the.problem.detail, "variable"));
	}
	set_env(NULL, 0);
	memset(long_prompt, 'x', sizeof(long_prompt));
	the.options.prompt = (struct str){long_prompt, sizeof(long_prompt)};
	assert_int_equal(try(), ERR_TOO_LARGE);
	assert_non_null(strstr(the.problem.detail, "131071"));
	the.options.prompt.n--;
	build();
	the.options.prompt.n = 0;
	the.answer.runtime.command = (struct str){0};
	assert_int_equal(try(), ERR_INVALID);
}

static void a_full_arena_is_an_error(void **state)
{
	struct arena *small = arena_new(6000);
	struct spawn s = spawn();

	(void)state;
	s.arena = small;
	assert_int_equal(spawn_command(&s, &the.command, &the.problem), ERR_TOO_LARGE);
	arena_destroy(&small);
}

/* ---- paths ---- */

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

	(void)state;
	for (size_t i = 0; i < COUNT_OF(joins); i++) {
		const struct str parts[] = {str_of(joins[i].a), str_of(joins[i].b)};

		assert_row(joins[i].a, str_eqz(path_join(the.arena, parts, 2), joins[i].joined));
	}
	for (size_t i = 0; i < COUNT_OF(bases); i++)
		assert_row(bases[i].path, str_eqz(path_base(str_of(bases[i].path)), bases[i].base));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_role_says_who_it_is),
		TEST(a_polecat_without_a_name_is_one_of_its_rig),
		TEST(every_agent_gets_its_town_and_its_guards),
		TEST(the_effort_is_exported_and_is_high_when_nobody_says),
		TEST(an_account_is_a_folder_of_settings),
		TEST(processes_are_those_of_the_program_that_runs),
		TEST(the_port_of_dolt_is_found_in_gas_towns_order),
		TEST(telemetry_is_exported_only_when_an_address_is_given),
		TEST(telemetry_says_who_works_on_what),
		TEST(only_listed_variables_are_passed_on),
		TEST(all_of_the_list_is_passed_on),
		TEST(what_the_agent_says_about_its_environment_wins),
		TEST(assignments_are_sorted_as_texts),
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
		TEST(paths_are_joined_and_cut_as_go_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
