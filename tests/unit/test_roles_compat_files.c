/*
 * What Gas Town takes of a file with --compat, and what it refuses as a whole without a word.
 */
#include "harness.h"

#include "town_kit/story.h"

static struct story *s;

/* The role in the rig alpha, as Gas Town answers. */
static void ask(const char *role)
{
	story_ask_compat(s, role, "alpha");
}

/* ---- what it refuses ---- */

static void a_wrong_type_anywhere_refuses_the_whole_file(void **state)
{
	static const char *const refused[] = {
		"{'role_agents':{'witness':'gemini'},'disabled_patrols':'deacon'}",
		"{'role_agents':{'witness':'gemini'},'version':'1'}",
		"{'role_agents':{'witness':'gemini'},'version':1.5}",
		"{'role_agents':{'witness':'gemini','crew':7}}",
		"{'role_agents':{'witness':'gemini'},'agents':{'x':{'args':'--yolo'}}}",
		"{'role_agents':{'witness':'gemini'},'operational':{'daemon':{'max_dog_pool_size':true}}}",
		"{'role_agents':{'witness':'gemini'}} x",
		"[]",
		"",
	};
	static const char *const taken[] = {
		"{'Role_Agents':{'witness':'gemini'}}",
		"{'role_agents':{'witness':'gemini'},'_comment':7,'surprise':[1]}",
		"{'role_agents':{'witness':'codex','witness':'gemini'}}",
		"{'role_agents':{'crew':'amp'},'role_agents':{'witness':'gemini'}}",
		"{'role_agents':null,'role_agents':{'witness':'gemini'},'default_agent':null}",
		"{'role_agents':{'witness':'gemini'},'agent_pools':7,'polecat_agents':'x'}",
		"{'role_agents':{'witness':'gemini'},'type':'whatever','version':9}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		story_put(s, "settings/config.json", refused[i]);
		ask("witness");
		assert_row(refused[i], str_eqz(s->answer.agent, "claude"));
	}
	for (size_t i = 0; i < COUNT_OF(taken); i++) {
		story_put(s, "settings/config.json", taken[i]);
		ask("witness");
		assert_row(taken[i], str_eqz(s->answer.agent, "gemini"));
	}
}

static void a_rigs_file_is_refused_for_more(void **state)
{
	static const char *const refused[] = {
		"{'type':'town-settings','agent':'gemini'}",
		"{'version':2,'agent':'gemini'}",
		"{'agent':'gemini','merge_queue':{'on_conflict':'shrug'}}",
		"{'agent':'gemini','merge_queue':{'poll_interval':'soon'}}",
		"{'agent':'gemini','merge_queue':{'stale_claim_timeout':'-1m'}}",
		"{'agent':'gemini','merge_queue':{'stale_claim_timeout':'0'}}",
		"{'agent':'gemini','merge_queue':{'max_concurrent':-1}}",
		"{'agent':'gemini','merge_queue':{'retry_flaky_tests':-1}}",
		"{'type':'rig-settings','type':'x','agent':'gemini'}",
		"{'type':'x','type':null,'agent':'gemini'}",
		"{'agent':'gemini','merge_queue':{'max_concurrent':-1},'merge_queue':{}}",
	};
	static const char *const taken[] = {
		"{'type':'rig-settings','version':1,'agent':'gemini'}",
		"{'type':'','agent':'gemini','merge_queue':{'on_conflict':'','poll_interval':'1h30m'}}",
		"{'agent':'gemini','merge_queue':{'max_concurrent':0}}",
		"{'agent':'gemini','merge_queue':{'on_conflict':'auto_rebase','stale_claim_timeout':'.5h'}}",
		"{'type':'x','Type':'rig-settings','version':2,'version':1,'agent':'gemini'}", /* the last counts */
		"{'agent':'gemini','merge_queue':{'on_conflict':'x'},'merge_queue':{'on_conflict':''}}",
		"{'agent':'gemini','merge_queue':{'max_concurrent':-1},'merge_queue':null}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		story_put(s, "alpha/settings/config.json", refused[i]);
		ask("witness");
		assert_row(refused[i], str_eqz(s->answer.agent, "claude"));
	}
	for (size_t i = 0; i < COUNT_OF(taken); i++) {
		story_put(s, "alpha/settings/config.json", taken[i]);
		ask("witness");
		assert_row(taken[i], str_eqz(s->answer.agent, "gemini"));
	}
}

