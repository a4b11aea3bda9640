/*
 * The environment of an agent: who each role says it is, where its town is, and what of our own reaches it.
 */
#include "harness.h"

#include "roles_kit/spawning.h"

static struct spawning the;

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
		spawning_role(&the, rows[r].role, rows[r].rig, rows[r].name);
		spawning_make(&the);
		assert_variable(&the, "GT_ROLE", rows[r].gt_role);
		assert_variable(&the, "BD_ACTOR", rows[r].actor);
		assert_variable(&the, "GIT_AUTHOR_NAME", rows[r].author);
		assert_variable(&the, "GT_RIG", rows[r].gt_rig);
		assert_variable(&the, "BEADS_AGENT_NAME", rows[r].agent_name);
		for (size_t v = 0; v < COUNT_OF(name_vars); v++)
			assert_variable(&the, name_vars[v],
					rows[r].name_var && !strcmp(name_vars[v], rows[r].name_var) ? rows[r].name
												    : NULL);
		assert_variable(&the, "BD_DOLT_AUTO_COMMIT", rows[r].role == ROLE_POLECAT ? "off" : NULL);
	}
}

static void a_polecat_without_a_name_is_one_of_its_rig(void **state)
{
	(void)state;
	the.query.name = (struct str){0};
	spawning_make(&the);
	assert_variable(&the, "GT_ROLE", "alpha/polecat"); /* which Gas Town reads as the role polecat, too */
	assert_variable(&the, "GT_POLECAT", NULL);
	assert_variable(&the, "BEADS_AGENT_NAME", NULL);
	the.query.compat = true;
	spawning_make(&the);
	assert_variable(&the, "GT_ROLE", "alpha/polecats/");
	assert_variable(&the, "GT_POLECAT", "");
	assert_variable(&the, "BEADS_AGENT_NAME", "alpha/");
}

static void every_agent_gets_its_town_and_its_guards(void **state)
{
	(void)state;
	the.options.session = STR("gt-alpha-toast");
	spawning_make(&the);
	assert_variable(&the, "GT_ROOT", "/gt");
	assert_variable(&the, "GIT_CEILING_DIRECTORIES", "/gt");
	assert_variable(&the, "BD_BACKUP_ENABLED", "false");
	assert_variable(&the, "BEADS_DOLT_AUTO_START", "0");
	assert_variable(&the, "NODE_OPTIONS", "");
	assert_variable(&the, "CLAUDECODE", "");
	assert_variable(&the, "GT_SESSION", "gt-alpha-toast");
	assert_variable(&the, "GT_SESSION_ID_ENV", "CLAUDE_SESSION_ID");
	assert_variable(&the, "GT_AGENT", "claude");
	assert_true(spawning_shell_has(&the, " CLAUDECODE= "));
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
		spawning_make(&the);
		assert_variable(&the, "CLAUDE_CODE_EFFORT_LEVEL", rows[i].text);
	}
}

static void an_account_is_a_folder_of_settings(void **state)
{
	(void)state;
	spawning_make(&the);
	assert_variable(&the, "CLAUDE_CONFIG_DIR", NULL);
	the.answer.account_config_dir = STR("/users/u/.claude-work");
	spawning_make(&the);
	assert_variable(&the, "CLAUDE_CONFIG_DIR", "/users/u/.claude-work");
	spawning_agent(&the, "copilot");
	spawning_make(&the);
	assert_variable(&the, "COPILOT_HOME", "/users/u/.claude-work");
	the.query.compat = true;
	spawning_make(&the);
	assert_variable(&the, "COPILOT_HOME", NULL);
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
		spawning_make(&the);
		assert_variable(&the, "GT_PROCESS_NAMES", rows[i].names);
		assert_variable(&the, "GT_AGENT", *rows[i].agent ? rows[i].agent : NULL);
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
		spawning_make(&the);
		assert_variable(&the, "GT_DOLT_PORT", rows[i].gt);
		assert_variable(&the, "BEADS_DOLT_PORT", rows[i].beads);
	}
	memory_files_env(the.files, "GT_DOLT_HOST", "mini2");
	spawning_make(&the);
	assert_variable(&the, "BEADS_DOLT_SERVER_HOST", "mini2");
	memory_files_env(the.files, "BEADS_DOLT_SERVER_HOST", "mini3");
	spawning_make(&the);
	assert_variable(&the, "BEADS_DOLT_SERVER_HOST", "mini3");
}

