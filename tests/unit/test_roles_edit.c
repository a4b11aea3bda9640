/*
 * Changes to a town: the line and nothing else, refused when it would lead nowhere, and whole or not at all.
 */
#include "harness.h"

#include "roles/edit.h"
#include "town_kit/story.h"

static struct story *s;
static struct edit_report report;

static enum err set(const char *role, const char *agent, struct edit_options o)
{
	problem_clear(&s->problem);
	town_refresh(s->town);
	return role_set(s->town, str_of(role), str_of(agent), &o, s->arena, &report, &s->problem);
}

static enum err unset(const char *role, struct edit_options o)
{
	problem_clear(&s->problem);
	town_refresh(s->town);
	return role_unset(s->town, str_of(role), &o, s->arena, &report, &s->problem);
}

static enum err tier(const char *name, struct edit_options o)
{
	problem_clear(&s->problem);
	town_refresh(s->town);
	return role_set_tier(s->town, str_of(name), &o, s->arena, &report, &s->problem);
}

static enum err consolidate(struct edit_options o)
{
	problem_clear(&s->problem);
	town_refresh(s->town);
	return role_consolidate(s->town, &o, s->arena, &report, &s->problem);
}

static struct edit_options in(const char *rig)
{
	return (struct edit_options){.rig = str_of(rig)};
}

/* The file, with ' for ". */
static void expect_file(const char *path, const char *text)
{
	struct str is = memory_files_text(s->m, arena_fmt(s->arena, "/t/%s", path).p);
	char *copy = arena_z(s->arena, is);

	for (char *c = copy; c && *c; c++)
		if (*c == '"')
			*c = '\'';
	assert_string_equal(copy, text);
}

static bool said(const char *part)
{
	for (size_t i = 0; i < report.count; i++)
		if (memmem(report.lines[i].p, report.lines[i].n, part, strlen(part)))
			return true;
	return false;
}

static void expect_agent(const char *role, const char *rig, const char *agent)
{
	assert_int_equal(ASK(s, .role = str_of(role), .rig = str_of(rig)), OK);
	assert_str(s->answer.agent, agent);
}

/* ---- one line ---- */

static void the_line_changes_and_nothing_else(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{\n\t'_comment' : 'mine',\n\t'role_agents': {\n\t\t'witness': 'claude', 'crew': "
		  "'amp'\n\t},\n\t'surprise':[1,  2]\n}\n");
	assert_int_equal(set("witness", "gemini", in("")), OK);
	expect_file("settings/config.json",
		    "{\n\t'_comment' : 'mine',\n\t'role_agents': {\n\t\t'witness': 'gemini', "
		    "'crew': 'amp'\n\t},\n\t'surprise':[1,  2]\n}\n");
	assert_int_equal(report.count, 1);
	assert_str(report.lines[0], "settings/config.json:4: role_agents.witness: claude → gemini");
	assert_string_equal(report.path, "settings/config.json");
	expect_agent("witness", "alpha", "gemini");
	assert_int_equal(unset("crew", in("")), OK);
	assert_str(report.lines[0], "settings/config.json:4: role_agents.crew: amp → nothing");
	expect_agent("crew", "alpha", "claude");
}

static void a_line_that_is_there_is_no_change(void **state)
{
	unsigned writes;

	(void)state;
	story_put(s, "settings/config.json", "{'role_agents':{'witness':'gemini'}}");
	writes = s->m->writes;
	assert_int_equal(set("witness", "gemini", in("")), OK);
	assert_int_equal(report.count, 0);
	assert_int_equal(unset("crew", in("")), OK);
	assert_int_equal(report.count, 0);
	assert_int_equal(unset("crew", in("beta")), OK);
	assert_int_equal(s->m->writes, writes);
	assert_null(memory_files_text(s->m, "/t/beta/settings/config.json").p);
}

static void a_file_that_is_not_there_is_made(void **state)
{
	(void)state;
	assert_int_equal(set("witness", "gemini", in("alpha")), OK);
	expect_file("alpha/settings/config.json",
		    "{\n  'type': 'rig-settings',\n  'version': 1,\n  'role_agents': {\n    "
		    "'witness': 'gemini'\n  }\n}\n");
	assert_str(report.lines[0], "alpha/settings/config.json:5: role_agents.witness: nothing → gemini");
	assert_int_equal(set("mayor", "codex", in("")), OK);
	assert_int_equal(ASK(s, .role = STR("mayor"), .compat = true), OK);
	assert_str(s->answer.agent, "codex"); /* Gas Town takes both files */
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .compat = true), OK);
	assert_str(s->answer.agent, "gemini");
}

