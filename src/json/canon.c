/*
 * JSON in its canonical form (RFC 8785), so that two texts that mean the same are the same bytes and can be signed:
 * no white space, members in the order of their names' UTF-16 units, numbers as ECMAScript writes doubles.
 *
 * A value is written behind what is there already. The members of an object are written in the order in which they
 * come, and put into the right one when it ends.
 */
#include "json/json_priv.h"

#include "base/vec.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct canon_member {
	struct str name; /* decoded */
	size_t from, to; /* "name":value in the buffer */
};

struct canon {
	struct scan scan;
	struct arena *arena;
	struct buf *to;
};

static bool canon_value(struct canon *c);

/* ---- numbers ---- */

enum { DIGITS_MAX = 17, PLAIN_EXPONENT_MAX = 21, PLAIN_EXPONENT_MIN = -6, NUMBER_TEXT = 48 };

static bool reads_back(const char *text, double v)
{
	double back;

	return str_to_f64(str_of(text), &back) && memcmp(&back, &v, sizeof(v)) == 0;
}

/* Takes "d.ddde±x" apart. */
static void take_apart(const char *text, char digits[NUMBER_TEXT], int64_t *exponent)
{
	struct str after, before = str_cut(str_of(text), 'e', &after);
	size_t n = 0;

	for (size_t i = 0; i < before.n; i++)
		if (before.p[i] != '.')
			digits[n++] = before.p[i];
	digits[n] = '\0';
	if (after.p[0] == '+')
		after = (struct str){after.p + 1, after.n - 1};
	CHECK(str_to_i64(after, exponent));
}

/* The next decimal of as many digits: "dddde±x". */
static void next_above(const char *text, char above[NUMBER_TEXT])
{
	char digits[NUMBER_TEXT];
	int64_t exponent, whole;

	take_apart(text, digits, &exponent);
	CHECK(str_to_i64(str_of(digits), &whole));
	snprintf(above, NUMBER_TEXT, "%" PRId64 "e%" PRId64, whole + 1, exponent - (int64_t)strlen(digits) + 1);
}

/* The fewest digits that read back as v > 0, and the exponent of the first. What is nearest to v with so many
 * digits is mostly the one, if there is one; below a power of two doubles stand closer than above it, so there the
 * next decimal above may read back although the nearest, below, does not. */
static void shortest(double v, char digits[NUMBER_TEXT], int64_t *exponent)
{
	char text[NUMBER_TEXT], above[NUMBER_TEXT];
	int power;
	bool lopsided = frexp(v, &power) <= 0.5;

	for (int count = 1; count <= DIGITS_MAX; count++) {
		snprintf(text, sizeof(text), "%.*e", count - 1, v);
		if (reads_back(text, v))
			break;
		next_above(text, above);
		if (lopsided && reads_back(above, v)) {
			take_apart(text, digits, exponent);
			memcpy(digits, above, (size_t)count);
			return;
		}
	}
	take_apart(text, digits, exponent);
}

static void zeros(struct buf *b, int64_t n)
{
	for (; n > 0; n--)
		buf_c(b, '0');
}

static void point(struct buf *b, struct str digits, size_t before)
{
	buf_add(b, digits.p, before);
	if (digits.n > before)
		buf_c(b, '.');
	buf_add(b, digits.p + before, digits.n - before);
}

/* Number::toString of ECMAScript for v > 0: the digits, and where the point stands in them. */
static void put_digits(struct buf *b, struct str digits, int64_t exponent)
{
	int64_t n = exponent + 1;

	if (n > PLAIN_EXPONENT_MAX || n <= PLAIN_EXPONENT_MIN) {
		point(b, digits, 1);
		buf_fmt(b, "e%+d", (int)exponent);
	} else if (n <= 0) {
		buf_z(b, "0.");
		zeros(b, -n);
		buf_str_add(b, digits);
	} else {
		size_t before = (size_t)n < digits.n ? (size_t)n : digits.n;

		point(b, digits, before);
		zeros(b, n - (int64_t)digits.n);
	}
}

static void put_number(struct buf *b, double v)
{
	char digits[NUMBER_TEXT];
	int64_t exponent;

	if (fpclassify(v) == FP_ZERO) {
		buf_c(b, '0');
		return;
	}
	if (v < 0)
		buf_c(b, '-');
	shortest(fabs(v), digits, &exponent);
	put_digits(b, str_of(digits), exponent);
}

static bool canon_number(struct canon *c)
{
	struct str number;
	bool whole;
	double v;

	if (!scan_number(&c->scan, &number, &whole))
		return false;
	if (!str_to_f64(number, &v) || !isfinite(v))
		return scan_fail(&c->scan, number.p, "this number is too large");
	put_number(c->to, v);
	return true;
}

