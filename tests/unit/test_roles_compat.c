/*
 * The ladder with --compat: Gas Town's rules, one test each, and its defects, kept to the letter. The rules and
 * their numbers are those of its resolveRoleAgentConfigCore (a8bd79bf). What it makes of a file is in
 * test_roles_compat_files.c, and of an agent in test_roles_fill.c.
 */
#include "harness.h"

#include "town_kit/story.h"

static struct story *s;

/* The role in the rig alpha, as Gas Town answers. */
static void ask(const char *role)
{
	story_ask_compat(s, role, "alpha");
}

static void ask_in_town(const char *role)
{
	story_ask_compat(s, role, "");
}

/* ---- the rules ---- */

static void rule_0_an_explicit_agent_goes_before_everything(void **state)
{
	(void)state;
	story_put(s, "alpha/settings/config.json", "{'role_agents':{'witness':'codex'}}");
	assert_int_equal(
		ASK(s, .role = STR("witness"), .rig = STR("alpha"), .agent = STR("gemini"), .compat = true), OK);
	story_expect(s, "gemini", RULE_override);
	assert_str(s->answer.exported, "gemini");
}

static void rule_0_an_unknown_explicit_agent_is_an_error_in_its_words(void **state)
{
	(void)state;
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .agent = STR("gemni"), .compat = true),
			 ERR_INVALID);
	assert_string_equal(s->problem.detail, "agent 'gemni' not found");
}

static void rule_0_further_words_are_arguments_of_the_program_as_it_was_built(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'agents':{'opencode':{'command':'gt-opencode'}}}");
	assert_int_equal(
		ASK(s, .role = STR("witness"), .rig = STR("alpha"), .agent = STR("opencode acp"), .compat = true),
		OK);
	assert_str(s->answer.runtime.command, "opencode");
	assert_true(story_has_arg(s, "acp"));
	assert_str(s->answer.exported, "opencode acp");
	assert_int_equal(
		ASK(s, .role = STR("witness"), .rig = STR("alpha"), .agent = STR("opencode"), .compat = true), OK);
	assert_str(s->answer.runtime.command, "gt-opencode");
}

static void rule_1_a_crew_member_of_the_rig_then_of_the_town(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'crew_agents':{'denali':'codex','glacier':'gemini'}}");
	story_put(s, "alpha/settings/config.json", "{'worker_agents':{'denali':'amp'}}");
	assert_int_equal(ASK(s, .role = STR("crew"), .rig = STR("alpha"), .name = STR("denali"), .compat = true),
			 OK);
	story_expect(s, "amp", RULE_worker_agents);
	assert_int_equal(ASK(s, .role = STR("crew"), .rig = STR("alpha"), .name = STR("glacier"), .compat = true),
			 OK);
	story_expect(s, "gemini", RULE_worker_agents);
	assert_int_equal(
		ASK(s, .role = STR("polecat"), .rig = STR("alpha"), .name = STR("glacier"), .compat = true), OK);
	story_expect(s, "claude", RULE_builtin);
}

static void rule_1_warns_in_its_words_and_falls(void **state)
{
	(void)state;
	story_uninstall(s, "amp");
	story_put(s, "settings/config.json", "{'crew_agents':{'denali':'nobody'}}");
	story_put(s, "alpha/settings/config.json", "{'worker_agents':{'denali':'amp'}}");
	assert_int_equal(ASK(s, .role = STR("crew"), .rig = STR("alpha"), .name = STR("denali"), .compat = true),
			 OK);
	story_expect(s, "claude", RULE_builtin);
	assert_int_equal(s->answer.warning_count, 2);
	assert_str(s->answer.warnings[0].text, "warning: worker_agents[denali]=amp - agent \"amp\" binary \"amp\" "
					       "not found in PATH, falling back");
	assert_str(s->answer.warnings[1].text,
		   "warning: crew_agents[denali]=nobody - agent \"nobody\" not found in "
		   "config or built-in presets, falling back");
}

static void rule_2_a_dog_runs_haiku_whatever_claude_was_chosen(void **state)
{
	(void)state;
	ask_in_town("dog");
	story_expect(s, "claude-haiku", RULE_dog);
	assert_true(story_has_arg(s, "haiku"));
	story_put(s, "settings/config.json",
		  "{'role_agents':{'dog':'opus'},'agents':{'opus':{'args':['--model','opus']}}}");
	ask_in_town("dog");
	story_expect(s, "claude-haiku", RULE_dog);
}

