/*
 * What a town costs: tables that say where they are from, the arithmetic, what agents report, and budgets.
 */
#include "harness.h"

#include "roles/cost.h"
#include "roles_kit/memory_files.h"

#include <math.h>

static struct {
	struct memory_files *files;
	struct arena *arena;
	struct town *town;
	struct town_state *state;
	struct role_query query;
	struct role_answer answer;
	struct problem problem;
} the;

static int set_up(void **state)
{
	(void)state;
	memset(&the, 0, sizeof(the));
	the.files = memory_files_new();
	the.files->ms = 1795262400000; /* 2026-11-21T12:00:00Z */
	the.arena = arena_new(64 << 20);
	the.query = (struct role_query){.role = STR("polecat"), .rig = STR("alpha")};
	the.answer = (struct role_answer){.role = ROLE_POLECAT,
					  .agent = STR("claude"),
					  .runs = STR("claude"),
					  .effort = EFFORT_HIGH,
					  .runtime = agents_find(presets_builtin(), STR("claude"))->runtime};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	town_state_close(&the.state);
	town_close(&the.town);
	memory_files_destroy(&the.files);
	arena_destroy(&the.arena);
	return 0;
}

static void runs_agent(const char *preset, const char *model)
{
	the.answer.runtime = agents_find(presets_builtin(), str_of(preset))->runtime;
	the.answer.model = str_of(model);
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

/* ---- tables ---- */

/* "2026-11" or "2026-11-21". */
static bool is_dated(const char *date)
{
	return (strlen(date) == 7 || strlen(date) == 10) && date[4] == '-' && atoi(date) >= 2025;
}

/* A page that anybody can open, or the word that says there is none. */
static bool is_sourced(const char *source)
{
	return strncmp(source, "assumed: ", 9) == 0 || (strchr(source, '.') && strchr(source, '/'));
}

static void every_price_is_dated_and_says_where_it_is_from(void **state)
{
	(void)state;
	for (unsigned i = 0; i < price_count; i++) {
		const struct price *p = &prices[i];

		assert_row(p->model, is_dated(p->date));
		assert_row(p->model, is_sourced(p->source));
		assert_row(p->model, p->output > p->input && p->input > p->cache_read && p->cache_read > 0);
		assert_row(p->model, p->cache_write >= p->input && p->cache_write <= 1.25 * p->input + 1e-9);
		assert_row(p->model,
			   price_in(NULL, str_of(p->model), (struct str){0}) == p); /* no row hides another */
	}
}

static void every_word_for_a_model_leads_to_a_price(void **state)
{
	static const struct {
		const char *word, *model;
	} rows[] = {
#define PRICE(model, input, output, read, write, date, source)
#define ALIAS(word, model, date, source)     {word, model},
#define DEFAULT(preset, model, date, source) {"", model},
#include "roles/prices.def"
#undef PRICE
#undef ALIAS
#undef DEFAULT
	};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		assert_row(rows[i].model, price_in(NULL, str_of(rows[i].model), (struct str){0}) != NULL);
		if (*rows[i].word)
			assert_row(rows[i].word, price_in(NULL, str_of(rows[i].word), (struct str){0}) ==
							 price_in(NULL, str_of(rows[i].model), (struct str){0}));
	}
}

static void every_role_and_effort_has_a_dated_figure(void **state)
{
	bool seen[ROLE_COUNT] = {false};

	(void)state;
	for (unsigned i = 0; i < usage_count; i++) {
		assert_false(seen[usages[i].role]);
		seen[usages[i].role] = true;
		assert_true(is_dated(usages[i].date) && is_sourced(usages[i].source));
	}
	assert_int_equal(usage_count, ROLE_COUNT);
	assert_int_equal(effort_factor_count, EFFORT_AUTO);
	for (unsigned i = 0; i < effort_factor_count; i++)
		assert_true(is_dated(effort_factors[i].date) && is_sourced(effort_factors[i].source));
	assert_true(effort_factor(EFFORT_LOW) < effort_factor(EFFORT_MEDIUM));
	assert_true(effort_factor(EFFORT_MEDIUM) < effort_factor(EFFORT_HIGH));
	assert_true(effort_factor(EFFORT_HIGH) < effort_factor(EFFORT_XHIGH));
	assert_true(effort_factor(EFFORT_XHIGH) < effort_factor(EFFORT_MAX));
	assert_true(near(effort_factor(EFFORT_UNSET), 1) && near(effort_factor(EFFORT_AUTO), 1));
}

