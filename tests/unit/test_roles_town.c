/*
 * A town's files over time: read when they change and only then, kept when they break, and whatever is wrong with
 * them is told and harms nobody.
 */
#include "harness.h"

#include "base/buf.h"
#include "town_kit/story.h"

static struct story *s;

static void ask(const char *rig)
{
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = str_of(rig)), OK);
}

/* ---- over time ---- */

static void what_did_not_change_is_not_read_again(void **state)
{
	unsigned reads;

	(void)state;
	story_put(s, "settings/config.json", "{'default_agent':'gemini'}");
	story_put(s, "settings/agents.json", "{'agents':{'x':{'command':'x'}}}");
	story_put(s, "alpha/settings/config.json", "{'agent':'codex'}");
	ask("alpha");
	reads = s->m->reads;
	for (int i = 0; i < 10; i++)
		ask("alpha");
	assert_int_equal(s->m->reads, reads);
	story_put(s, "settings/config.json", "{'default_agent':'amp'}");
	ask("alpha");
	assert_int_equal(s->m->reads, reads + 1);
}

static void within_one_question_each_file_is_looked_at_once(void **state)
{
	unsigned stats;

	(void)state;
	story_put(s, "settings/config.json", "{'default_agent':'gemini'}");
	story_put(s, "alpha/settings/config.json", "{}");
	ask("alpha");
	stats = s->m->stats;
	ask("alpha");
	assert_int_equal(s->m->stats - stats, 6); /* config and agents of town and rig, accounts, quota */
}

static void rigs_are_read_when_they_are_needed_and_cost_the_others_nothing(void **state)
{
	unsigned reads, stats;

	(void)state;
	for (int i = 0; i < 1000; i++)
		story_put(s, arena_fmt(s->arena, "r%d/settings/config.json", i).p, "{'agent':'codex'}");
	ask("r7");
	assert_int_equal(s->m->reads, 1);
	for (int i = 0; i < 1000; i++)
		ask(arena_fmt(s->arena, "r%d", i).p);
	reads = s->m->reads;
	stats = s->m->stats;
	ask("r7");
	assert_int_equal(s->m->reads, reads);
	assert_int_equal(s->m->stats - stats, 6);
}

static void a_change_is_seen_by_the_next_question(void **state)
{
	static const char *const agents[] = {"gemini", "codex", "amp"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(agents); i++) {
		story_put(s, "settings/config.json", arena_fmt(s->arena, "{'default_agent':'%s'}", agents[i]).p);
		ask("alpha");
		assert_str(s->answer.agent, agents[i]);
	}
	story_remove(s, "settings/config.json");
	ask("alpha");
	assert_str(s->answer.agent, "claude");
}

static void a_stamp_that_is_too_new_to_trust_is_not_trusted(void **state)
{
	unsigned reads;

	(void)state;
	s->m->recent = true;
	story_put(s, "settings/config.json", "{'default_agent':'gemini'}");
	ask("alpha");
	reads = s->m->reads;
	ask("alpha");
	assert_int_equal(s->m->reads, reads + 1);
	s->m->recent = false;
	ask("alpha");
	reads = s->m->reads;
	ask("alpha");
	assert_int_equal(s->m->reads, reads);
}

static void a_rigs_presets_lie_over_the_towns_as_those_are_now(void **state)
{
	(void)state;
	story_put(s, "settings/agents.json", "{'agents':{'gemini':{'args':['--old']}}}");
	story_put(s, "alpha/settings/agents.json", "{'agents':{'gemini':{'command':'mine'}}}");
	story_put(s, "settings/config.json", "{'default_agent':'gemini'}");
	story_install(s, "mine");
	ask("alpha");
	assert_true(story_has_arg(s, "--old"));
	story_put(s, "settings/agents.json", "{'agents':{'gemini':{'args':['--new']}}}");
	ask("alpha");
	assert_true(story_has_arg(s, "--new"));
	assert_str(s->answer.runtime.command, "mine");
	story_put(s, "alpha/settings/agents.json", "{");
	story_put(s, "settings/agents.json", "{'agents':{'gemini':{'args':['--newer']}}}");
	ask("alpha"); /* what the rig's file said is kept, and points into nothing that went */
	assert_str(s->answer.runtime.command, "mine");
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha"), .agent = STR("codex")), OK);
}