static void rule_2_an_explicit_other_provider_frees_the_dog(void **state)
{
	static const char *const chosen[] = {"{'role_agents':{'dog':'opencode'}}", "{'default_agent':'opencode'}"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(chosen); i++) {
		story_put(s, "settings/config.json", chosen[i]);
		ask_in_town("dog");
		assert_row(chosen[i], str_eqz(s->answer.agent, "opencode"));
	}
}

static void rule_3_the_tier_of_the_environment(void **state)
{
	static const struct {
		const char *tier, *role, *agent;
		enum rule rule;
	} rows[] = {
		{"economy", "witness", "claude-sonnet", RULE_cost_tier},
		{"economy", "deacon", "claude-haiku", RULE_cost_tier},
		{"economy", "polecat", "claude", RULE_builtin},
		{"budget", "polecat", "claude-sonnet", RULE_cost_tier},
		{"budget", "refinery", "claude-haiku", RULE_cost_tier},
		{"standard", "witness", "claude", RULE_builtin},
		{"custom-groq-sonnet", "crew", "groq-compound", RULE_cost_tier},
		{"custom-groq-opus", "crew", "claude", RULE_builtin},
		{"nonsense", "witness", "claude", RULE_builtin},
		{"", "witness", "claude", RULE_builtin},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		story_env(s, "GT_COST_TIER", rows[i].tier);
		ask(rows[i].role);
		assert_row(rows[i].tier, str_eqz(s->answer.agent, rows[i].agent));
		assert_row(rows[i].tier, s->answer.rule == rows[i].rule);
	}
}

static void rule_3_a_tier_that_says_default_passes_role_agents_over(void **state)
{
	(void)state;
	story_env(s, "GT_COST_TIER", "economy");
	story_put(s, "settings/config.json",
		  "{'role_agents':{'polecat':'opus'},'agents':{'opus':{'args':['--model','opus']}}}");
	ask("polecat");
	story_expect(s, "claude", RULE_builtin);
	story_env(s, "GT_COST_TIER", NULL);
	ask("polecat");
	story_expect(s, "opus", RULE_town_role);
}

static void rule_3_gives_way_to_an_explicit_other_provider(void **state)
{
	static const struct {
		const char *town, *rig, *agent;
	} rows[] = {
		{"{'role_agents':{'witness':'gemini'}}", "{}", "gemini"},
		{"{}", "{'role_agents':{'witness':'codex'}}", "codex"},
		{"{}", "{'agent':'amp'}", "amp"},
		{"{'default_agent':'vibe'}", "{}", "vibe"},
		{"{'role_agents':{'refinery':'gemini'}}", "{}", "claude-sonnet"},
		{"{'role_agents':{'witness':'nobody'}}", "{}", "claude-sonnet"},
	};

	(void)state;
	story_env(s, "GT_COST_TIER", "economy");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		story_put(s, "settings/config.json", rows[i].town);
		story_put(s, "alpha/settings/config.json", rows[i].rig);
		ask("witness");
		assert_row(rows[i].agent, str_eqz(s->answer.agent, rows[i].agent));
	}
}

static void rule_3_groq_gets_the_key_itself(void **state)
{
	(void)state;
	story_env(s, "GT_COST_TIER", "custom-groq-opus");
	story_env(s, "GROQ_API_KEY", "gsk_live");
	ask("polecat");
	assert_str(story_env_of(s, "ANTHROPIC_API_KEY"), "gsk_live");
	story_env(s, "GROQ_API_KEY", NULL);
	ask("polecat");
	assert_int_equal(story_env_of(s, "ANTHROPIC_API_KEY").n, 0);
	story_env(s, "GT_COST_TIER", "budget"); /* whose agents do not */
	story_put(s, "settings/agents.json", "{'agents':{'claude':{'env':{'ANTHROPIC_API_KEY':'$GROQ_API_KEY'}}}}");
	ask("crew");
	assert_str(story_env_of(s, "ANTHROPIC_API_KEY"), "$GROQ_API_KEY");
}