static void what_would_not_resolve_is_not_written(void **state)
{
	unsigned writes = s->m->writes;

	(void)state;
	assert_int_equal(set("witness", "gemni", in("")), ERR_INVALID);
	assert_string_equal(s->problem.detail, "not written: role_agents names the agent \"gemni\", which is "
					       "nowhere defined; did you mean gemini?");
	assert_int_equal(set("witness", "", in("")), ERR_INVALID);
	assert_int_equal(set("wittness", "gemini", in("")), ERR_INVALID);
	assert_string_equal(s->problem.detail, "unknown role \"wittness\"; did you mean witness?");
	assert_int_equal(set("mayor", "gemini", in("alpha")), ERR_INVALID);
	assert_int_equal(set("witness", "gemini", in("gamma")), ERR_NOT_FOUND);
	assert_int_equal(s->m->writes, writes);
	assert_int_equal(set("witness", "gemni", (struct edit_options){.force = true}), OK);
	assert_int_equal(s->m->writes, writes + 1);
}

static void a_rigs_own_agent_may_be_named_in_its_file_only(void **state)
{
	(void)state;
	story_put(s, "alpha/settings/config.json", "{'agents':{'own':{'command':'codex'}}}");
	assert_int_equal(set("witness", "own", in("alpha")), OK);
	assert_int_equal(set("witness", "own", in("")), ERR_INVALID);
}

static void taking_a_line_away_must_leave_an_answer(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'default_agent':'nobody','role_agents':{'witness':'gemini'}}");
	memory_files_folder(s->m, "/t/alpha/settings");
	story_put(s, "alpha/settings/config.json", "{}");
	assert_int_equal(unset("witness", in("")), ERR_INVALID);
	assert_non_null(strstr(s->problem.detail, "not written, because witness of alpha would not resolve"));
	assert_int_equal(unset("witness", (struct edit_options){.force = true}), OK);
}

static void a_dry_run_says_what_it_would_do_and_does_not(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'role_agents':{}}");
	assert_int_equal(set("witness", "gemini", (struct edit_options){.dry_run = true}), OK);
	assert_int_equal(report.count, 1);
	expect_file("settings/config.json", "{'role_agents':{}}");
}

static void a_malformed_file_is_left_alone(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'role_agents':{},}");
	assert_int_equal(set("witness", "gemini", (struct edit_options){.force = true}), ERR_MALFORMED);
	expect_file("settings/config.json", "{'role_agents':{},}");
	story_put(s, "settings/config.json", "{'role_agents':[]}");
	assert_int_equal(set("witness", "gemini", (struct edit_options){.force = true}), ERR_INVALID);
	expect_file("settings/config.json", "{'role_agents':[]}");
}

static void hostile_names_arrive_whole(void **state)
{
	static const char *const names[] = {"a\"b", "a\\b", "$(x)", "a\nb", "../x", "\xc3\xa4"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		assert_int_equal(set("witness", names[i], (struct edit_options){.force = true}), OK);
		town_refresh(s->town);
		assert_row(names[i],
			   str_eqz(mappings_value(&town_settings(s->town)->role_agents, STR("witness")), names[i]));
	}
	assert_int_equal(set("witness", "\xff", (struct edit_options){.force = true}), ERR_INVALID);
}

static void a_torn_write_leaves_the_old_file_or_the_new(void **state)
{
	(void)state;
	for (int steps = 0; steps < MEMORY_WRITE_STEPS; steps++) {
		struct str text;

		story_put(s, "settings/config.json", "{'role_agents':{'witness':'claude'}}");
		memory_files_cut(s->m, steps);
		set("witness", "gemini", in(""));
		memory_files_restart(s->m);
		text = memory_files_text(s->m, "/t/settings/config.json");
		assert_true(str_eqz(text, "{\"role_agents\":{\"witness\":\"claude\"}}") ||
			    str_eqz(text, "{\"role_agents\":{\"witness\":\"gemini\"}}"));
	}
}

static void a_file_changed_meanwhile_is_not_overwritten(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'role_agents':{'witness':'claude'}}");
	memory_files_replace_while_read(s->m, "/t/settings/config.json", "{\"role_agents\":{\"witness\":\"amp\"}}",
					1);
	set("witness", "gemini", in(""));
	expect_agent("witness", "alpha", "gemini"); /* it was read again */
	expect_file("settings/config.json", "{'role_agents':{'witness':'gemini'}}");
}

/* ---- tiers ---- */

