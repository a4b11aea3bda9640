/*
 * A value's end is found by counting brackets outside strings, so nothing here recurses and depth costs nothing.
 */
#include "json/pick.h"

#include <string.h>

static const char *past_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

/* p is at the quote. */
static const char *past_string(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		if (*p == '"')
			return p + 1;
		if (*p == '\\')
			p++;
	}
	return NULL;
}

/* p is at the bracket. */
static const char *past_brackets(const char *p, const char *end)
{
	size_t depth = 0;

	while (p && p < end) {
		char c = *p;

		if (c == '"') {
			p = past_string(p, end);
			continue;
		}
		p++;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			return p;
	}
	return NULL;
}

static bool is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' || c == '.' || c == 'E';
}

const char *pick_value(const char *p, const char *end, struct str *out)
{
	const char *start = past_space(p, end), *after = start;

	if (start == end)
		return NULL;
	if (*start == '"')
		after = past_string(start, end);
	else if (*start == '{' || *start == '[')
		after = past_brackets(start, end);
	else
		while (after < end && is_plain(*after))
			after++;
	if (!after || after == start)
		return NULL;
	*out = (struct str){start, (size_t)(after - start)};
	return after;
}

static bool take_element(struct pick *p, bool named)
{
	const char *at = past_space(p->at, p->end);

	p->name = (struct str){0};
	if (named) {
		const char *after = at < p->end && *at == '"' ? past_string(at, p->end) : NULL;

		if (!after)
			return false;
		p->name = (struct str){at + 1, (size_t)(after - at) - 2};
		at = past_space(after, p->end);
		if (at == p->end || *at++ != ':')
			return false;
	}
	p->at = pick_value(at, p->end, &p->value);
	return p->at != NULL;
}

bool pick_first(struct str json, char bracket, struct pick *p)
{
	const char *at = json.n ? past_space(json.p, json.p + json.n) : NULL;

	*p = (struct pick){.at = at, .end = json.n ? json.p + json.n : NULL};
	if (at == p->end || *at != bracket)
		return false;
	p->at = at + 1;
	return take_element(p, bracket == '{');
}

bool pick_next(struct pick *p)
{
	const char *at = past_space(p->at, p->end);

	if (at == p->end || *at != ',')
		return false;
	p->at = at + 1;
	return take_element(p, p->name.p != NULL);
}

/* ---- names ---- */

static size_t unescape_one(struct str s, char *out, size_t *taken)
{
	static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *found;
	int32_t c;

	if (s.n >= 6 && s.p[1] == 'u' && (c = str_unicode_escape(s, taken)) >= 0)
		return str_utf8_put(str_is_surrogate(c) ? 0xfffd : (uint32_t)c, out);
	*taken = s.n >= 2 ? 2 : 1;
	found = s.n >= 2 && s.p[1] ? strchr(plain, s.p[1]) : NULL;
	*out = found ? meant[found - plain] : s.p[s.n >= 2];
	return 1;
}

size_t pick_unescape(struct str inside, char *out)
{
	size_t n = 0, taken;

	for (size_t i = 0; i < inside.n; i += taken)
		if (inside.p[i] == '\\') {
			n += unescape_one((struct str){inside.p + i, inside.n - i}, out + n, &taken);
		} else {
			out[n++] = inside.p[i];
			taken = 1;
		}
	return n;
}

static bool same_name(struct str spelled, struct str name)
{
	char meant[256];

	if (str_eq(spelled, name))
		return true;
	if (spelled.n <= name.n || spelled.n > sizeof(meant) || !memchr(spelled.p, '\\', spelled.n))
		return false;
	return str_eq((struct str){meant, pick_unescape(spelled, meant)}, name);
}

bool pick_member(struct str object, struct str name, struct str *out)
{
	struct pick p;

	for (bool more = pick_first(object, '{', &p); more; more = pick_next(&p))
		if (same_name(p.name, name)) {
			*out = p.value;
			return true;
		}
	return false;
}

static bool element(struct str list, size_t index, struct str *out)
{
	struct pick p;

	for (bool more = pick_first(list, '[', &p); more; more = pick_next(&p))
		if (index-- == 0) {
			*out = p.value;
			return true;
		}
	return false;
}

/* ---- pointers and paths ---- */

/* A reference token without its ~0 and ~1; false when it is too long to be a name. */
static bool token_of(struct str raw, char room[256], struct str *out)
{
	size_t n = 0;

	if (raw.n > 256)
		return false;
	for (size_t i = 0; i < raw.n; i++) {
		bool escape = raw.p[i] == '~' && i + 1 < raw.n;

		room[n++] = escape ? raw.p[++i] == '1' ? '/' : '~' : raw.p[i];
	}
	*out = (struct str){room, n};
	return true;
}

static bool is_index(struct str token, size_t *index)
{
	int64_t i;

	if (token.n == 0 || (token.n > 1 && token.p[0] == '0') || !str_to_i64(token, &i) || i < 0)
		return false;
	*index = (size_t)i;
	return true;
}

bool pick_pointer_valid(struct str pointer)
{
	if (pointer.n && pointer.p[0] != '/')
		return false;
	for (size_t i = 0; i < pointer.n; i++)
		if (pointer.p[i] == '~' &&
		    (i + 1 == pointer.n || (pointer.p[i + 1] != '0' && pointer.p[i + 1] != '1')))
			return false;
	return true;
}

static bool step(struct str json, struct str token, struct str *out)
{
	size_t index;

	if (json.p[0] == '{')
		return pick_member(json, token, out);
	return json.p[0] == '[' && is_index(token, &index) && element(json, index, out);
}

bool pick_pointer(struct str json, struct str pointer, struct str *out)
{
	struct str rest, token, value;
	char room[256];

	if (json.n == 0 || !pick_value(json.p, json.p + json.n, &value))
		return false;
	str_cut(pointer, '/', &rest);
	while (rest.p) {
		struct str raw = str_cut(rest, '/', &rest);

		if (!token_of(raw, room, &token) || !step(value, token, &value))
			return false;
	}
	*out = value;
	return true;
}

/* The next name or index of a path; what follows it stays. */
static struct str path_token(struct str *path)
{
	struct str token;
	size_t n = 0;

	if (path->n && (path->p[0] == '.' || path->p[0] == '['))
		*path = (struct str){path->p + 1, path->n - 1};
	while (n < path->n && path->p[n] != '.' && path->p[n] != '[' && path->p[n] != ']')
		n++;
	token = (struct str){path->p, n};
	n += n < path->n && path->p[n] == ']';
	*path = (struct str){path->p + n, path->n - n};
	return token;
}

struct str pick_path(struct str json, struct str path)
{
	struct str value = {0};

	if (json.n == 0 || !pick_value(json.p, json.p + json.n, &value))
		return json;
	while (path.n && step(value, path_token(&path), &value))
		;
	return value;
}
