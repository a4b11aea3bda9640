/*
 * Pools and accounts: whose turn it is, who is passed over, and what is fallen back to.
 */
#include "harness.h"

#include "town_kit/story.h"

static struct story *s;

static void spawn(void)
{
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .spawn = true), OK);
}

static void pool(const char *members, const char *more)
{
	struct str text = arena_fmt(
		s->arena, "{'role_agents':{'witness':'p'},'agent_pools':{'p':{'agents':[%s]%s}}}", members, more);

	story_put(s, "settings/config.json", text.p);
}

static void cool(const char *agent)
{
	assert_int_equal(town_state_cool(s->state, str_of(agent), s->m->ms + 60000, STR("quota"), &s->problem), OK);
}

/* ---- pools ---- */

static void priority_takes_the_first_that_can_run(void **state)
{
	(void)state;
	pool("'gemini','codex','amp'", "");
	spawn();
	assert_str(s->answer.agent, "gemini");
	assert_str(s->answer.pool, "p");
	assert_true(s->answer.would_run);
	cool("gemini");
	story_uninstall(s, "codex");
	spawn();
	assert_str(s->answer.agent, "gemini");
	assert_str(s->answer.runs, "amp");
	assert_true(s->answer.would_run && s->answer.as_written); /* the pool names it too */
	assert_true(story_warned(s, "amp runs in its place"));
	assert_false(story_step(s, RULE_fallback) == NULL);
}

static void round_robin_takes_turns_and_asking_takes_none(void **state)
{
	static const char *const turns[] = {"gemini", "codex", "amp", "gemini"};

	(void)state;
	pool("'gemini','codex','amp'", ",'selection':'round_robin'");
	for (size_t i = 0; i < COUNT_OF(turns); i++) {
		assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha")), OK);
		assert_row(turns[i], str_eqz(s->answer.agent, turns[i]));
		spawn();
		assert_row(turns[i], str_eqz(s->answer.agent, turns[i]));
	}
}

static void weighted_follows_the_weights_over_any_stretch(void **state)
{
	enum { TURNS = 200 };
	int of_gemini = 0;

	(void)state;
	pool("{'agent':'gemini','weight':3},{'agent':'codex'},{'agent':'amp','weight':0}",
	     ",'selection':'weighted'");
	for (int i = 1; i <= TURNS; i++) {
		spawn();
		assert_false(str_eqz(s->answer.agent, "amp"));
		of_gemini += str_eqz(s->answer.agent, "gemini");
		assert_in_range(of_gemini * 4 - i * 3 + 12, 0, 24); /* never more than three turns away */
	}
}

static void least_cost_takes_the_cheapest_and_the_unknown_last(void **state)
{
	(void)state;
	story_install(s, "stranger");
	story_put(s, "settings/config.json",
		  "{'role_agents':{'witness':'p'},'agents':{'x':{'command':'stranger','args':[]}},"
		  "'agent_pools':{'p':{'agents':['claude-sonnet','x','claude-haiku'],'selection':'least_cost'}}}");
	spawn();
	assert_str(s->answer.agent, "claude-haiku");
	cool("claude-haiku");
	spawn();
	assert_str(s->answer.runs, "claude-sonnet");
	cool("claude-sonnet");
	spawn();
	assert_str(s->answer.runs, "x");
}