/* ---- models ---- */

static void a_model_is_known_by_its_variants_and_not_by_how_it_begins(void **state)
{
	static const struct {
		const char *given, *preset, *row; /* row NULL: no price */
	} rows[] = {
		{"claude-opus-4-6", "claude", "claude-opus-4-6"},
		{"claude-opus-4-5-20251101", "claude", "claude-opus-4-5"},
		{"claude-opus-4-20250514", "claude", "claude-opus-4"},
		{"claude-sonnet-4-6[1m]", "claude", "claude-sonnet-4-6"},
		{"sonnet[1m]", "claude", "claude-sonnet-5-5"},
		{"opus", "claude", "claude-opus-5-5"},
		{"haiku", "groq-compound", "claude-haiku-5-5"},
		{"anthropic/claude-sonnet-4-5", "opencode", "claude-sonnet-4-5"},
		{"us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude", "claude-sonnet-4-5"},
		{"claude-sonnet-4-5@20250929", "claude", "claude-sonnet-4-5"},
		{"gpt-5.4-mini", "codex", "gpt-5.4-mini"},
		{"gpt-5.4", "codex", "gpt-5.4"},
		{"gemini-3.1-pro-preview", "gemini", "gemini-3.1-pro"},
		{"", "claude", "claude-opus-5-5"},
		{"", "gemini", "gemini-2.5-pro"},
		{"", "copilot", NULL},
		{"", "", NULL},
		{"claude-opus-4-9", "claude", NULL},
		{"claude-opus-5-6", "claude", NULL},
		{"gpt-5.4-nano", "codex", NULL},
		{"opus-next", "claude", NULL},
		{"opusx", "claude", NULL},
		{"compound-beta", "groq-compound", NULL},
		{"/", "claude", NULL},
		{"anthropic.", "claude", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct price *p = price_in(NULL, str_of(rows[i].given), str_of(rows[i].preset));

		assert_row(rows[i].given, (p != NULL) == (rows[i].row != NULL));
		if (p)
			assert_row(rows[i].given, strcmp(p->model, rows[i].row) == 0);
	}
}

/* ---- a role's day ---- */

static void a_day_is_tokens_times_prices(void **state)
{
	struct role_cost c;

	(void)state;
	the.answer.role = ROLE_CREW;
	runs_agent("claude", "claude-sonnet-4-6");
	c = role_cost_of(&the.answer);
	assert_true(near(c.usd_per_day, 0.05 * 3 + 0.2 * 15 + 20 * 0.3 + 1 * 3.75));
	assert_true(c.usd_per_day > 12 && c.usd_per_day < 14); /* what usage.def says it is scaled to */
	assert_str(c.model, "claude-sonnet-4-6");
	assert_null(c.model_source);
	the.answer.effort = EFFORT_LOW;
	assert_true(near(role_cost_of(&the.answer).usd_per_day, 0.65 * c.usd_per_day));
}

static void an_agent_that_names_no_model_is_priced_as_what_it_runs_by_default(void **state)
{
	struct role_cost c;

	(void)state;
	runs_agent("claude", "");
	c = role_cost_of(&the.answer);
	assert_str(c.model, "claude-opus-5-5");
	assert_non_null(strstr(c.model_source, "assumed"));
	assert_true(c.usd_per_day > 0);
	the.answer.runtime.provider = STR("claude-mine"); /* an entry of agents.json: known by its command */
	assert_true(near(role_cost_of(&the.answer).usd_per_day, c.usd_per_day));
}

static void a_model_without_a_price_has_no_figure(void **state)
{
	struct role_cost c;

	(void)state;
	runs_agent("groq-compound", "compound-beta");
	c = role_cost_of(&the.answer);
	assert_true(c.usd_per_day < 0);
	assert_null(c.price);
	assert_str(c.model, "compound-beta");
	runs_agent("amp", "");
	c = role_cost_of(&the.answer);
	assert_true(c.usd_per_day < 0);
	assert_int_equal(c.model.n, 0);
}

/* ---- the user's tables ---- */

static enum err load(struct cost_tables *t)
{
	the.problem = (struct problem){0};
	return cost_tables_load(&the.files->files, STR("/data"), the.arena, t, &the.problem);
}

static void the_users_rows_go_before_ours(void **state)
{
	struct cost_tables t;
	struct role_cost c;

	(void)state;
	memory_files_put(the.files, "/data/prices.json",
			 "[{\"model\": \"opus\", \"input\": 1, \"output\": 2, \"source\": \"our contract\"},\n"
			 " {\"model\": \"compound-beta\", \"input\": 1, \"output\": 1, \"cache_read\": 0, "
			 "\"cache_write\": 0}]");
	memory_files_put(the.files, "/data/usage.json",
			 "[{\"role\": \"polecat\", \"input\": 1e6, \"output\": 1000000, \"cache_read\": 0, "
			 "\"cache_write\": 0}]");
	assert_int_equal(load(&t), OK);
	runs_agent("claude", "opus");
	c = role_cost_in(&t, &the.answer);
	assert_true(near(c.usd_per_day, 3));
	assert_string_equal(c.price->source, "our contract");
	assert_string_equal(c.usage->source, "usage.json");
	assert_true(near(c.price->cache_read, 1)); /* not said: as input */
	runs_agent("groq-compound", "compound-beta");
	assert_true(near(role_cost_in(&t, &the.answer).usd_per_day, 2));
	the.answer.role = ROLE_DOG; /* not in the user's */
	assert_true(role_cost_in(&t, &the.answer).usage >= usages);
	runs_agent("claude", "claude-sonnet-5-5");
	assert_ptr_equal(role_cost_in(&t, &the.answer).price,
			 price_in(NULL, STR("claude-sonnet-5-5"), (struct str){0}));
}

static void old_prices_are_counted_but_for_those_the_user_has_newer_ones_for(void **state)
{
	static const struct price own[] = {{.model = "claude-3-5-haiku", .date = "2026-11"},
					   {.model = "tiny", .date = "2026-09-30"},
					   {.model = "undated", .date = ""}};
	struct cost_tables t = {.prices = own, .price_count = 3};
	size_t ours, all, old = prices_before(NULL, "2026-01", &ours);

	(void)state;
	assert_int_equal(ours, price_count);
	assert_true(old > 0 && old < ours); /* that of claude-3-5-haiku is among them */
	assert_int_equal(prices_before(&t, "2026-01", &all), old - 1 + 1);
	assert_int_equal(all, ours + 2);
	assert_int_equal(prices_before(&t, "2026-10", &all) - prices_before(NULL, "2026-10", &ours), 2 - 1);
	assert_int_equal(prices_before(NULL, "1999-01", &ours), 0);
}

static void tables_that_are_missing_have_no_rows(void **state)
{
	struct cost_tables t;

	(void)state;
	assert_int_equal(load(&t), OK);
	assert_int_equal(t.price_count + t.usage_count, 0);
	assert_int_equal(cost_tables_load(&the.files->files, (struct str){0}, the.arena, &t, NULL), OK);
}

static void a_mistake_in_a_table_is_told_with_its_place(void **state)
{
	static const struct {
		const char *file, *text, *said;
	} rows[] = {
		{"/data/prices.json", "{}", "prices.json:1:1: must be a list"},
		{"/data/prices.json", "[\n  5]", "prices.json:2:3: a row must be"},
		{"/data/prices.json", "[{\"model\": \"\"}]", "prices.json:1:2: a row must be"},
		{"/data/prices.json", "[{\"model\": \"x\", \"input\": 1}]", "prices.json:1:2: output is missing"},
		{"/data/prices.json", "[{\"model\": \"x\", \"input\": \"1\", \"output\": 1}]",
		 "prices.json:1:26: must be a number"},
		{"/data/prices.json", "[{\"model\": \"x\", \"input\": -1, \"output\": 1}]",
		 "must be a number, 0 or more"},
		{"/data/prices.json", "[{\"model\": \"x\", \"input\": 1, \"output\": 1, \"source\": 5}]",
		 "must be a text"},
		{"/data/prices.json", "[{\"model\": \"x\",}]", "prices.json:1:"},
		{"/data/usage.json", "[{\"role\": \"polcat\", \"input\": 1, \"output\": 1}]",
		 "usage.json:1:11: is not a role"},
		{"/data/usage.json", "[{\"role\": \"crew\", \"output\": 1}]", "input is missing"},
	};
	struct cost_tables t;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		memory_files_remove(the.files, "/data/prices.json");
		memory_files_put(the.files, rows[i].file, rows[i].text);
		assert_int_not_equal(load(&t), OK);
		if (!strstr(the.problem.detail, rows[i].said))
			fail_msg("%s: said %s", rows[i].text, the.problem.detail);
		assert_int_equal(t.price_count + t.usage_count, 0);
		memory_files_remove(the.files, rows[i].file);
	}
}