static void every_tier_can_be_set_and_is_recognised(void **state)
{
	(void)state;
	for (unsigned i = 0; i < tier_count; i++) {
		story_put(s, "settings/config.json", "{'role_agents':{'auditor':'gemini'},'agents':{'mine':{}}}");
		assert_int_equal(tier(tiers[i].name, in("")), OK);
		town_refresh(s->town);
		assert_ptr_equal(tier_of(town_settings(s->town), false), &tiers[i]);
		assert_ptr_equal(tier_of(town_settings(s->town), true), &tiers[i]);
		assert_str(town_settings(s->town)->cost_tier, tiers[i].name);
		assert_str(mappings_value(&town_settings(s->town)->role_agents, STR("auditor")), "gemini");
		assert_non_null(agents_find(&town_settings(s->town)->agents, STR("mine")));
		for (unsigned role = 0; role < ROLE_COUNT; role++) {
			assert_int_equal(ASK(s, .role = str_of(role_texts[role]), .rig = STR("alpha")), OK);
			if (tiers[i].agent[role][0])
				assert_true(str_eqz(s->answer.agent, tiers[i].agent[role]) || role == ROLE_DOG);
			if (tiers[i].effort[role][0])
				assert_string_equal(effort_text(s->answer.effort), tiers[i].effort[role]);
		}
	}
}

static void what_a_tier_writes_works_in_gas_town_too(void **state)
{
	(void)state;
	for (unsigned i = 0; i < tier_count; i++) {
		assert_int_equal(tier(tiers[i].name, in("")), OK);
		for (unsigned role = 0; role < ROLE_COUNT; role++) {
			if (!tiers[i].agent[role][0] || role == ROLE_DOG)
				continue;
			assert_int_equal(
				ASK(s, .role = str_of(role_texts[role]), .rig = STR("alpha"), .compat = true), OK);
			assert_row(tiers[i].name, str_eqz(s->answer.agent, tiers[i].agent[role]));
			assert_row(tiers[i].name, s->answer.warning_count == 0);
		}
	}
}

static void a_tier_says_each_change_and_leaves_the_rest(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{\n  'role_agents': {\n    'witness': 'gemini',\n    'boot': 'codex'\n  },\n  'default_agent': "
		  "'claude'\n}\n");
	assert_int_equal(tier("standard", in("")), OK);
	expect_file(
		"settings/config.json",
		"{\n  'role_agents': {\n    'boot': 'claude-haiku',\n    'dog': 'claude-haiku'\n  },\n  "
		"'default_agent': "
		"'claude',\n  'agents': {\n    'claude-haiku': {\n      'provider': 'claude',\n      'command': "
		"'claude',\n      'args': ['--dangerously-skip-permissions', '--model', 'haiku']\n    }\n  },\n  "
		"'cost_tier': 'standard'\n}\n");
	assert_true(said("settings/config.json:3: role_agents.witness: gemini → nothing"));
	assert_true(said("settings/config.json:3: role_agents.boot: codex → claude-haiku"));
	assert_true(said("cost_tier: nothing → standard"));
	assert_true(said("agents.claude-haiku: nothing → {…}"));
	assert_int_equal(tier("standard", in("")), OK);
	assert_int_equal(report.count, 0);
}

static void agents_of_a_tier_go_with_it_unless_they_are_somebodys(void **state)
{
	(void)state;
	assert_int_equal(tier("economy", in("")), OK);
	town_refresh(s->town);
	assert_non_null(agents_find(&town_settings(s->town)->agents, STR("claude-sonnet")));
	assert_int_equal(tier("standard", in("")), OK);
	town_refresh(s->town);
	assert_null(agents_find(&town_settings(s->town)->agents, STR("claude-sonnet")));
	story_put(s, "settings/config.json",
		  "{'agents':{'claude-sonnet':{'command':'claude','args':['--model','sonnet-9']}}}");
	assert_int_equal(tier("economy", in("")), OK);
	assert_int_equal(ASK(s, .role = STR("mayor")), OK);
	assert_str(s->answer.model, "sonnet-9");
	assert_int_equal(tier("standard", in("")), OK);
	town_refresh(s->town);
	assert_non_null(agents_find(&town_settings(s->town)->agents, STR("claude-sonnet")));
}

static void no_key_is_written_for_groq(void **state)
{
	struct str text;

	(void)state;
	story_env(s, "GROQ_API_KEY", "gsk_live");
	assert_int_equal(tier("custom-groq-opus", in("")), OK);
	text = memory_files_text(s->m, "/t/settings/config.json");
	assert_null(memmem(text.p, text.n, "gsk_live", 8));
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha")), OK);
	assert_str(s->answer.agent, "groq-compound");
}