static void rule_4_role_agents_of_the_rig_before_5_those_of_the_town(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'role_agents':{'witness':'gemini','refinery':'codex'}}");
	story_put(s, "alpha/settings/config.json", "{'role_agents':{'witness':'amp'}}");
	ask("witness");
	story_expect(s, "amp", RULE_rig_role);
	assert_string_equal(s->answer.at.path, "alpha/settings/config.json");
	ask("refinery");
	story_expect(s, "codex", RULE_town_role);
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("beta"), .compat = true), OK);
	story_expect(s, "gemini", RULE_town_role);
}

static void rule_4_falls_to_5_and_not_to_the_default(void **state)
{
	(void)state;
	story_uninstall(s, "amp");
	story_put(s, "settings/config.json", "{'role_agents':{'witness':'gemini'},'default_agent':'codex'}");
	story_put(s, "alpha/settings/config.json", "{'role_agents':{'witness':'amp'}}");
	ask("witness");
	story_expect(s, "gemini", RULE_town_role);
	assert_str(s->answer.warnings[0].text,
		   "warning: role_agents[witness]=amp - agent \"amp\" binary \"amp\" not "
		   "found in PATH, falling back to default");
}

static void rule_6_runtime_then_agent_of_the_rig_then_default_of_the_town_then_claude(void **state)
{
	(void)state;
	ask("witness");
	story_expect(s, "claude", RULE_builtin);
	story_put(s, "settings/config.json", "{'default_agent':'gemini'}");
	ask("witness");
	story_expect(s, "gemini", RULE_town_default);
	story_put(s, "alpha/settings/config.json", "{'agent':'codex'}");
	ask("witness");
	story_expect(s, "codex", RULE_rig_agent);
	story_put(s, "alpha/settings/config.json", "{'agent':'codex','runtime':{'command':'aider'}}");
	ask("witness");
	story_expect(s, "aider", RULE_rig_runtime);
	assert_str(s->answer.runtime.command, "aider");
}

static void names_are_looked_up_in_the_rig_then_the_town_then_among_presets(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{'role_agents':{'witness':'x'},'agents':{'x':{'command':'of-town'}}}");
	ask("witness");
	assert_str(s->answer.runtime.command, "of-town");
	story_put(s, "alpha/settings/config.json", "{'agents':{'x':{'command':'of-rig'}}}");
	ask("witness");
	assert_str(s->answer.runtime.command, "of-rig");
	story_put(s, "alpha/settings/config.json", "{'agents':{'x':null}}");
	ask("witness");
	assert_str(s->answer.runtime.command, "of-town");
	story_put(s, "settings/config.json", "{'role_agents':{'witness':'x'}}");
	story_put(s, "settings/agents.json", "{'agents':{'x':{'command':'gemini'}}}");
	ask("witness");
	assert_str(s->answer.runtime.command, "gemini");
}

static void only_presets_are_looked_for_on_the_machine(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{'role_agents':{'witness':'x'},'agents':{'x':{'command':'nowhere'}}}");
	ask("witness");
	story_expect(s, "x", RULE_town_role);
	assert_int_equal(s->answer.warning_count, 0);
	story_put(s, "settings/config.json", "{'default_agent':'gemini'}");
	story_uninstall(s, "gemini");
	ask("witness");
	story_expect(s, "gemini", RULE_town_default);
	assert_int_equal(s->answer.warning_count, 0);
}

static void claude_is_started_by_its_path(void **state)
{
	(void)state;
	ask("witness");
	assert_str(s->answer.runtime.command, "/bin/claude");
	story_uninstall(s, "claude");
	ask("witness");
	assert_str(s->answer.runtime.command, "claude");
	story_put_raw(s, "/u/.claude/local/claude", "#!/bin/sh\n");
	ask("witness");
	assert_str(s->answer.runtime.command, "/u/.claude/local/claude");
	story_env(s, "HOME", NULL);
	ask("witness");
	assert_str(s->answer.runtime.command, "claude");
}

static void what_is_found_by_a_relative_part_of_path_is_refused(void **state)
{
	(void)state;
	story_env(s, "PATH", "here:/bin");
	memory_files_install(s->m, "here/claude");
	ask("witness");
	assert_str(s->answer.runtime.command, "claude");
	memory_files_uninstall(s->m, "here/claude");
	story_env(s, "PATH", "/nothing::/bin");
	ask("witness");
	assert_str(s->answer.runtime.command, "/bin/claude");
}