/* ---- what agents report ---- */

struct heard {
	const char *preset, *text;
	int64_t input, output, cache_read, cache_write;
	double usd;
	const char *model;
};

static const struct heard reports[] = {
	{"claude",
	 "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"result\":\"done\",\"session_id\":\"s\","
	 "\"total_cost_usd\":0.0731,\"usage\":{\"input_tokens\":12,\"cache_creation_input_tokens\":9000,"
	 "\"cache_read_input_tokens\":40000,\"output_tokens\":310}}",
	 12, 310, 40000, 9000, 0.0731, ""},
	{"groq-compound", "{\"type\":\"result\",\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}", 1, 2, 0, 0,
	 -1, ""},
	/* every model counts, and the one that used most is named */
	{"claude",
	 "{\"type\":\"result\",\"total_cost_usd\":1.5,\"usage\":{\"input_tokens\":1,\"output_tokens\":1},"
	 "\"modelUsage\":{"
	 "\"claude-haiku-4-5\":{\"inputTokens\":5,\"outputTokens\":5,\"cacheReadInputTokens\":0,"
	 "\"cacheCreationInputTokens\":0},"
	 "\"claude-opus-5-5\":{\"inputTokens\":10,\"outputTokens\":20,\"cacheReadInputTokens\":30,"
	 "\"cacheCreationInputTokens\":40}}}",
	 15, 25, 30, 40, 1.5, "claude-opus-5-5"},
	/* as a stream, and as a list; a result that comes again counts once */
	{"claude",
	 "{\"type\":\"system\",\"subtype\":\"init\",\"model\":\"claude-sonnet-5-5\"}\n"
	 "{\"type\":\"assistant\",\"message\":{\"usage\":{\"input_tokens\":999}}}\n"
	 "{\"type\":\"result\",\"usage\":{\"input_tokens\":3,\"output_tokens\":4}}\n"
	 "{\"type\":\"result\",\"usage\":{\"input_tokens\":5,\"output_tokens\":6}}\n",
	 5, 6, 0, 0, -1, "claude-sonnet-5-5"},
	{"claude", "[{\"type\":\"system\",\"model\":\"m\"},{\"type\":\"result\",\"usage\":{\"input_tokens\":3}}]",
	 3, 0, 0, 0, -1, "m"},
	{"gemini",
	 "Loaded cached credentials.\n{\n  \"response\": \"ok }\",\n  \"stats\": {\n    \"models\": {\n"
	 "      \"gemini-2.5-pro\": {\"tokens\": {\"input\": 13745, \"prompt\": 24401, \"candidates\": 215, "
	 "\"total\": 24719, "
	 "\"cached\": 10656, \"thoughts\": 103, \"tool\": 0}},\n"
	 "      \"gemini-2.5-flash\": {\"tokens\": {\"prompt\": 20803, \"candidates\": 716, \"total\": 21657, "
	 "\"cached\": 0, "
	 "\"thoughts\": 138, \"tool\": 0}}\n    }\n  }\n}\nbye\n",
	 13745 + 20803, 215 + 103 + 716 + 138, 10656, 0, -1, "gemini-2.5-pro"},
	{"gemini",
	 "{\"type\":\"init\",\"model\":\"auto\"}\n{\"type\":\"result\",\"status\":\"success\",\"stats\":{\"total_"
	 "tokens\":130,"
	 "\"models\":{\"gemini-2.5-pro\":{\"total_tokens\":130,\"input_tokens\":100,\"output_tokens\":20,"
	 "\"cached\":60,\"input\":40}}}}",
	 40, 30, 60, 0, -1, "gemini-2.5-pro"},
	{"codex",
	 "{\"type\":\"thread.started\",\"thread_id\":\"t\"}\n"
	 "{\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"hi\"}}\n"
	 "{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":100,\"cached_input_tokens\":60,\"output_"
	 "tokens\":7}}\n"
	 "{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":300,\"cached_input_tokens\":200,\"output_"
	 "tokens\":9}}\n",
	 100, 9, 200, 0, -1, ""},
	{"codex",
	 "{\"id\":\"0\",\"msg\":{\"type\":\"session_configured\",\"model\":\"gpt-5-codex\"}}\n"
	 "{\"id\":\"0\",\"msg\":{\"type\":\"token_count\",\"info\":{\"total_token_usage\":{\"input_tokens\":50,"
	 "\"cached_input_tokens\":10,\"output_tokens\":5}}}}\n"
	 "{\"id\":\"0\",\"msg\":{\"type\":\"token_count\",\"info\":null,\"input_tokens\":70,\"output_tokens\":6}}"
	 "\n",
	 70, 6, 0, 0, -1, "gpt-5-codex"},
	{"opencode",
	 "{\"type\":\"step_start\",\"part\":{\"type\":\"step-start\"}}\n"
	 "{\"type\":\"step_finish\",\"part\":{\"type\":\"step-finish\",\"cost\":0.25,\"tokens\":{\"input\":10,"
	 "\"output\":2,"
	 "\"reasoning\":3,\"cache\":{\"read\":4,\"write\":5}}}}\n"
	 "{\"type\":\"step_finish\",\"part\":{\"cost\":0.5,\"tokens\":{\"input\":1,\"output\":1}}}\n",
	 11, 6, 4, 5, 0.75, ""},
	{"cursor",
	 "{\"type\":\"result\",\"usage\":{\"inputTokens\":5,\"outputTokens\":6,\"cacheReadTokens\":7,"
	 "\"cacheWriteTokens\":8}}",
	 5, 6, 7, 8, -1, ""},
	{"cursor-agent", "{\"type\":\"result\",\"usage\":{\"input_tokens\":5}}", 5, 0, 0, 0, -1, ""},
	/* what cannot be is nothing, and what is too large is the largest */
	{"claude",
	 "{\"type\":\"result\",\"total_cost_usd\":-1,\"usage\":{\"input_tokens\":-5,\"output_tokens\":\"7\","
	 "\"cache_read_input_tokens\":1e3,\"cache_creation_input_tokens\":1e30}}",
	 0, 0, 1000, 0, -1, ""},
	{"opencode",
	 "{\"type\":\"step_finish\",\"part\":{\"tokens\":{\"input\":9223372036854775807}}}\n"
	 "{\"type\":\"step_finish\",\"part\":{\"tokens\":{\"input\":9223372036854775807}}}",
	 INT64_MAX, 0, 0, 0, -1, ""},
	{"codex", "{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":5,\"cached_input_tokens\":9}}", 0, 0, 5,
	 0, -1, ""},
	/* other lines are passed over */
	{"claude",
	 "{broken\n\xff\xfe\n[1,2\n{}\n[]\nnull\n{\"type\":\"result\",\"usage\":{\"input_tokens\":1}}\nbye", 1, 0,
	 0, 0, -1, ""},
};

