/*
 * What an agent is filled with where its file is silent, with --compat: entries of config.json from presets,
 * presets from those they lie over.
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

/* ---- entries of config.json ---- */

static void an_entry_is_filled_from_the_preset_of_its_provider_or_command(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{'default_agent':'x','agents':{'x':{'provider':'gemini','env':{'A':'1'}}}}");
	ask("witness");
	assert_str(s->answer.runtime.command, "gemini");
	assert_true(story_has_arg(s, "--approval-mode"));
	assert_str(s->answer.runtime.session.id_env, "GEMINI_SESSION_ID");
	story_put(s, "settings/config.json", "{'default_agent':'x','agents':{'x':{'command':'codex'}}}");
	ask("witness");
	assert_int_equal(s->answer.runtime.prompt_mode, PROMPT_NONE);
	assert_true(story_has_arg(s, "--dangerously-bypass-approvals-and-sandbox"));
	story_put(s, "settings/config.json", "{'default_agent':'x','agents':{'x':{'command':'stranger'}}}");
	ask("witness");
	assert_true(story_has_arg(s, "--dangerously-skip-permissions"));
	assert_str(s->answer.runtime.session.id_env, "CLAUDE_SESSION_ID");
}

static void no_arguments_and_an_empty_list_of_them_differ(void **state)
{
	static const struct {
		const char *args;
		size_t n;
	} rows[] = {{"'args':[]", 0}, {"'args':null", 1}, {"'env':{}", 1}, {"'args':['a',null]", 2}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str text = arena_fmt(
			s->arena, "{'default_agent':'x','agents':{'x':{'command':'claude',%s}}}", rows[i].args);

		story_put(s, "settings/config.json", text.p);
		ask("witness");
		assert_row(rows[i].args, s->answer.runtime.args.n == rows[i].n);
	}
}

static void objects_are_filled_as_a_whole_and_env_key_by_key(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{'default_agent':'x','agents':{'x':{'provider':'groq-compound','session':{},"
		  "'tmux':{'ready_delay_ms':1},'env':{'ANTHROPIC_MODEL':'mine'}}}}");
	ask("witness");
	assert_int_equal(s->answer.runtime.session.id_env.n, 0);
	assert_int_equal(s->answer.runtime.tmux.process_names.n, 0);
	assert_str(story_env_of(s, "ANTHROPIC_MODEL"), "mine");
	assert_str(story_env_of(s, "ANTHROPIC_BASE_URL"), "https://api.groq.com/openai/v1");
	assert_int_equal(s->answer.runtime.env.n, 3);
}

static void an_entry_without_arguments_of_a_preset_without_any_gets_claudes(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'default_agent':'x','agents':{'x':{'command':'opencode'}}}");
	ask("witness");
	assert_true(story_has_arg(s, "--dangerously-skip-permissions"));
	story_put(s, "settings/config.json", "{'default_agent':'x','agents':{'x':{'provider':'opencode'}}}");
	ask("witness");
	assert_int_equal(s->answer.runtime.args.n, 0);
}

static void further_words_are_arguments_too_and_stand_in_for_claudes(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'agents':{'x':{'command':'opencode'}}}");
	assert_int_equal(ASK(s, .role = STR("dog"), .agent = STR("x $y"), .compat = true), OK);
	assert_int_equal(s->answer.runtime.args.n, 1);
	assert_int_equal(ASK(s, .role = STR("dog"), .agent = STR("x"), .compat = true), OK);
	assert_true(story_has_arg(s, "--dangerously-skip-permissions"));
}

/* ---- presets ---- */

static void agents_json_lies_field_by_field_over_the_preset_of_the_same_name(void **state)
{
	(void)state;
	story_put(s, "settings/agents.json",
		  "{'version':9,'agents':{'gemini':{'args':['--x'],'name':'other'},"
		  "'opencode':{'env':{'MORE':'1'}},'claude':{'args':null}}}");
	story_put(s, "settings/config.json", "{'role_agents':{'witness':'gemini','crew':'opencode'}}");
	ask("witness");
	assert_str(s->answer.runtime.command, "gemini");
	assert_int_equal(s->answer.runtime.args.n, 1);
	assert_str(s->answer.runtime.session.id_env, "GEMINI_SESSION_ID");
	ask("crew");
	assert_int_equal(s->answer.runtime.env.n, 2);
	ask("polecat");
	assert_int_equal(s->answer.runtime.args.n, 0);
	assert_true(s->answer.claude);
}

