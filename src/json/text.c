/*
 * Inside strings: where plain characters end, and what escapes mean.
 *
 * Plain runs are found eight bytes at a time. In a word, a byte is special when it is below 0x20, a quote, a
 * backslash or not ASCII; each test sets the byte's high bit, and a borrow from a lower byte can make a false hit
 * only above a true one, so the lowest hit is always right (Bit Twiddling Hacks, "Determine if a word has a byte
 * less than n").
 */
#include "json/json_priv.h"

#include <string.h>

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

static uint64_t load_little_endian(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

static uint64_t special_bytes(uint64_t word)
{
	uint64_t control = word - EACH_BYTE(0x20);
	uint64_t quote = (word ^ EACH_BYTE('"')) - EACH_BYTE(1);
	uint64_t backslash = (word ^ EACH_BYTE('\\')) - EACH_BYTE(1);

	return (control | quote | backslash | word) & EACH_BYTE(0x80);
}

const char *text_plain_run(const char *p, const char *end)
{
	for (; end - p >= 8; p += 8) {
		uint64_t special = special_bytes(load_little_endian(p));

		if (special)
			return p + __builtin_ctzll(special) / 8;
	}
	while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' && *p != '\\')
		p++;
	return p;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of a \u escape; -1 when they are not there. */
static int32_t code_unit(const char *p, const char *end)
{
	int32_t unit = 0;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int digit = hex_digit(p[i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

static bool is_high_surrogate(int32_t unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low_surrogate(int32_t unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

static size_t unicode_escape(const char *p, const char *end, const char **why)
{
	int32_t unit = code_unit(p, end);
	size_t length = is_high_surrogate(unit) ? 12 : 6;

	if (unit < 0)
		*why = "\\u needs four hexadecimal digits";
	else if (unit == 0)
		*why = "text may not contain \\u0000";
	else if (is_low_surrogate(unit) || (length == 12 && !is_low_surrogate(code_unit(p + 6, end))))
		*why = "\\ud800 to \\udfff are only valid in pairs";
	else
		return length;
	return 0;
}

/* What follows the backslash -> what it means. */
static const char meaning[128] = {
	['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
	['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

size_t text_escape(const char *p, const char *end, const char **why)
{
	if (end - p > 1 && p[1] == 'u')
		return unicode_escape(p, end, why);
	if (end - p > 1 && (unsigned char)p[1] < sizeof(meaning) && meaning[(unsigned char)p[1]])
		return 2;
	*why = "unknown escape; a backslash itself is written \\\\";
	return 0;
}

/* One escape, already checked, from *p to out. It is never longer than what it stands for was. */
static char *put_escape(char *out, const char **p, const char *end)
{
	uint32_t c;

	if ((*p)[1] != 'u') {
		*out++ = meaning[(unsigned char)(*p)[1]];
		*p += 2;
		return out;
	}
	c = (uint32_t)code_unit(*p, end);
	*p += 6;
	if (is_high_surrogate((int32_t)c)) {
		c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)code_unit(*p, end) - 0xdc00);
		*p += 6;
	}
	return out + str_utf8_put(c, out);
}

size_t text_unescape(struct str raw, char *out)
{
	const char *p = raw.p, *end = raw.p + raw.n;
	char *to = out;

	while (p < end) {
		const char *escape = memchr(p, '\\', (size_t)(end - p));
		size_t plain = (size_t)((escape ? escape : end) - p);

		memmove(to, p, plain);
		to += plain;
		p += plain;
		if (escape)
			to = put_escape(to, &p, end);
	}
	return (size_t)(to - out);
}

size_t text_characters(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}