static void what_agents_say_about_their_use_is_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(reports); i++) {
		const struct heard *h = &reports[i];
		struct usage_report r;

		assert_row(h->text, usage_from_output(str_of(h->preset), str_of(h->text), the.arena, &r));
		assert_row(h->text, r.input == h->input && r.output == h->output);
		assert_row(h->text, r.cache_read == h->cache_read && r.cache_write == h->cache_write);
		assert_row(h->text, near(r.usd, h->usd));
		assert_row(h->text, str_eqz(r.model, h->model));
	}
}

static void output_that_says_nothing_known_is_no_report(void **state)
{
	static const struct {
		const char *preset, *text;
	} rows[] = {
		{"claude", ""},
		{"claude", "done"},
		{"claude", "{\"type\":\"result\",\"result\":\"done\"}"},
		{"claude", "{\"type\":\"assistant\",\"usage\":{\"input_tokens\":1}}"},
		{"gemini", "{\"response\":\"ok\",\"stats\":{\"models\":{}}}"},
		{"codex", "{\"type\":\"turn.completed\"}"},
		{"opencode", "{\"type\":\"step_finish\",\"part\":5}"},
		{"cursor", "{\"type\":\"result\",\"usage\":[1]}"},
		{"aider", "{\"type\":\"result\",\"usage\":{\"input_tokens\":1}}"},
		{"", "{\"type\":\"result\",\"usage\":{\"input_tokens\":1}}"},
	};
	struct usage_report r;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_row(rows[i].text,
			   !usage_from_output(str_of(rows[i].preset), str_of(rows[i].text), the.arena, &r));
}

