/*
 * The ladder as tenfold climbs it: the same answers as Gas Town's where those are right, better ones where they are
 * not, and a reason for each.
 */
#include "harness.h"

#include "roles/provider.h"
#include "town_kit/story.h"

static struct story *s;

static void ask(const char *role)
{
	assert_int_equal(ASK(s, .role = str_of(role), .rig = STR("alpha")), OK);
}

static void refuse(const char *role, enum err e, const char *sentence)
{
	assert_int_equal(ASK(s, .role = str_of(role), .rig = STR("alpha")), e);
	assert_string_equal(s->problem.detail, sentence);
}

/* ---- the same answers ---- */

static void the_ladder_from_its_foot_to_its_top(void **state)
{
	static const struct {
		const char *path, *text, *agent;
		enum rule rule;
	} steps[] = {
		{"settings/config.json", "{}", "claude", RULE_builtin},
		{"settings/config.json", "{'default_agent':'gemini'}", "gemini", RULE_town_default},
		{"alpha/settings/config.json", "{'agent':'codex'}", "codex", RULE_rig_agent},
		{"alpha/settings/config.json", "{'agent':'codex','runtime':{'provider':'amp'}}", "amp",
		 RULE_rig_runtime},
		{"settings/config.json", "{'role_agents':{'crew':'vibe'}}", "vibe", RULE_town_role},
		{"alpha/settings/config.json", "{'role_agents':{'crew':'pi'}}", "pi", RULE_rig_role},
		{"settings/config.json", "{'crew_agents':{'denali':'omp'}}", "omp", RULE_worker_agents},
		{"alpha/settings/config.json", "{'worker_agents':{'denali':'cursor'}}", "cursor",
		 RULE_worker_agents},
		{"settings/config.json", "{'type_agents':{'feature':'auggie'}}", "auggie", RULE_type_agents},
		{"alpha/settings/config.json", "{'type_agents':{'feature':'copilot'}}", "copilot",
		 RULE_type_agents},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		story_put(s, steps[i].path, steps[i].text);
		assert_int_equal(ASK(s, .role = STR("crew"), .rig = STR("alpha"), .name = STR("denali"),
				     .type = STR("feature")),
				 OK);
		assert_row(steps[i].text, str_eqz(s->answer.agent, steps[i].agent));
		assert_row(steps[i].text, s->answer.rule == steps[i].rule);
		assert_row(steps[i].text, s->answer.would_run);
	}
	assert_int_equal(ASK(s, .role = STR("crew"), .rig = STR("alpha"), .name = STR("denali"),
			     .type = STR("feature"), .agent = STR("claude")),
			 OK);
	story_expect(s, "claude", RULE_override);
}

