/*
 * Text as pointer and length. Nothing here allocates except str_distance(), nothing depends on the locale beyond
 * strtod(), and the program never sets one.
 */
#include "base/str.h"

#include "base/magic.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

struct str str_of(const char *z)
{
	return z ? (struct str){z, strlen(z)} : (struct str){0};
}

/* memcmp() must not be given NULL, not even for no bytes. */
static int compare(const char *a, const char *b, size_t n)
{
	return n ? memcmp(a, b, n) : 0;
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && compare(a.p, b.p, a.n) == 0;
}

bool str_eqz(struct str a, const char *z)
{
	return str_eq(a, str_of(z));
}

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

int str_cmp(struct str a, struct str b)
{
	int order = compare(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && compare(s.p, prefix.p, prefix.n) == 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	while (s.n && is_space(s.p[0]))
		s = (struct str){s.p + 1, s.n - 1};
	return s;
}

struct str str_cut(struct str s, char c, struct str *rest)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
	size_t before;

	if (!at) {
		*rest = (struct str){0};
		return s;
	}
	before = (size_t)(at - s.p);
	*rest = (struct str){at + 1, s.n - before - 1};
	return (struct str){s.p, before};
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool str_to_i64(struct str s, int64_t *out)
{
	bool negative = s.n && s.p[0] == '-';
	int64_t v = 0;

	if (s.n == negative)
		return false;
	for (size_t i = negative; i < s.n; i++) {
		int digit = s.p[i] - '0';

		/* Built downwards when negative, because INT64_MIN has no positive. */
		if (!is_digit(s.p[i]) || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, negative ? -digit : digit, &v))
			return false;
	}
	*out = v;
	return true;
}

static size_t digits(struct str s, size_t from)
{
	size_t i = from;

	while (i < s.n && is_digit(s.p[i]))
		i++;
	return i - from;
}

static bool is_at(struct str s, size_t i, char a, char b)
{
	return i < s.n && (s.p[i] == a || s.p[i] == b);
}

/* -?digits(.digits)?([eE][+-]?digits)?: what strtod() takes beyond that (spaces, hex, inf) is no number to us. */
static bool is_decimal(struct str s)
{
	size_t i = is_at(s, 0, '-', '-'), n = digits(s, i);

	i += n;
	if (n && is_at(s, i, '.', '.')) {
		n = digits(s, i + 1);
		i += n + 1;
	}
	if (n && is_at(s, i, 'e', 'E')) {
		i += is_at(s, i + 1, '+', '-') ? 2 : 1;
		n = digits(s, i);
		i += n;
	}
	return n && i == s.n;
}

bool str_to_f64(struct str s, double *out)
{
	char z[512]; /* more digits than that carry no information a double could hold */
	double v;

	if (s.n >= sizeof(z) || !is_decimal(s))
		return false;
	memcpy(z, s.p, s.n);
	z[s.n] = '\0';
	v = strtod(z, NULL);
	if (!isfinite(v))
		return false;
	*out = v;
	return true;
}

bool str_to_ms(struct str s, int64_t *out_ms)
{
	static const struct {
		struct str unit;
		int64_t ms;
	} units[] = {{{"", 0}, 1},          {{"ms", 2}, 1},          {{"s", 1}, 1000},
		     {{"m", 1}, 60 * 1000}, {{"h", 1}, 3600 * 1000}, {{"d", 1}, 24 * 3600 * 1000}};
	size_t n = digits(s, 0);
	struct str unit;
	int64_t count;

	if (n == 0 || !str_to_i64((struct str){s.p, n}, &count))
		return false;
	unit = (struct str){s.p + n, s.n - n};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (str_eq(unit, units[i].unit))
			return !__builtin_mul_overflow(count, units[i].ms, out_ms);
	return false;
}

static bool is_tail(struct str s, size_t i)
{
	return i < s.n && ((unsigned char)s.p[i] & 0xc0) == 0x80;
}