static void a_file_of_null_is_an_empty_one(void **state)
{
	(void)state;
	story_put(s, "mayor/accounts.json", "null");
	story_env(s, "GT_ACCOUNT", "a");
	assert_int_equal(ASK(s, .role = STR("mayor"), .compat = true), ERR_INVALID);
	assert_string_equal(s->problem.detail, "GT_ACCOUNT 'a' not found in accounts config");
	story_put(s, "mayor/accounts.json", "[]");
	ask("mayor");
}

static void a_preset_that_is_replaced_may_be_wrong(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'role_agents':{'witness':'own'}}");
	story_put(s, "settings/agents.json", "{'agents':{'own':{'args':5},'own':{'command':'claude'}}}");
	ask("witness");
	story_expect(s, "own", RULE_town_role);
	story_put(s, "settings/agents.json", "{'agents':{'own':{'command':'claude'},'own':{'args':5}}}");
	ask("witness");
	story_expect(s, "claude", RULE_builtin);
}

static void presets_lie_over_no_file_that_is_refused(void **state)
{
	(void)state;
	story_put(s, "settings/agents.json",
		  "{'version':'1','agents':{'mine':{'command':'codex'},'codex':{'args':['-x']}}}");
	memory_files_put(s->m, "settings/agents.json", "{\"agents\":{\"codex\":{\"resume_flag\":\"-r\"}}}");
	story_put(s, "alpha/settings/agents.json", "{'agents':{'codex':{'env':{'A':'1'}}}}");
	assert_int_equal(ASK(s, .role = STR("deacon"), .agent = STR("mine it's"), .compat = true), ERR_INVALID);
	assert_string_equal(s->problem.detail, "agent 'mine' not found");
	assert_int_equal(ASK(s, .role = STR("deacon"), .agent = STR("codex"), .compat = true), OK);
	assert_false(story_has_arg(s, "-x"));
	assert_int_equal(ASK(s, .role = STR("crew"), .rig = STR("alpha"), .agent = STR("codex"), .compat = true),
			 OK);
	assert_false(story_has_arg(s, "-x"));
	assert_str(story_env_of(s, "A"), "1");
	story_put(s, "settings/agents.json", "{'version':1,'agents':{'codex':{'args':['-x']}}}");
	assert_int_equal(ASK(s, .role = STR("crew"), .rig = STR("alpha"), .agent = STR("codex"), .compat = true),
			 OK);
	assert_true(story_has_arg(s, "-x"));
	assert_str(story_env_of(s, "A"), "1");
}

static void accounts_that_it_refuses_are_none(void **state)
{
	static const char *const refused[] = {
		"{'version':2,'default':'a','accounts':{'a':{'config_dir':'/a'}}}",
		"{'default':'b','accounts':{'a':{'config_dir':'/a'}}}",
		"{'default':'a','accounts':{'a':{'config_dir':'/a'},'b':{}}}",
		"{'default':'a','accounts':{'a':{'config_dir':5}}}",
		"{'version':1,'version':2,'default':'a','accounts':{'a':{'config_dir':'/a'}}}",
		"{",
	};

	(void)state;
	story_env(s, "GT_ACCOUNT", "a");
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		story_put(s, "mayor/accounts.json", refused[i]);
		ask("witness");
		assert_row(refused[i], s->answer.account.n == 0);
	}
	story_put(s, "mayor/accounts.json", "{'version':2,'version':1,'accounts':{'a':{'config_dir':'/a'}}}");
	ask("witness");
	assert_str(s->answer.account, "a");
}

static void of_accounts_with_one_name_the_last_counts(void **state)
{
	(void)state;
	story_put(s, "mayor/accounts.json", "{'default':'a','accounts':{'a':{},'a':{'config_dir':'/a'}}}");
	ask("witness");
	assert_str(s->answer.account, "a");
	story_put(s, "mayor/accounts.json", "{'default':'a','accounts':{'a':{'config_dir':'/a'},'a':{}}}");
	ask("witness");
	assert_str(s->answer.account, "");
}

/* ---- what counts ---- */

