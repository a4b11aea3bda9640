/*
 * Help texts. Every word comes from api/verbs.def and the rows of the args types, so a new flag documents itself.
 */
#include "cli/help.h"

#include <inttypes.h>
#include <string.h>

enum { FLAG_COLUMN = 30, INDENT = 2, ENUM_SHOWN_MAX = 44 };

/* ---- words about a field ---- */

static void add_upper(struct buf *b, const char *z)
{
	for (; *z; z++)
		buf_c(b, (char)(*z >= 'a' && *z <= 'z' ? *z - 'a' + 'A' : *z == '_' ? '-' : *z));
}

static void add_enum(const struct json_enum *e, const char *between, struct buf *b)
{
	for (int i = 0; i < e->count; i++)
		buf_fmt(b, "%s%s", i ? between : "", e->values[i].text);
}

static bool enum_is_short(const struct json_enum *e)
{
	size_t n = 0;

	for (int i = 0; i < e->count; i++)
		n += strlen(e->values[i].text) + 1;
	return n <= ENUM_SHOWN_MAX;
}

static void add_value_word(const struct json_field *f, struct buf *b)
{
	switch (f->kind) {
	case JSON_BOOL:
		break;
	case JSON_INT:
	case JSON_REAL:
		buf_z(b, " N");
		break;
	case JSON_TEXT:
	case JSON_TEXTS:
		buf_z(b, " TEXT");
		break;
	case JSON_ENUM:
	case JSON_ENUMS:
		buf_z(b, " ");
		if (enum_is_short(f->of))
			add_enum(f->of, "|", b);
		else
			add_upper(b, f->name);
		break;
	case JSON_TIME:
		buf_z(b, " TIME");
		break;
	case JSON_MS:
		buf_z(b, " DURATION");
		break;
	case JSON_ID:
		buf_fmt(b, " %s%s…", cli_may_be_named(f) ? "NAME|" : "", (const char *)f->of);
		break;
	case JSON_RAW:
		buf_z(b, " JSON");
		break;
	case JSON_OBJECT:
	case JSON_OBJECTS:
	case JSON_MAP:
		buf_z(b, " NAME=VALUE");
		break;
	}
}

void help_flag(const struct json_field *f, struct buf *b)
{
	bool negatable = f->kind == JSON_BOOL && f->fallback && str_eqz(STR("true"), f->fallback);
	char name[CLI_FLAG_NAME];

	buf_fmt(b, "--%s%s", negatable ? "[no-]" : "", cli_flag_name(f, name));
	add_value_word(f, b);
}

/* Bytes of the name that the text begins with, if it could be one of several words. */
static size_t joined_name(struct str text)
{
	bool joined = false;
	size_t n = 0;

	for (; n < text.n && ((text.p[n] >= 'a' && text.p[n] <= 'z') || text.p[n] == '_'); n++)
		joined |= text.p[n] == '_';
	return joined ? n : 0;
}

void help_doc(const struct cli_verb *v, const struct json_field *f, struct buf *b)
{
	const struct json_type *t = v ? cli_verb_args(v) : &type_cli_globals;
	struct str rest = str_of(f->doc);
	char flag[CLI_FLAG_NAME];

	while (rest.n) {
		size_t name = joined_name(rest), n = name ? name : 1;
		const struct json_field *sibling = name ? json_field_by_name(t, (struct str){rest.p, name}) : NULL;

		if (sibling)
			buf_fmt(b, "--%s", cli_flag_name(sibling, flag));
		else
			buf_add(b, rest.p, n);
		rest = (struct str){rest.p + n, rest.n - n};
	}
}

/* Notes are joined with "; ". */
static void begin_note(struct buf *b)
{
	buf_z(b, b->n ? "; " : "");
}

