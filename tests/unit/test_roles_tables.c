/*
 * The tables: presets, tiers, words and what programs are told, against what Gas Town has (a8bd79bf), written down
 * here a second time and by another way than the tables themselves.
 */
#include "harness.h"

#include "base/buf.h"
#include "roles/provider.h"
#include "roles/settings_priv.h"

static struct str joined(const struct texts *t, char out[256])
{
	struct buf b = BUF_INIT(255);

	for (size_t i = 0; i < t->n; i++)
		buf_fmt(&b, "%s%.*s", i ? " " : "", STRF(t->v[i]));
	memcpy(out, buf_cstr(&b), b.n + 1);
	buf_free(&b);
	return str_of(out);
}

static void presets_are_gas_towns_twelve(void **state)
{
	static const struct {
		const char *name, *command, *args, *processes, *session, *resume;
		enum resume_style style;
		const char *hooks, *instructions;
		int64_t delay_ms;
	} rows[] = {
		{"claude", "claude", "--dangerously-skip-permissions", "node claude", "CLAUDE_SESSION_ID",
		 "--resume", RESUME_FLAG, ".claude/settings.json", "CLAUDE.md", 10000},
		{"gemini", "gemini", "--approval-mode yolo", "gemini", "GEMINI_SESSION_ID", "--resume", RESUME_FLAG,
		 ".gemini/settings.json", "AGENTS.md", 5000},
		{"codex", "codex", "--dangerously-bypass-approvals-and-sandbox", "codex", "", "resume",
		 RESUME_SUBCOMMAND, "/", "AGENTS.md", 3000},
		{"cursor", "cursor-agent", "-f", "cursor-agent agent", "", "--resume", RESUME_FLAG,
		 ".cursor/hooks.json", "AGENTS.md", 5000},
		{"auggie", "auggie", "--allow-indexing", "auggie", "", "--resume", RESUME_FLAG, "/", "AGENTS.md",
		 0},
		{"amp", "amp", "--dangerously-allow-all --no-ide", "amp", "", "threads continue", RESUME_SUBCOMMAND,
		 "/", "AGENTS.md", 0},
		{"opencode", "opencode", "", "opencode node bun", "", "", RESUME_UNSET,
		 ".opencode/plugins/gastown.js", "AGENTS.md", 8000},
		{"copilot", "copilot", "--yolo", "copilot", "", "--resume", RESUME_FLAG,
		 ".github/hooks/gastown.json", "AGENTS.md", 5000},
		{"pi", "pi", "-e .pi/extensions/gastown-hooks.js", "pi node bun", "PI_SESSION_ID", "", RESUME_UNSET,
		 ".pi/extensions/gastown-hooks.js", "", 8000},
		{"omp", "omp", "--hook .omp/hooks/gastown-hook.ts", "omp node bun", "OMP_SESSION_ID", "",
		 RESUME_UNSET, ".omp/hooks/gastown-hook.ts", "", 0},
		{"vibe", "vibe", "--agent auto-approve", "vibe", "VIBE_SESSION_ID", "--resume", RESUME_FLAG,
		 ".vibe/config.toml", "AGENTS.md", 5000},
		{"groq-compound", "claude", "--dangerously-skip-permissions", "node claude", "CLAUDE_SESSION_ID",
		 "--resume", RESUME_FLAG, ".claude/settings.json", "CLAUDE.md", 10000},
	};
	char text[256], hooks[256];

	(void)state;
	assert_int_equal(presets_builtin()->n, COUNT_OF(rows));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct town_agent *a = agents_find(presets_builtin(), str_of(rows[i].name));
		const struct runtime *r = &a->runtime;

		assert_row(rows[i].name, a && a->is_preset && str_eqz(r->provider, rows[i].name));
		assert_row(rows[i].name, str_eqz(r->command, rows[i].command));
		assert_row(rows[i].name, str_eqz(joined(&r->args, text), rows[i].args) && r->args.given);
		assert_row(rows[i].name, str_eqz(joined(&r->tmux.process_names, text), rows[i].processes));
		assert_row(rows[i].name, str_eqz(r->session.id_env, rows[i].session));
		assert_row(rows[i].name,
			   str_eqz(r->resume.flag, rows[i].resume) && r->resume.style == rows[i].style);
		snprintf(hooks, sizeof(hooks), "%.*s/%.*s", STRF(r->hooks.dir), STRF(r->hooks.settings_file));
		assert_row(rows[i].name, strcmp(hooks, rows[i].hooks) == 0);
		assert_row(rows[i].name, r->supports_hooks == (hooks[1] != '\0'));
		assert_row(rows[i].name, str_eqz(r->instructions.file, rows[i].instructions));
		assert_row(rows[i].name, r->tmux.ready_delay_ms == rows[i].delay_ms);
		assert_row(rows[i].name, (r->prompt_mode == PROMPT_NONE) == (strcmp(rows[i].name, "codex") == 0));
	}
}