/* ---- texts ---- */

static bool meant(struct canon *c, const struct scan_text *text, struct str *out)
{
	char *copy;

	*out = text->raw;
	if (!text->escaped)
		return true;
	copy = arena_alloc(c->arena, text->raw.n);
	if (!copy)
		return scan_no_memory(&c->scan);
	*out = (struct str){copy, text_unescape(text->raw, copy)};
	return true;
}

static bool canon_string(struct canon *c)
{
	struct scan_text text;
	struct str is;

	if (!scan_string(&c->scan, &text) || !meant(c, &text, &is))
		return false;
	buf_json_text(c->to, is);
	return true;
}

static bool canon_word(struct canon *c, const char *word)
{
	if (!scan_word(&c->scan, word))
		return false;
	buf_z(c->to, word);
	return true;
}

/* ---- objects and arrays ---- */

/* UTF-8 sorts as UTF-16 does, but for what UTF-16 writes as pairs: those stand before U+E000. */
static int rank_of(char byte)
{
	int b = (unsigned char)byte;

	return b >= 0xf0 ? 0xed * 8 + 1 + b - 0xf0 : b * 8;
}

static int compare_names(const void *a, const void *b)
{
	const struct canon_member *x = a, *y = b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n, i = 0;

	while (i < n && x->name.p[i] == y->name.p[i])
		i++;
	if (i < n)
		return rank_of(x->name.p[i]) - rank_of(y->name.p[i]);
	return (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

/* Writes the members anew, from `start` on, in their order. */
static bool put_in_order(struct canon *c, struct canon_member *members, size_t count, size_t start)
{
	struct str written;

	if (!buf_ok(c->to))
		return true; /* the caller sees that */
	written = arena_str(c->arena, (struct str){c->to->p + start, c->to->n - start});
	if (!written.p)
		return scan_no_memory(&c->scan);
	qsort(members, count, sizeof(*members), compare_names);
	c->to->n = start;
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_c(c->to, ',');
		buf_add(c->to, written.p + (members[i].from - start), members[i].to - members[i].from);
	}
	return true;
}

static bool canon_member(struct canon *c, struct canon_member *m)
{
	struct scan_text name;

	if (!scan_any_name(&c->scan, &name) || !meant(c, &name, &m->name))
		return false;
	m->from = c->to->n;
	buf_json_text(c->to, m->name);
	buf_c(c->to, ':');
	if (!canon_value(c))
		return false;
	m->to = c->to->n;
	return true;
}

static bool canon_object(struct canon *c)
{
	VEC(struct canon_member) members = {0};
	uint32_t base = c->scan.keys.count;
	size_t start;
	enum scan_step step;
	bool good = true;

	buf_c(c->to, '{');
	start = c->to->n;
	for (step = scan_open(&c->scan, '}'); good && step == SCAN_MORE;) {
		struct canon_member m;

		good = canon_member(c, &m);
		if (good) {
			*VEC_PUSH(&members) = m;
			step = scan_next(&c->scan, '}');
		}
	}
	good = good && step == SCAN_CLOSED && scan_names_distinct(&c->scan, base) &&
	       (members.n < 2 || put_in_order(c, members.v, members.n, start));
	VEC_FREE(&members);
	buf_c(c->to, '}');
	return good;
}

static bool canon_array(struct canon *c)
{
	enum scan_step step;
	bool first = true;

	buf_c(c->to, '[');
	for (step = scan_open(&c->scan, ']'); step == SCAN_MORE; step = scan_next(&c->scan, ']')) {
		if (!first)
			buf_c(c->to, ',');
		first = false;
		if (!canon_value(c))
			return false;
	}
	buf_c(c->to, ']');
	return step == SCAN_CLOSED;
}

static bool canon_value(struct canon *c)
{
	switch (scan_peek(&c->scan)) {
	case '{':
		return canon_object(c);
	case '[':
		return canon_array(c);
	case '"':
		return canon_string(c);
	case 't':
		return canon_word(c, "true");
	case 'f':
		return canon_word(c, "false");
	case 'n':
		return canon_word(c, "null");
	default:
		if (c->scan.at == c->scan.end || !strchr("-0123456789", *c->scan.at))
			return scan_unexpected(&c->scan, "a value");
		return canon_number(c);
	}
}

enum err json_canonical(struct str text, struct arena *a, struct buf *to, struct problem *p)
{
	struct canon c = {.arena = a, .to = to};
	enum err e;

	scan_init(&c.scan, text, p);
	if (!c.scan.err && canon_value(&c))
		scan_end(&c.scan);
	e = c.scan.err;
	scan_free(&c.scan);
	return e || buf_ok(to) ? e : ERR_TOO_LARGE;
}