/* Table 3-7 of the Unicode standard: what may follow the first byte keeps out overlong forms and surrogates. */
size_t str_utf8_step(struct str s)
{
	unsigned char first = s.n ? (unsigned char)s.p[0] : 0xff, second = s.n > 1 ? (unsigned char)s.p[1] : 0;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4 || !is_tail(s, 1))
		return 0;
	if (first < 0xe0)
		return 2;
	if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || !is_tail(s, 2))
		return 0;
	if (first < 0xf0)
		return 3;
	if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f) || !is_tail(s, 3))
		return 0;
	return 4;
}

struct str str_clip(struct str s, size_t characters)
{
	size_t n = 0;

	while (n < s.n && characters-- > 0) {
		size_t step = str_utf8_step((struct str){s.p + n, s.n - n});

		n += step ? step : 1;
	}
	return (struct str){s.p, n};
}

size_t str_utf8_put(uint32_t c, char *out)
{
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(n == 1 ? c : lead[n] | c);
	return n;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The number of the escape at s; -1: there is none. */
static int32_t code_unit(struct str s)
{
	int32_t unit = 0;

	if (s.n < 6 || s.p[0] != '\\' || s.p[1] != 'u')
		return -1;
	for (size_t i = 2; i < 6; i++) {
		int digit = hex_digit(s.p[i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

bool str_is_surrogate(int32_t c)
{
	return c >= 0xd800 && c < 0xe000;
}

int32_t str_unicode_escape(struct str s, size_t *bytes)
{
	int32_t unit = code_unit(s), low;

	*bytes = 6;
	if (unit < 0xd800 || unit >= 0xdc00)
		return unit;
	low = code_unit((struct str){s.p + 6, s.n - 6});
	if (low < 0xdc00 || low >= 0xe000)
		return unit;
	*bytes = 12;
	return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

/* Most text is ASCII: eight bytes at a time until it is not. */
static size_t ascii_run(struct str s)
{
	size_t i = 0;
	uint64_t word;

	for (; i + sizeof(word) <= s.n; i += sizeof(word)) {
		memcpy(&word, s.p + i, sizeof(word));
		if (word & 0x8080808080808080)
			break;
	}
	return i;
}

bool str_is_utf8(struct str s)
{
	while (s.n) {
		size_t step = ascii_run(s);

		if (step == 0)
			step = str_utf8_step(s);
		if (step == 0)
			return false;
		s = (struct str){s.p + step, s.n - step};
	}
	return true;
}

uint64_t str_hash(struct str s)
{
	return XXH3_64bits(s.p, s.n);
}

uint64_t str_hash_seed(struct str s, uint64_t seed)
{
	return XXH3_64bits_withSeed(s.p, s.n, seed);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* One row of Levenshtein's table, in place: row[j] is the distance of a's first bytes to the first j of b. */
static unsigned next_row(unsigned *row, char c, struct str b)
{
	unsigned diagonal = row[0], smallest = ++row[0];

	for (size_t j = 1; j <= b.n; j++) {
		unsigned change = diagonal + (c != b.p[j - 1]);

		diagonal = row[j];
		row[j] = least(change, least(row[j], row[j - 1]) + 1);
		smallest = least(smallest, row[j]);
	}
	return smallest;
}

unsigned str_distance(struct str a, struct str b, unsigned limit)
{
	size_t apart = a.n > b.n ? a.n - b.n : b.n - a.n;
	unsigned *row, distance;

	if (apart > limit)
		return limit + 1;
	row = must_alloc((b.n + 1) * sizeof(*row));
	for (size_t j = 0; j <= b.n; j++)
		row[j] = (unsigned)j;
	distance = row[b.n];
	for (size_t i = 0; i < a.n; i++) {
		unsigned smallest = next_row(row, a.p[i], b);

		distance = row[b.n];
		if (smallest > limit) {
			distance = limit + 1;
			break;
		}
	}
	free(row);
	return least(distance, limit + 1);
}
