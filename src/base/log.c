/*
 * A line is built in memory and written with one write(), so that lines of several threads never mix.
 *
 * Quoting: the spaces of fmt separate its pairs, spaces that come from an argument belong to a value. To tell them
 * apart the spaces of fmt are replaced by SEPARATOR before formatting; should an argument hold that byte, too, or
 * the text be cut, it is written as one quoted value. So nobody can forge a pair or a line through what is logged.
 */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FMT_MAX = 512, TEXT_MAX = 3000, LINE_MAX_BYTES = 8192 };

static const char SEPARATOR = '\x1f';

static atomic_int chosen_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&chosen_level, level, memory_order_relaxed);
}

static void add_value(struct buf *line, struct str value)
{
	bool plain = value.n > 0 && str_is_utf8(value);

	for (size_t i = 0; i < value.n; i++)
		plain = plain && (unsigned char)value.p[i] > ' ' && !strchr("\"\\=\x7f", value.p[i]);
	if (plain)
		buf_str_add(line, value);
	else
		buf_json_text(line, value);
}

static void add_pair(struct buf *line, struct str pair)
{
	struct str value, key = str_cut(pair, '=', &value);

	if (!value.p) {
		add_value(line, pair); /* a bare word */
		return;
	}
	buf_str_add(line, key);
	buf_c(line, '=');
	add_value(line, value);
}

/* Returns how many separators it put in. */
static int separate(char out[FMT_MAX], const char *fmt)
{
	size_t n = strnlen(fmt, FMT_MAX - 1);
	int count = 0;

	for (size_t i = 0; i < n; i++) {
		bool separates = fmt[i] == ' ' && (i == 0 || fmt[i - 1] != '%');

		out[i] = separates ? SEPARATOR : fmt[i];
		count += separates;
	}
	out[n] = '\0';
	return count;
}

static int count_of(struct str s, char c)
{
	int count = 0;

	for (size_t i = 0; i < s.n; i++)
		count += s.p[i] == c;
	return count;
}

static void add_pairs(struct buf *line, struct str text)
{
	while (text.n) {
		struct str pair = str_cut(text, SEPARATOR, &text);

		if (pair.n == 0)
			continue;
		buf_c(line, ' ');
		add_pair(line, pair);
	}
}

static void add_whole(struct buf *line, char *text)
{
	for (char *p = text; *p; p++)
		if (*p == SEPARATOR)
			*p = ' ';
	buf_z(line, " text=");
	buf_json_text(line, str_of(text));
}

static void begin_line(struct buf *line, enum log_level level, const char *event)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	struct timespec t;
	char when[CLOCK_TEXT];

	/* A log is read beside other programs' logs, so its time is the wall clock's, not ours. */
	clock_gettime(CLOCK_REALTIME, &t);
	clock_format((int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000, when);
	buf_fmt(line, "%s %s %s", when, names[level], event);
}

static void write_line(struct buf *line)
{
	/* A line over its bound lost its end; the newline's place is kept by cutting one byte more. */
	if (!buf_ok(line) && line->n > 0)
		line->p[line->n - 1] = '\n';
	else
		buf_c(line, '\n');
	/* Where the log cannot be written nobody can be told. */
	if (write(STDERR_FILENO, buf_str(line).p, line->n) < 0)
		return;
}

void log_write(enum log_level level, const char *event, const char *fmt, ...)
{
	char separated[FMT_MAX], text[TEXT_MAX];
	struct buf line = BUF_INIT(LINE_MAX_BYTES);
	va_list args;
	int separators, wanted;

	if ((int)level > atomic_load_explicit(&chosen_level, memory_order_relaxed))
		return;
	separators = separate(separated, fmt);
	va_start(args, fmt);
/* `separated` is fmt but for its spaces, and the caller's arguments were checked against fmt. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	wanted = vsnprintf(text, sizeof(text), separated, args);
#pragma GCC diagnostic pop
	va_end(args);
	begin_line(&line, level, event);
	if (wanted < (int)sizeof(text) && count_of(str_of(text), SEPARATOR) == separators)
		add_pairs(&line, str_of(text));
	else
		add_whole(&line, text);
	write_line(&line);
	buf_free(&line);
}