static void a_tier_of_a_rig_holds_against_the_towns_file(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{'default_agent':'codex','role_agents':{'crew':'amp','polecat':'vibe'}}");
	assert_int_equal(tier("economy", in("alpha")), OK);
	expect_agent("witness", "alpha", "claude-sonnet");
	expect_agent("crew", "alpha", "codex");
	expect_agent("crew", "beta", "amp");
	assert_int_equal(ASK(s, .role = STR("crew"), .rig = STR("alpha")), OK);
	assert_int_equal(s->answer.effort_at.line, 0); /* high is the default and not written */
	story_put(s, "settings/config.json", "{'role_effort':{'crew':'low'}}");
	assert_int_equal(tier("economy", in("alpha")), OK);
	assert_int_equal(ASK(s, .role = STR("crew"), .rig = STR("alpha")), OK);
	assert_int_equal(s->answer.effort, EFFORT_HIGH);
	assert_null(memmem(memory_files_text(s->m, "/t/alpha/settings/config.json").p,
			   memory_files_text(s->m, "/t/alpha/settings/config.json").n, "mayor", 5));
}

static void an_unknown_tier_is_refused_with_the_likely_word(void **state)
{
	(void)state;
	assert_int_equal(tier("econmy", in("")), ERR_INVALID);
	assert_non_null(strstr(s->problem.detail, "\"econmy\" is no cost tier; did you mean economy?"));
}

/* ---- consolidating ---- */

static void rigs_move_into_the_towns_file_and_answer_as_before(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{\n  'default_agent': 'claude'\n}\n");
	story_put(s, "alpha/settings/config.json",
		  "{\n  'type': 'rig-settings',\n  'agent': 'codex',\n  'role_agents': {'witness':'gemini'},\n  "
		  "'theme': {'name':'x'}\n}\n");
	story_put(s, "beta/settings/config.json",
		  "{'agents':{'own':{'command':'vibe','args':['-x']}},'worker_agents':{'denali':'own'},'role_"
		  "effort':{'crew':'low'}}");
	assert_int_equal(consolidate(in("")), OK);
	expect_file("settings/config.json",
		    "{\n  'default_agent': 'claude',\n  'rigs': {\n    'alpha': {'agent': 'codex', 'role_agents': "
		    "{'witness': 'gemini'}},\n    'beta': {'agents': {'own': {'command': 'vibe', 'args': ['-x']}}, "
		    "'role_effort': {'crew': 'low'}, 'worker_agents': {'denali': 'own'}}\n  }\n}\n");
	expect_file("alpha/settings/config.json", "{\n  'type': 'rig-settings',\n  'theme': {'name':'x'}\n}\n");
	assert_true(said("alpha/settings/config.json:3: agent → settings/config.json:4: rigs.alpha.agent"));
	assert_true(said(
		"Gas Town, which does not look at rigs here, would start witness of alpha as claude in place of "
		"gemini"));
	expect_agent("witness", "alpha", "gemini");
	assert_int_equal(s->answer.at.line, 4);
	expect_agent("refinery", "alpha", "codex");
	assert_int_equal(ASK(s, .role = STR("crew"), .rig = STR("beta"), .name = STR("denali")), OK);
	assert_str(s->answer.agent, "own");
	assert_int_equal(s->answer.effort, EFFORT_LOW);
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .compat = true), OK);
	assert_str(s->answer.agent, "claude");
	assert_int_equal(consolidate(in("")), OK);
	assert_int_equal(report.count, 0);
}

static void a_rigs_file_goes_before_what_the_towns_says_of_it(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{'rigs':{'alpha':{'agent':'codex','role_agents':{'witness':'gemini'}}}}");
	expect_agent("witness", "alpha", "gemini");
	expect_agent("crew", "alpha", "codex");
	story_put(s, "alpha/settings/config.json", "{'role_agents':{'crew':'amp'}}");
	expect_agent("crew", "alpha", "amp");
	expect_agent("witness", "alpha", "codex"); /* member by member: role_agents are the file's now */
	assert_int_equal(consolidate(in("alpha")), OK);
	expect_agent("crew", "alpha", "amp");
	expect_agent("witness", "alpha", "codex");
}

static void consolidating_is_safe_to_cut_off_anywhere(void **state)
{
	(void)state;
	for (int steps = 0; steps <= 2 * MEMORY_WRITE_STEPS; steps++) {
		story_put(s, "settings/config.json", "{}");
		story_put(s, "alpha/settings/config.json", "{'agent':'codex','role_agents':{'witness':'gemini'}}");
		memory_files_cut(s->m, steps);
		consolidate(in(""));
		memory_files_restart(s->m);
		expect_agent("witness", "alpha", "gemini");
		expect_agent("crew", "alpha", "codex");
	}
}

