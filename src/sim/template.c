/*
 * A template is a row of parts, each a literal or an expression and how its value is written.
 */
#include "sim/template.h"

#include "sim/expr_priv.h"
#include "json/pick.h"

#include <string.h>

struct template_part {
	struct str literal;
	const struct expr *value; /* NULL: the literal */
	enum template_use use;
};

static enum err add_part(struct template *t, struct template_part part, struct arena *a)
{
	if (t->count == t->room) {
		unsigned room = t->room ? 2 * t->room : 8;
		struct template_part *parts = ARENA_ARRAY(a, struct template_part, room);

		if (!parts)
			return ERR_TOO_LARGE;
		if (t->count)
			memcpy(parts, t->parts, t->count * sizeof(*parts));
		t->parts = parts;
		t->room = room;
	}
	t->parts[t->count++] = part;
	return OK;
}

enum err template_add_literal(struct template *t, struct str text, struct arena *a)
{
	return text.n ? add_part(t, (struct template_part){.literal = text}, a) : OK;
}

/* Where the next "{{" is, or the end. */
static size_t next_braces(struct str text, size_t at)
{
	const char *found = at < text.n ? memmem(text.p + at, text.n - at, "{{", 2) : NULL;

	return found ? (size_t)(found - text.p) : text.n;
}

enum err template_add(struct template *t, struct str text, enum template_use use, const struct expr_names *names,
		      struct arena *a, struct problem *p)
{
	size_t at = 0;
	enum err e = OK;

	while (!e && at < text.n) {
		size_t braces = next_braces(text, at);
		struct template_part part = {.use = use};

		e = template_add_literal(t, (struct str){text.p + at, braces - at}, a);
		at = braces + 2;
		if (e || braces == text.n)
			return e;
		e = expr_compile_part(text, &at, names, a, &part.value, p);
		at += 2;
		if (!e)
			e = add_part(t, part, a);
	}
	return e;
}

/* ---- JSON ---- */

/* What the string means, as an expression: of one single {{…}} its value, else a text of all its parts. */
static enum err string_value(struct str meant, const struct expr_names *names, struct arena *a,
			     const struct expr **out, struct problem *p)
{
	const struct expr *of[EXPR_ARGUMENTS_MAX];
	struct template parts = {0};
	enum err e = template_add(&parts, meant, TEMPLATE_JSON, names, a, p);

	if (!e && parts.count > EXPR_ARGUMENTS_MAX)
		return problem_set(p, ERR_INVALID, "a text has at most %d parts", EXPR_ARGUMENTS_MAX);
	for (unsigned i = 0; !e && i < parts.count; i++) {
		struct template_part *part = &parts.parts[i];

		of[i] = part->value ? part->value : expr_constant(value_text(part->literal, true), a);
	}
	if (!e)
		*out = parts.count == 1 ? of[0] : expr_concat(of, parts.count, a);
	return e;
}

static enum err add_string(struct template *t, struct str quoted, const struct expr_names *names, struct arena *a,
			   struct problem *p)
{
	struct template_part part = {.use = TEMPLATE_JSON};
	struct str inside = {quoted.p + 1, quoted.n - 2};
	char *meant = ARENA_ARRAY(a, char, inside.n + 1);
	enum err e;

	if (!meant)
		return ERR_TOO_LARGE;
	e = string_value((struct str){meant, pick_unescape(inside, meant)}, names, a, &part.value, p);
	return e ? e : add_part(t, part, a);
}

enum err template_add_json(struct template *t, struct str json, const struct expr_names *names, struct arena *a,
			   struct problem *p)
{
	size_t from = 0;
	enum err e = OK;

	for (size_t at = 0; !e && at < json.n;) {
		struct str string;
		const char *after;

		if (json.p[at] != '"') {
			at++;
			continue;
		}
		after = pick_value(json.p + at, json.p + json.n, &string);
		if (!after)
			return problem_set(p, ERR_INVALID, "is no JSON");
		if (memmem(string.p, string.n, "{{", 2)) {
			e = template_add_literal(t, (struct str){json.p + from, at - from}, a);
			if (!e)
				e = add_string(t, string, names, a, p);
			from = (size_t)(after - json.p);
		}
		at = (size_t)(after - json.p);
	}
	return e ? e : template_add_literal(t, (struct str){json.p + from, json.n - from}, a);
}

/* ---- writing ---- */

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

static void write_encoded(struct str s, struct buf *b)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_unreserved(s.p[i])) {
			buf_c(b, s.p[i]);
		} else {
			buf_c(b, '%');
			buf_c(b, digits[c >> 4]);
			buf_c(b, digits[c & 15]);
		}
	}
}

static void write_header(struct str s, struct expr_env *env, struct buf *b)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			expr_fail(env, "a control character cannot stand in a header");
	buf_str_add(b, s);
}

static void write_part(const struct template_part *part, struct expr_env *env, struct buf *b)
{
	struct value v = expr_value(part->value, env);

	if (part->use == TEMPLATE_JSON) {
		value_json(&v, b);
		return;
	}
	buf_reset(env->text);
	value_show(&v, env->text);
	if (part->use == TEMPLATE_PATH)
		write_encoded(buf_str(env->text), b);
	else
		write_header(buf_str(env->text), env, b);
}

void template_write(const struct template *t, struct expr_env *env, struct buf *b)
{
	for (unsigned i = 0; i < t->count && !env->failed; i++)
		if (t->parts[i].value)
			write_part(&t->parts[i], env, b);
		else
			buf_str_add(b, t->parts[i].literal);
}
