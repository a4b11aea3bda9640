/*
 * Every mistake in every file, each with its place and the likely word; and what would not run.
 */
#include "harness.h"

#include "base/buf.h"
#include "roles/check.h"
#include "town_kit/story.h"

static struct story *s;
static struct check_report report;

static void check(void)
{
	town_refresh(s->town);
	assert_int_equal(role_check(s->town, s->arena, &report, &s->problem), OK);
}

/* The fault that begins so; NULL: there is none. */
static const struct fault *found(const char *begins)
{
	for (size_t i = 0; i < report.count; i++)
		if (str_starts(report.faults[i].text, str_of(begins)))
			return &report.faults[i];
	return NULL;
}

static void a_fresh_town_has_none(void **state)
{
	(void)state;
	check();
	assert_int_equal(report.count, 0);
	assert_true(report.all_run);
}

static void a_busy_town_without_mistakes_has_none(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{'type':'town-settings','version':1,'default_agent':'claude','cost_tier':'standard',"
		  "'_comment':'ours','role_agents':{'boot':'claude-haiku','dog':'claude-haiku'},"
		  "'agents':{'claude-haiku':{'provider':'claude','command':'claude','args':['--model','haiku'],'"
		  "prompt_mode':'none'}},"
		  "'role_effort':{'deacon':'low'},'crew_agents':{'denali':'cheap'},"
		  "'agent_pools':{'cheap':{'agents':['codex',{'agent':'gemini','weight':2}],'selection':'weighted',"
		  "'fallback':'claude'}},'rigs':{'alpha':{'role_effort':{'crew':'low'}}},'budgets':{'*':{'usd_per_"
		  "day':9},'alpha/witness':{'usd_per_day':1}},"
		  "'role_accounts':{'*':['home']},'type_agents':{'docs':{'model':'haiku'}}}");
	story_put(s, "mayor/accounts.json", "{'default':'home','accounts':{'home':{'config_dir':'/h'}}}");
	story_put(s, "alpha/settings/config.json",
		  "{'type':'rig-settings','version':1,'role_agents':{'witness':'gemini'},'worker_agents':{'x':'amp'"
		  "}}");
	story_put(s, "alpha/settings/agents.json",
		  "{'version':1,'agents':{'mine':{'command':'codex','process_names':['codex'],"
		  "'env':{'MODE':'fast','A_KEY':'$A_KEY','_x1':''}}}}");
	check();
	for (size_t i = 0; i < report.count; i++)
		print_message("%.*s\n", STRF(report.faults[i].text));
	assert_int_equal(report.count, 0);
	assert_true(report.all_run);
}