static void a_fallback_is_an_agent_or_a_pool(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{'role_agents':{'witness':'p'},'agent_pools':{'p':{'agents':['gemini'],'fallback':'q'},"
		  "'q':{'agents':['codex'],'fallback':'vibe'}}}");
	cool("gemini");
	spawn();
	assert_str(s->answer.runs, "codex");
	assert_str(s->answer.pool, "q");
	cool("codex");
	spawn();
	assert_str(s->answer.runs, "vibe");
	cool("vibe");
	spawn();
	assert_str(s->answer.runs, "claude"); /* the next rule */
}

static void pools_that_lead_back_to_themselves_end(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{'role_agents':{'witness':'p'},'agent_pools':{'p':{'agents':['gemini'],'fallback':'q'},"
		  "'q':{'agents':['p','codex'],'fallback':'q'}}}");
	cool("gemini");
	spawn();
	assert_str(s->answer.runs, "codex");
	assert_true(story_warned(s, "pool p leads back to itself"));
	story_put(s, "settings/config.json",
		  "{'role_agents':{'witness':'p'},'agent_pools':{'p':{'agents':['q']},'q':{'agents':['p']}}}");
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha")), ERR_INVALID);
}

static void a_pool_named_as_its_first_agent_gives_it_fallbacks_everywhere(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'agent_pools':{'claude':{'agents':['claude','codex']}}}");
	spawn();
	assert_str(s->answer.agent, "claude");
	story_uninstall(s, "claude");
	spawn();
	assert_str(s->answer.runs, "codex");
}

static void an_undefined_member_is_told_and_left_out(void **state)
{
	(void)state;
	pool("'gemni','codex'", "");
	spawn();
	assert_str(s->answer.agent, "codex");
	assert_true(story_warned(
		s, "pool p names the agent \"gemni\", which is nowhere defined; did you mean gemini?"));
	pool("'gemni'", "");
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha")), ERR_INVALID);
}

static void a_rigs_pool_goes_before_the_towns(void **state)
{
	(void)state;
	pool("'gemini'", "");
	story_put(s, "alpha/settings/config.json", "{'agent_pools':{'p':{'agents':['codex']}}}");
	spawn();
	assert_str(s->answer.agent, "codex");
}

static void a_pool_with_another_provider_frees_dogs_and_tiers(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{'role_agents':{'dog':'p'},'agent_pools':{'p':{'agents':['claude-haiku','gemini']}}}");
	assert_int_equal(ASK(s, .role = STR("dog")), OK);
	assert_int_equal(s->answer.rule, RULE_town_role);
	assert_str(s->answer.agent, "claude-haiku");
}

static void mistakes_in_pools_are_told_with_their_place(void **state)
{
	static const struct {
		const char *text, *fault;
	} rows[] = {
		{"{'agent_pools':{'p':{'agents':[]}}}", "pool p has no agents"},
		{"{'agent_pools':{'p':{}}}", "pool p has no agents"},
		{"{'agent_pools':{'p':{'agents':'gemini'}}}",
		 "agent_pools.p.agents must be a list of texts, not a text"},
		{"{'agent_pools':{'p':{'agents':[7]}}}", "agent_pools.p.agents[0] must be a text, not a number"},
		{"{'agent_pools':{'p':{'agents':['amp'],'selection':'round-robin'}}}", "did you mean round_robin?"},
		{"{'agent_pools':{'p':{'agents':['amp'],'falback':'x'}}}",
		 "unknown key \"agent_pools.p.falback\"; did you mean fallback?"},
		{"{'agent_pools':{'p':{'agents':[{'agent':'amp','weight':-1}]}}}", "must be 0 to 1000000"},
		{"{'agent_pools':{'p':5}}", "agent_pools.p must be an object, not a number"},
		{"{'agent_pools':5}", "agent_pools must be an object, not a number"},
		{"{'budgets':{'alpha':{}}}", "budgets.alpha needs usd_per_day, 0 or more"},
		{"{'budgets':{'alpha':{'usd_per_day':1,'warn_at':2}}}", "warn_at must be above 0 and at most 1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		story_put(s, "settings/config.json", rows[i].text);
		town_refresh(s->town);
		assert_row(rows[i].text, !town_settings(s->town)->source.refused); /* Gas Town does not look */
		assert_row(rows[i].text, story_found(s, rows[i].fault));
		assert_row(rows[i].text, (town_fault(s->town, 0)->severity == SEVERITY_ERROR) ==
						 !strstr(rows[i].fault, "unknown key"));
	}
}

/* ---- accounts ---- */

#define ACCOUNTS                                                                            \
	"{'default':'home','accounts':{'home':{'config_dir':'~/h'},'work':{'config_dir':'/" \
	"w'},'spare':{'config_dir':'/s'}}}"

static void expect_account(const char *handle)
{
	spawn();
	assert_str(s->answer.account, handle);
}

static void a_role_is_pinned_to_an_account(void **state)
{
	(void)state;
	story_put(s, "mayor/accounts.json", ACCOUNTS);
	expect_account("home");
	story_put(s, "settings/config.json", "{'role_accounts':{'*':'spare'}}");
	expect_account("spare");
	story_put(s, "settings/config.json", "{'role_accounts':{'*':'spare','witness':'work'}}");
	expect_account("work");
	assert_int_equal(ASK(s, .role = STR("refinery"), .rig = STR("alpha")), OK);
	assert_str(s->answer.account, "spare");
	story_put(s, "alpha/settings/config.json", "{'role_accounts':{'*':'home'}}");
	expect_account("home");
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .account = STR("spare")), OK);
	assert_str(s->answer.account, "spare");
	story_env(s, "GT_ACCOUNT", "work");
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .account = STR("spare")), OK);
	assert_str(s->answer.account, "work");
}