static void what_single_presets_have(void **state)
{
	const struct agents *all = presets_builtin();
	const struct runtime *claude = &agents_find(all, STR("claude"))->runtime;
	const struct runtime *groq = &agents_find(all, STR("groq-compound"))->runtime;
	const struct runtime *opencode = &agents_find(all, STR("opencode"))->runtime;

	(void)state;
	assert_str(claude->tmux.ready_prompt_prefix, "\xe2\x9d\xaf ");
	assert_str(claude->resume.continue_flag, "--continue");
	assert_true(claude->supports_fork_session && claude->emits_permission_warning &&
		    claude->hooks_use_settings_dir && claude->has_turn_boundary_drain);
	assert_true(groq->hooks_use_settings_dir && groq->has_turn_boundary_drain);
	assert_false(groq->supports_fork_session || groq->emits_permission_warning);
	assert_int_equal(groq->env.n, 3);
	assert_str(opencode->env.v[0].value, "{\"*\":\"allow\"}");
	assert_str(opencode->non_interactive.output_flag, "--format json");
	assert_str(opencode->acp.command, "acp");
	assert_str(agents_find(all, STR("codex"))->runtime.non_interactive.subcommand, "exec");
	assert_str(agents_find(all, STR("codex"))->runtime.tmux.ready_prompt_prefix, "\xe2\x80\xba ");
	assert_str(agents_find(all, STR("copilot"))->runtime.session.config_dir_env, "COPILOT_HOME");
	assert_true(agents_find(all, STR("gemini"))->runtime.escape_cancels_request);
	assert_str(agents_find(all, STR("omp"))->runtime.non_interactive.prompt_flag, "--prompt");
	assert_str(agents_find(all, STR("vibe"))->runtime.non_interactive.output_flag, "json");
	assert_null(agents_find(all, STR("claud")));
}

static void commands_lead_back_to_presets(void **state)
{
	const struct agents *all = presets_builtin();

	(void)state;
	assert_str(agents_by_command(all, STR("/usr/local/bin/claude"))->name, "claude");
	assert_str(agents_by_command(all, STR("cursor-agent"))->name, "cursor");
	assert_null(agents_by_command(all, STR("stranger")));
	assert_null(agents_by_command(all, (struct str){0}));
}

/* s sonnet, h haiku, g groq, . default: mayor deacon witness refinery polecat crew boot dog */
static void tiers_are_gas_towns(void **state)
{
	static const struct {
		const char *name, *agents, *efforts;
	} rows[] = {
		{"standard", "......hh", "hhhhhhhh"},
		{"economy", "shss..hh", "mllmhhll"},
		{"budget", "shhhsshh", "llllmmll"},
		{"custom-groq-opus", ".gggg.gg", "........"},
		{"custom-groq-sonnet", "sggggggg", "........"},
	};

	(void)state;
	assert_int_equal(tier_count, COUNT_OF(rows));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct tier *t = tier_by_name(str_of(rows[i].name));

		assert_row(rows[i].name, t && t->brings == (i > 0));
		for (unsigned role = 0; role < ROLE_COUNT; role++) {
			char a = rows[i].agents[role], e = rows[i].efforts[role];
			const char *agent = a == 's'   ? "claude-sonnet"
					    : a == 'h' ? "claude-haiku"
					    : a == 'g' ? "groq-compound"
						       : "";
			const char *effort = e == 'h' ? "high" : e == 'm' ? "medium" : e == 'l' ? "low" : "";

			assert_row(rows[i].name, strcmp(t->agent[role], agent) == 0);
			assert_row(rows[i].name, strcmp(t->effort[role], effort) == 0);
			assert_row(rows[i].name, !agent[0] || tier_agent(str_of(agent)));
		}
	}
	assert_null(tier_by_name(STR("custom")));
	assert_null(tier_agent(STR("claude")));
	assert_str(tier_agent(STR("claude-sonnet"))->runtime.args.v[2], "sonnet[1m]");
	assert_true(tier_agent(STR("groq-compound"))->is_preset);
}