static void efforts_tier_rig_town_then_high(void **state)
{
	(void)state;
	ask("witness");
	assert_int_equal(s->answer.effort, EFFORT_HIGH);
	story_put(s, "settings/config.json", "{'role_effort':{'witness':'low'}}");
	ask("witness");
	assert_int_equal(s->answer.effort, EFFORT_LOW);
	story_put(s, "alpha/settings/config.json", "{'role_effort':{'witness':'max'}}");
	ask("witness");
	assert_int_equal(s->answer.effort, EFFORT_MAX);
	story_env(s, "GT_COST_TIER", "economy");
	ask("refinery");
	assert_int_equal(s->answer.effort, EFFORT_MEDIUM);
	ask("witness");
	assert_int_equal(s->answer.effort, EFFORT_LOW);
	story_env(s, "GT_COST_TIER", "custom-groq-opus");
	ask("witness");
	assert_int_equal(s->answer.effort, EFFORT_MAX);
}

static void a_bad_effort_is_told_in_its_words_and_passed_over(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'role_effort':{'witness':'xhigh'}}");
	story_put(s, "alpha/settings/config.json", "{'role_effort':{'witness':'hi gh'}}");
	ask("witness");
	assert_int_equal(s->answer.effort, EFFORT_HIGH);
	assert_int_equal(s->answer.warning_count, 2);
	assert_str(s->answer.warnings[0].text,
		   "warning: rig role_effort[witness]=\"hi gh\" is not a valid effort level, ignoring");
	assert_str(s->answer.warnings[1].text,
		   "warning: town role_effort[witness]=\"xhigh\" is not a valid effort level, ignoring");
}

static void words_are_quoted_as_go_quotes_them(void **state)
{
	(void)state;
	story_put_raw(s, "settings/config.json",
		      "{\"role_effort\":{\"witness\":\"a\\\"b\\\\c\\n\\t\\r\\u0007\\u00e4\"}}");
	ask("witness");
	assert_str(s->answer.warnings[0].text,
		   "warning: town role_effort[witness]=\"a\\\"b\\\\c\\n\\t\\r\\a\xc3\xa4\" is "
		   "not a valid effort level, ignoring");
}

static void an_inherited_effort_is_told_and_ignored(void **state)
{
	(void)state;
	story_env(s, "CLAUDE_CODE_EFFORT_LEVEL", "low");
	ask("witness");
	assert_int_equal(s->answer.effort, EFFORT_HIGH);
	assert_true(story_warned(s,
				 "notice: CLAUDE_CODE_EFFORT_LEVEL=low env var is deprecated and ignored; witness "
				 "effort resolved to \"high\" via config."));
}

static void accounts_environment_flag_default_and_its_errors(void **state)
{
	const struct role_query flagged = {
		.role = STR("witness"), .rig = STR("alpha"), .account = STR("work"), .compat = true};
	struct role_query unknown = flagged;

	(void)state;
	story_put(s, "mayor/accounts.json",
		  "{'version':1,'default':'home','accounts':{'home':{'email':'a@x','config_dir':'~/.claude-home'},"
		  "'work':{'email':'b@x','config_dir':'/srv/work'}}}");
	ask("witness");
	assert_str(s->answer.account, "home");
	assert_str(s->answer.account_config_dir, "/u/.claude-home");
	assert_int_equal(story_ask(s, flagged), OK);
	assert_str(s->answer.account_config_dir, "/srv/work");
	story_env(s, "GT_ACCOUNT", "home");
	assert_int_equal(story_ask(s, flagged), OK);
	assert_str(s->answer.account, "home");
	story_env(s, "GT_ACCOUNT", "nobody");
	assert_int_equal(story_ask(s, flagged), ERR_INVALID);
	assert_string_equal(s->problem.detail, "GT_ACCOUNT 'nobody' not found in accounts config");
	story_env(s, "GT_ACCOUNT", NULL);
	unknown.account = STR("nobody");
	assert_int_equal(story_ask(s, unknown), ERR_INVALID);
	assert_string_equal(s->problem.detail, "account 'nobody' not found in accounts config");
}

static void ask_for_worker(const char *role, const char *name)
{
	assert_int_equal(ASK(s, .role = str_of(role), .rig = STR("alpha"), .name = str_of(name), .compat = true),
			 OK);
}