static void tiers_and_dogs_as_gas_town_has_them(void **state)
{
	static const struct {
		const char *tier, *role, *agent;
	} rows[] = {
		{"economy", "witness", "claude-sonnet"}, {"economy", "polecat", "claude"},
		{"budget", "crew", "claude-sonnet"},     {"custom-groq-opus", "witness", "groq-compound"},
		{NULL, "dog", "claude-haiku"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		story_env(s, "GT_COST_TIER", rows[i].tier);
		ask(rows[i].role);
		assert_row(rows[i].role, str_eqz(s->answer.agent, rows[i].agent));
	}
	story_put(s, "settings/config.json", "{'role_agents':{'dog':'opencode'}}");
	ask("dog");
	story_expect(s, "opencode", RULE_town_role);
}

static void every_rule_is_told_with_its_place_and_why_it_did_not_decide(void **state)
{
	const struct step *step;

	(void)state;
	story_put(s, "settings/config.json",
		  "{\n  'role_agents': {\n    'witness': 'gemini'\n  },\n  'default_agent': "
		  "'codex'\n}");
	ask("witness");
	assert_string_equal(s->answer.at.path, "settings/config.json");
	assert_int_equal(s->answer.at.line, 3);
	assert_int_equal(s->answer.at.column, 16);
	for (unsigned rule = 0; rule <= RULE_builtin; rule++)
		assert_non_null(story_step(s, (enum rule)rule));
	assert_true(story_step(s, RULE_town_role)->matched);
	assert_str(story_step(s, RULE_override)->why, "no --agent");
	assert_str(story_step(s, RULE_rig_role)->why, "role_agents does not have the role");
	step = story_step(s, RULE_town_default);
	assert_false(step->matched);
	assert_str(step->why, "codex, but town_role decided before");
	assert_int_equal(step->at.line, 5);
	assert_null(story_step(s, RULE_fallback));
	assert_non_null(story_step(s, RULE_model));
	assert_non_null(story_step(s, RULE_effort));
	assert_non_null(story_step(s, RULE_account));
}

/* ---- better answers ---- */

static void an_unknown_agent_is_an_error_with_the_likely_word(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{\n 'role_agents':{'witness':'gemni'}}");
	refuse("witness", ERR_INVALID,
	       "settings/config.json:2:27: role_agents names the agent \"gemni\", which is nowhere defined; did "
	       "you "
	       "mean "
	       "gemini?");
	assert_int_equal(s->problem.line, 2);
	assert_false(s->answer.would_run);
	ask("refinery");
	story_put(s, "settings/config.json", "{'default_agent':'my-agnt','agents':{'my-agent':{}}}");
	refuse("refinery", ERR_INVALID,
	       "settings/config.json:1:18: default_agent names the agent \"my-agnt\", which is nowhere defined; "
	       "did "
	       "you "
	       "mean my-agent?");
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .agent = STR("cursro")), ERR_INVALID);
	assert_string_equal(s->problem.detail,
			    "--agent names the agent \"cursro\", which is nowhere defined; did you mean cursor?");
}

static void an_unknown_role_or_rig_is_an_error_with_the_likely_word(void **state)
{
	(void)state;
	story_put(s, "beta/settings/config.json", "{}");
	refuse("polcat", ERR_INVALID,
	       "unknown role \"polcat\"; did you mean polecat?; roles are mayor, deacon, witness, refinery, "
	       "polecat, crew, "
	       "boot and dog");
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("btea")), ERR_NOT_FOUND);
	assert_string_equal(s->problem.detail, "there is no rig \"btea\" in /t; did you mean beta?");
	assert_int_equal(ASK(s, .role = STR("witness")), ERR_INVALID);
	assert_string_equal(s->problem.detail, "a witness works in a rig: name it with --rig");
	assert_int_equal(ASK(s, .role = STR("mayor")), OK);
}

static void a_malformed_file_is_an_error_and_never_a_silent_default(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'default_agent':'gemini',}");
	assert_int_equal(ASK(s, .role = STR("mayor")), ERR_MALFORMED);
	assert_non_null(strstr(s->problem.detail, "settings/config.json:1:26:"));
	story_put(s, "settings/config.json", "{}");
	assert_int_equal(ASK(s, .role = STR("mayor")), OK);
	story_put(s, "alpha/settings/agents.json", "");
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha")), ERR_MALFORMED);
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("beta")), OK);
}

static void a_wrong_type_is_told_and_the_rest_of_the_file_counts(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'version':'one',\n'role_agents':{'witness':'gemini','crew':5}}");
	ask("witness");
	story_expect(s, "gemini", RULE_town_role);
	assert_true(story_warned(s, "version must be a whole number, not a text; it is left out"));
	assert_true(story_warned(s, "role_agents.crew must be a text, not a number; it is left out"));
	assert_true(town_settings(s->town)->source.refused);
}