static void note(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void note(struct buf *b, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	begin_note(b);
	buf_z(b, text);
}

static void limit_notes(const struct json_field *f, struct buf *b)
{
	if (f->kind == JSON_INT || f->kind == JSON_REAL)
		note(b, "%" PRId64 " to %" PRId64, f->min, f->max);
	if (f->kind == JSON_MS) {
		begin_note(b);
		json_show_duration(f->min, b);
		buf_z(b, " to ");
		json_show_duration(f->max, b);
	}
	if (f->kind == JSON_TEXT)
		note(b, "at most %" PRId64 " characters", f->max);
	if (f->kind == JSON_RAW)
		note(b, "at most %" PRId64 " bytes", f->max);
	if (cli_takes_many(f))
		note(b, "may be repeated, at most %u times", f->max_count);
}

/* The members that NAME=VALUE may have. */
static void member_notes(const struct json_field *f, struct buf *b)
{
	const struct json_type *t = f->of;
	struct buf names = BUF_INIT(0), bare = BUF_INIT(0);

	if (f->kind != JSON_OBJECT && f->kind != JSON_OBJECTS)
		return;
	if (t->fields[0].kind == JSON_ID)
		buf_fmt(&bare, "%s… or ", (const char *)t->fields[0].of);
	for (uint32_t i = 0; i < t->field_count; i++)
		buf_fmt(&names, "%s%s", i ? ", " : "", t->fields[i].name);
	note(b, "%sNAME=VALUE,… with %s, or JSON", buf_cstr(&bare), buf_cstr(&names));
	buf_free(&bare);
	buf_free(&names);
}

static void fallback_note(const struct json_field *f, struct buf *b)
{
	int64_t ms;

	if (!f->fallback || !*f->fallback || f->kind == JSON_BOOL)
		return;
	begin_note(b);
	if (f->kind == JSON_MS && str_to_ms(str_of(f->fallback), &ms))
		json_show_duration(ms, b);
	else
		buf_z(b, f->fallback);
	buf_z(b, " by default");
}

void help_notes(const struct cli_verb *v, const struct json_field *f, struct buf *b)
{
	char env[CLI_ENV_NAME], flag[CLI_FLAG_NAME];
	struct buf values = BUF_INIT(0);

	if (f->need == JSON_REQUIRED)
		note(b, "required");
	if ((f->kind == JSON_ENUM || f->kind == JSON_ENUMS) && !enum_is_short(f->of)) {
		add_enum(f->of, ", ", &values);
		note(b, "one of %s", buf_cstr(&values));
	}
	member_notes(f, b);
	limit_notes(f, b);
	fallback_note(f, b);
	if (f->need == JSON_NULLABLE)
		note(b, "--no-%s takes it away", cli_flag_name(f, flag));
	if (v && v->kind == VERB_SERVER && cli_env_name(v, f, env)[0])
		note(b, "environment %s", cli_env_name(v, f, env));
	buf_free(&values);
}

bool help_takes_globals(const struct cli_verb *v)
{
	return v->kind == VERB_CALL || (v->kind == VERB_OWN && strchr(v->name, ' '));
}

bool help_is_shadowed(const struct cli_verb *v, const struct json_field *global)
{
	return v && json_field_by_name(cli_verb_args(v), str_of(global->name));
}

void help_usage(const struct cli_verb *v, struct buf *b)
{
	const struct json_type *t = cli_verb_args(v);
	bool flags_end;
	struct str rest = cli_verb_positionals(v, &flags_end);

	buf_fmt(b, "%s%s", v->name, flags_end ? " [FLAGS]" : "");
	while (rest.n) {
		const struct json_field *f = json_field_by_name(t, str_cut(rest, ' ', &rest));
		bool required = f->need == JSON_REQUIRED;
		bool many = cli_takes_many(f) || (!rest.n && cli_verb_joins_words(v));

		buf_fmt(b, " %s%s", required ? "" : "[", flags_end ? "-- " : "");
		add_upper(b, f->name);
		buf_fmt(b, "%s%s", many ? "…" : "", required ? "" : "]");
	}
	buf_z(b, flags_end ? "" : " [FLAGS]");
}

/* ---- layout ---- */

static size_t characters(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static void spaces(struct buf *b, size_t n)
{
	while (n-- > 0)
		buf_c(b, ' ');
}

/* Words of `text` from column `at` on, broken before `width`; further lines begin at `indent`. Ends the line. */
static void wrap(struct buf *b, size_t at, size_t indent, size_t width, struct str text)
{
	bool first = true;

	while (text.n) {
		struct str word = str_cut(text, ' ', &text);
		size_t n = characters(word);

		if (!first && at + 1 + n > width) {
			buf_c(b, '\n');
			spaces(b, indent);
			at = indent;
			first = true;
		}
		if (!first)
			buf_c(b, ' ');
		at += n + !first;
		buf_str_add(b, word);
		first = false;
	}
	buf_c(b, '\n');
}

/* A line of a two-column list; what is too long for the left column gets a line of its own. */
static void row(struct buf *b, size_t column, size_t width, struct str left, struct str right)
{
	size_t n = INDENT + characters(left);

	spaces(b, INDENT);
	buf_str_add(b, left);
	if (n + 2 > column) {
		buf_c(b, '\n');
		n = 0;
	}
	spaces(b, column - n);
	wrap(b, column, column, width, right);
}

static void flag_row(struct buf *b, const struct cli_verb *v, const struct json_field *f, size_t width)
{
	struct buf left = BUF_INIT(0), right = BUF_INIT(0), notes = BUF_INIT(0);

	help_flag(f, &left);
	help_doc(v, f, &right);
	help_notes(v, f, &notes);
	if (notes.n)
		buf_fmt(&right, " (%s)", buf_cstr(&notes));
	row(b, FLAG_COLUMN, width, buf_str(&left), buf_str(&right));
	buf_free(&left);
	buf_free(&right);
	buf_free(&notes);
}

static void flag_rows(struct buf *b, const struct cli_verb *v, size_t width)
{
	const struct json_type *t = cli_verb_args(v);

	if (t->field_count)
		buf_z(b, "\nFlags:\n");
	for (uint32_t i = 0; i < t->field_count; i++)
		flag_row(b, v, &t->fields[i], width);
}

static void global_rows(struct buf *b, const struct cli_verb *v, size_t width)
{
	buf_z(b, "\nFlags of every verb:\n");
	for (uint32_t i = 0; i < type_cli_globals.field_count; i++) {
		const struct json_field *f = &type_cli_globals.fields[i];

		if (!help_is_shadowed(v, f))
			flag_row(b, NULL, f, width);
	}
}

static void shadow_note(struct buf *b, const struct cli_verb *v, size_t width)
{
	char name[CLI_FLAG_NAME];
	struct str line;

	for (uint32_t i = 0; i < type_cli_globals.field_count && v->kind == VERB_CALL; i++) {
		const struct json_field *f = &type_cli_globals.fields[i];
		struct buf text = BUF_INIT(0);

		if (!help_is_shadowed(v, f))
			continue;
		buf_fmt(&text, "The --%s of every verb stands before the verb here: tenfold --%s … %s",
			cli_flag_name(f, name), name, v->name);
		line = buf_str(&text);
		buf_c(b, '\n');
		wrap(b, 0, 0, width, line);
		buf_free(&text);
	}
}

/* ---- the three kinds of help ---- */

static void verb_help(const struct cli_verb *v, size_t width, struct buf *b)
{
	const struct route *r = &spec_routes[v->route];

	wrap(b, 0, 0, width, str_of(v->doc));
	buf_z(b, "\nUsage: tenfold ");
	help_usage(v, b);
	buf_c(b, '\n');
	flag_rows(b, v, width);
	if (help_takes_globals(v)) {
		global_rows(b, v, width);
		shadow_note(b, v, width);
	}
	if (v->kind == VERB_CALL)
		buf_fmt(b, "\nCalls %s %s.\n", spec_method_names[r->method], r->path);
	buf_fmt(b, "\nExample:\n  %s\n", v->example);
}

static size_t longest_verb(struct str group)
{
	size_t longest = 0;

	for (unsigned i = 0; i < cli_verb_count; i++) {
		size_t n = strlen(cli_verbs[i].name);

		if ((group.n == 0 || cli_verb_in_group(&cli_verbs[i], group)) && n > longest)
			longest = n;
	}
	return longest;
}

static void verb_rows(struct buf *b, struct str group, size_t column, size_t width)
{
	for (unsigned i = 0; i < cli_verb_count; i++) {
		const struct cli_verb *v = &cli_verbs[i];

		if (group.n ? cli_verb_in_group(v, group) : !strchr(v->name, ' '))
			row(b, column, width, str_of(v->name), cli_verb_brief(v));
	}
}

static void group_help(const struct cli_group *g, size_t width, struct buf *b)
{
	struct str name = str_of(g->name);

	buf_fmt(b, "%s\n\nUsage: tenfold %s VERB [FLAGS]\n\n", g->doc, g->name);
	verb_rows(b, name, longest_verb(name) + INDENT + 2, width);
	buf_fmt(b, "\n'tenfold %s VERB --help' tells more about each.\n", g->name);
}

static void whole_help(size_t width, struct buf *b)
{
	size_t column = longest_verb((struct str){0}) + INDENT + 2;

	buf_z(b, "tenfold runs a fleet of AI agents on a durable work queue.\n\nUsage: tenfold VERB [FLAGS]\n\n");
	verb_rows(b, (struct str){0}, column, width);
	for (unsigned i = 0; i < cli_group_count; i++) {
		buf_fmt(b, "\n%s\n", cli_groups[i].doc);
		verb_rows(b, str_of(cli_groups[i].name), column, width);
	}
	global_rows(b, NULL, width);
	buf_z(b,
	      "\nExit status: 0 it went well, 1 refused, 2 not understood, 3 server unreachable or unavailable,\n"
	      "4 not found, 5 conflict, 6 outcome unknown, 130 and 143 ended by a signal.\n"
	      "\nTo begin: 'tenfold serve' in one terminal, 'tenfold work add hello' in another.\n");
}

void help_print(const struct cli_line *line, size_t width, struct buf *b)
{
	if (line->verb) {
		verb_help(line->verb, width, b);
		return;
	}
	for (unsigned i = 0; i < cli_group_count; i++)
		if (str_eqz(line->group, cli_groups[i].name)) {
			group_help(&cli_groups[i], width, b);
			return;
		}
	whole_help(width, b);
}