/* One mistake: the file it is in, and how it is told. */
static const struct mistake {
	const char *path, *text, *told;
	int line, column;
	enum severity severity;
} mistakes[] = {
	{"settings/config.json", "{\n 'role_agents':{'polcat':'gemini'}}",
	 "unknown role \"polcat\" in role_agents; did you mean polecat?", 2, 17, SEVERITY_ERROR},
	{"settings/config.json", "{'role_agents':{'auditor':'gemini'}}", "unknown role \"auditor\" in role_agents",
	 1, 17, SEVERITY_WARNING},
	{"settings/config.json", "{'role_effort':{'mayr':'low'}}",
	 "unknown role \"mayr\" in role_effort; did you mean mayor?", 1, 17, SEVERITY_ERROR},
	{"alpha/settings/config.json", "{'role_agents':{'mayor':'gemini'}}", "a mayor does not work in a rig", 1,
	 17, SEVERITY_WARNING},
	{"settings/config.json", "{'role_agents':{'witness':'gemni'}}",
	 "role_agents names the agent \"gemni\", which is nowhere defined; did you mean gemini?", 1, 27,
	 SEVERITY_ERROR},
	{"settings/config.json", "{'role_agents':{'boot':'claude-haiku'}}",
	 "role_agents names \"claude-haiku\", which tenfold brings", 1, 24, SEVERITY_HINT},
	{"settings/config.json", "{'crew_agents':{'denali':'codxe'}}", "crew_agents names the agent \"codxe\"", 1,
	 26, SEVERITY_ERROR},
	{"alpha/settings/config.json", "{'worker_agents':{'denali':'codxe'}}",
	 "worker_agents names the agent \"codxe\"", 1, 28, SEVERITY_ERROR},
	{"settings/config.json", "{'default_agent':'cluade'}", "default_agent names the agent \"cluade\"", 1, 18,
	 SEVERITY_ERROR},
	{"alpha/settings/config.json", "{'agent':'cluade'}", "agent names the agent \"cluade\"", 1, 10,
	 SEVERITY_ERROR},
	{"settings/config.json", "{'role_effort':{'witness':'hihg'}}",
	 "role_effort: \"hihg\" is no effort; did you mean high?", 1, 27, SEVERITY_ERROR},
	{"settings/config.json", "{'role_effort':{'witness':'xhigh'}}", "Gas Town does not know the effort xhigh",
	 1, 27, SEVERITY_HINT},
	{"settings/config.json", "{'type_agents':{'docs':{'agent':'amp','effort':'lwo'}}}",
	 "type_agents: \"lwo\" is no effort", 1, 24, SEVERITY_ERROR},
	{"settings/config.json", "{'polecat_agents':{'toast':'gemni'}}", "polecat_agents names the agent \"gemni\"",
	 1, 28, SEVERITY_ERROR},
	{"settings/config.json", "{'cost_tier':'econmy'}", "\"econmy\" is no cost tier; did you mean economy?", 1,
	 14, SEVERITY_WARNING},
	{"settings/config.json", "{'cost_tier':'economy'}",
	 "cost_tier says economy, but role_agents are those of standard", 1, 14, SEVERITY_HINT},
	{"settings/config.json", "{'agent_pools':{'p':{'agents':['gemni']}}}", "the pool names the agent \"gemni\"",
	 1, 32, SEVERITY_ERROR},
	{"settings/config.json", "{'agent_pools':{'p':{'agents':['amp'],'fallback':'nobody'}}}",
	 "fallback of the pool names the agent \"nobody\"", 1, 17, SEVERITY_ERROR},
	{"settings/config.json", "{'agent_pools':{'p':{'agents':['amp'],'fallback':'p'}}}",
	 "pool p leads back to itself", 1, 17, SEVERITY_ERROR},
	{"settings/config.json", "{'agent_pools':{'gemini':{'agents':['amp']}}}",
	 "pool gemini hides the agent of that name", 1, 17, SEVERITY_WARNING},
	{"settings/config.json", "{'role_accounts':{'witness':'wrok'}}", "role_accounts names the account \"wrok\"",
	 1, 19, SEVERITY_ERROR},
	{"settings/config.json", "{'budgets':{'alhpa':{'usd_per_day':1}}}", "budget \"alhpa\" holds for nothing", 1,
	 13, SEVERITY_WARNING},
	{"alpha/settings/config.json", "{'agent':'amp','runtime':{'provider':'codex'}}",
	 "runtime is deprecated and hides agent \"amp\"", 1, 16, SEVERITY_WARNING},
	{"alpha/settings/config.json", "{'runtime':{'provider':'codex'}}", "runtime is deprecated: define it", 1, 2,
	 SEVERITY_HINT},
	{"settings/config.json", "{'budgets':{'alpha/wittness':{'usd_per_day':1}}}",
	 "budget \"alpha/wittness\" holds for nothing", 1, 13, SEVERITY_WARNING},
	{"settings/config.json", "{'budgets':{'nowhere/witness':{'usd_per_day':1}}}",
	 "budget \"nowhere/witness\" holds for nothing", 1, 13, SEVERITY_WARNING},
	{"settings/config.json", "{'rigs':{'alhpa':{}}}", "rigs has \"alhpa\", which is no rig", 1, 10,
	 SEVERITY_WARNING},
	{"alpha/settings/config.json", "{'merge_queue':{'integration_branches':'x'}}",
	 "merge_queue.integration_branches was removed", 0, 0, SEVERITY_WARNING},
	{"alpha/settings/config.json", "{'merge_queue':{'target_branch':'x'}}",
	 "merge_queue.target_branch was removed", 0, 0, SEVERITY_WARNING},
	{"settings/config.json", "{'agents':{'claude-opus':{'command':'claude'}}}",
	 "claude-opus is named for a model, but its args have no --model", 1, 12, SEVERITY_WARNING},
	{"settings/config.json", "{'agents':{'x':{'provider':'cluade'}}}",
	 "x: provider \"cluade\" is no preset, so it is filled as Claude is; did you mean claude?", 1, 12,
	 SEVERITY_WARNING},
	{"settings/config.json", "{'agents':{'x':{'env':{'GROQ_API_KEY':'gsk_1'}}}}",
	 "x holds a secret in a file; write \"$GROQ_API_KEY\"", 1, 24, SEVERITY_WARNING},
	{"settings/config.json", "{'agents':{'x':{'env':{'A B':'1'}}}}",
	 "x: \"A B\" cannot be the name of a variable", 1, 24, SEVERITY_ERROR},
	{"settings/config.json", "{'agents':{'x':{'acp':{'mode':'flags'}}}}", "x: acp.mode must be native", 1, 12,
	 SEVERITY_WARNING},
	{"settings/agents.json", "{'agents':{'x':{'args':[]}}}", "x has no command", 1, 12, SEVERITY_ERROR},
	{"settings/agents.json", "{'agents':{'gemini':{'tmux':{'process_names':[]}}}}",
	 "agents.gemini.tmux does nothing in agents.json", 1, 22, SEVERITY_WARNING},
	{"settings/agents.json", "{'agents':{'gemini':{'resume_style':'both'}}}",
	 "agents.gemini.resume_style must be flag or subcommand", 1, 37, SEVERITY_WARNING},
	{"settings/config.json", "{'agents':{'x':{'prompt_mode':'stdin'}}}",
	 "agents.x.prompt_mode must be arg or none", 1, 31, SEVERITY_WARNING},
	{"settings/config.json", "{'default_agnet':'x'}",
	 "unknown key \"default_agnet\"; did you mean default_agent?", 1, 2, SEVERITY_WARNING},
	{"settings/config.json", "{'role_agents':[]}", "role_agents must be an object, not a list", 1, 16,
	 SEVERITY_ERROR},
	{"settings/config.json", "{'agents':{'x':{'args':'--yolo'}}}",
	 "agents.x.args must be a list of texts, not a text", 1, 24, SEVERITY_ERROR},
	{"settings/config.json", "{'scheduler':{'max_polecats':1.5}}",
	 "scheduler.max_polecats must be a whole number", 1, 30, SEVERITY_ERROR},
	{"mayor/accounts.json", "{'default':'x','accounts':{'a':{'config_dir':'/a'}}}",
	 "default names the account \"x\"", 1, 12, SEVERITY_ERROR},
	{"mayor/accounts.json", "{'accounts':{'a':{}}}", "account a has no config_dir", 1, 14, SEVERITY_ERROR},
	{"mayor/quota.json", "{'accounts':{'a':{'status':'ok'}}}", "accounts.a.status must be available", 1, 28,
	 SEVERITY_WARNING},
	{"mayor/town.json", "{'type':'village','name':'t'}", "type must be town", 1, 9, SEVERITY_ERROR},
	{"mayor/town.json", "{'type':'town'}", "the town has no name", 1, 1, SEVERITY_ERROR},
	{"mayor/town.json", "{'type':'town','name':'t','version':3}", "version must be a number, at most 2", 1, 37,
	 SEVERITY_ERROR},
	{"alpha/settings/config.json", "{'type':'rig'}", "type must be rig-settings here", 1, 9, SEVERITY_ERROR},
};