static void agents_json_is_read_again_when_it_changes(void **state)
{
	(void)state;
	story_put(s, "settings/agents.json", "{'agents':{'gemini':{'args':['--one']}}}");
	story_put(s, "settings/config.json", "{'default_agent':'gemini'}");
	ask("alpha");
	story_put(s, "settings/agents.json", "{'agents':{'gemini':{'args':['--two']}}}");
	ask("alpha");
	assert_true(story_has_arg(s, "--two"));
	story_remove(s, "settings/agents.json");
	ask("alpha");
	assert_true(story_has_arg(s, "--approval-mode"));
}

/* ---- caught half-written ---- */

static void a_file_caught_half_written_is_read_again_at_once(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'default_ag");
	memory_files_replace_while_read(s->m, "/t/settings/config.json", "{\"default_agent\":\"gemini\"}", 1);
	ask("alpha");
	assert_str(s->answer.agent, "gemini");
	assert_int_equal(s->answer.warning_count, 0);
}

static void a_file_that_is_being_written_keeps_what_it_said_until_it_is_done(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'default_agent':'gemini'}");
	ask("alpha");
	story_put(s, "settings/config.json", "");
	ask("alpha");
	assert_str(s->answer.agent, "gemini");
	assert_int_equal(town_settings(s->town)->source.state, FILE_KEPT);
	assert_int_equal(town_fault_count(s->town), 1);
	story_put(s, "settings/config.json", "{'default_agent':'codex'}");
	ask("alpha");
	assert_str(s->answer.agent, "codex");
	assert_int_equal(town_fault_count(s->town), 0);
}

static void a_file_that_never_stands_still_is_told(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'default_agent':'gemini'}");
	ask("alpha");
	story_put(s, "settings/config.json", "{'default_agent':'codex'}");
	memory_files_replace_while_read(s->m, "/t/settings/config.json", "{\"default_agent\":\"amp\"}", 100);
	ask("alpha");
	assert_str(s->answer.agent, "gemini");
	assert_true(story_warned(s, "what the file said before still counts"));
	memory_files_replace_while_read(s->m, "/t/settings/config.json", "", 0);
	ask("alpha");
	assert_str(s->answer.agent, "amp");
}

static void a_file_that_is_taken_away_is_believed(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'default_agent':'gemini'}");
	ask("alpha");
	story_remove(s, "settings/config.json");
	ask("alpha");
	assert_str(s->answer.agent, "claude");
	story_put(s, "settings/config.json", "{");
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha")), ERR_MALFORMED);
}

/* ---- bad input ---- */