static void a_preset_whose_prompt_mode_is_emptied_takes_prompts(void **state)
{
	(void)state;
	story_put(s, "settings/agents.json", "{'agents':{'codex':{'prompt_mode':''}}}");
	assert_int_equal(ASK(s, .role = STR("crew"), .rig = STR("alpha"), .agent = STR("codex"), .compat = true),
			 OK);
	assert_int_equal(s->answer.runtime.prompt_mode, PROMPT_ARG);
	story_put(s, "settings/agents.json", "{'agents':{'codex':{'prompt_mode':null}}}");
	assert_int_equal(ASK(s, .role = STR("crew"), .rig = STR("alpha"), .agent = STR("codex"), .compat = true),
			 OK);
	assert_int_equal(s->answer.runtime.prompt_mode, PROMPT_NONE);
}

static void the_program_as_it_was_built_has_the_rest_from_agents_json(void **state)
{
	(void)state;
	story_put(s, "settings/agents.json",
		  "{'agents':{'opencode':{'command':'codex','args':['-x'],'prompt_mode':'none','session_id_env':'"
		  "SID',"
		  "'env':{'A':'1'}}}}");
	assert_int_equal(ASK(s, .role = STR("mayor"), .agent = STR("opencode acp"), .compat = true), OK);
	assert_str(s->answer.runtime.command, "opencode");
	assert_str(s->answer.runtime.args.v[0], "-x");
	assert_str(s->answer.runtime.args.v[1], "acp");
	assert_int_equal(s->answer.runtime.prompt_mode, PROMPT_NONE);
	assert_str(s->answer.runtime.session.id_env, "SID");
	assert_int_equal(s->answer.runtime.env.n, 1);
	assert_str(s->answer.runtime.env.v[0].key, "OPENCODE_PERMISSION");
}

static void defect_3_groq_by_name_keeps_the_name_of_the_key(void **state)
{
	(void)state;
	story_env(s, "GROQ_API_KEY", "gsk_live");
	story_put(s, "settings/config.json", "{'role_agents':{'witness':'groq-compound'}}");
	ask("witness");
	assert_str(story_env_of(s, "ANTHROPIC_API_KEY"), "$GROQ_API_KEY");
	assert_str(s->answer.runtime.command, "claude"); /* only the preset of that name is looked up */
}

static void defect_4_a_claude_of_agents_json_is_not_claude(void **state)
{
	(void)state;
	story_put(s, "settings/agents.json", "{'agents':{'opus':{'command':'claude','args':['--model','opus']}}}");
	story_put(s, "settings/config.json", "{'role_agents':{'witness':'opus','dog':'opus'}}");
	ask("witness");
	assert_false(s->answer.claude);
	assert_int_equal(s->answer.runtime.session.id_env.n, 0);
	ask_in_town("dog");
	story_expect(s, "opus", RULE_town_role);
}

/* ---- what is made without an entry ---- */

static void rule_2_a_dog_is_not_filled_and_exports_no_name(void **state)
{
	(void)state;
	ask_in_town("dog");
	assert_int_equal(s->answer.exported.n, 0);
	assert_int_equal(s->answer.runtime.session.id_env.n, 0);
	assert_str(s->answer.runtime.command, "claude");
}

static void a_dog_is_prompted_as_claude_is(void **state)
{
	(void)state;
	ask_in_town("dog");
	assert_int_equal(s->answer.runtime.prompt_mode, PROMPT_ARG);
	story_put(s, "settings/agents.json", "{'agents':{'claude':{'prompt_mode':'none'}}}");
	ask_in_town("dog");
	assert_int_equal(s->answer.runtime.prompt_mode, PROMPT_NONE);
}

static void claude_in_place_of_a_bad_default_has_no_environment(void **state)
{
	(void)state;
	story_put(s, "settings/agents.json", "{'agents':{'claude':{'env':{'A':'1'}}}}");
	ask("witness");
	assert_int_equal(s->answer.runtime.env.n, 1);
	story_put(s, "settings/config.json", "{'default_agent':'gemni'}");
	ask("witness");
	assert_int_equal(s->answer.runtime.env.n, 0);
}

#define TEST(name) STORY_TEST(name, s)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_entry_is_filled_from_the_preset_of_its_provider_or_command),
		TEST(no_arguments_and_an_empty_list_of_them_differ),
		TEST(objects_are_filled_as_a_whole_and_env_key_by_key),
		TEST(an_entry_without_arguments_of_a_preset_without_any_gets_claudes),
		TEST(further_words_are_arguments_too_and_stand_in_for_claudes),
		TEST(agents_json_lies_field_by_field_over_the_preset_of_the_same_name),
		TEST(a_preset_whose_prompt_mode_is_emptied_takes_prompts),
		TEST(the_program_as_it_was_built_has_the_rest_from_agents_json),
		TEST(defect_3_groq_by_name_keeps_the_name_of_the_key),
		TEST(defect_4_a_claude_of_agents_json_is_not_claude),
		TEST(rule_2_a_dog_is_not_filled_and_exports_no_name),
		TEST(a_dog_is_prompted_as_claude_is),
		TEST(claude_in_place_of_a_bad_default_has_no_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
