/*
 * JSON lines: each line is what POST /v1/work takes. A line that cannot be used is reported with its number and the
 * reason, and the others go in.
 *
 * The table of work_new is used with one change: the type may be missing, because --type can stand for it.
 */
#include "import/import_priv.h"

#include <string.h>

struct jsonl {
	const struct import_options *options;
	struct arena *arena;
	struct import_result *out;
	struct json_type type;
	struct json_field fields[work_new__COUNT];
};

static void relax_type(struct jsonl *j)
{
	j->type = type_work_new;
	memcpy(j->fields, type_work_new.fields, sizeof(j->fields));
	j->fields[work_new__type].need = JSON_OPTIONAL;
	j->type.fields = j->fields;
}

static bool refuse(struct jsonl *j, size_t line, struct str why)
{
	return import_add_fault(j->out, j->arena, line, true, why);
}

/* Columns help to find a comma; a field's fault says where it is by its name. */
static struct str explain(struct jsonl *j, const struct problem *p)
{
	if (p->err == ERR_MALFORMED && p->column)
		return arena_fmt(j->arena, "%s (column %d)", p->detail, p->column);
	return arena_fmt(j->arena, "%s", p->detail);
}

static void use_options(const struct import_options *o, struct work_new *work)
{
	if (!HAS(work, work_new, type) && o->type.n)
		PUT(work, work_new, type, o->type);
	if (!HAS(work, work_new, team) && o->team.n)
		PUT(work, work_new, team, o->team);
}

static bool take_line(struct jsonl *j, size_t number, struct str line)
{
	struct problem p = {0};
	struct work_new work;
	struct import_item *item;

	if (line.n > IMPORT_LINE_MAX)
		return refuse(
			j, number,
			arena_fmt(j->arena, "the line has %zu bytes; %d are the most", line.n, IMPORT_LINE_MAX));
	if (json_decode(&j->type, line, 0, j->arena, &work, &p) != OK)
		return !arena_overflowed(j->arena) && refuse(j, number, explain(j, &p));
	use_options(j->options, &work);
	if (!HAS(&work, work_new, type))
		return refuse(j, number, STR("type: is missing; --type gives one to all lines without"));
	item = import_add_item(j->out, j->arena, number);
	if (item)
		item->work = work;
	return item != NULL;
}

enum err import_jsonl(struct str text, const struct import_options *o, struct arena *a, struct import_result *out)
{
	struct jsonl j = {.options = o, .arena = a, .out = out};
	struct str line;

	*out = (struct import_result){0};
	relax_type(&j);
	if (str_starts(text, STR("\xef\xbb\xbf"))) /* a byte order mark, which some editors write */
		text = (struct str){text.p + 3, text.n - 3};
	for (size_t number = 1; import_next_line(&text, &line); number++) {
		line = str_trim(line);
		if (line.n && !take_line(&j, number, line))
			return ERR_TOO_LARGE;
	}
	return import_order(out, a);
}
