/*
 * What agents say about their use when they work without a terminal.
 *
 *   claude    --output-format json, stream-json: the object of type "result": usage, modelUsage, total_cost_usd.
 *             code.claude.com/docs/en/headless
 *   gemini    --output-format json: stats.models.NAME.tokens; stream-json: the event "result" with stats.models.
 *             github.com/google-gemini/gemini-cli packages/core/src/output, 2026-08-21
 *   codex     exec --json: the event "turn.completed" with usage, and before that "token_count". Both are running
 *             sums of the session, so one that is resumed tells of its former turns again.
 *             github.com/openai/codex codex-rs/exec
 *   opencode  run --format json: an event "step_finish" for each step, with part.cost and part.tokens. Assumed: as
 *             public programs that read it take it, 2026-11.
 *   cursor    --output-format json: the object of type "result" with usage. Assumed: likewise.
 *
 * Output is a stranger's text: lines that are no JSON are passed over, so is what has another shape, numbers that
 * cannot be are 0. Each line is read in memory that is given back before the next.
 */
#include "roles/cost.h"

#include "roles/doc.h"

#include <math.h>
#include <string.h>

enum {
	LOOKED_AT_MAX = 16 << 20,
	SCRATCH_BYTES = 256 << 20,
	WHOLE_TRIES = 3,        /* texts over several lines: each try reads to the end */
	WRONG_LINES_MAX = 1000, /* that look like JSON and are none: what follows is not looked at */
	MODEL_BYTES_MAX = 200,
};

struct listener {
	struct usage_report *report;
	struct arena *arena; /* for what is kept */
	int64_t most;        /* tokens of the model that was named */
	bool heard;
};

/* ---- numbers ---- */

static int64_t number(const struct node *object, const char *key)
{
	const struct node *n = node_entry(object, str_of(key));
	int64_t whole;
	double real;

	if (!n || n->kind != NODE_NUMBER)
		return 0;
	if (str_to_i64(n->text, &whole))
		return whole > 0 ? whole : 0;
	return str_to_f64(n->text, &real) && real > 0 && real < 9e18 ? (int64_t)real : 0;
}

/* The first of two names that is there. */
static int64_t either(const struct node *object, const char *one, const char *other)
{
	return number(object, node_entry(object, str_of(one)) ? one : other);
}

/* -1: it is not there. */
static double dollars(const struct node *object, const char *key)
{
	const struct node *n = node_entry(object, str_of(key));
	double usd;

	return n && n->kind == NODE_NUMBER && str_to_f64(n->text, &usd) && isfinite(usd) && usd >= 0 ? usd : -1;
}