static void several_accounts_take_turns_and_used_up_ones_wait(void **state)
{
	static const char *const turns[] = {"home", "work", "spare", "home"};

	(void)state;
	story_put(s, "mayor/accounts.json", ACCOUNTS);
	story_put(s, "settings/config.json", "{'role_accounts':{'witness':['home','work','spare']}}");
	for (size_t i = 0; i < COUNT_OF(turns); i++)
		expect_account(turns[i]);
	story_put(s, "mayor/quota.json", "{'accounts':{'work':{'status':'limited','resets_at':'7pm'}}}");
	expect_account("spare"); /* in place of work */
	expect_account("spare");
	assert_int_equal(
		town_state_cool_account(s->state, STR("home"), s->m->ms + 60000, STR("quota"), &s->problem), OK);
	expect_account("spare"); /* in place of home */
}

static void with_all_used_up_one_is_used_and_told(void **state)
{
	(void)state;
	story_put(s, "mayor/accounts.json", ACCOUNTS);
	story_put(s, "mayor/quota.json",
		  "{'accounts':{'home':{'status':'limited','resets_at':'7pm (Europe/Rome)'}}}");
	expect_account("home");
	assert_true(story_warned(s, "account home is used up until 7pm (Europe/Rome)"));
}

static void an_unknown_account_is_an_error_with_the_likely_word(void **state)
{
	(void)state;
	story_put(s, "mayor/accounts.json", ACCOUNTS);
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .account = STR("wrok")), ERR_INVALID);
	assert_non_null(strstr(s->problem.detail, "did you mean work?"));
	story_put(s, "settings/config.json", "{'role_accounts':{'witness':'wrk'}}");
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha")), ERR_INVALID);
	assert_non_null(strstr(s->problem.detail, "settings/config.json:1:19: role_accounts names the account"));
}

static void accounts_that_cannot_be_read_are_told(void **state)
{
	(void)state;
	story_put(s, "mayor/accounts.json", "{'accounts':");
	spawn();
	assert_int_equal(s->answer.account.n, 0);
	assert_int_equal(s->answer.warning_count, 1);
	assert_string_equal(s->answer.warnings[0].at.path, "mayor/accounts.json");
	story_put(s, "mayor/accounts.json", ACCOUNTS);
	expect_account("home");
	assert_int_equal(s->answer.warning_count, 0);
	story_put(s, "mayor/accounts.json", "{'accounts':");
	expect_account("home"); /* the last good answer */
	assert_int_equal(s->answer.warning_count, 1);
}

static void without_a_file_of_accounts_a_wish_for_one_is_told(void **state)
{
	(void)state;
	story_env(s, "GT_ACCOUNT", "work");
	spawn();
	assert_true(story_warned(s, "GT_ACCOUNT=work does not count: there is no mayor/accounts.json"));
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .account = STR("work")), ERR_INVALID);
}

int main(void)
{
#define TEST(name) STORY_TEST(name, s)
	const struct CMUnitTest tests[] = {
		TEST(priority_takes_the_first_that_can_run),
		TEST(round_robin_takes_turns_and_asking_takes_none),
		TEST(weighted_follows_the_weights_over_any_stretch),
		TEST(least_cost_takes_the_cheapest_and_the_unknown_last),
		TEST(a_fallback_is_an_agent_or_a_pool),
		TEST(pools_that_lead_back_to_themselves_end),
		TEST(a_pool_named_as_its_first_agent_gives_it_fallbacks_everywhere),
		TEST(an_undefined_member_is_told_and_left_out),
		TEST(a_rigs_pool_goes_before_the_towns),
		TEST(a_pool_with_another_provider_frees_dogs_and_tiers),
		TEST(mistakes_in_pools_are_told_with_their_place),
		TEST(a_role_is_pinned_to_an_account),
		TEST(several_accounts_take_turns_and_used_up_ones_wait),
		TEST(with_all_used_up_one_is_used_and_told),
		TEST(an_unknown_account_is_an_error_with_the_likely_word),
		TEST(accounts_that_cannot_be_read_are_told),
		TEST(without_a_file_of_accounts_a_wish_for_one_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
