/*
 * JSON that somebody else made, as an outline that people read: what steps brought forth. It was checked when it came
 * to the server, so no value is deeper than JSON_DEPTH_MAX; of what is no JSON as much is shown as is understood.
 */
#include "cli/print.h"

#include "json/pick.h"

enum { INDENT = 2 }; /* as wide as "- " */

static void print_parts(struct str json, size_t indent, bool is_placed, struct arena *a, struct buf *b);

static bool is_nested(struct str value)
{
	struct pick p;

	return value.n && (value.p[0] == '{' || value.p[0] == '[') && pick_first(value, value.p[0], &p);
}

static struct str unescape(struct str inside, struct arena *a)
{
	char *text = arena_alloc(a, inside.n + 1);

	return text ? (struct str){text, pick_unescape(inside, text)} : inside;
}

/* A string without its quotes, and without the end of line that most texts have; anything else as it stands. */
static struct str meaning_of(struct str value, struct arena *a)
{
	if (value.n < 2 || value.p[0] != '"')
		return value;
	value = unescape((struct str){value.p + 1, value.n - 2}, a);
	while (value.n && value.p[value.n - 1] == '\n')
		value.n--;
	return value;
}

static bool has_lines(struct str text)
{
	struct str rest;

	str_cut(text, '\n', &rest);
	return rest.n > 0;
}

/* Behind "name:": what has one line stays there. */
static void print_member(struct str value, size_t indent, struct arena *a, struct buf *b)
{
	bool is_deep = is_nested(value);
	struct str text = is_deep ? (struct str){0} : meaning_of(value, a);

	if (is_deep || has_lines(text)) {
		buf_c(b, '\n');
		print_value(value, indent + INDENT, a, b);
		return;
	}
	buf_c(b, ' ');
	json_show_text(text, b);
	buf_c(b, '\n');
}

/* Behind "- ". */
static void print_element(struct str value, size_t indent, struct arena *a, struct buf *b)
{
	if (is_nested(value)) {
		print_parts(value, indent + INDENT, true, a, b);
		return;
	}
	print_lines(meaning_of(value, a), indent + INDENT, b);
	buf_c(b, '\n');
}

/* `is_placed`: the first one stands where the line has come to. */
static void print_parts(struct str json, size_t indent, bool is_placed, struct arena *a, struct buf *b)
{
	struct pick p;

	for (bool more = pick_first(json, json.p[0], &p); more; more = pick_next(&p)) {
		buf_fmt(b, "%*s", is_placed ? 0 : (int)indent, "");
		is_placed = false;
		if (json.p[0] == '{') {
			json_show_text(unescape(p.name, a), b);
			buf_c(b, ':');
			print_member(p.value, indent, a, b);
		} else {
			buf_z(b, "- ");
			print_element(p.value, indent, a, b);
		}
	}
}

void print_value(struct str json, size_t indent, struct arena *a, struct buf *b)
{
	struct str value;

	if (!json.n || !pick_value(json.p, json.p + json.n, &value))
		return;
	if (is_nested(value)) {
		print_parts(value, indent, false, a, b);
		return;
	}
	buf_fmt(b, "%*s", (int)indent, "");
	print_lines(meaning_of(value, a), indent, b);
	buf_c(b, '\n');
}