static void removed_keys_of_the_merge_queue_are_told_in_its_words(void **state)
{
	(void)state;
	story_put(s, "alpha/settings/config.json", "{'merge_queue':{'target_branch':'main'}}");
	ask("witness");
	assert_true(story_warned(s,
				 "warning: /t/alpha/settings/config.json: merge_queue.target_branch is deprecated "
				 "and ignored (use rig default_branch instead)"));
	story_put(s, "alpha/settings/config.json", "{'merge_queue':{'target_branch':'x'},'merge_queue':null}");
	ask("witness");
	assert_int_equal(s->answer.warning_count, 0);
	story_put(s, "alpha/settings/config.json", "{'merge_queue':{'target_branch':'x'},'merge_queue':{}}");
	story_put(s, "settings/config.json", "{'role_effort':{'witness':'hihg'}}");
	ask("witness");
	assert_int_equal(s->answer.warning_count, 2); /* objects of one name are one */
	assert_true(
		str_starts(s->answer.warnings[0].text, STR("warning: /t/alpha/"))); /* whose file is read first */
}

static void defect_7_a_malformed_file_silently_becomes_defaults(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'default_agent':'gemini'}");
	ask("witness");
	story_expect(s, "gemini", RULE_town_default);
	story_put(s, "settings/config.json", "{'default_agent':'gemini',}");
	ask("witness");
	story_expect(s, "claude", RULE_builtin);
	assert_int_equal(s->answer.warning_count, 0);
}

static void defect_8_a_mistyped_role_does_nothing(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'role_agents':{'wittness':'gemini'}}");
	ask("witness");
	story_expect(s, "claude", RULE_builtin);
	assert_int_equal(s->answer.warning_count, 0);
}

static void what_is_tenfolds_own_does_not_count(void **state)
{
	(void)state;
	story_env(s, "GT_EFFORT", "low");
	story_env(s, "GT_MODEL_OVERRIDE", "opus");
	story_put(s, "settings/config.json",
		  "{'type_agents':{'feature':'gemini'},'polecat_agents':{'toast':'gemini'},"
		  "'agent_pools':{'claude':{'agents':['gemini']}},'role_accounts':{'polecat':'x'}}");
	assert_int_equal(ASK(s, .role = STR("polecat"), .rig = STR("alpha"), .name = STR("toast"),
			     .type = STR("feature"), .compat = true),
			 OK);
	story_expect(s, "claude", RULE_builtin);
	assert_int_equal(s->answer.effort, EFFORT_HIGH);
	assert_int_equal(s->answer.model.n, 0);
}

static void without_a_file_of_the_town_its_default_agent_is_called_claude(void **state)
{
	(void)state;
	story_put(s, "alpha/settings/config.json", "{'agents':{'claude':{'command':'codex'}}}");
	assert_int_equal(ASK(s, .role = STR("dog"), .rig = STR("alpha"), .compat = true), OK);
	story_expect(s, "claude", RULE_builtin); /* which is the rig's codex, so another provider was chosen */
	story_put(s, "settings/config.json", "{}");
	assert_int_equal(ASK(s, .role = STR("dog"), .rig = STR("alpha"), .compat = true), OK);
	story_expect(s, "claude-haiku", RULE_dog);
	story_put(s, "settings/config.json", "{'type':[]}");
	assert_int_equal(ASK(s, .role = STR("dog"), .rig = STR("alpha"), .compat = true), OK);
	story_expect(s, "claude", RULE_builtin);
}

#define TEST(name) STORY_TEST(name, s)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_wrong_type_anywhere_refuses_the_whole_file),
		TEST(a_rigs_file_is_refused_for_more),
		TEST(a_file_of_null_is_an_empty_one),
		TEST(a_preset_that_is_replaced_may_be_wrong),
		TEST(presets_lie_over_no_file_that_is_refused),
		TEST(accounts_that_it_refuses_are_none),
		TEST(of_accounts_with_one_name_the_last_counts),
		TEST(removed_keys_of_the_merge_queue_are_told_in_its_words),
		TEST(defect_7_a_malformed_file_silently_becomes_defaults),
		TEST(defect_8_a_mistyped_role_does_nothing),
		TEST(what_is_tenfolds_own_does_not_count),
		TEST(without_a_file_of_the_town_its_default_agent_is_called_claude),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