static void what_is_wrong_with_a_file_is_told_with_its_place(void **state)
{
	static const struct {
		const char *text;
		int line;
	} rows[] = {
		{"", 1},
		{"   \n", 1},
		{"\xef\xbb\xbf{}", 1},
		{"{\n'default_agent':'gemini',\n}", 2},
		{"{\n'default_agent':\n'gem", 3},
		{"{} {}", 1},
		{"// comment\n{}", 1},
		{"{'default_agent':'\xff'}", 1},
		{"{'default_agent':'a\nb'}", 1},
		{"nonsense", 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		story_put(s, "settings/config.json", rows[i].text);
		assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha")), ERR_MALFORMED);
		assert_row(rows[i].text, str_starts(str_of(s->problem.detail), STR("settings/config.json:")));
		assert_row(rows[i].text, s->problem.line == rows[i].line);
		assert_row(rows[i].text, town_fault_count(s->town) == 1);
		assert_row(rows[i].text, town_fault(s->town, 0)->at.line == rows[i].line);
		/* The place is not said twice. */
		assert_row(rows[i].text, !strstr(s->problem.detail + 22, "settings/config.json"));
	}
}

static void root_and_null_and_duplicates(void **state)
{
	static const struct {
		const char *text, *agent;
	} rows[] = {
		{"null", "claude"},
		{"{'default_agent':null}", "claude"},
		{"{'default_agent':'codex','DEFAULT_AGENT':'gemini'}", "gemini"},
		{"{'role_agents':{'witness':'codex'},'role_agents':{'witness':null}}", "claude"},
		{"{'role_agents':{'witness':'codex'},'role_agents':null}", "claude"},
		{"{'agents':{'x':{'command':'gemini'}},'agents':{'y':{}},'default_agent':'x'}", "x"},
		{"{'agents':{'claude':{'command':'gemini'},'claude':null}}", "claude"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		story_put(s, "settings/config.json", rows[i].text);
		ask("alpha");
		assert_row(rows[i].text, str_eqz(s->answer.agent, rows[i].agent));
	}
	assert_str(s->answer.runtime.command, "/bin/claude"); /* null took the entry back */
	story_put(s, "settings/config.json", "[]");
	ask("alpha");
	assert_true(story_warned(s, "the file must be an object, not a list"));
}

static void a_file_over_eight_mebibytes_is_refused_with_its_size(void **state)
{
	struct buf b = BUF_INIT(16 << 20);

	(void)state;
	buf_c(&b, '{');
	for (size_t i = 0; i < (8 << 20); i++)
		buf_c(&b, ' ');
	buf_c(&b, '}');
	memory_files_put_str(s->m, "/t/settings/config.json", buf_str(&b));
	assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha")), ERR_MALFORMED);
	assert_non_null(strstr(s->problem.detail, "8388610"));
	buf_free(&b);
}

static void unreadable_files_and_links_that_lead_nowhere(void **state)
{
	static const char *const why[] = {"may not be read by this user",
					  "is a symbolic link that leads back to itself", "is a folder"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(why); i++) {
		story_put(s, "settings/config.json", "{}");
		memory_files_spoil(s->m, "/t/settings/config.json", ERR_INVALID, why[i]);
		assert_int_equal(ASK(s, .role = STR("witness"), .rig = STR("alpha")), ERR_MALFORMED);
		assert_row(why[i], strstr(s->problem.detail, why[i]));
		assert_row(why[i], str_eqz(town_fault(s->town, 0)->text, why[i])); /* the path is its place */
		memory_files_spoil(s->m, "/t/settings/config.json", OK, NULL);
		story_remove(s, "settings/config.json");
		ask("alpha");
	}
	story_put(s, "settings/config.json", "{}");
	memory_files_spoil(s->m, "/t/settings/config.json", ERR_NOT_FOUND, "leads nowhere");
	ask("alpha"); /* a link to nothing is no file */
}

static void ten_thousand_presets(void **state)
{
	struct buf b = BUF_INIT(8 << 20);

	(void)state;
	buf_z(&b, "{\"agents\":{");
	for (int i = 0; i < 10000; i++)
		buf_fmt(&b, "%s\"agent-%d\":{\"command\":\"codex\",\"args\":[\"-m\",\"m%d\"]}", i ? "," : "",
			9999 - i, 9999 - i);
	buf_z(&b, "},\"default_agent\":\"agent-777\"}");
	memory_files_put_str(s->m, "/t/settings/config.json", buf_str(&b));
	ask("alpha");
	assert_str(s->answer.model, "m777");
	assert_int_equal(town_settings(s->town)->agents.n, 10000);
	for (size_t i = 1; i < 10000; i++)
		assert_true(str_cmp(town_settings(s->town)->agents.v[i - 1].name,
				    town_settings(s->town)->agents.v[i].name) < 0);
	buf_free(&b);
}

/* Must end, in bounded memory, and say that it is too much. */
static void hostile_sizes_are_survived(void **state)
{
	static const char *const repeated[][3] = {
		{"{\"agents\":{\"x\":{\"args\":[0", ",0", "]}}}"},
		{"{\"agents\":{\"x\":{\"env\":{\"a\":\"\"", ",\"a\":\"\"", "}}}}"},
		{"{\"role_agents\":{\"x\":7", ",\"x\":7", "}}"},
		{"{\"agents\":{\"x\":{}", ",\"x\":{}", "}}"},
		{"{\"role_agent\":0", ",\"role_agent\":0", "}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(repeated); i++) {
		struct buf b = BUF_INIT(8 << 20);

		buf_z(&b, repeated[i][0]);
		for (int n = 0; n < 100000; n++)
			buf_z(&b, repeated[i][1]);
		buf_z(&b, repeated[i][2]);
		memory_files_put_str(s->m, "/t/settings/config.json", buf_str(&b));
		ask("alpha");
		assert_row(repeated[i][0], town_fault_count(s->town) <= 210);
		buf_free(&b);
	}
}

static void hostile_names_of_rigs_are_no_rigs(void **state)
{
	static const char *const names[] = {"..", ".", "../t", "/etc", "a/b", ".git", "", "alpha/"};
	char long_name[600];
	unsigned reads = s->m->reads;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_row(names[i], !town_rig(s->town, str_of(names[i])));
	assert_null(town_rig(s->town, (struct str){"al\0pha", 6}));
	memset(long_name, 'x', sizeof(long_name));
	assert_null(town_rig(s->town, (struct str){long_name, sizeof(long_name)}));
	assert_int_equal(s->m->reads, reads);
	assert_null(town_rig(s->town, STR("gamma")));
	memory_files_folder(s->m, "/t/.git");
	memory_files_folder(s->m, "/t/alpha/b");
	assert_null(town_rig(s->town, STR(".git")));
	assert_null(town_rig(s->town, STR("alpha/b")));
	assert_non_null(town_rig(s->town, STR("alpha")));
	memory_files_folder(s->m, "/t/$(rm -rf ~) \"'\n");
	assert_non_null(town_rig(s->town, STR("$(rm -rf ~) \"'\n")));
}

static void hostile_names_of_roles_and_agents_are_only_names(void **state)
{
	static const char *const names[] = {"a b", "\\\"", "$(touch x)", "a\\nb", "../../etc", "`x`", "\\u0007"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct str text = arena_fmt(s->arena,
					    "{\"default_agent\":\"%s\",\"role_agents\":{\"%s\":\"x\"},\"agents\":{"
					    "\"%s\":{\"command\":\"codex\"}}}",
					    names[i], names[i], names[i]);

		story_put_raw(s, "settings/config.json", text.p);
		ask("alpha");
		assert_row(names[i], str_eq(s->answer.agent, s->answer.exported));
		assert_row(names[i], str_eqz(s->answer.runtime.command, "codex"));
	}
	assert_int_equal(ASK(s, .role = STR("$(x)\n"), .rig = STR("alpha")), ERR_INVALID);
}

/* ---- finding ---- */

static void a_town_is_found_from_below(void **state)
{
	static const struct {
		const char *dir, *from, *found;
	} rows[] = {
		{"", "/t/alpha/polecats/toast", "/t"},
		{"", "/t", "/t"},
		{"/t/", "/elsewhere", "/t"},
		{"t", "/", "/t"},
		{"../t/./alpha/..", "/x", "/t"},
		{"", "/elsewhere/deep", NULL},
		{"/elsewhere", "/t", NULL},
	};
	struct town *town;
	struct problem p;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		enum err e = town_open(&s->m->files, str_of(rows[i].dir), str_of(rows[i].from), &town, &p);

		assert_row(rows[i].from, e == (rows[i].found ? OK : ERR_NOT_FOUND));
		if (e != OK)
			continue;
		assert_row(rows[i].from, str_eqz(town_dir(town), rows[i].found));
		town_close(&town);
	}
}

static void rigs_are_folders_with_settings_or_named_by_the_mayor(void **state)
{
	struct str *names;
	size_t n;

	(void)state;
	story_put(s, "alpha/settings/agents.json", "{}");
	story_put(s, "mayor/rigs.json", "{'version':1,'rigs':{'gone':{},'beta':{'git_url':'x'}}}");
	story_put(s, "settings/config.json", "{}");
	memory_files_folder(s->m, "/t/plain");
	memory_files_folder(s->m, "/t/.beads");
	assert_int_equal(town_rigs(s->town, s->arena, &names, &n, &s->problem), OK);
	assert_int_equal(n, 2);
	assert_str(names[0], "alpha");
	assert_str(names[1], "beta");
}

static void a_file_of_rigs_that_names_none_names_none(void **state)
{
	static const char *const texts[] = {"{}", "{'rigs':null}", "{'rigs':[]}", "[]", "{"};
	struct str *names;
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		story_put(s, "mayor/rigs.json", texts[i]);
		town_refresh(s->town);
		assert_int_equal(town_rigs(s->town, s->arena, &names, &n, &s->problem), OK);
		assert_row(texts[i], n == 0);
	}
}

static void rigs_of_the_towns_file_stand_in_member_by_member(void **state)
{
	const struct settings *r;

	(void)state;
	story_put(s, "settings/config.json",
		  "{'rigs':{'alpha':{'agent':'a','agents':{'x':{}},'role_agents':{'crew':'a'},'role_effort':{'crew'"
		  ":'low'},"
		  "'worker_agents':{'w':'a'},'polecat_agents':{'p':'a'},'type_agents':{'t':'a'},'runtime':{},"
		  "'role_accounts':{'*':'h'},'agent_pools':{'q':{'agents':['amp']}},'budgets':{'*':{'usd_per_day':"
		  "1}}},"
		  "'gamma':null,'beta':{'agent':'late'},'aa':{'agent':'early'}}}");
	r = town_rig(s->town, STR("alpha"))->settings;
	assert_true(r->default_agent.n && r->agents.n && r->role_agents.n && r->role_effort.n &&
		    r->worker_agents.n && r->polecat_agents.n && r->type_agents.n && r->runtime &&
		    r->account_count && r->pool_count && r->budget_count);
	assert_int_equal(town_rig(s->town, STR("alpha"))->own->agents.n, 0);
	assert_str(town_rig(s->town, STR("beta"))->settings->default_agent, "late");
	story_put(s, "alpha/settings/config.json",
		  "{'agent':'b','agents':{'y':{}},'role_agents':{'crew':'b'},'role_effort':{'crew':'max'},"
		  "'worker_agents':{'w':'b'},'polecat_agents':{'p':'b'},'type_agents':{'t':'b'},'runtime':{'"
		  "command':'c'},"
		  "'role_accounts':{'*':'i'},'agent_pools':{'r':{'agents':['amp']}},'budgets':{'*':{'usd_per_day':"
		  "2}}}");
	town_refresh(s->town);
	r = town_rig(s->town, STR("alpha"))->settings;
	assert_str(r->default_agent, "b");
	assert_str(r->agents.v[0].name, "y");
	assert_str(r->role_agents.v[0].value, "b");
	assert_str(r->role_effort.v[0].value, "max");
	assert_str(r->worker_agents.v[0].value, "b");
	assert_str(r->polecat_agents.v[0].value, "b");
	assert_str(r->type_agents.v[0].value, "b");
	assert_str(r->runtime->command, "c");
	assert_str(r->accounts[0].handles.v[0], "i");
	assert_str(r->pools[0].name, "r");
	assert_true(r->budgets[0].usd_per_day > 1.5);
	assert_int_equal(r->agents.n + r->pool_count + r->budget_count + r->account_count, 4);
}

static void null_empties_what_was_said_before(void **state)
{
	(void)state;
	story_put(s, "settings/config.json",
		  "{'default_agent':'x','agents':{'x':{'command':'gemini','session':{'session_id_env':'A'},'"
		  "session':null,"
		  "'env':{'B':'1'},'env':null,'args':['c'],'args':null,'hooks':{'dir':'d'},'hooks':{'settings_file'"
		  ":'f'}}}}");
	ask("alpha");
	assert_str(s->answer.runtime.session.id_env, "GEMINI_SESSION_ID");
	assert_int_equal(s->answer.runtime.env.n, 0);
	assert_true(story_has_arg(s, "--approval-mode"));
	assert_str(s->answer.runtime.hooks.dir, "d"); /* objects met twice are merged */
	assert_str(s->answer.runtime.hooks.settings_file, "f");
}

static void a_file_that_gas_town_refuses_says_why(void **state)
{
	const struct source *source;

	(void)state;
	story_put(s, "settings/config.json", "{'default_agnet':'x',\n'cost_tier':7}");
	town_refresh(s->town);
	source = &town_settings(s->town)->source;
	assert_true(source->refused);
	assert_str(source->fault->text, "cost_tier must be a text, not a number");
	assert_int_equal(source->state, FILE_READ);
}

static void faults_are_told_by_file_and_line(void **state)
{
	(void)state;
	story_put(s, "settings/config.json", "{'version':'x',\n'default_agnet':'y',\n'cost_tier':7}");
	story_put(s, "alpha/settings/agents.json", "{'agents':{'x':{'tmux':{}}}}");
	ask("alpha");
	assert_int_equal(town_fault_count(s->town), 4);
	assert_true(str_eqz(
		town_fault(s->town, 0)->text,
		"agents.x.tmux does nothing in agents.json: its fields are process_names, ready_prompt_prefix "
		"and ready_delay_ms, beside command"));
	assert_int_equal(town_fault(s->town, 1)->at.line, 1);
	assert_str(town_fault(s->town, 2)->text, "unknown key \"default_agnet\"; did you mean default_agent?");
	assert_int_equal(town_fault(s->town, 3)->at.line, 3);
}

static void a_rig_that_is_not_there_is_refused_with_those_that_are(void **state)
{
	static const struct {
		const char *name, *text;
	} rows[] = {{"alpah", "there is no rig \"alpah\" in /t; did you mean alpha?"},
		    {"zeta", "there is no rig \"zeta\" in /t; its rigs are alpha, r1, r2, r3, r4, \xe2\x80\xa6"}};
	char path[32];

	(void)state;
	assert_str(town_no_rig_text(s->town, STR("zeta"), s->arena),
		   "there is no rig \"zeta\" in /t; it has none with files");
	story_put(s, "alpha/settings/config.json", "{}");
	for (int i = 1; i <= 5; i++) {
		snprintf(path, sizeof(path), "r%d/settings/config.json", i);
		story_put(s, path, "{}");
	}
	town_refresh(s->town);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_str(town_no_rig_text(s->town, str_of(rows[i].name), s->arena), rows[i].text);
}

int main(void)
{
#define TEST(name) STORY_TEST(name, s)
	const struct CMUnitTest tests[] = {
		TEST(what_did_not_change_is_not_read_again),
		TEST(within_one_question_each_file_is_looked_at_once),
		TEST(rigs_are_read_when_they_are_needed_and_cost_the_others_nothing),
		TEST(a_change_is_seen_by_the_next_question),
		TEST(a_stamp_that_is_too_new_to_trust_is_not_trusted),
		TEST(a_rigs_presets_lie_over_the_towns_as_those_are_now),
		TEST(agents_json_is_read_again_when_it_changes),
		TEST(a_file_caught_half_written_is_read_again_at_once),
		TEST(a_file_that_is_being_written_keeps_what_it_said_until_it_is_done),
		TEST(a_file_that_never_stands_still_is_told),
		TEST(a_file_that_is_taken_away_is_believed),
		TEST(what_is_wrong_with_a_file_is_told_with_its_place),
		TEST(root_and_null_and_duplicates),
		TEST(a_file_over_eight_mebibytes_is_refused_with_its_size),
		TEST(unreadable_files_and_links_that_lead_nowhere),
		TEST(ten_thousand_presets),
		TEST(hostile_sizes_are_survived),
		TEST(hostile_names_of_rigs_are_no_rigs),
		TEST(hostile_names_of_roles_and_agents_are_only_names),
		TEST(a_town_is_found_from_below),
		TEST(rigs_are_folders_with_settings_or_named_by_the_mayor),
		TEST(a_file_of_rigs_that_names_none_names_none),
		TEST(rigs_of_the_towns_file_stand_in_member_by_member),
		TEST(null_empties_what_was_said_before),
		TEST(a_file_that_gas_town_refuses_says_why),
		TEST(faults_are_told_by_file_and_line),
		TEST(a_rig_that_is_not_there_is_refused_with_those_that_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