static int64_t plus(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static int64_t minus(int64_t a, int64_t b)
{
	return a > b ? a - b : 0;
}

static bool is_type(const struct node *object, const char *type)
{
	const struct node *n = node_entry(object, STR("type"));

	return n && n->kind == NODE_STRING && str_eqz(n->text, type);
}

static const struct node *object_at(const struct node *object, const char *key)
{
	const struct node *n = node_entry(object, str_of(key));

	return n && n->kind == NODE_OBJECT ? n : NULL;
}

/* ---- what is kept ---- */

/* Of several the one with most tokens. */
static void hear_model(struct listener *l, struct str model, int64_t tokens)
{
	if (model.n == 0 || model.n > MODEL_BYTES_MAX || (l->report->model.n && tokens <= l->most))
		return;
	l->report->model = arena_str(l->arena, model);
	l->most = tokens;
}

static void hear_named_model(struct listener *l, const struct node *object)
{
	const struct node *n = node_entry(object, STR("model"));

	if (n && n->kind == NODE_STRING)
		hear_model(l, n->text, 0);
}

static void begin(struct listener *l)
{
	struct str model = l->report->model;

	*l->report = (struct usage_report){.usd = -1, .model = model};
	l->heard = true;
}

static void add(struct listener *l, int64_t input, int64_t output, int64_t cache_read, int64_t cache_write)
{
	struct usage_report *r = l->report;

	r->input = plus(r->input, input);
	r->output = plus(r->output, output);
	r->cache_read = plus(r->cache_read, cache_read);
	r->cache_write = plus(r->cache_write, cache_write);
}

/* ---- formats ---- */

/* modelUsage has what every model used, usage only what the main one did. */
static void hear_claude_models(struct listener *l, const struct node *models)
{
	for (const struct node *m = models->first; m; m = m->next) {
		int64_t input = number(m, "inputTokens"), output = number(m, "outputTokens");
		int64_t cache_read = number(m, "cacheReadInputTokens"),
			cache_write = number(m, "cacheCreationInputTokens");

		add(l, input, output, cache_read, cache_write);
		hear_model(l, m->key, plus(plus(input, output), plus(cache_read, cache_write)));
	}
}

static void hear_claude(struct listener *l, const struct node *object)
{
	const struct node *usage = object_at(object, "usage"), *models = object_at(object, "modelUsage");

	if (is_type(object, "system"))
		hear_named_model(l, object);
	if (!is_type(object, "result") || (!usage && !models))
		return;
	begin(l);
	l->report->usd = dollars(object, "total_cost_usd");
	if (models && models->count)
		hear_claude_models(l, models);
	else
		add(l, number(usage, "input_tokens"), number(usage, "output_tokens"),
		    number(usage, "cache_read_input_tokens"), number(usage, "cache_creation_input_tokens"));
}

/* prompt has what was cached in it; thoughts stand beside the candidates, and in the stream only in the total. */
static void hear_gemini_model(struct listener *l, const struct node *m)
{
	const struct node *tokens = object_at(m, "tokens") ? object_at(m, "tokens") : m;
	int64_t prompt = either(tokens, "prompt", "input_tokens"), cached = number(tokens, "cached");
	int64_t output = plus(either(tokens, "candidates", "output_tokens"), number(tokens, "thoughts"));
	int64_t total = minus(either(tokens, "total", "total_tokens"), plus(prompt, number(tokens, "tool")));

	output = output > total ? output : total;
	add(l, plus(minus(prompt, cached), number(tokens, "tool")), output, cached < prompt ? cached : prompt, 0);
	hear_model(l, m->key, plus(prompt, output));
}

static void hear_gemini(struct listener *l, const struct node *object)
{
	const struct node *stats = object_at(object, "stats"), *models = object_at(stats, "models");

	if (!models || models->count == 0)
		return;
	begin(l);
	for (const struct node *m = models->first; m; m = m->next)
		if (m->kind == NODE_OBJECT)
			hear_gemini_model(l, m);
}

static void hear_codex(struct listener *l, const struct node *object)
{
	const struct node *msg = object_at(object, "msg") ? object_at(object, "msg") : object, *usage = NULL;
	int64_t input, cached;

	if (is_type(msg, "session_configured"))
		hear_named_model(l, msg);
	if (is_type(msg, "turn.completed"))
		usage = object_at(msg, "usage");
	else if (is_type(msg, "token_count"))
		usage = object_at(msg, "info") ? object_at(object_at(msg, "info"), "total_token_usage") : msg;
	if (!usage)
		return;
	begin(l);
	input = number(usage, "input_tokens");
	cached = number(usage, "cached_input_tokens");
	add(l, minus(input, cached), number(usage, "output_tokens"), cached < input ? cached : input, 0);
}

static void hear_opencode(struct listener *l, const struct node *object)
{
	const struct node *part = object_at(object, "part"), *tokens = object_at(part, "tokens");
	const struct node *cache = object_at(tokens, "cache");
	double usd = dollars(part, "cost");

	if (!is_type(object, "step_finish") || !tokens)
		return;
	if (!l->heard)
		begin(l);
	add(l, number(tokens, "input"), plus(number(tokens, "output"), number(tokens, "reasoning")),
	    number(cache, "read"), number(cache, "write"));
	usd += usd >= 0 && l->report->usd > 0 ? l->report->usd : 0;
	if (usd >= 0 && isfinite(usd))
		l->report->usd = usd;
}

static void hear_cursor(struct listener *l, const struct node *object)
{
	const struct node *usage = object_at(object, "usage");

	if (is_type(object, "system"))
		hear_named_model(l, object);
	if (!is_type(object, "result") || !usage)
		return;
	begin(l);
	add(l, either(usage, "inputTokens", "input_tokens"), either(usage, "outputTokens", "output_tokens"),
	    either(usage, "cacheReadTokens", "cache_read_tokens"),
	    either(usage, "cacheWriteTokens", "cache_write_tokens"));
}

typedef void hear_fn(struct listener *l, const struct node *object);

/* By the name of a preset, or of its command. NULL: what it says is not known. */
static hear_fn *format_of(struct str preset)
{
	static const struct {
		const char *name;
		hear_fn *hear;
	} formats[] = {
		{"claude", hear_claude},       {"groq-compound", hear_claude}, {"gemini", hear_gemini},
		{"codex", hear_codex},         {"opencode", hear_opencode},    {"cursor", hear_cursor},
		{"cursor-agent", hear_cursor},
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (str_eqz(preset, formats[i].name))
			return formats[i].hear;
	return NULL;
}

/* ---- reading ---- */

/* A list holds what a stream would say line by line. */
static void hear(struct listener *l, hear_fn *format, const struct node *root)
{
	if (root->kind == NODE_OBJECT)
		format(l, root);
	for (const struct node *n = root->kind == NODE_ARRAY ? root->first : NULL; n; n = n->next)
		if (n->kind == NODE_OBJECT)
			format(l, n);
}

static bool read_one(struct listener *l, hear_fn *format, struct str text, struct arena *scratch)
{
	struct doc doc;
	bool whole;

	arena_reset(scratch);
	whole = doc_parse(STR("output"), text, scratch, &doc, NULL) == OK;
	if (whole)
		hear(l, format, doc.root);
	return whole;
}

/* Up to the last bracket: what a program says after its answer is not part of it. */
static struct str up_to_bracket(struct str text)
{
	while (text.n && text.p[text.n - 1] != '}' && text.p[text.n - 1] != ']')
		text.n--;
	return text;
}

static bool opens(struct str line)
{
	return line.n && (line.p[0] == '{' || line.p[0] == '[');
}

static bool closes(struct str line)
{
	return line.n && (line.p[line.n - 1] == '}' || line.p[line.n - 1] == ']');
}

static void read_all(struct listener *l, hear_fn *format, struct str text, struct arena *scratch)
{
	int whole = 0, wrong = 0;

	while (text.n && wrong < WRONG_LINES_MAX) {
		struct str from = text, line = str_trim(str_cut(text, '\n', &text));

		if (!opens(line) || (closes(line) && read_one(l, format, line, scratch)))
			continue;
		if (whole++ < WHOLE_TRIES && read_one(l, format, up_to_bracket(from), scratch))
			return;
		wrong += closes(line);
	}
}

static struct str last_part(struct str text)
{
	struct str rest;

	if (text.n <= LOOKED_AT_MAX)
		return text;
	text = (struct str){text.p + (text.n - LOOKED_AT_MAX), LOOKED_AT_MAX};
	str_cut(text, '\n', &rest); /* the first line may be half of one */
	return rest;
}

bool usage_from_output(struct str preset, struct str text, struct arena *a, struct usage_report *out)
{
	hear_fn *format = format_of(preset);
	struct listener l = {.report = out, .arena = a};
	struct arena *scratch;

	*out = (struct usage_report){.usd = -1};
	if (!format)
		return false;
	scratch = arena_new(SCRATCH_BYTES);
	read_all(&l, format, last_part(text), scratch);
	arena_destroy(&scratch);
	return l.heard;
}