static void telemetry_is_exported_only_when_an_address_is_given(void **state)
{
	(void)state;
	memory_files_env(the.files, "GT_OTEL_LOGS_URL", "http://l"); /* without the other it does nothing */
	spawning_make(&the);
	assert_variable(&the, "OTEL_METRICS_EXPORTER", NULL);
	assert_variable(&the, "BD_OTEL_LOGS_URL", NULL);
	memory_files_env(the.files, "GT_OTEL_LOGS_URL", NULL);
	memory_files_env(the.files, "GT_OTEL_METRICS_URL", "http://m");
	spawning_make(&the);
	assert_variable(&the, "CLAUDE_CODE_ENABLE_TELEMETRY", "1");
	assert_variable(&the, "OTEL_METRICS_EXPORTER", "otlp");
	assert_variable(&the, "OTEL_METRIC_EXPORT_INTERVAL", "1000");
	assert_variable(&the, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m");
	assert_variable(&the, "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf");
	assert_variable(&the, "BD_OTEL_METRICS_URL", "http://m");
	assert_variable(&the, "OTEL_LOGS_EXPORTER", NULL);
	memory_files_env(the.files, "GT_OTEL_LOGS_URL", "http://l");
	spawning_make(&the);
	assert_variable(&the, "BD_OTEL_LOGS_URL", "http://l");
	assert_variable(&the, "OTEL_LOGS_EXPORTER", "otlp");
	assert_variable(&the, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://l");
	assert_variable(&the, "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/protobuf");
	assert_variable(&the, "OTEL_LOG_TOOL_DETAILS", "true");
	assert_variable(&the, "OTEL_LOG_TOOL_CONTENT", "true");
	assert_variable(&the, "OTEL_LOG_USER_PROMPTS", "true");
}

static void telemetry_says_who_works_on_what(void **state)
{
	(void)state;
	memory_files_env(the.files, "GT_OTEL_METRICS_URL", "http://m");
	the.options = (struct command_options){.prompt = STR(" go, now\nand then"),
					       .issue = STR("gt-1"),
					       .topic = STR("assigned"),
					       .session = STR("s,1")};
	spawning_make(&the);
	assert_variable(&the, "OTEL_RESOURCE_ATTRIBUTES",
			"gt.role=alpha/polecats/toast,gt.rig=alpha,gt.actor=alpha/polecats/toast,gt.agent=toast,"
			"gt.town=gt,gt.prompt=go| now,gt.issue=gt-1,gt.topic=assigned,gt.session=s|1");
	the.options = (struct command_options){.prompt = STR(" \nx")};
	spawning_make(&the);
	assert_null(strstr(spawning_variable(&the, "OTEL_RESOURCE_ATTRIBUTES"), "gt.prompt"));
	the.query.compat = true; /* which says it though nothing be left of it */
	spawning_make(&the);
	assert_non_null(strstr(spawning_variable(&the, "OTEL_RESOURCE_ATTRIBUTES"), ",gt.town=gt,gt.prompt="));
	the.query.compat = false;
	the.options = (struct command_options){.issue = STR("0123456789012345678901234567890123456789X")};
	spawning_make(&the);
	assert_non_null(strstr(spawning_variable(&the, "OTEL_RESOURCE_ATTRIBUTES"),
			       "gt.issue=0123456789012345678901234567890123456789"));
	assert_null(strstr(spawning_variable(&the, "OTEL_RESOURCE_ATTRIBUTES"), "X"));
	the.options.issue = STR("012345678901234567890123456789012345678\xc3\xa9"); /* the bound is inside the é */
	spawning_make(&the);
	assert_true(str_is_utf8(str_of(spawning_variable(&the, "OTEL_RESOURCE_ATTRIBUTES"))));
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
	spawning_make(&the);
	assert_variable(&the, "ANTHROPIC_API_KEY", "sk-1");
	assert_variable(&the, "ANTHROPIC_MODEL", "opus");
	assert_variable(&the, "ANTHROPIC_BASE_URL", NULL); /* of another provider's agent */
	assert_variable(&the, "AWS_REGION", NULL);
	assert_variable(&the, "OPENAI_API_KEY", NULL);
	assert_variable(&the, "LD_PRELOAD", NULL);
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
	spawning_make(&the);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_variable(&the, names[i], names[i]);
}

static void what_the_agent_says_about_its_environment_wins(void **state)
{
	struct pair own[] = {{STR("NODE_OPTIONS"), STR("--max-old-space-size=4096"), {0}},
			     {STR("GT_ROLE"), STR("mine"), {"settings/config.json", 7, 3}},
			     {STR("ANTHROPIC_API_KEY"), STR("sk-own"), {0}}};

	(void)state;
	memory_files_env(the.files, "ANTHROPIC_API_KEY", "sk-1");
	spawning_env(&the, own, COUNT_OF(own));
	spawning_make(&the);
	assert_variable(&the, "NODE_OPTIONS", "--max-old-space-size=4096");
	assert_variable(&the, "GT_ROLE", "mine");
	assert_variable(&the, "ANTHROPIC_API_KEY", "sk-own");
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
	spawning_env(&the, own, COUNT_OF(own));
	for (int compat = 0; compat < 2; compat++) {
		the.query.compat = compat;
		spawning_make(&the);
		assert_true(
			spawning_shell_has(&the, " B1=1 B=2 BD_")); /* '1' sorts before '=', and '=' before 'D' */
		last = (struct str){0};
		for (size_t i = 0; i < the.command.env.n; i++) {
			struct pair *p = &the.command.env.v[i];
			struct str text = arena_fmt(the.arena, "%.*s=%.*s", STRF(p->key), STRF(p->value));

			assert_true(str_cmp(last, text) < 0);
			last = text;
		}
	}
}

#define TEST(name) SPAWNING_TEST(name, the)

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
