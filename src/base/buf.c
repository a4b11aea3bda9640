/*
 * One growing block, always one byte larger than its text so that a terminator fits.
 *
 * Invariants: n <= max; p == NULL or p[n] == '\0' and n < cap; once failed, nothing changes until a reset. Memory
 * doubles, so that appending is linear in the whole text.
 */
#include "base/buf.h"

#include "base/magic.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SMALLEST = 128, MAX_DEFAULT = 64 << 20 };

void buf_reset(struct buf *b)
{
	b->n = 0;
	b->failed = false;
	if (b->p)
		b->p[0] = '\0';
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = BUF_INIT(b->max);
}

bool buf_ok(const struct buf *b)
{
	return !b->failed;
}

struct str buf_str(const struct buf *b)
{
	return (struct str){b->p, b->n};
}

const char *buf_cstr(struct buf *b)
{
	return b->p ? b->p : "";
}

static bool grow(struct buf *b, size_t needed)
{
	size_t cap = b->cap ? b->cap : SMALLEST;
	char *p;

	while (cap < needed)
		cap *= 2; /* ends: needed is at most max + 1 */
	p = realloc(b->p, cap);
	if (!p)
		return false;
	b->p = p;
	b->cap = cap;
	return true;
}

char *buf_room(struct buf *b, size_t n)
{
	size_t max = b->max ? b->max : MAX_DEFAULT;

	if (b->failed)
		return NULL;
	if (n > max - b->n || (b->n + n >= b->cap && !grow(b, b->n + n + 1))) {
		b->failed = true;
		return NULL;
	}
	return b->p + b->n;
}

void buf_took(struct buf *b, size_t n)
{
	CHECK(!b->failed && b->n < b->cap && n < b->cap - b->n);
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	char *room = buf_room(b, n);

	if (!room)
		return;
	if (n)
		memcpy(room, bytes, n);
	buf_took(b, n);
}

void buf_str_add(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

void buf_z(struct buf *b, const char *z)
{
	buf_add(b, z, strlen(z));
}

void buf_c(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_i64(struct buf *b, int64_t v)
{
	if (v < 0)
		buf_c(b, '-');
	buf_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list args;
	int n;
	char *room;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	CHECK(n >= 0);
	room = buf_room(b, (size_t)n);
	if (!room)
		return;
	va_start(args, fmt);
	vsnprintf(room, (size_t)n + 1, fmt, args);
	va_end(args);
	buf_took(b, (size_t)n);
}

static void json_escape(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char shorts[] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\'};

	buf_c(b, '\\');
	if (c < sizeof(shorts) && shorts[c])
		buf_c(b, shorts[c]);
	else
		buf_add(b, (char[]){'u', '0', '0', hex[c >> 4], hex[c & 15]}, 5);
}

/* How many bytes from the start may stand in a JSON string as they are. */
static size_t json_plain(struct str s)
{
	size_t i = 0;

	while (i < s.n) {
		unsigned char c = (unsigned char)s.p[i];
		size_t step = c < 0x80 ? 1 : str_utf8_step((struct str){s.p + i, s.n - i});

		if (c < 0x20 || c == '"' || c == '\\' || step == 0)
			break;
		i += step;
	}
	return i;
}

void buf_json_text(struct buf *b, struct str s)
{
	buf_c(b, '"');
	for (;;) {
		size_t plain = json_plain(s);

		buf_add(b, s.p, plain);
		if (plain == s.n)
			break;
		if ((unsigned char)s.p[plain] >= 0x80)
			buf_z(b, "\xEF\xBF\xBD"); /* U+FFFD for each byte that belongs to no character */
		else
			json_escape(b, (unsigned char)s.p[plain]);
		s = (struct str){s.p + plain + 1, s.n - plain - 1};
	}
	buf_c(b, '"');
}

static bool shell_safe(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("_-./:,@%+=", c));
}

/* A leading '=' is quoted for zsh, which would look for a command of that name. */
static bool shell_plain(struct str s)
{
	if (s.n == 0 || s.p[0] == '=')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!shell_safe(s.p[i]))
			return false;
	return true;
}

void buf_shell_word(struct buf *b, struct str s)
{
	if (s.n && memchr(s.p, '\0', s.n)) {
		b->failed = true; /* no shell can be told such a word */
		return;
	}
	if (shell_plain(s)) {
		buf_str_add(b, s);
		return;
	}
	buf_c(b, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'')
			buf_z(b, "'\\''");
		else
			buf_c(b, s.p[i]);
	}
	buf_c(b, '\'');
}

enum { VARINT_MAX = 10 }; /* 64 bits by 7 */

void buf_varint(struct buf *b, uint64_t v)
{
	unsigned char bytes[VARINT_MAX];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		bytes[n++] = (unsigned char)(v | 0x80);
	bytes[n++] = (unsigned char)v;
	buf_add(b, bytes, n);
}

/* Zig-zag: 0, -1, 1, -2 ... become 0, 1, 2, 3 ..., so that small magnitudes stay short. */
void buf_svarint(struct buf *b, int64_t v)
{
	buf_varint(b, ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0));
}

void buf_lenstr(struct buf *b, struct str s)
{
	buf_varint(b, s.n);
	buf_str_add(b, s);
}

/* Only the shortest form of a number is one, so that equal values have equal bytes. */
bool take_varint(struct str *s, uint64_t *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < s->n && i < VARINT_MAX; i++) {
		uint64_t bits = (unsigned char)s->p[i] & 0x7f;

		if (i == VARINT_MAX - 1 && bits > 1)
			return false;
		v |= bits << (7 * i);
		if ((unsigned char)s->p[i] & 0x80)
			continue;
		if (bits == 0 && i > 0)
			return false;
		*s = (struct str){s->p + i + 1, s->n - i - 1};
		*out = v;
		return true;
	}
	return false;
}

bool take_svarint(struct str *s, int64_t *out)
{
	uint64_t v;

	if (!take_varint(s, &v))
		return false;
	*out = (int64_t)((v >> 1) ^ (0 - (v & 1)));
	return true;
}

bool take_lenstr(struct str *s, struct str *out)
{
	struct str rest = *s;
	uint64_t n;

	if (!take_varint(&rest, &n) || n > rest.n)
		return false;
	*out = (struct str){rest.p, (size_t)n};
	*s = (struct str){rest.p + n, rest.n - (size_t)n};
	return true;
}
