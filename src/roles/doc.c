/*
 * The structure of a document, by recursive descent with a bound.
 *
 * Bytes are checked before anything else (size, UTF-8, NUL), so that what follows may take them for granted. The
 * first thing that is wrong ends it. A mistake is told where a person would correct it: a comma too many at the
 * comma, a missing one behind the value it should follow, a missing bracket with the place of its partner.
 */
#include "roles/doc_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SHOWN = 80 }; /* longer ones are not put into sentences */

/* ---- faults ---- */

struct place parse_place(const struct parse *s, const char *at)
{
	const struct node here = {.from = (uint32_t)(at - s->doc->text.p)};

	return doc_place(s->doc, &here);
}

bool parse_fail(struct parse *s, const char *at, const char *fmt, ...)
{
	struct place place = parse_place(s, at);
	char what[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	s->err = problem_set(s->problem, ERR_MALFORMED, "%.*s:%d:%d: %s", STRF(s->doc->path), place.line,
			     place.column, what);
	if (s->problem) {
		s->problem->line = place.line;
		s->problem->column = place.column;
	}
	return false;
}

bool parse_no_room(struct parse *s)
{
	s->err = problem_set(s->problem, ERR_TOO_LARGE, "%.*s: has more values than there is memory for",
			     STRF(s->doc->path));
	return false;
}

static const char *kind_of(const struct node *n)
{
	return n->kind == NODE_OBJECT ? "object" : "array";
}

static char closing(const struct node *n)
{
	return n->kind == NODE_OBJECT ? '}' : ']';
}

static struct place began(const struct parse *s)
{
	return doc_place(s->doc, s->open);
}

static bool ends_too_early(struct parse *s)
{
	struct place place = began(s);

	return parse_fail(s, s->end,
			  "the file ends inside the %s that begins at %d:%d; is it cut off, or a %c missing?",
			  kind_of(s->open), place.line, place.column, closing(s->open));
}

static bool wrong_bracket(struct parse *s)
{
	struct place place = began(s);

	return parse_fail(s, s->at, "a %c where a %c belongs: the %s begins at %d:%d", *s->at, closing(s->open),
			  kind_of(s->open), place.line, place.column);
}

/* The character at hand, in words that fit "… where a value belongs". */
static bool misplaced(struct parse *s, const char *belongs)
{
	size_t n = str_utf8_step((struct str){s->at, (size_t)(s->end - s->at)});

	if ((unsigned char)*s->at <= ' ' || *s->at == 0x7f)
		return parse_fail(s, s->at, "a control character (0x%02x) where %s belongs; take it away",
				  (unsigned)*s->at, belongs);
	return parse_fail(s, s->at, "a %.*s where %s belongs", (int)n, s->at, belongs);
}

static bool is_bracket(char c)
{
	return c == '}' || c == ']';
}

/* ---- values ---- */

static bool take_value(struct parse *s, struct node *out);

static bool no_value(struct parse *s)
{
	if (s->at == s->end && s->open)
		return ends_too_early(s);
	if (is_known_mistake(s))
		return false;
	if (*s->at == ',')
		return parse_fail(s, s->at, "a comma too many, or a value is missing before it");
	return is_bracket(*s->at) ? parse_fail(s, s->at, "a value is missing before this %c", *s->at)
				  : misplaced(s, "a value");
}

static bool no_name(struct parse *s)
{
	if (s->at == s->end)
		return ends_too_early(s);
	if (is_known_mistake(s))
		return false;
	if (*s->at == ',')
		return parse_fail(s, s->at, "a comma too many; take it away");
	return *s->at == ']' ? wrong_bracket(s) : misplaced(s, "a name in double quotes");
}

static bool no_colon(struct parse *s, const struct node *member)
{
	if (s->at == s->end)
		return ends_too_early(s);
	if (member->key_to - member->key_from > NAME_SHOWN)
		return parse_fail(s, s->at, "a colon is missing after this name");
	return parse_fail(s, s->at, "a colon is missing after %.*s", (int)(member->key_to - member->key_from),
			  s->doc->text.p + member->key_from);
}

static bool begins_something(char c)
{
	return c == '"' || c == '\'' || c == '{' || c == '[' || c == '-' || (c >= '0' && c <= '9') ||
	       (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool no_comma(struct parse *s, const struct node *before)
{
	if (s->at == s->end)
		return ends_too_early(s);
	if (begins_something(*s->at))
		return parse_fail(s, s->doc->text.p + before->to, "a comma is missing behind this");
	if (is_bracket(*s->at))
		return wrong_bracket(s);
	return !is_known_mistake(s) && misplaced(s, s->open->kind == NODE_OBJECT ? "a comma or }" : "a comma or ]");
}

static bool take_name(struct parse *s, struct node *member)
{
	if (parse_peek(s) != '"')
		return no_name(s);
	member->key_from = (uint32_t)(s->at - s->doc->text.p);
	if (!take_text(s, &member->key))
		return false;
	member->key_to = (uint32_t)(s->at - s->doc->text.p);
	if (parse_peek(s) != ':')
		return no_colon(s, member);
	s->at++;
	return true;
}

/* NULL: the problem is set. */
static struct node *take_child(struct parse *s, struct node *parent)
{
	struct node *child = ARENA_NEW(s->arena, struct node);

	if (!child) {
		parse_no_room(s);
		return NULL;
	}
	child->parent = parent;
	if (parent->kind == NODE_OBJECT && !take_name(s, child))
		return NULL;
	return take_value(s, child) ? child : NULL;
}

static bool take_comma(struct parse *s, const struct node *before)
{
	const char *comma = s->at;

	if (*comma != ',')
		return no_comma(s, before);
	s->at++;
	if (parse_peek(s) == closing(s->open))
		return parse_fail(s, comma, "a comma before %c; take it away", *s->at);
	return true;
}

static bool take_children(struct parse *s, struct node *parent)
{
	struct node **next = &parent->first, *child;

	s->at++;
	if (parse_peek(s) == closing(parent)) {
		s->at++;
		return true;
	}
	for (;;) {
		child = take_child(s, parent);
		if (!child)
			return false;
		*next = child;
		next = &child->next;
		parent->count++;
		if (parse_peek(s) == closing(parent)) {
			s->at++;
			return true;
		}
		if (s->at == s->end || !take_comma(s, child))
			return s->at == s->end && ends_too_early(s);
	}
}

static bool take_container(struct parse *s, struct node *out, enum node_kind kind)
{
	const struct node *outside = s->open;
	bool taken;

	if (s->depth == DOC_DEPTH_MAX)
		return parse_fail(s, s->at, "nested deeper than %d", DOC_DEPTH_MAX);
	out->kind = kind;
	s->open = out;
	s->depth++;
	taken = take_children(s, out);
	s->depth--;
	s->open = outside;
	return taken;
}

static bool take_kind(struct parse *s, struct node *out)
{
	switch (*s->at) {
	case '{':
		return take_container(s, out, NODE_OBJECT);
	case '[':
		return take_container(s, out, NODE_ARRAY);
	case '"':
		out->kind = NODE_STRING;
		return take_text(s, &out->text);
	case 't':
	case 'f':
	case 'n':
		return take_word(s, out);
	default:
		out->kind = NODE_NUMBER;
		return *s->at == '-' || (*s->at >= '0' && *s->at <= '9') ? take_number(s, &out->text) : no_value(s);
	}
}

static bool take_value(struct parse *s, struct node *out)
{
	if (parse_peek(s) == '\0')
		return no_value(s);
	out->from = (uint32_t)(s->at - s->doc->text.p);
	if (!take_kind(s, out))
		return false;
	out->to = (uint32_t)(s->at - s->doc->text.p);
	return true;
}

/* ---- the whole ---- */

static bool index_lines(struct parse *s)
{
	struct doc *d = s->doc;
	const char *at = s->at;
	size_t count = 1;

	for (; (at = memchr(at, '\n', (size_t)(s->end - at))); at++)
		count++;
	d->lines = ARENA_ARRAY(s->arena, uint32_t, count);
	if (!d->lines)
		return parse_no_room(s);
	for (at = s->at; (at = memchr(at, '\n', (size_t)(s->end - at))); at++)
		d->lines[++d->line_count] = (uint32_t)(at - s->at) + 1;
	d->line_count = count;
	return true;
}

/* Told by their first bytes: what editors call "Unicode" and mean something else by. */
static bool begins_well(struct parse *s)
{
	struct str text = s->doc->text;

	if (str_starts(text, STR("\xef\xbb\xbf")))
		return parse_fail(s, s->at, "a byte order mark; save the file as UTF-8 without one");
	if (str_starts(text, STR("\xff\xfe")) || str_starts(text, STR("\xfe\xff")))
		return parse_fail(s, s->at, "this is UTF-16; save the file as UTF-8");
	return true;
}

static bool is_all_utf8(struct parse *s)
{
	struct str text = s->doc->text;
	const char *nul = memchr(text.p, '\0', text.n);
	size_t step = 1;

	if (nul)
		return parse_fail(s, nul, "a NUL byte; the file is damaged, or no text");
	if (str_is_utf8(text))
		return true;
	for (; step; text = (struct str){text.p + step, text.n - step})
		step = str_utf8_step(text);
	return parse_fail(s, text.p, "a byte that is not UTF-8 (0x%02x); save the file as UTF-8",
			  (unsigned)(unsigned char)*text.p);
}

static bool ends_well(struct parse *s)
{
	char c = parse_peek(s);

	if (s->at == s->end)
		return true;
	if (is_bracket(c))
		return parse_fail(s, s->at, "a %c too many; take it away", c);
	if (c == ',')
		return parse_fail(s, s->at, "a comma behind the last bracket; take it away");
	return !is_known_mistake(s) && parse_fail(s, s->at, "text behind the end of the value; take it away");
}

static bool take_document(struct parse *s)
{
	if (!index_lines(s) || !begins_well(s) || !is_all_utf8(s))
		return false;
	if (parse_peek(s) == '\0')
		return parse_fail(s, s->doc->text.p, "the file is empty; write {} into it, or remove it");
	return take_value(s, s->doc->root) && ends_well(s);
}

enum err doc_parse(struct str path, struct str text, struct arena *a, struct doc *out, struct problem *p)
{
	struct parse s = {.doc = out, .arena = a, .problem = p};

	*out = (struct doc){.path = path, .text = {text.p ? text.p : "", text.n}};
	if (text.n > DOC_MAX_BYTES)
		return problem_set(p, ERR_TOO_LARGE, "%.*s: has %zu bytes; %d are the most", STRF(path), text.n,
				   DOC_MAX_BYTES);
	s.at = out->text.p;
	s.end = s.at + text.n;
	out->root = ARENA_NEW(a, struct node);
	if (!out->root)
		parse_no_room(&s);
	else if (take_document(&s))
		return OK;
	out->root = NULL;
	return s.err;
}