static void a_missing_program_keeps_its_name_warns_and_the_next_rule_runs(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'role_agents':{'witness':'gemini'},'default_agent':'codex'}");
	story_uninstall(s, "gemini");
	ask("witness");
	story_expect(s, "gemini", RULE_town_role);
	assert_str(s->answer.runs, "codex");
	assert_str(s->answer.exported, "codex");
	assert_str(s->answer.runtime.command, "codex");
	assert_true(s->answer.would_run);
	assert_false(s->answer.as_written);
	assert_true(story_warned(s, "gemini: its command \"gemini\" is not installed; codex runs "
				    "in its place"));
	assert_true(story_step(s, RULE_fallback)->matched);
	story_uninstall(s, "codex");
	ask("witness");
	assert_str(s->answer.runs, "claude");
	story_uninstall(s, "claude");
	ask("witness");
	assert_str(s->answer.agent, "gemini");
	assert_str(s->answer.runs, "gemini");
	assert_true(story_warned(s, "and nothing it falls back to can run"));
	assert_false(s->answer.would_run);
	assert_false(s->answer.as_written);
}

static void custom_agents_are_looked_for_too(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'default_agent':'x','agents':{'x':{'command':'~/bin/x'}}}");
	ask("witness");
	assert_str(s->answer.runs, "claude");
	memory_files_install(s->m, "/u/bin/x");
	ask("witness");
	assert_str(s->answer.runs, "x");
	assert_true(s->answer.would_run);
}

static void an_agent_without_a_command_cannot_run(void **state)
{
	(void)state;
	story_put(s, "settings/agents.json", "{'agents':{'empty':{'args':['-x']}}}");
	story_put(s, "settings/config.json", "{'default_agent':'empty'}");
	ask("witness");
	assert_str(s->answer.runs, "claude");
	assert_true(story_warned(s, "empty: it has no command; claude runs in its place"));
}

static void in_a_sandbox_the_sandbox_is_looked_for(void **state)
{
	(void)state;
	story_put(
		s, "alpha/settings/config.json",
		"{'role_agents':{'witness':'x'},'agents':{'x':{'command':'inside','exec_wrapper':['box','--']}}}");
	ask("witness");
	assert_true(story_warned(s, "its exec_wrapper \"box\" is not installed"));
	story_install(s, "box");
	ask("witness");
	assert_str(s->answer.runs, "x");
	assert_int_equal(s->answer.warning_count, 0);
}

static void further_words_mean_the_program_that_was_built_and_look_for_that(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'agents':{'opencode':{'command':'gt-opencode'}}}");
	story_install(s, "gt-opencode");
	story_uninstall(s, "opencode");
	assert_int_equal(ASK(s, .role = STR("mayor"), .agent = STR("opencode")), OK);
	assert_true(s->answer.would_run);
	assert_int_equal(ASK(s, .role = STR("mayor"), .agent = STR("opencode acp")), OK);
	assert_false(s->answer.would_run);
	assert_true(story_warned(s, "its command \"opencode\" is not installed"));
}

static void an_explicit_agent_is_called_as_who_asks_calls_it(void **state)
{
	(void)state;
	assert_int_equal(ASK(s, .role = STR("mayor"), .agent = STR("codx")), ERR_INVALID);
	assert_string_equal(s->problem.detail,
			    "--agent names the agent \"codx\", which is nowhere defined; did you mean codex?");
	assert_int_equal(ASK(s, .role = STR("mayor"), .agent = STR("codx"), .agent_key = "role_agents"),
			 ERR_INVALID);
	assert_string_equal(s->problem.detail,
			    "role_agents names the agent \"codx\", which is nowhere defined; did you mean codex?");
}

static void nothing_is_fallen_back_to_behind_an_explicit_agent(void **state)
{
	(void)state;
	story_uninstall(s, "gemini");
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .agent = STR("gemini")), OK);
	assert_str(s->answer.runs, "gemini");
	assert_false(s->answer.would_run);
}

static void an_agent_that_cools_down_is_passed_over_until_it_is_well(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'role_agents':{'witness':'gemini'}}");
	assert_int_equal(town_state_cool(s->state, STR("gemini"), s->m->ms + 90000, STR("quota"), &s->problem), OK);
	ask("witness");
	assert_str(s->answer.agent, "gemini");
	assert_str(s->answer.runs, "claude");
	assert_true(story_warned(s, "it cools down for 2 more min; claude runs in its place"));
	s->m->ms += 90001;
	ask("witness");
	assert_str(s->answer.runs, "gemini");
}