static void long_output_is_looked_at_from_its_end(void **state)
{
	static const char last[] = "\n{\"type\":\"result\",\"usage\":{\"input_tokens\":7}}\n";
	size_t n = (size_t)17 << 20;
	char *text = malloc(n);
	struct usage_report r;

	(void)state;
	memset(text, '{', n); /* one line that opens and never closes */
	memcpy(text + n - sizeof(last) + 1, last, sizeof(last) - 1);
	assert_true(usage_from_output(STR("claude"), (struct str){text, n}, the.arena, &r));
	assert_int_equal(r.input, 7);
	for (size_t i = 0; i < n; i += 2) /* millions of lines that open and never close */
		text[i] = '{', text[i + 1] = '\n';
	assert_false(usage_from_output(STR("claude"), (struct str){text, n}, the.arena, &r));
	for (size_t i = 0; i + 2 < n; i += 3) /* and that close wrong */
		text[i] = '{', text[i + 1] = ']', text[i + 2] = '\n';
	assert_false(usage_from_output(STR("claude"), (struct str){text, n}, the.arena, &r));
	free(text);
}

/* ---- a run ---- */

static void a_run_is_spent_as_reported_or_priced_or_guessed(void **state)
{
	struct usage_report r = {.input = 1000000, .output = 100000, .usd = 9.5, .model = STR("claude-sonnet-4-6")};
	struct spent s;

	(void)state;
	s = spent_of_run(NULL, &the.query, &the.answer, &r, 1000);
	assert_true(near(s.usd, 9.5) && near(s.guessed_usd, 0)); /* what the agent says */
	assert_str(s.rig, "alpha");
	assert_str(s.role, "polecat");
	assert_str(s.agent, "claude");
	assert_str(s.model, "claude-sonnet-4-6");
	assert_int_equal(s.output, 100000);
	r.usd = -1;
	s = spent_of_run(NULL, &the.query, &the.answer, &r, 1000);
	assert_true(near(s.usd, 3 + 1.5) && near(s.guessed_usd, 0)); /* its tokens by the list */
	r.model = STR("unheard-of");
	assert_true(near(spent_of_run(NULL, &the.query, &the.answer, &r, 1000).usd, 0));
	s = spent_of_run(NULL, &the.query, &the.answer, NULL, 6 * 3600 * 1000); /* a quarter of a day */
	assert_true(near(s.usd, role_cost_of(&the.answer).usd_per_day / 4));
	assert_true(near(s.guessed_usd, s.usd));
	assert_int_equal(s.output, 75000);
	assert_true(near(spent_of_run(NULL, &the.query, &the.answer, NULL, -5).usd, 0));
	assert_true(spent_of_run(NULL, &the.query, &the.answer, NULL, INT64_MAX).usd < 10000);
	runs_agent("amp", "");
	s = spent_of_run(NULL, &the.query, &the.answer, NULL, 3600 * 1000);
	assert_true(near(s.usd, 0) && s.output > 0);
}

