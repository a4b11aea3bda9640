/*
 * Layout is copied from neighbours: first from the members of the same object, then from the object itself, then
 * from whatever the file shows first, and only then made up (two spaces, as Gas Town writes).
 */
#include "roles/style_priv.h"

#include <string.h>

enum { COLON_LONGEST = 3, INDENT_GIVEN = 2 /* of JSON handed to style_put() */ };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
	return is_blank(c) || c == '\n' || c == '\r';
}

static struct str between(const struct doc *d, uint32_t from, uint32_t to)
{
	return (struct str){d->text.p + from, to - from};
}

static bool has_newline(struct str s)
{
	return s.n && memchr(s.p, '\n', s.n);
}

uint32_t style_lead(const struct doc *d, const struct node *member)
{
	uint32_t at = member->key_from;

	while (is_space(d->text.p[at - 1]))
		at--;
	return at;
}

bool style_has_own_line(const struct doc *d, const struct node *member)
{
	return has_newline(between(d, style_lead(d, member), member->key_from));
}

struct str style_line_indent(const struct doc *d, uint32_t at)
{
	uint32_t from = at, to;

	while (from && d->text.p[from - 1] != '\n')
		from--;
	for (to = from; to < at && is_blank(d->text.p[to]);)
		to++;
	return between(d, from, to);
}

static struct str newline_of(const struct doc *d)
{
	const char *first = d->text.n ? memchr(d->text.p, '\n', d->text.n) : NULL;

	return first && first > d->text.p && first[-1] == '\r' ? STR("\r\n") : STR("\n");
}

static const struct node *last_child(const struct node *n)
{
	const struct node *last = n->first;

	while (last && last->next)
		last = last->next;
	return last;
}

/* How much further in a member stands than the line its object begins on. */
static bool unit_of(const struct doc *d, const struct node *member, struct str *out)
{
	struct str outer, inner;

	if (!member || !member->parent || member->parent->kind != NODE_OBJECT || !style_has_own_line(d, member))
		return false;
	outer = style_line_indent(d, member->parent->from);
	inner = style_line_indent(d, member->key_from);
	if (!str_starts(inner, outer))
		return false;
	*out = (struct str){inner.p + outer.n, inner.n - outer.n};
	return true;
}

static struct str unit_at(const struct doc *d, const struct node *n)
{
	struct str unit;

	if (unit_of(d, last_child(n), &unit))
		return unit;
	for (; n; n = n->parent)
		if (unit_of(d, n, &unit))
			return unit;
	return unit_of(d, d->root->first, &unit) ? unit : STR("  ");
}

static struct str colon_of(const struct doc *d, const struct node *member)
{
	struct str colon;

	if (!member || !member->parent || member->parent->kind != NODE_OBJECT)
		return STR(": ");
	colon = between(d, member->key_to, member->from);
	return colon.n > COLON_LONGEST || has_newline(colon) ? STR(": ") : colon;
}

/* What follows the comma on the same line, there or further out; where there is none, as tight as the colon. */
static struct str gap_of(const struct doc *d, const struct node *object, struct str colon)
{
	for (; object; object = object->parent) {
		const struct node *last = object->kind == NODE_OBJECT ? last_child(object) : NULL;

		if (last && last != object->first && !style_has_own_line(d, last))
			return between(d, style_lead(d, last), last->key_from);
	}
	return colon.n > 1 ? STR(" ") : STR("");
}

struct style style_of_member(const struct doc *d, const struct node *member)
{
	struct style s = {.one_line = !style_has_own_line(d, member),
			  .newline = newline_of(d),
			  .indent = style_line_indent(d, member->key_from),
			  .unit = unit_at(d, member),
			  .colon = colon_of(d, member)};

	s.gap = gap_of(d, member->parent, s.colon);
	return s;
}

/* In {} there is no neighbour: it opens up where its own line does, and keeps to the line where others do. */
static struct style style_in_empty(const struct doc *d, const struct node *object)
{
	bool has_name = object->parent && object->parent->kind == NODE_OBJECT;
	struct style s = {.newline = newline_of(d),
			  .indent = style_line_indent(d, object->from),
			  .unit = unit_at(d, object),
			  .colon = colon_of(d, has_name ? object : d->root->first)};

	s.one_line = object->parent && !(has_name && style_has_own_line(d, object)) &&
		     !has_newline(between(d, object->from, object->to));
	s.gap = gap_of(d, object, s.colon);
	return s;
}

struct style style_of_new(const struct doc *d, const struct node *object)
{
	const struct node *last = last_child(object);

	return last ? style_of_member(d, last) : style_in_empty(d, object);
}

struct style style_of_new_file(const struct doc *d)
{
	return (struct style){.newline = newline_of(d), .unit = STR("  "), .colon = STR(": "), .gap = STR(" ")};
}

static size_t spaces_at(struct str s, size_t at)
{
	size_t n = 0;

	while (at + n < s.n && is_blank(s.p[at + n]))
		n++;
	return n;
}

static void put_line_break(const struct style *style, size_t spaces, char before, struct buf *b)
{
	if (style->one_line) {
		buf_str_add(b, before == ',' ? style->gap : STR(""));
		return;
	}
	buf_str_add(b, style->newline);
	buf_str_add(b, style->indent);
	for (; spaces >= INDENT_GIVEN; spaces -= INDENT_GIVEN)
		buf_str_add(b, style->unit);
}

/* A line break of JSON is never inside a text: there it would be written \n. */
void style_put(const struct style *style, struct str json, struct buf *b)
{
	char before = '\0';

	for (size_t i = 0; i < json.n; i++) {
		if (json.p[i] == '\r')
			continue;
		if (json.p[i] == '\n') {
			size_t spaces = spaces_at(json, i + 1);

			put_line_break(style, spaces, before, b);
			i += spaces;
			continue;
		}
		before = json.p[i];
		buf_c(b, before);
	}
}