static void each_is_told_at_its_place_and_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
		const struct mistake *m = &mistakes[i];
		struct story *before = s;
		const struct fault *f;
		size_t times = 0;

		story_end(&before);
		s = story_new();
		story_put(s, m->path, m->text);
		check();
		f = found(m->told);
		assert_row(m->told, f != NULL);
		assert_row(m->told, str_eqz(str_of(f->at.path), m->path));
		if (f->at.line != m->line || f->at.column != m->column)
			fail_msg("%s: at %d:%d", m->told, f->at.line, f->at.column);
		assert_row(m->told, f->severity == m->severity);
		for (size_t k = 0; k < report.count; k++)
			times += report.faults[k].severity == SEVERITY_ERROR;
		assert_row(m->told, times <= (m->severity == SEVERITY_ERROR));
		assert_row(m->told, report.errors + report.warnings + report.hints == report.count);
	}
}

static void what_stands_below_is_told_where_it_stands(void **state)
{
	(void)state;
	story_put(s, "settings/agents.json", "{'agents':{'gemini':{'env':{'X_TOKEN':'t'}}}}");
	story_put(s, "alpha/settings/agents.json", "{'agents':{'gemini':{'args':['--x']}}}");
	check();
	assert_int_equal(report.count, 1);
	assert_string_equal(report.faults[0].at.path, "settings/agents.json");
}