static void a_slash_in_a_workers_name_hides_its_role(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{'role_agents':{'polecat':'gemini','crew':'codex','alpha/crew/x/y':'amp'},"
		  "'crew_agents':{'x/y':'gemini'}}");
	ask_for_worker("polecat", "toast");
	story_expect(s, "gemini", RULE_town_role);
	assert_false(s->answer.role_lost);
	ask_for_worker("polecat", "x/y");
	story_expect(s, "claude", RULE_builtin);
	assert_true(s->answer.role_lost); /* and no --settings */
	ask_for_worker("crew", "x/y");
	story_expect(s, "amp", RULE_town_role);
	ask_for_worker("witness", "x/y");
	assert_false(s->answer.role_lost);
	story_env(s, "GT_COST_TIER", "budget");
	ask_for_worker("polecat", "x/y");
	story_expect(s, "claude", RULE_builtin);
}

static void any_word_is_a_role(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'role_agents':{'auditor':'gemini'}}");
	ask("auditor");
	story_expect(s, "gemini", RULE_town_role);
	assert_int_equal(s->answer.role, ROLE_UNKNOWN);
}

static void an_exec_wrapper_is_that_of_the_rigs_runtime(void **state)
{
	(void)state;
	story_put(
		s, "alpha/settings/config.json",
		"{'runtime':{'command':'claude','exec_wrapper':['box','--']},'role_agents':{'witness':'gemini'}}");
	ask("witness");
	assert_int_equal(s->answer.runtime.exec_wrapper.n, 2);
	story_put(s, "settings/config.json",
		  "{'agents':{'own':{'exec_wrapper':['jail']}},'role_agents':{'crew':'own'}}");
	ask("crew");
	assert_str(s->answer.runtime.exec_wrapper.v[0], "jail");
}

/* ---- its defects ---- */

static void defect_1_the_standard_tier_forgets_the_agent_it_names(void **state)
{
	(void)state;
	story_env(s, "GT_COST_TIER", "standard");
	ask_in_town("boot");
	story_expect(s, "claude", RULE_builtin);
	story_env(s, "GT_COST_TIER", NULL);
	story_put(s, "settings/config.json", "{'cost_tier':'standard','role_agents':{'boot':'claude-haiku'}}");
	ask_in_town("boot");
	story_expect(s, "claude", RULE_builtin);
	assert_true(story_warned(s, "role_agents[boot]=claude-haiku - agent \"claude-haiku\" not found"));
}

static void defect_2_a_fresh_town_is_on_no_tier(void **state)
{
	(void)state;
	assert_null(tier_of(town_settings(s->town), true));
	story_put(s, "settings/config.json", "{'role_agents':{'boot':'claude-haiku','dog':'claude-haiku'}}");
	town_refresh(s->town);
	assert_string_equal(tier_of(town_settings(s->town), true)->name, "standard");
}

static void defect_5_without_a_rig_the_working_directory_is_one(void **state)
{
	(void)state;
	memory_files_put(s->m, "settings/config.json", "{\"agent\":\"gemini\"}");
	ask_in_town("mayor");
	story_expect(s, "gemini", RULE_rig_agent);
	memory_files_put(s->m, "settings/config.json", "{\"agents\":{\"mine\":{\"command\":\"codex\"}}}");
	assert_int_equal(ASK(s, .role = STR("mayor"), .agent = STR("mine"), .compat = true), OK);
	assert_int_equal(ASK(s, .role = STR("crew"), .rig = STR("alpha"), .agent = STR("mine"), .compat = true),
			 ERR_INVALID);
	memory_files_put(s->m, "settings/config.json", "{\"type\":\"town-settings\",\"agent\":\"gemini\"}");
	ask_in_town("mayor");
	story_expect(s, "claude", RULE_builtin);
	ask("witness");
	story_expect(s, "claude", RULE_builtin);
}

static void a_bad_name_of_a_default_agent_gives_claude_and_stays_the_name(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'default_agent':'gemni'}");
	ask("witness");
	story_expect(s, "gemni", RULE_town_default);
	assert_str(s->answer.exported, "gemni");
	assert_str(s->answer.runs, "claude");
	assert_str(s->answer.runtime.command, "/bin/claude");
}

/* ---- corners that comparing with its own code found ---- */

static void a_runtime_of_the_working_directory_decides_before_its_presets(void **state)
{
	(void)state;
	memory_files_put(s->m, "settings/agents.json", "{\"agents\":{\"claude\":{\"args\":[\"-x\"]}}}");
	ask_in_town("mayor");
	assert_true(story_has_arg(s, "-x"));
	memory_files_put(s->m, "settings/config.json", "{\"runtime\":{\"command\":\"claude\"}}");
	ask_in_town("mayor");
	story_expect(s, "claude", RULE_rig_runtime);
	assert_true(story_has_arg(s, "--dangerously-skip-permissions"));
}

