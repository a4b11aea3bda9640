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

static size_t unicode_escape(struct str escape, const char **why)
{
	size_t length;
	int32_t c = str_unicode_escape(escape, &length);

	if (c < 0)
		*why = "\\u needs four hexadecimal digits";
	else if (c == 0)
		*why = "text may not contain \\u0000";
	else if (str_is_surrogate(c))
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
		return unicode_escape((struct str){p, (size_t)(end - p)}, why);
	if (end - p > 1 && (unsigned char)p[1] < sizeof(meaning) && meaning[(unsigned char)p[1]])
		return 2;
	*why = "unknown escape; a backslash itself is written \\\\";
	return 0;
}

/* One escape, already checked, from *p to out. It is never longer than what it stands for was. */
static char *put_escape(char *out, const char **p, const char *end)
{
	size_t length;
	int32_t c;

	if ((*p)[1] != 'u') {
		*out++ = meaning[(unsigned char)(*p)[1]];
		*p += 2;
		return out;
	}
	c = str_unicode_escape((struct str){*p, (size_t)(end - *p)}, &length);
	*p += length;
	return out + str_utf8_put((uint32_t)c, out);
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