static void a_hint_hides_nothing_that_would_not_run(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'role_agents':{'boot':'claude-haiku'}}");
	story_uninstall(s, "claude");
	check();
	assert_non_null(found("boot: claude-haiku"));
	assert_false(report.all_run);
}

static void they_are_sorted_by_file_and_line(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{\n'default_agnet':'x',\n'role_agents':{'polcat':'x'},\n'version':'1'}");
	story_put(s, "alpha/settings/config.json", "{'agnet':'x'}");
	check();
	assert_true(report.count >= 5);
	for (size_t i = 1; i < report.count; i++)
		assert_true(fault_order(&report.faults[i - 1], &report.faults[i]) < 0);
}

static void a_role_written_in_toml_is_told(void **state)
{
	(void)state;
	story_put(s, "roles/mayor.toml", "x");
	story_put(s, "alpha/settings/config.json", "{}");
	story_put(s, "alpha/roles/witness.toml", "x");
	story_put(s, "alpha/roles/mayor.toml", "x"); /* nobody looks there */
	check();
	assert_int_equal(report.warnings, 2);
	assert_string_equal(report.faults[0].at.path, "alpha/roles/witness.toml");
	assert_string_equal(report.faults[1].at.path, "roles/mayor.toml");
	assert_non_null(found("tenfold does not read this file; a start_command in it"));
	assert_true(report.all_run);
}

static void a_pool_that_passes_over_a_member_runs_as_written(void **state)
{
	(void)state;
	story_uninstall(s, "gemini");
	story_put(s, "settings/config.json",
		  "{'role_agents':{'mayor':'p'},'agent_pools':{'p':{'agents':['gemini','codex']}}}");
	check();
	assert_true(report.all_run);
	assert_int_equal(report.errors, 0);
	assert_int_equal(report.warnings, 1);
	story_put(s, "settings/config.json",
		  "{'role_agents':{'mayor':'p'},'agent_pools':{'p':{'agents':['gemini']}}}");
	check();
	assert_false(report.all_run);
	assert_int_equal(report.errors, 1);
}