static void every_preset_says_how_it_is_told_a_model(void **state)
{
	const struct agents *all = presets_builtin();

	(void)state;
	for (size_t i = 0; i < all->n; i++) {
		const struct provider *p = provider_of(&all->v[i].runtime);

		assert_non_null(p);
		assert_true(str_eqz(all->v[i].name, p->name));
		assert_true(p->effort_flag[0] || !p->efforts[EFFORT_LOW][0] || p->effort_exported);
	}
	assert_string_equal(provider_of(&(struct runtime){.command = STR("/x/codex")})->name, "codex");
	assert_null(provider_of(&(struct runtime){.command = STR("stranger")}));
}

static void words_of_roles_and_efforts(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROLE_COUNT; i++)
		assert_int_equal(role_by_text(str_of(role_texts[i])), i);
	assert_int_equal(role_by_text(STR("Mayor")), ROLE_UNKNOWN);
	assert_int_equal(role_by_text((struct str){0}), ROLE_UNKNOWN);
	for (unsigned e = EFFORT_LOW; e <= EFFORT_AUTO; e++)
		assert_int_equal(effort_by_text(str_of(effort_text((enum effort)e))), e);
	assert_int_equal(effort_by_text((struct str){0}), EFFORT_UNSET);
	assert_true(role_works_in_rig(ROLE_CREW));
	assert_false(role_works_in_rig(ROLE_BOOT));
	assert_false(role_works_in_rig(ROLE_UNKNOWN));
}

static void durations_as_go_reads_them(void **state)
{
	static const struct {
		const char *text;
		bool valid, positive;
	} rows[] = {
		{"30s", true, true},        {"1h30m", true, true},    {"1.5h", true, true},
		{".5s", true, true},        {"5.s", true, true},      {"0", true, false},
		{"-0", true, false},        {"+5m", true, true},      {"-5m", true, false},
		{"0s", true, false},        {"0h0m1ns", true, true},  {"3\xc2\xb5s", true, true},
		{"3\xce\xbcs", true, true}, {"3us", true, true},      {"7ms", true, true},
		{"", false, false},         {"5", false, false},      {"s", false, false},
		{".s", false, false},       {"1.2.3s", false, false}, {"5 s", false, false},
		{"5d", false, false},       {"+", false, false},      {"--5s", false, false},
		{"5sx", false, false},      {"1h5", false, false},
	};
	bool positive;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_row(rows[i].text, is_go_duration(str_of(rows[i].text), &positive) == rows[i].valid);
		assert_row(rows[i].text, !rows[i].valid || positive == rows[i].positive);
	}
}

static void a_guess_is_near_or_none(void **state)
{
	static const struct {
		const char *word, *known, *guessed;
	} rows[] = {
		{"polcat", "polecat", "polecat"},
		{"wittness", "witness", "witness"},
		{"amp", "omp", "omp"},
		{"x", "amp", ""},
		{"auditor", "deacon", ""},
		{"gpt", "pi", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct guess g = guess_for(str_of(rows[i].word));

		guess_offer(&g, str_of(rows[i].known));
		assert_row(rows[i].word, str_eqz(g.nearest, rows[i].guessed));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presets_are_gas_towns_twelve),
		cmocka_unit_test(what_single_presets_have),
		cmocka_unit_test(commands_lead_back_to_presets),
		cmocka_unit_test(tiers_are_gas_towns),
		cmocka_unit_test(every_preset_says_how_it_is_told_a_model),
		cmocka_unit_test(words_of_roles_and_efforts),
		cmocka_unit_test(durations_as_go_reads_them),
		cmocka_unit_test(a_guess_is_near_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
