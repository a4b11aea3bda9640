/*
 * The grammar of RFC 8259, strictly, in one pass over text that need not be terminated.
 *
 * A scan only moves forward. What it takes it has checked to the last byte: UTF-8, escapes, numbers, nesting,
 * distinct members. Strings and raw values come out as spans of the text. The first thing that is wrong stops it
 * for good; where that was is worked out only then, by counting lines from the start.
 *
 * Recursion is bounded by JSON_DEPTH_MAX.
 */
#include "json/json_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void scan_init(struct scan *s, struct str text, struct problem *p)
{
	s->at = s->start = text.p ? text.p : "";
	s->end = s->start + text.n;
	s->depth = 0;
	s->err = OK;
	s->problem = p;
	keys_init(&s->keys, (struct str){s->start, text.n});
	if (text.n >= UINT32_MAX) {
		s->err = problem_set(p, ERR_TOO_LARGE, "JSON text must be smaller than 4 GiB");
		s->end = s->start;
	}
}

void scan_free(struct scan *s)
{
	keys_free(&s->keys);
}

static void set_position(struct scan *s, const char *at)
{
	const char *line = s->start;

	s->problem->line = 1;
	for (const char *p = s->start; p < at; p++)
		if (*p == '\n') {
			s->problem->line++;
			line = p + 1;
		}
	s->problem->column = (int)(at - line) + 1;
}

bool scan_fail(struct scan *s, const char *at, const char *fmt, ...)
{
	char why[160];
	va_list args;

	if (s->err)
		return false;
	s->err = ERR_MALFORMED;
	if (!s->problem)
		return false;
	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	problem_set(s->problem, ERR_MALFORMED, "%s", why);
	set_position(s, at);
	return false;
}

bool scan_unexpected(struct scan *s, const char *wanted)
{
	unsigned char c = s->at < s->end ? (unsigned char)*s->at : 0;

	if (s->at == s->end)
		return scan_fail(s, s->at, "expected %s, but the text ends", wanted);
	if (c == '"')
		return scan_fail(s, s->at, "expected %s, not a string", wanted);
	if (c > ' ' && c < 0x7f)
		return scan_fail(s, s->at, "expected %s, not '%c'", wanted, c);
	return scan_fail(s, s->at, "expected %s, not byte 0x%02x", wanted, c);
}

bool scan_no_memory(struct scan *s)
{
	if (!s->err)
		s->err = problem_set(s->problem, ERR_TOO_LARGE, "The request needs more memory than one may use");
	return false;
}

/* At what text_plain_run() stopped at, inside a string: the length of that escape or character, 0 when malformed.
 */
static size_t special_in_string(struct scan *s, const char *p, bool *escaped)
{
	unsigned char c = (unsigned char)*p;
	const char *why = "this is not UTF-8";
	size_t n = 0;

	if (c == '\\') {
		*escaped = true;
		n = text_escape(p, s->end, &why);
	} else if (c >= 0x80) {
		n = str_utf8_step((struct str){p, (size_t)(s->end - p)});
	} else {
		scan_fail(s, p, "a string may not contain byte 0x%02x as it is; write \\u%04x", c, c);
	}
	if (n == 0)
		scan_fail(s, p, "%s", why);
	return n;
}

bool scan_string(struct scan *s, struct scan_text *out)
{
	const char *start = s->at + 1, *p = text_plain_run(start, s->end);

	out->escaped = false;
	while (p < s->end && *p != '"') {
		size_t n = special_in_string(s, p, &out->escaped);

		if (n == 0)
			return false;
		p = text_plain_run(p + n, s->end);
	}
	if (p == s->end)
		return scan_fail(s, s->at, "this string has no end");
	out->raw = (struct str){start, (size_t)(p - start)};
	s->at = p + 1;
	return true;
}