/* ---- budgets ---- */

static void open_town(const char *town_budgets, const char *rig_budgets)
{
	struct str text = arena_fmt(the.arena, "{\"budgets\": {%s}}", town_budgets);

	memory_files_put(the.files, "/gt/mayor/town.json", "{\"type\":\"town\",\"version\":1,\"name\":\"gt\"}");
	memory_files_put_str(the.files, "/gt/settings/config.json", text);
	if (rig_budgets) {
		text = arena_fmt(the.arena, "{\"budgets\": {%s}}", rig_budgets);
		memory_files_put_str(the.files, "/gt/alpha/settings/config.json", text);
	}
	memory_files_folder(the.files, "/gt/beta");
	town_close(&the.town);
	town_state_close(&the.state);
	assert_int_equal(town_open(&the.files->files, STR("/gt"), (struct str){0}, &the.town, &the.problem), OK);
	town_refresh(the.town);
	assert_int_equal(town_state_open(&the.files->files, (struct str){0}, STR("/gt"), &the.state, NULL), OK);
}

static void spend(const char *rig, const char *role, double usd, double guessed)
{
	const struct spent one = {.rig = str_of(rig), .role = str_of(role), .usd = usd, .guessed_usd = guessed};

	assert_int_equal(town_state_spend(the.state, &one, NULL), OK);
}