static void presets_of_a_rig_stay_and_so_does_who_would_change(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'rigs':{'alpha':{'role_agents':{'witness':'amp'}}}}");
	story_put(s, "alpha/settings/agents.json", "{'agents':{'mine':{'command':'codex'}}}");
	story_put(s, "alpha/settings/config.json", "{'agent':'mine'}");
	assert_int_equal(consolidate(in("")), OK);
	assert_true(said("alpha/settings/agents.json stays"));
	expect_agent("crew", "alpha", "mine");
	expect_agent("witness", "alpha", "amp");
}

static void who_would_be_answered_differently_stays(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'rigs':{'beta':{'agent':'vibe'}}}");
	story_put(s, "alpha/settings/config.json",
		  "{'role_agents':{'witness':'gemini'},'role_agents':{'crew':'amp'},'role_effort':{'witness':'low'}"
		  "}");
	story_put(s, "gamma/settings/config.json", "{'type':'rig-settings'}");
	assert_int_equal(consolidate(in("")), OK);
	assert_true(said("alpha/settings/config.json stays as it is"));
	expect_agent("witness", "alpha", "gemini");
	expect_file("settings/config.json", "{'rigs':{'beta':{'agent':'vibe'}}}");
	expect_file("gamma/settings/config.json", "{'type':'rig-settings'}");
}

static void parts_of_other_rigs_stay_as_they_are(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'rigs':{'beta':{'agent':'vibe' , '_mine':1}}}");
	story_put(s, "alpha/settings/config.json", "{'role_effort':{'witness':'low'}}");
	assert_int_equal(consolidate(in("alpha")), OK);
	expect_agent("crew", "beta", "vibe");
	assert_non_null(memmem(memory_files_text(s->m, "/t/settings/config.json").p,
			       memory_files_text(s->m, "/t/settings/config.json").n,
			       "{\"agent\":\"vibe\" , \"_mine\":1}", 27));
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha")), OK);
	assert_int_equal(s->answer.effort, EFFORT_LOW);
}

static void a_thousand_rigs(void **state)
{
	struct str rigs[2] = {STR("r0"), STR("r999")};

	(void)state;
	for (int i = 0; i < 1000; i++)
		story_put(s, arena_fmt(s->arena, "r%d/settings/config.json", i).p,
			  arena_fmt(s->arena, "{'role_agents':{'witness':'%s'}}", i % 2 ? "gemini" : "codex").p);
	assert_int_equal(consolidate(in("")), OK);
	for (size_t i = 0; i < COUNT_OF(rigs); i++) {
		assert_int_equal(ASK(s, .role = STR("witness"), .rig = rigs[i]), OK);
		assert_str(s->answer.agent, i ? "gemini" : "codex");
		assert_string_equal(s->answer.at.path, "settings/config.json");
	}
	assert_true(said("and 1995 more spawns of Gas Town") || said("more spawns of Gas Town"));
}

int main(void)
{
#define TEST(name) STORY_TEST(name, s)
	const struct CMUnitTest tests[] = {
		TEST(the_line_changes_and_nothing_else),
		TEST(a_line_that_is_there_is_no_change),
		TEST(a_file_that_is_not_there_is_made),
		TEST(what_would_not_resolve_is_not_written),
		TEST(a_rigs_own_agent_may_be_named_in_its_file_only),
		TEST(taking_a_line_away_must_leave_an_answer),
		TEST(a_dry_run_says_what_it_would_do_and_does_not),
		TEST(a_malformed_file_is_left_alone),
		TEST(hostile_names_arrive_whole),
		TEST(a_torn_write_leaves_the_old_file_or_the_new),
		TEST(a_file_changed_meanwhile_is_not_overwritten),
		TEST(every_tier_can_be_set_and_is_recognised),
		TEST(what_a_tier_writes_works_in_gas_town_too),
		TEST(a_tier_says_each_change_and_leaves_the_rest),
		TEST(agents_of_a_tier_go_with_it_unless_they_are_somebodys),
		TEST(no_key_is_written_for_groq),
		TEST(a_tier_of_a_rig_holds_against_the_towns_file),
		TEST(an_unknown_tier_is_refused_with_the_likely_word),
		TEST(rigs_move_into_the_towns_file_and_answer_as_before),
		TEST(a_rigs_file_goes_before_what_the_towns_says_of_it),
		TEST(consolidating_is_safe_to_cut_off_anywhere),
		TEST(presets_of_a_rig_stay_and_so_does_who_would_change),
		TEST(who_would_be_answered_differently_stays),
		TEST(parts_of_other_rigs_stay_as_they_are),
		TEST(a_thousand_rigs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