static const char *past_digits(const struct scan *s, const char *p)
{
	while (p < s->end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* Takes one digit or more at p; NULL when there is none. */
static const char *past_some_digits(struct scan *s, const char *p)
{
	const char *after = past_digits(s, p);

	if (after == p) {
		s->at = p;
		scan_unexpected(s, "a digit");
		return NULL;
	}
	return after;
}

static const char *past_exponent(struct scan *s, const char *p)
{
	if (p < s->end && (*p == '+' || *p == '-'))
		p++;
	return past_some_digits(s, p);
}

bool scan_number(struct scan *s, struct str *out, bool *whole)
{
	const char *start = s->at, *first = start + (*start == '-'), *p = past_some_digits(s, first);

	if (!p)
		return false;
	if (*first == '0' && p - first > 1)
		return scan_fail(s, first, "a number may not begin with 0");
	*whole = true;
	if (p < s->end && *p == '.') {
		*whole = false;
		p = past_some_digits(s, p + 1);
	}
	if (p && p < s->end && (*p == 'e' || *p == 'E')) {
		*whole = false;
		p = past_exponent(s, p + 1);
	}
	if (!p)
		return false;
	*out = (struct str){start, (size_t)(p - start)};
	s->at = p;
	return true;
}

bool scan_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
		return scan_fail(s, s->at, "expected a value; did you mean %s?", word);
	s->at += n;
	return true;
}

enum scan_step scan_open(struct scan *s, char close)
{
	if (s->depth == JSON_DEPTH_MAX) {
		scan_fail(s, s->at, "nested deeper than %d", JSON_DEPTH_MAX);
		return SCAN_FAILED;
	}
	s->depth++;
	s->at++;
	if (scan_peek(s) != close)
		return SCAN_MORE;
	s->depth--;
	s->at++;
	return SCAN_CLOSED;
}

enum scan_step scan_next(struct scan *s, char close)
{
	char c = scan_peek(s);

	if (c == ',') {
		s->at++;
		return SCAN_MORE;
	}
	if (c == close) {
		s->depth--;
		s->at++;
		return SCAN_CLOSED;
	}
	scan_unexpected(s, close == '}' ? "',' or '}'" : "',' or ']'");
	return SCAN_FAILED;
}

bool scan_name(struct scan *s, struct scan_text *out)
{
	if (scan_peek(s) != '"')
		return scan_unexpected(s, "a member name in double quotes");
	if (!scan_string(s, out))
		return false;
	if (scan_peek(s) != ':')
		return scan_unexpected(s, "':'");
	s->at++;
	return true;
}

bool scan_any_name(struct scan *s, struct scan_text *out)
{
	if (!scan_name(s, out))
		return false;
	keys_push(&s->keys, out);
	return true;
}

bool scan_names_distinct(struct scan *s, uint32_t base)
{
	uint32_t again;

	if (keys_pop_distinct(&s->keys, base, &again))
		return true;
	return scan_fail(s, s->start + again - 1, "this member stands twice in its object");
}

static bool any_object(struct scan *s)
{
	uint32_t base = s->keys.count;
	struct scan_text name;
	struct str value;
	enum scan_step step;

	for (step = scan_open(s, '}'); step == SCAN_MORE; step = scan_next(s, '}'))
		if (!scan_any_name(s, &name) || !scan_value(s, &value))
			return false;
	return step == SCAN_CLOSED && scan_names_distinct(s, base);
}

static bool any_array(struct scan *s)
{
	struct str value;
	enum scan_step step;

	for (step = scan_open(s, ']'); step == SCAN_MORE; step = scan_next(s, ']'))
		if (!scan_value(s, &value))
			return false;
	return step == SCAN_CLOSED;
}

static bool any_value(struct scan *s, char first)
{
	struct scan_text text;
	struct str number;
	bool whole;

	switch (first) {
	case '{':
		return any_object(s);
	case '[':
		return any_array(s);
	case '"':
		return scan_string(s, &text);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	default:
		if (first != '-' && (first < '0' || first > '9'))
			return scan_unexpected(s, "a value");
		return scan_number(s, &number, &whole);
	}
}

bool scan_value(struct scan *s, struct str *out)
{
	char first = scan_peek(s);
	const char *start = s->at;

	if (!any_value(s, first))
		return false;
	*out = (struct str){start, (size_t)(s->at - start)};
	return true;
}

bool scan_end(struct scan *s)
{
	scan_peek(s);
	return s->at == s->end || scan_unexpected(s, "nothing more");
}

enum err json_check(struct str text, struct problem *p)
{
	struct scan s;
	struct str value;
	enum err e;

	scan_init(&s, text, p);
	if (!s.err && scan_value(&s, &value))
		scan_end(&s);
	e = s.err;
	scan_free(&s);
	return e;
}