static struct budget budget(void)
{
	return role_budget(the.town, &the.query, &the.answer, NULL, the.state);
}

static void each_key_of_a_budget_counts_its_own(void **state)
{
	static const struct {
		const char *key;
		double spent;
	} rows[] = {{"*", 1 + 2 + 4 + 8 + 16}, {"alpha", 1 + 2}, {"polecat", 1 + 4}, {"alpha/polecat", 1}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct budget b;

		open_town(arena_z(the.arena,
				  arena_fmt(the.arena,
					    "\"%s\": {\"usd_per_day\": 100}, \"beta\": {\"usd_per_day\": 1}, "
					    "\"alpha/crew\": {\"usd_per_day\": 1}, \"mayor\": {\"usd_per_day\": 1}",
					    rows[i].key)),
			  NULL);
		spend("alpha", "polecat", 1, 0);
		spend("alpha", "crew", 2, 0);
		spend("beta", "polecat", 4, 0);
		spend("", "mayor", 8, 0);
		spend("beta", "crew", 16, 0);
		b = budget();
		assert_row(rows[i].key, str_eqz(b.key, rows[i].key));
		assert_row(rows[i].key, near(b.spent, rows[i].spent));
		assert_row(rows[i].key, b.standing == BUDGET_WITHIN && b.recorded);
		assert_row(rows[i].key, b.at.line == 1 && b.at.path);
	}
}

static void a_budget_warns_and_then_stops(void **state)
{
	(void)state;
	open_town("\"alpha\": {\"usd_per_day\": 10, \"warn_at\": 0.5}", NULL);
	spend("alpha", "polecat", 4.99, 0);
	assert_int_equal(budget().standing, BUDGET_WITHIN);
	spend("alpha", "crew", 0.01, 0);
	assert_int_equal(budget().standing, BUDGET_WARN);
	spend("alpha", "crew", 5, 0);
	assert_int_equal(budget().standing, BUDGET_OVER);
	the.files->ms += 12 * 3600 * 1000; /* the next day of UTC */
	assert_int_not_equal(budget().standing, BUDGET_OVER);
}

static void the_tightest_budget_is_told(void **state)
{
	struct budget b;

	(void)state;
	open_town("\"*\": {\"usd_per_day\": 100}, \"polecat\": {\"usd_per_day\": 6}, \"alpha\": {\"usd_per_day\": "
		  "20}",
		  NULL);
	spend("alpha", "polecat", 3, 0);
	b = budget();
	assert_str(b.key, "polecat"); /* half of it, more than of the others */
	spend("alpha", "crew", 17, 0);
	b = budget();
	assert_str(b.key, "alpha");
	assert_int_equal(b.standing, BUDGET_OVER);
}

static void an_estimate_alone_warns_and_never_stops(void **state)
{
	struct budget b;

	(void)state;
	open_town("\"*\": {\"usd_per_day\": 0.01}", NULL);
	b = budget();
	assert_int_equal(b.standing, BUDGET_WARN);
	assert_false(b.recorded);
	assert_true(near(b.guessed, role_cost_of(&the.answer).usd_per_day));
	assert_non_null(strstr(budget_text(&b, the.arena).p, "estimated"));
	runs_agent("amp", ""); /* no price is known */
	assert_int_equal(budget().standing, BUDGET_WITHIN);
	spend("beta", "crew", 0.02, 0.02); /* time that was really worked counts */
	b = budget();
	assert_int_equal(b.standing, BUDGET_OVER);
	assert_non_null(
		strstr(budget_text(&b, the.arena).p, "estimated USD 0.02 of 0.01 a day, some of it guessed"));
}