static void an_unknown_tier_is_told(void **state)
{
	(void)state;
	story_env(s, "GT_COST_TIER", "econmy");
	ask("witness");
	assert_true(story_warned(s, "GT_COST_TIER=econmy is no tier and does not count; did you mean economy?"));
}

static void more_words_of_an_explicit_agent_are_arguments(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'agents':{'opencode':{'command':'gt-opencode'}}}");
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .agent = STR(" opencode  acp ")), OK);
	assert_str(s->answer.agent, "opencode");
	assert_str(s->answer.runtime.command, "opencode");
	assert_true(story_has_arg(s, "acp"));
}

static void a_rigs_presets_are_seen_in_no_other_rig(void **state)
{
	(void)state;
	story_put(s, "alpha/settings/agents.json",
		  "{'agents':{'gemini':{'args':['--mine']},'own':{'command':'codex'}}}");
	story_put(s, "settings/config.json", "{'default_agent':'gemini'}");
	ask("witness");
	assert_true(story_has_arg(s, "--mine"));
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("beta")), OK);
	assert_false(story_has_arg(s, "--mine"));
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("beta"), .agent = STR("own")), ERR_INVALID);
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .agent = STR("own")), OK);
}

/* ---- its defects, beaten ---- */

static void defect_1_the_standard_tier_works(void **state)
{
	(void)state;
	story_env(s, "GT_COST_TIER", "standard");
	assert_int_equal(ASK(s, .role = STR("boot")), OK);
	story_expect(s, "claude-haiku", RULE_cost_tier);
	story_env(s, "GT_COST_TIER", NULL);
	story_put(s, "settings/config.json", "{'cost_tier':'standard','role_agents':{'boot':'claude-haiku'}}");
	assert_int_equal(ASK(s, .role = STR("boot")), OK);
	story_expect(s, "claude-haiku", RULE_town_role);
	assert_true(story_has_arg(s, "haiku"));
	assert_true(s->answer.would_run);
}

static void defect_2_a_fresh_town_reports_its_real_tier(void **state)
{
	static const struct {
		const char *text, *tier;
	} rows[] = {
		{"{}", "standard"},
		{"{'role_agents':{'boot':'claude-haiku','dog':'claude-haiku'}}", "standard"},
		{"{'cost_tier':'budget'}", "standard"},
		{"{'role_agents':{'witness':'gemini'}}", NULL},
		{"{'role_agents':{'mayor':'claude-sonnet','deacon':'claude-haiku','witness':'claude-sonnet',"
		 "'refinery':'claude-sonnet','boot':'claude-haiku','dog':'claude-haiku'}}",
		 "economy"},
		{"{'role_agents':{'mayor':'claude-sonnet','deacon':'claude-haiku','witness':'claude-sonnet',"
		 "'refinery':'claude-sonnet'}}",
		 NULL},
	};

	(void)state;
	assert_string_equal(tier_of(town_settings(s->town), false)->name, "standard");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct tier *tier;

		story_put(s, "settings/config.json", rows[i].text);
		town_refresh(s->town);
		tier = tier_of(town_settings(s->town), false);
		assert_row(rows[i].text, rows[i].tier ? tier && strcmp(tier->name, rows[i].tier) == 0 : !tier);
	}
}

static void defect_3_a_secret_is_a_name_until_it_is_spawned(void **state)
{
	(void)state;
	story_env(s, "GROQ_API_KEY", "gsk_live");
	story_env(s, "GT_COST_TIER", "custom-groq-opus");
	ask("witness");
	assert_str(story_env_of(s, "ANTHROPIC_API_KEY"), "$GROQ_API_KEY");
}

