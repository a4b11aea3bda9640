/*
 * Comma-separated values (RFC 4180): the first record names members of POST /v1/agents, each other one is an agent.
 *
 * A field is taken as flags of the command line are: numbers, names and JSON as text. Lists have ';' between their
 * elements. An empty field is absent. The fields of a record stand one behind the other in im->entry.
 *
 *            quote                    quote
 *   START ──────────► QUOTED ────────────────────► CLOSED ── quote ──► QUOTED (one quote)
 *     │ other             │ other: kept, line feeds too  │ comma, end of line: the field ends
 *     ▼                                                  ▼ other: refused
 *   PLAIN: to a comma or the end of the line; a quote in it is refused
 */
#include "import/agents_priv.h"

#include <string.h>

enum { COLUMNS_MAX = agent_new__COUNT, NAME_SHOWN = 64 };

struct record {
	size_t line;
	size_t count;
	size_t end[COLUMNS_MAX +
		   1]; /* of each field in im->entry; one more than columns, to see that there are too many
				      */
	const char *trouble;
};

struct csv {
	struct agent_import *im;
	uint32_t fields[COLUMNS_MAX]; /* of each column */
	size_t count;
};

/* ---- records ---- */

static void end_field(struct agent_import *im, struct record *r)
{
	if (r->count <= COLUMNS_MAX)
		r->end[r->count] = im->entry.n;
	r->count++;
}

static bool ends_field(int c)
{
	return c == ',' || c == '\n' || c < 0;
}

/* A carriage return is part of the line's end where it stands before it. */
static bool is_return(struct agent_import *im, int c)
{
	return c == '\r' && (input_peek(&im->input) == '\n' || input_peek(&im->input) < 0);
}

static int read_plain(struct agent_import *im, struct record *r, int c)
{
	for (; !ends_field(c); c = input_take(&im->input)) {
		if (c == '"')
			r->trouble =
				"a quote inside a field that does not begin with one; quote the field, and write "
				"its quotes twice";
		buf_c(&im->entry, (char)c); /* the white space around it goes later, the line's end too */
	}
	return c;
}

static int read_quoted(struct agent_import *im, struct record *r)
{
	int c = input_take(&im->input);

	for (; c >= 0; c = input_take(&im->input)) {
		if (c == '"' && input_peek(&im->input) != '"')
			break;
		if (c == '"')
			input_take(&im->input);
		buf_c(&im->entry, (char)c);
	}
	if (c < 0)
		r->trouble = "a field's closing quote is missing";
	c = input_take(&im->input);
	for (; !ends_field(c); c = input_take(&im->input))
		if (!is_return(im, c))
			r->trouble = "something stands between a field's closing quote and the next comma";
	return c;
}

/* False after the last. A blank line is a record of one empty field. */
static bool read_record(struct agent_import *im, struct record *r)
{
	int c = ',';

	agent_begin(im);
	*r = (struct record){.line = im->input.line};
	if (input_peek(&im->input) < 0)
		return false;
	while (c == ',') {
		c = input_take(&im->input);
		c = c == '"' ? read_quoted(im, r) : read_plain(im, r, c);
		end_field(im, r);
	}
	return true;
}

static struct str field_text(const struct agent_import *im, const struct record *r, size_t i)
{
	size_t start = i ? r->end[i - 1] : 0;

	if (r->end[i] == start)
		return (struct str){0};
	return str_trim((struct str){im->entry.p + start, r->end[i] - start});
}

static bool is_blank(const struct agent_import *im, const struct record *r)
{
	return r->count == 1 && !r->trouble && str_trim(buf_str(&im->entry)).n == 0;
}

static bool is_sound(struct agent_import *im, const struct record *r)
{
	if (!agent_entry_fits(im, r->line))
		return false;
	if (r->trouble)
		agent_refuse(im, r->line, "%s", r->trouble);
	return !r->trouble;
}

/* ---- the first record ---- */

static bool has_column(const struct csv *csv, uint32_t field)
{
	for (size_t i = 0; i < csv->count; i++)
		if (csv->fields[i] == field)
			return true;
	return false;
}

static bool take_column(struct csv *csv, size_t line, struct str name)
{
	const struct json_field *f = json_field_by_name(&type_agent_new, name);
	uint32_t field = f ? (uint32_t)(f - type_agent_new.fields) : 0;

	if (f && !has_column(csv, field)) {
		csv->fields[csv->count++] = field;
		return true;
	}
	agent_refuse(csv->im, line, "%s '%.*s'; the first line names members of an agent, each once",
		     f ? "there are two columns" : "there is no member", STRF(str_clip(name, NAME_SHOWN)));
	return false;
}

static bool read_columns(struct csv *csv)
{
	struct record r;

	if (!read_record(csv->im, &r) || !is_sound(csv->im, &r))
		return false;
	for (size_t i = 0; i < r.count && i <= COLUMNS_MAX; i++)
		if (!take_column(csv, r.line, field_text(csv->im, &r, i)))
			return false;
	return true;
}

/* ---- the others ---- */

static bool is_list(const struct json_field *f)
{
	return f->kind == JSON_TEXTS || f->kind == JSON_ENUMS;
}

static enum err set_field(struct agent_import *im, uint32_t field, struct str text, struct agent_new *agent,
			  struct problem *p)
{
	bool list = is_list(&type_agent_new.fields[field]);
	enum err e = OK;

	while (text.n && !e) {
		struct str one = list ? str_trim(str_cut(text, ';', &text)) : text;

		if (!list)
			text = (struct str){0};
		if (one.n)
			e = json_set_text(&type_agent_new, field, one, im->arena, agent, p);
	}
	return e;
}

static void take_record(struct csv *csv, const struct record *r)
{
	struct agent_import *im = csv->im;
	struct agent_new agent = {0};
	struct problem p = {0};
	enum err e = OK;

	if (r->count != csv->count) {
		agent_refuse(im, r->line, "the first line names %zu members, this has %zu fields", csv->count,
			     r->count);
		return;
	}
	for (size_t i = 0; i < csv->count && !e; i++)
		e = set_field(im, csv->fields[i], field_text(im, r, i), &agent, &p);
	if (!e)
		e = json_finish(&type_agent_new, HAS(&agent, agent_new, handle) ? 0 : BIT(agent_new, handle),
				&agent, &p);
	if (e)
		agent_refuse_problem(im, r->line, &p);
	else
		agent_give(im, &(struct agent_origin){.line = r->line, .name = agent.name, .identity = agent.name},
			   &agent);
}

void agents_read_csv(struct agent_import *im)
{
	struct csv csv = {.im = im};
	struct record r;

	if (!read_columns(&csv))
		return;
	while (!im->stopped && read_record(im, &r))
		if (!is_blank(im, &r) && is_sound(im, &r))
			take_record(&csv, &r);
}