static void without_a_line_there_is_no_budget(void **state)
{
	(void)state;
	open_town("\"beta\": {\"usd_per_day\": 1}", NULL);
	assert_int_equal(budget().standing, BUDGET_NONE);
	the.state = (town_state_close(&the.state), NULL); /* and no state is no error */
	assert_int_equal(budget().standing, BUDGET_NONE);
}

static void a_rigs_file_is_about_that_rig(void **state)
{
	static const char *const keys[] = {"*", "alpha", "polecat", "alpha/polecat"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		struct budget b;

		open_town("", arena_z(the.arena,
				      arena_fmt(the.arena,
						"\"%s\": {\"usd_per_day\": 5}, \"beta\": {\"usd_per_day\": 0}",
						keys[i])));
		spend("beta", "polecat", 100, 0);
		spend("alpha", "polecat", 5, 0);
		b = budget();
		assert_row(keys[i], b.standing == BUDGET_OVER && near(b.spent, 5) && str_eqz(b.key, keys[i]));
		the.query.rig = STR("beta");
		assert_row(keys[i], budget().standing == BUDGET_NONE);
		the.query.rig = STR("alpha");
	}
}

static void a_role_of_the_town_has_no_rigs_budget(void **state)
{
	(void)state;
	open_town("\"alpha\": {\"usd_per_day\": 1}, \"mayor\": {\"usd_per_day\": 7}", NULL);
	the.answer.role = ROLE_MAYOR;
	spend("alpha", "polecat", 5, 0);
	spend("", "mayor", 6, 0);
	assert_str(budget().key, "mayor");
	assert_int_equal(budget().standing, BUDGET_WARN);
}

static void all_budgets_are_listed_as_they_stand(void **state)
{
	struct budget *all;
	size_t n;

	(void)state;
	open_town("\"*\": {\"usd_per_day\": 10}, \"beta\": {\"usd_per_day\": 1}", "\"crew\": {\"usd_per_day\": 2}");
	spend("alpha", "crew", 3, 0);
	all = role_budgets(the.town, STR("alpha"), the.state, the.arena, &n);
	assert_int_equal(n, 3);
	assert_str(all[0].key, "*");
	assert_int_equal(all[0].standing, BUDGET_WITHIN);
	assert_int_equal(all[1].standing, BUDGET_WITHIN);
	assert_false(all[1].recorded);
	assert_int_equal(all[2].standing, BUDGET_OVER);
	role_budgets(the.town, (struct str){0}, NULL, the.arena, &n);
	assert_int_equal(n, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_price_is_dated_and_says_where_it_is_from),
		TEST(every_word_for_a_model_leads_to_a_price),
		TEST(every_role_and_effort_has_a_dated_figure),
		TEST(a_model_is_known_by_its_variants_and_not_by_how_it_begins),
		TEST(a_day_is_tokens_times_prices),
		TEST(an_agent_that_names_no_model_is_priced_as_what_it_runs_by_default),
		TEST(a_model_without_a_price_has_no_figure),
		TEST(the_users_rows_go_before_ours),
		TEST(old_prices_are_counted_but_for_those_the_user_has_newer_ones_for),
		TEST(tables_that_are_missing_have_no_rows),
		TEST(a_mistake_in_a_table_is_told_with_its_place),
		TEST(what_agents_say_about_their_use_is_understood),
		TEST(output_that_says_nothing_known_is_no_report),
		TEST(long_output_is_looked_at_from_its_end),
		TEST(a_run_is_spent_as_reported_or_priced_or_guessed),
		TEST(each_key_of_a_budget_counts_its_own),
		TEST(a_budget_warns_and_then_stops),
		TEST(the_tightest_budget_is_told),
		TEST(an_estimate_alone_warns_and_never_stops),
		TEST(without_a_line_there_is_no_budget),
		TEST(a_rigs_file_is_about_that_rig),
		TEST(a_role_of_the_town_has_no_rigs_budget),
		TEST(all_budgets_are_listed_as_they_stand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