static void what_would_not_run_is_told_once_for_all_spawns(void **state)
{
	const struct fault *f;

	(void)state;
	story_put(s, "settings/config.json", "{\n'default_agent':'gemini'}");
	for (int i = 0; i < 20; i++)
		story_put(s, arena_fmt(s->arena, "r%d/settings/config.json", i).p, "{}");
	story_uninstall(s, "gemini");
	check();
	assert_false(report.all_run);
	assert_int_equal(report.errors, 1);
	f = found("mayor and ");
	assert_non_null(f);
	assert_int_equal(f->at.line, 2);
	assert_true(str_starts(f->text, STR("mayor and 83 more: gemini: its command")));
	story_install(s, "gemini");
	check();
	assert_true(report.all_run);
}

static void named_workers_polecats_and_types_are_tried_too(void **state)
{
	(void)state;
	story_put(
		s, "alpha/settings/config.json",
		"{'worker_agents':{'denali':'amp'},'polecat_agents':{'toast':'vibe'},'type_agents':{'docs':'pi'}}");
	story_uninstall(s, "amp");
	story_uninstall(s, "vibe");
	story_uninstall(s, "pi");
	check();
	assert_non_null(found("crew denali of alpha: amp"));
	assert_non_null(found("polecat toast of alpha: vibe"));
	assert_non_null(found("polecat docs of alpha: pi"));
	assert_int_equal(report.errors, 3);
}

static void a_malformed_file_is_told_once_and_nothing_runs(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'default_agent':'gemini',}");
	story_put(s, "alpha/settings/config.json", "{}");
	check();
	assert_int_equal(report.errors, 1);
	assert_false(report.all_run);
	assert_string_equal(report.faults[0].at.path, "settings/config.json");
}

static void many_presets_and_many_rigs_are_hinted_at(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{'agents':{'a':{},'b':{},'c':{},'d':{},'e':{},'f':{},'g':{},'h':{},'i':{},'j':{},'k':{},'l':{},'"
		  "m':{},"
		  "'n':{},'o':{},'p':{},'q':{},'r':{},'s':{},'t':{}}}");
	for (int i = 0; i < 10; i++)
		story_put(s, arena_fmt(s->arena, "r%d/settings/config.json", i).p, "{}");
	check();
	assert_int_equal(report.hints, 0);
	story_put(s, "settings/agents.json", "{'agents':{'gemini':{}}}");
	story_put(s, "r10/settings/config.json", "{}");
	check();
	assert_int_equal(report.hints, 2);
	assert_non_null(found("21 agents are defined"));
	assert_non_null(found("11 rigs have files of their own"));
	assert_true(report.all_run);
}

static void ten_thousand_mistakes_end(void **state)
{
	struct buf b = BUF_INIT(8 << 20);

	(void)state;
	buf_z(&b, "{\"crew_agents\":{");
	for (int i = 0; i < 20000; i++)
		buf_fmt(&b, "%s\"c%d\":\"nobody%d\"", i ? "," : "", i, i);
	buf_z(&b, "}}");
	memory_files_put_str(s->m, "/t/settings/config.json", buf_str(&b));
	check();
	assert_true(report.count <= 10001);
	assert_true(report.errors >= 10000);
	buf_free(&b);
}

int main(void)
{
#define TEST(name) STORY_TEST(name, s)
	const struct CMUnitTest tests[] = {
		TEST(a_fresh_town_has_none),
		TEST(a_busy_town_without_mistakes_has_none),
		TEST(each_is_told_at_its_place_and_once),
		TEST(what_stands_below_is_told_where_it_stands),
		TEST(a_hint_hides_nothing_that_would_not_run),
		TEST(they_are_sorted_by_file_and_line),
		TEST(a_role_written_in_toml_is_told),
		TEST(a_pool_that_passes_over_a_member_runs_as_written),
		TEST(what_would_not_run_is_told_once_for_all_spawns),
		TEST(named_workers_polecats_and_types_are_tried_too),
		TEST(a_malformed_file_is_told_once_and_nothing_runs),
		TEST(many_presets_and_many_rigs_are_hinted_at),
		TEST(ten_thousand_mistakes_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