static void defect_4_a_claude_of_agents_json_is_claude(void **state)
{
	(void)state;
	story_put(s, "settings/agents.json",
		  "{'agents':{'opus':{'command':'claude','args':['--model','opus'],'ready_delay_ms':5}}}");
	story_put(s, "settings/config.json", "{'role_agents':{'witness':'opus','dog':'opus'}}");
	ask("witness");
	assert_true(s->answer.claude);
	assert_str(s->answer.runtime.session.id_env, "CLAUDE_SESSION_ID");
	assert_str(s->answer.runtime.hooks.settings_file, "settings.json");
	assert_int_equal(s->answer.runtime.tmux.ready_delay_ms, 5);
	assert_int_equal(s->answer.runtime.tmux.process_names.n, 2);
	assert_int_equal(s->answer.runtime.args.n, 2);
	assert_str(s->answer.model, "opus");
	assert_int_equal(ASK(s, .role = STR("dog")), OK);
	story_expect(s, "claude-haiku", RULE_dog);
}

static void defect_5_without_a_rig_there_is_none(void **state)
{
	(void)state;
	memory_files_put(s->m, "settings/config.json", "{\"agent\":\"gemini\"}");
	assert_int_equal(ASK(s, .role = STR("mayor")), OK);
	story_expect(s, "claude", RULE_builtin);
}

static void defect_7_a_file_that_was_good_once_still_counts_and_is_told(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'default_agent':'gemini'}");
	ask("witness");
	story_put(s, "settings/config.json", "{'default_agent':'codex'");
	ask("witness");
	story_expect(s, "gemini", RULE_town_default);
	assert_true(story_warned(s, "what the file said before still counts"));
	assert_true(s->answer.would_run);
	assert_false(s->answer.as_written);
	story_put(s, "settings/config.json", "{'default_agent':'codex'}");
	ask("witness");
	story_expect(s, "codex", RULE_town_default);
	assert_true(s->answer.as_written);
}

static void defect_8_a_mistyped_role_is_told(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'role_agents':{'wittness':'gemini','auditor':'codex'}}");
	ask("witness");
	story_expect(s, "claude", RULE_builtin);
	assert_int_equal(s->answer.warning_count, 1);
	assert_true(story_warned(s, "unknown role \"wittness\" in role_agents; did you mean witness?"));
	ask("polecat");
	assert_int_equal(s->answer.warning_count, 0);
}

static void an_entry_without_arguments_gets_those_of_its_own_preset(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'default_agent':'x','agents':{'x':{'command':'opencode'}}}");
	ask("witness");
	assert_int_equal(s->answer.runtime.args.n, 0);
	assert_str(s->answer.runtime.non_interactive.subcommand, "run");
	assert_int_equal(s->answer.runtime.supports_hooks, 1);
}

/* ---- what only tenfold has ---- */

static void a_polecat_by_its_name(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{'polecat_agents':{'toast':'gemini','rust':{'agent':'codex','model':'gpt-5','effort':'low'}}}");
	assert_int_equal(ASK(s, .role = STR("polecat"), .rig = STR("alpha"), .name = STR("toast")), OK);
	story_expect(s, "gemini", RULE_polecat_agents);
	assert_int_equal(ASK(s, .role = STR("polecat"), .rig = STR("alpha"), .name = STR("rust")), OK);
	story_expect(s, "codex", RULE_polecat_agents);
	assert_str(s->answer.model, "gpt-5");
	assert_int_equal(s->answer.effort, EFFORT_LOW);
	assert_true(story_has_arg(s, "model_reasoning_effort=low"));
	assert_int_equal(ASK(s, .role = STR("crew"), .rig = STR("alpha"), .name = STR("toast")), OK);
	story_expect(s, "claude", RULE_builtin);
}

static void work_by_its_type_then_by_its_labels(void **state)
{
	struct str labels[] = {STR("team=web"), STR("size=small")};
	struct role_query q = {.role = STR("polecat"), .rig = STR("alpha"), .labels = {.v = labels, .n = 2}};

	(void)state;
	story_put(s, "settings/config.json",
		  "{'type_agents':{'feature':'gemini','size=small':'amp','team':'vibe','docs':{'model':'haiku'}}}");
	assert_int_equal(story_ask(s, q), OK);
	story_expect(s, "vibe", RULE_type_agents);
	q.type = STR("feature");
	assert_int_equal(story_ask(s, q), OK);
	story_expect(s, "gemini", RULE_type_agents);
	q.type = STR("docs");
	q.labels.n = 0;
	assert_int_equal(story_ask(s, q), OK);
	story_expect(s, "claude", RULE_builtin);
	assert_str(s->answer.model, "haiku");
}

