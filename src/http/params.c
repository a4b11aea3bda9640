/*
 * Decodes in one pass into the arena, and only what has escapes. All faults are gathered, as those of a body are.
 */
#include "http/params.h"

#include <string.h>

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that "%41" stands for; -1 when it is broken. */
static int escape(struct str s)
{
	int high, low;

	if (s.n < 3)
		return -1;
	high = hex(s.p[1]);
	low = hex(s.p[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool has_escape(struct str s, bool plus)
{
	return s.n && (memchr(s.p, '%', s.n) || (plus && memchr(s.p, '+', s.n)));
}

/* `never` is a byte that may not come out of an escape, besides NUL. */
static bool unescape(struct str s, bool plus, char never, struct arena *a, struct str *out)
{
	char *to;
	size_t n = 0;

	*out = s;
	if (!has_escape(s, plus))
		return true;
	to = arena_alloc(a, s.n);
	if (!to)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int c = plus && s.p[i] == '+' ? ' ' : s.p[i];

		if (s.p[i] == '%') {
			c = escape((struct str){s.p + i, s.n - i});
			if (c <= 0 || c == never)
				return false;
			i += 2;
		}
		to[n++] = (char)c;
	}
	*out = (struct str){to, n};
	return true;
}

enum err url_decode_path(struct str path, struct arena *a, struct str *out)
{
	return unescape(path, false, '/', a, out) ? OK : ERR_MALFORMED;
}

static bool text(struct str encoded, struct arena *a, struct str *out)
{
	return unescape(encoded, true, '\0', a, out) && str_is_utf8(*out);
}

static bool takes_many(const struct json_field *f)
{
	return f->kind == JSON_TEXTS || f->kind == JSON_ENUMS || f->kind == JSON_MAP;
}

/* Gathers a fault. The most basic one, which stands first in api/errors.def, speaks for all, as in a body. */
static enum err fault(struct problem *p, enum err e, const char *name, const char *what)
{
	bool more_basic = p && p->err && e < p->err;

	problem_field(p, e, name, "%s", what);
	if (more_basic)
		problem_set(p, e, "%s: %s", name, what);
	return e;
}

static enum err one(const struct json_type *t, struct str piece, uint64_t skip, uint64_t *seen, struct arena *a,
		    void *out, struct problem *p)
{
	struct str name, value;
	const struct json_field *f;
	const char *shown;
	uint64_t bit;

	name = str_cut(piece, '=', &value);
	if (!text(name, a, &name) || !text(value, a, &value))
		return problem_set(p, ERR_MALFORMED, "the query string is not UTF-8 text with %%XX escapes");
	shown = arena_z(a, name);
	if (!shown)
		return problem_set(p, ERR_TOO_LARGE, "the query string is too long");
	f = json_field_by_name(t, name);
	bit = f ? UINT64_C(1) << (f - t->fields) : 0;
	if (!f || (bit & skip))
		return fault(p, ERR_UNKNOWN_FIELD, shown, "there is no such parameter here");
	if ((*seen & bit) && !takes_many(f))
		return fault(p, ERR_INVALID, shown, "was given twice");
	*seen |= bit;
	return json_set_text(t, (uint32_t)(f - t->fields), value, a, out, p);
}

static enum err more_basic(enum err a, enum err b)
{
	return !a || (b && b < a) ? b : a;
}

enum err params_decode(const struct json_type *t, struct str query, uint64_t skip, struct arena *a, void *out,
		       struct problem *p)
{
	uint64_t seen = 0;
	enum err worst = OK, e;

	while (query.n) {
		struct str piece = str_cut(query, '&', &query);

		e = piece.n ? one(t, piece, skip, &seen, a, out, p) : OK;
		if (e == ERR_MALFORMED || e == ERR_TOO_LARGE)
			return e;
		worst = more_basic(worst, e);
	}
	return more_basic(worst, json_finish(t, skip, out, p));
}