static void an_unknown_role_whose_rig_has_a_runtime_reads_no_presets(void **state)
{
	(void)state;
	story_put(s, "settings/agents.json", "{'agents':{'pi':{'args':[]},'claude':{'env':{'GT_ROOT':'/x'}}}}");
	story_put(s, "alpha/settings/config.json", "{'runtime':{'provider':'pi'}}");
	ask("witness");
	assert_int_equal(s->answer.runtime.args.n, 0);
	ask("worker");
	assert_true(story_has_arg(s, ".pi/extensions/gastown-hooks.js"));
	memory_files_put(s->m, "settings/config.json", "{\"runtime\":{\"command\":\"claude\"}}");
	ask_in_town("worker");
	assert_int_equal(s->answer.runtime.env.n, 0);
}

static void what_is_told_before_a_refusal_is_told(void **state)
{
	(void)state;
	story_env(s, "CLAUDE_CODE_EFFORT_LEVEL", "low");
	assert_int_equal(ASK(s, .role = STR("mayor"), .agent = STR("gemni"), .compat = true), ERR_INVALID);
	assert_int_equal(s->answer.warning_count, 1);
	story_env(s, "GT_ACCOUNT", "nobody");
	story_put(s, "mayor/accounts.json", "{'accounts':{'a':{'config_dir':'/a'}}}");
	assert_int_equal(ASK(s, .role = STR("mayor"), .agent = STR("gemni"), .compat = true), ERR_INVALID);
	assert_string_equal(s->problem.detail, "GT_ACCOUNT 'nobody' not found in accounts config");
	assert_int_equal(s->answer.warning_count, 0);
}

#define TEST(name) STORY_TEST(name, s)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rule_0_an_explicit_agent_goes_before_everything),
		TEST(rule_0_an_unknown_explicit_agent_is_an_error_in_its_words),
		TEST(rule_0_further_words_are_arguments_of_the_program_as_it_was_built),
		TEST(rule_1_a_crew_member_of_the_rig_then_of_the_town),
		TEST(rule_1_warns_in_its_words_and_falls),
		TEST(rule_2_a_dog_runs_haiku_whatever_claude_was_chosen),
		TEST(rule_2_an_explicit_other_provider_frees_the_dog),
		TEST(rule_3_the_tier_of_the_environment),
		TEST(rule_3_a_tier_that_says_default_passes_role_agents_over),
		TEST(rule_3_gives_way_to_an_explicit_other_provider),
		TEST(rule_3_groq_gets_the_key_itself),
		TEST(rule_4_role_agents_of_the_rig_before_5_those_of_the_town),
		TEST(rule_4_falls_to_5_and_not_to_the_default),
		TEST(rule_6_runtime_then_agent_of_the_rig_then_default_of_the_town_then_claude),
		TEST(names_are_looked_up_in_the_rig_then_the_town_then_among_presets),
		TEST(only_presets_are_looked_for_on_the_machine),
		TEST(claude_is_started_by_its_path),
		TEST(what_is_found_by_a_relative_part_of_path_is_refused),
		TEST(efforts_tier_rig_town_then_high),
		TEST(a_bad_effort_is_told_in_its_words_and_passed_over),
		TEST(words_are_quoted_as_go_quotes_them),
		TEST(an_inherited_effort_is_told_and_ignored),
		TEST(accounts_environment_flag_default_and_its_errors),
		TEST(a_slash_in_a_workers_name_hides_its_role),
		TEST(any_word_is_a_role),
		TEST(an_exec_wrapper_is_that_of_the_rigs_runtime),
		TEST(defect_1_the_standard_tier_forgets_the_agent_it_names),
		TEST(defect_2_a_fresh_town_is_on_no_tier),
		TEST(defect_5_without_a_rig_the_working_directory_is_one),
		TEST(a_bad_name_of_a_default_agent_gives_claude_and_stays_the_name),
		TEST(a_runtime_of_the_working_directory_decides_before_its_presets),
		TEST(an_unknown_role_whose_rig_has_a_runtime_reads_no_presets),
		TEST(what_is_told_before_a_refusal_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