static void a_model_of_this_spawn_replaces_the_agents(void **state)
{
	static const struct {
		const char *agent, *flag, *without, *kept;
	} rows[] = {
		{"claude-sonnet", "--model", "sonnet[1m]", "--dangerously-skip-permissions"},
		{"short", "--model", "old", "-x"},
		{"longer", "--model", "old", "--models"},
		{"equals", "--model", "--model=old", "-y"},
	};

	(void)state;
	story_put(s, "settings/config.json",
		  "{'agents':{'longer':{'command':'codex','args':['--models','all','--model','old']},'short':{'"
		  "command':'codex','args':['-m','old','-x']},"
		  "'equals':{'command':'gemini','args':['-y','--model=old']}}}");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .agent = str_of(rows[i].agent),
				     .model = STR("new")),
				 OK);
		assert_row(rows[i].agent, str_eqz(s->answer.model, "new"));
		assert_row(rows[i].agent, story_has_arg(s, rows[i].flag) && story_has_arg(s, "new"));
		assert_row(rows[i].agent, !story_has_arg(s, rows[i].without));
		assert_row(rows[i].agent, story_has_arg(s, rows[i].kept));
	}
	story_env(s, "GT_MODEL_OVERRIDE", "from-env");
	ask("witness");
	assert_str(s->answer.model, "from-env");
}

static void a_model_that_cannot_be_said_is_told(void **state)
{
	(void)state;
	assert_int_equal(
		ASK(s, .role = STR("witness"), .rig = STR("alpha"), .agent = STR("amp"), .model = STR("big")), OK);
	assert_true(story_warned(s, "--model asks for the model big, but how amp is told a model is not known"));
	assert_int_equal(
		ASK(s, .role = STR("witness"), .rig = STR("alpha"), .agent = STR("vibe"), .model = STR("big")), OK);
	assert_str(story_env_of(s, "VIBE_ACTIVE_MODEL"), "big");
	assert_str(s->answer.model, "big");
}

static void a_stand_in_is_not_given_another_programs_model(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'role_agents':{'witness':'gemini'}}");
	story_uninstall(s, "gemini");
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .model = STR("gemini-pro")), OK);
	assert_str(s->answer.runs, "claude");
	assert_int_equal(s->answer.model.n, 0);
	assert_true(story_warned(s, "but claude stands in and runs its own"));
}

static void efforts_of_the_spawn_the_work_the_tier_the_rig_and_the_town(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'role_effort':{'witness':'low','polecat':'xhigh'}}");
	ask("witness");
	assert_int_equal(s->answer.effort, EFFORT_LOW);
	assert_int_equal(s->answer.effort_at.line, 1);
	ask("polecat");
	assert_int_equal(s->answer.effort, EFFORT_XHIGH);
	story_put(s, "alpha/settings/config.json",
		  "{'role_effort':{'witness':'auto'},'type_agents':{'fix':{'effort':'max'}}}");
	ask("witness");
	assert_int_equal(s->answer.effort, EFFORT_AUTO);
	story_env(s, "GT_COST_TIER", "economy");
	ask("witness");
	assert_int_equal(s->answer.effort, EFFORT_LOW);
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .type = STR("fix")), OK);
	assert_int_equal(s->answer.effort, EFFORT_MAX);
	story_env(s, "GT_EFFORT", "medium");
	ask("witness");
	assert_int_equal(s->answer.effort, EFFORT_MEDIUM);
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .effort = STR("xhigh")), OK);
	assert_int_equal(s->answer.effort, EFFORT_XHIGH);
}

static void a_wrong_effort_is_refused_or_told(void **state)
{
	(void)state;
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .effort = STR("hihg")), ERR_INVALID);
	assert_non_null(strstr(s->problem.detail, "\"hihg\" is no effort; did you mean high?"));
	story_put(s, "settings/config.json", "{'role_effort':{'witness':'meduim'}}");
	ask("witness");
	assert_int_equal(s->answer.effort, EFFORT_HIGH);
	assert_true(story_warned(s, "\"meduim\" of witness is no effort; did you mean medium?; it does not count"));
}

static void efforts_are_said_in_the_words_of_each_program(void **state)
{
	static const struct {
		const char *agent, *effort, *arg;
	} rows[] = {
		{"codex", "max", "model_reasoning_effort=xhigh"},
		{"codex", "medium", "model_reasoning_effort=medium"},
		{"pi", "low", "--thinking"},
		{"omp", "xhigh", "xhigh"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .agent = str_of(rows[i].agent),
				     .effort = str_of(rows[i].effort)),
				 OK);
		assert_row(rows[i].agent, story_has_arg(s, rows[i].arg));
	}
	assert_int_equal(
		ASK(s, .role = STR("witness"), .rig = STR("alpha"), .agent = STR("claude"), .effort = STR("max")),
		OK);
	assert_int_equal(s->answer.runtime.args.n, 1); /* it is exported */
	assert_int_equal(s->answer.warning_count, 0);
	assert_int_equal(
		ASK(s, .role = STR("witness"), .rig = STR("alpha"), .agent = STR("amp"), .effort = STR("max")), OK);
	assert_true(story_warned(s, "how amp is told an effort is not known"));
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .agent = STR("codex")), OK);
	assert_int_equal(s->answer.runtime.args.n, 1); /* nobody asked, nothing is added */
}

int main(void)
{
#define TEST(name) STORY_TEST(name, s)
	const struct CMUnitTest tests[] = {
		TEST(the_ladder_from_its_foot_to_its_top),
		TEST(tiers_and_dogs_as_gas_town_has_them),
		TEST(every_rule_is_told_with_its_place_and_why_it_did_not_decide),
		TEST(an_unknown_agent_is_an_error_with_the_likely_word),
		TEST(an_unknown_role_or_rig_is_an_error_with_the_likely_word),
		TEST(a_malformed_file_is_an_error_and_never_a_silent_default),
		TEST(a_wrong_type_is_told_and_the_rest_of_the_file_counts),
		TEST(a_missing_program_keeps_its_name_warns_and_the_next_rule_runs),
		TEST(custom_agents_are_looked_for_too),
		TEST(an_agent_without_a_command_cannot_run),
		TEST(in_a_sandbox_the_sandbox_is_looked_for),
		TEST(further_words_mean_the_program_that_was_built_and_look_for_that),
		TEST(an_explicit_agent_is_called_as_who_asks_calls_it),
		TEST(nothing_is_fallen_back_to_behind_an_explicit_agent),
		TEST(an_agent_that_cools_down_is_passed_over_until_it_is_well),
		TEST(an_unknown_tier_is_told),
		TEST(more_words_of_an_explicit_agent_are_arguments),
		TEST(a_rigs_presets_are_seen_in_no_other_rig),
		TEST(defect_1_the_standard_tier_works),
		TEST(defect_2_a_fresh_town_reports_its_real_tier),
		TEST(defect_3_a_secret_is_a_name_until_it_is_spawned),
		TEST(defect_4_a_claude_of_agents_json_is_claude),
		TEST(defect_5_without_a_rig_there_is_none),
		TEST(defect_7_a_file_that_was_good_once_still_counts_and_is_told),
		TEST(defect_8_a_mistyped_role_is_told),
		TEST(an_entry_without_arguments_gets_those_of_its_own_preset),
		TEST(a_polecat_by_its_name),
		TEST(work_by_its_type_then_by_its_labels),
		TEST(a_model_of_this_spawn_replaces_the_agents),
		TEST(a_model_that_cannot_be_said_is_told),
		TEST(a_stand_in_is_not_given_another_programs_model),
		TEST(efforts_of_the_spawn_the_work_the_tier_the_rig_and_the_town),
		TEST(a_wrong_effort_is_refused_or_told),
		TEST(efforts_are_said_in_the_words_of_each_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
