/*
 * Lines are used where they lie; only one that was cut by the end of the bytes is kept. So is a body: one that came
 * whole is not copied.
 */
#include "sim/client_http.h"

#include "base/magic.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum state { STATUS, FIELDS, COUNTED, TO_END, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER, WHOLE };

enum {
	LINE_MAX_BYTES = 16 << 10,
	HEAD_MAX_BYTES = 64 << 10, /* of all lines of a head, those of 1xx before it and of the trailer included */
	SHOWN_BYTES = 32,
	DATE_BYTES = 48,
	CHUNK_DIGITS = 15,
	STATUS_CONTINUE_LAST = 199,
	STATUS_SWITCHING = 101,
	STATUS_NO_CONTENT = 204,
	STATUS_NOT_MODIFIED = 304,
	STATUS_LAST = 599,
};
static const int64_t RETRY_MAX_S = 86400;

/* ---- what was wrong ---- */

/* Text of the target for people: its beginning, without what a terminal would obey. */
static const char *shown(struct str s, char out[SHOWN_BYTES + 1])
{
	size_t n = s.n < SHOWN_BYTES ? s.n : SHOWN_BYTES;

	for (size_t i = 0; i < n; i++)
		out[i] = s.p[i] < 0x20 || s.p[i] == 0x7f ? '?' : s.p[i];
	out[n] = '\0';
	return out;
}

/* Most answers go well and have nothing to say, so the text has memory of its own. */
static void __attribute__((format(printf, 2, 3))) say(struct client_http *h, const char *fmt, ...)
{
	va_list list;

	if (!h->detail)
		h->detail = must_alloc(CLIENT_HTTP_DETAIL);
	va_start(list, fmt);
	vsnprintf(h->detail, CLIENT_HTTP_DETAIL, fmt, list);
	va_end(list);
}

static enum err garbage(struct client_http *h, const char *what, struct str line)
{
	char text[SHOWN_BYTES + 1];

	say(h, "%s: %s", what, shown(line, text));
	return ERR_TARGET_GARBAGE;
}

static enum err too_large(struct client_http *h)
{
	say(h, "the body is over %u bytes", (unsigned)h->body_max);
	return ERR_TARGET_TOO_LARGE;
}

/* ---- lines ---- */

static bool can_be_status(struct str s)
{
	static const char begins[] = "HTTP/1.";
	size_t n = s.n < sizeof(begins) - 1 ? s.n : sizeof(begins) - 1;

	return memcmp(s.p, begins, n) == 0;
}

static enum err keep_line(struct client_http *h, struct str *bytes)
{
	h->line.max = LINE_MAX_BYTES;
	buf_str_add(&h->line, *bytes);
	*bytes = (struct str){0};
	if (!buf_ok(&h->line))
		return garbage(h, "a line is too long", STR("over 16 KiB"));
	if (h->state == STATUS && !can_be_status(buf_str(&h->line)))
		return garbage(h, "no HTTP/1.1", buf_str(&h->line));
	return OK;
}

/* The next line, without its end, valid until drop_line(); p is NULL when it is not all there yet. */
static enum err take_line(struct client_http *h, struct str *bytes, struct str *line)
{
	const char *end = memchr(bytes->p, '\n', bytes->n);
	size_t n = end ? (size_t)(end - bytes->p) : bytes->n;

	*line = (struct str){0};
	h->head_bytes += (uint32_t)(n < HEAD_MAX_BYTES ? n : HEAD_MAX_BYTES) + 1;
	if (h->head_bytes > HEAD_MAX_BYTES)
		return garbage(h, "the head is too long", STR("over 64 KiB"));
	if (!end)
		return keep_line(h, bytes);
	*line = (struct str){bytes->p, n};
	*bytes = (struct str){end + 1, bytes->n - n - 1};
	if (h->line.n) {
		enum err e = keep_line(h, line);

		*line = buf_str(&h->line);
		if (e)
			return e;
	}
	if (line->n && line->p[line->n - 1] == '\r')
		line->n--;
	return OK;
}

static void drop_line(struct client_http *h)
{
	if (h->line.n)
		buf_reset(&h->line);
}

/* ---- the head ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static enum err take_status(struct client_http *h, struct str line)
{
	static const size_t version = sizeof("HTTP/1.1") - 1, code = sizeof("HTTP/1.1 200") - 1;
	const char *p = line.p;

	if (line.n < code || !can_be_status(line) || !is_digit(p[version - 1]) || p[version] != ' ')
		return garbage(h, "no HTTP/1.1", line);
	for (size_t i = version + 1; i < code; i++)
		if (!is_digit(p[i]))
			return garbage(h, "no status", line);
	h->status = (p[version + 1] - '0') * 100 + (p[version + 2] - '0') * 10 + (p[version + 3] - '0');
	if ((line.n > code && p[code] != ' ') || h->status < 100 || h->status > STATUS_LAST ||
	    h->status == STATUS_SWITCHING)
		return garbage(h, "no status that was asked for", line);
	h->old = p[version - 1] == '0';
	h->keep = !h->old;
	h->state = FIELDS;
	return OK;
}

static enum err take_length(struct client_http *h, struct str value)
{
	int64_t n;

	if (value.n == 0 || !is_digit(value.p[0]) || !str_to_i64(value, &n))
		return garbage(h, "a Content-Length that is no number", value);
	if (h->counted && h->left != (uint64_t)n)
		return garbage(h, "a second Content-Length that differs", value);
	h->counted = true;
	h->left = (uint64_t)n;
	return OK;
}

static enum err take_coding(struct client_http *h, struct str value)
{
	if (h->chunked || !str_eq_nocase(value, STR("chunked")))
		return garbage(h, "a Transfer-Encoding that was not asked for", value);
	h->chunked = true;
	return OK;
}

static void take_connection(struct client_http *h, struct str value)
{
	while (value.n) {
		struct str word = str_trim(str_cut(value, ',', &value));

		if (str_eq_nocase(word, STR("close")))
			h->keep = false;
		else if (h->old && str_eq_nocase(word, STR("keep-alive")))
			h->keep = true;
	}
}

/* Any of the three forms of HTTP; -1: none of them. */
static int64_t date_s(struct str value)
{
	char text[DATE_BYTES];

	if (value.n >= sizeof(text))
		return -1;
	memcpy(text, value.p, value.n);
	text[value.n] = '\0';
	return (int64_t)curl_getdate(text, NULL);
}

static void take_retry(struct client_http *h, struct str value)
{
	int64_t s;

	if (value.n && is_digit(value.p[0]) && str_to_i64(value, &s))
		h->retry_after_s = s;
	else if (value.n)
		h->retry_at_s = date_s(value);
}

static void take_location(struct client_http *h, struct str value)
{
	char text[SHOWN_BYTES * 2 + 1];
	size_t half = value.n < SHOWN_BYTES ? value.n : SHOWN_BYTES;

	if (h->status < 300 || h->status > 399)
		return;
	shown(value, text);
	shown((struct str){value.p + half, value.n - half}, text + half);
	say(h, "redirects to %s", text);
}

static enum err take_known_field(struct client_http *h, struct str name, struct str value)
{
	if (str_eq_nocase(name, STR("content-length")))
		return take_length(h, value);
	if (str_eq_nocase(name, STR("transfer-encoding")))
		return take_coding(h, value);
	if (str_eq_nocase(name, STR("connection")))
		take_connection(h, value);
	else if (str_eq_nocase(name, STR("retry-after")))
		take_retry(h, value);
	else if (str_eq_nocase(name, STR("date")))
		h->answered_s = date_s(value);
	else if (str_eq_nocase(name, STR("location")))
		take_location(h, value);
	return OK;
}

/* Date costs more to read than all else together, and is wanted only beside a Retry-After: with 429, 503, 3xx. */
static bool matters(const struct client_http *h, char first)
{
	switch (first | 0x20) {
	case 'c':
	case 't':
		return true;
	case 'd':
	case 'r':
	case 'l':
		return h->status >= 300;
	default:
		return false;
	}
}

static enum err take_field(struct client_http *h, struct str line)
{
	struct str value, name = str_cut(line, ':', &value);

	if (!value.p || name.n == 0)
		return garbage(h, "a line of the head that is no field", line);
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= 0x20 || name.p[i] == 0x7f)
			return garbage(h, "a line of the head that is no field", line);
	return matters(h, name.p[0]) ? take_known_field(h, name, str_trim(value)) : OK;
}

static bool has_no_body(const struct client_http *h)
{
	return h->head_only || h->status == STATUS_NO_CONTENT || h->status == STATUS_NOT_MODIFIED;
}

static enum err end_of_head(struct client_http *h)
{
	if (h->status <= STATUS_CONTINUE_LAST) {
		h->state = STATUS;
		h->chunked = h->counted = false;
		return OK;
	}
	if (h->chunked && (h->counted || h->old))
		h->keep = false; /* whoever stands between may have counted otherwise */
	if (has_no_body(h)) {
		h->state = WHOLE;
		return OK;
	}
	if (h->chunked) {
		h->state = CHUNK_SIZE;
		return OK;
	}
	if (h->counted && h->left > h->body_max)
		return too_large(h);
	h->keep = h->keep && h->counted;
	h->state = !h->counted ? TO_END : h->left ? COUNTED : WHOLE;
	return OK;
}

/* ---- the body ---- */

static enum err gather(struct client_http *h, struct str bytes)
{
	if (bytes.n > h->body_max - h->gathered.n)
		return too_large(h);
	h->gathered.max = (size_t)h->body_max + 1;
	buf_str_add(&h->gathered, bytes);
	CHECK(buf_ok(&h->gathered));
	h->body = buf_str(&h->gathered);
	return OK;
}

static struct str take_left(struct client_http *h, struct str *bytes)
{
	struct str taken = {bytes->p, bytes->n < h->left ? bytes->n : (size_t)h->left};

	*bytes = (struct str){bytes->p + taken.n, bytes->n - taken.n};
	h->left -= taken.n;
	return taken;
}

static enum err take_counted(struct client_http *h, struct str *bytes)
{
	struct str taken = take_left(h, bytes);

	if (h->left == 0)
		h->state = WHOLE;
	if (h->left == 0 && h->gathered.n == 0) {
		h->body = taken;
		return OK;
	}
	return gather(h, taken);
}

static int hex(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Extensions of a chunk, behind a semicolon, mean nothing to us. */
static enum err take_chunk_size(struct client_http *h, struct str line)
{
	struct str rest, size = str_trim(str_cut(line, ';', &rest));

	h->left = 0;
	h->head_bytes = 0;
	if (size.n == 0 || size.n > CHUNK_DIGITS)
		return garbage(h, "a chunk without a size", line);
	for (size_t i = 0; i < size.n; i++) {
		if (hex(size.p[i]) < 0)
			return garbage(h, "a chunk without a size", line);
		h->left = h->left << 4 | (uint64_t)hex(size.p[i]);
	}
	if (h->left > h->body_max - h->gathered.n)
		return too_large(h);
	h->state = h->left ? CHUNK : TRAILER;
	return OK;
}

static enum err take_chunk(struct client_http *h, struct str *bytes)
{
	enum err e = gather(h, take_left(h, bytes));

	if (h->left == 0)
		h->state = CHUNK_END;
	return e;
}

static enum err take_chunk_end(struct client_http *h, struct str line)
{
	h->state = CHUNK_SIZE;
	return line.n ? garbage(h, "a chunk longer than its size", line) : OK;
}

/* ---- all of it ---- */

static enum err handle_line(struct client_http *h, struct str line)
{
	if (h->state == STATUS)
		return take_status(h, line);
	if (h->state == CHUNK_SIZE)
		return take_chunk_size(h, line);
	if (h->state == CHUNK_END)
		return take_chunk_end(h, line);
	if (h->state == TRAILER) {
		h->state = line.n ? TRAILER : WHOLE;
		return OK;
	}
	return line.n ? take_field(h, line) : end_of_head(h);
}

static enum err step(struct client_http *h, struct str *bytes)
{
	struct str line;
	enum err e;

	if (h->state == COUNTED)
		return take_counted(h, bytes);
	if (h->state == CHUNK)
		return take_chunk(h, bytes);
	if (h->state == TO_END) {
		e = gather(h, *bytes);
		*bytes = (struct str){0};
		return e;
	}
	e = take_line(h, bytes, &line);
	if (e || !line.p)
		return e;
	e = handle_line(h, line);
	drop_line(h);
	return e;
}

enum err client_http_take(struct client_http *h, struct str bytes, bool *whole)
{
	enum err e = OK;

	while (!e && bytes.n && h->state != WHOLE)
		e = step(h, &bytes);
	*whole = !e && h->state == WHOLE;
	if (*whole && bytes.n) {
		*whole = false;
		return garbage(h, "more came than belongs to the answer", bytes);
	}
	return e;
}

enum err client_http_end(struct client_http *h)
{
	if (h->state == TO_END || h->state == WHOLE) {
		h->state = WHOLE;
		return OK;
	}
	if (!client_http_began(h))
		say(h, "the connection ended before an answer");
	else if (h->state == COUNTED)
		say(h, "the connection ended %llu bytes before the body did", (unsigned long long)h->left);
	else
		say(h, "the connection ended in the middle of the %s",
		    h->state == STATUS || h->state == FIELDS ? "head" : "body");
	return ERR_TARGET_CLOSED;
}

bool client_http_began(const struct client_http *h)
{
	return h->head_bytes > 0 || h->state != STATUS;
}

void client_http_begin(struct client_http *h, bool head_only, uint32_t body_max)
{
	client_http_free(h);
	h->head_only = head_only;
	h->body_max = body_max;
	h->retry_after_s = h->retry_at_s = h->answered_s = -1;
}

void client_http_free(struct client_http *h)
{
	buf_free(&h->line);
	buf_free(&h->gathered);
	free(h->detail);
	*h = (struct client_http){0};
}

/* ---- Retry-After ---- */

int64_t client_http_retry_after_ms(const struct client_http *h, int64_t now_ms)
{
	int64_t from_s = h->answered_s >= 0 ? h->answered_s : now_ms / 1000, s = h->retry_after_s;

	if (s < 0 && h->retry_at_s >= 0)
		s = h->retry_at_s > from_s ? h->retry_at_s - from_s : 0;
	if (s < 0)
		return -1;
	return (s < RETRY_MAX_S ? s : RETRY_MAX_S) * 1000;
}

int64_t client_http_retry_value_ms(struct str value, int64_t answered_s, int64_t now_ms)
{
	struct client_http h = {.retry_after_s = -1, .retry_at_s = -1, .answered_s = answered_s};

	take_retry(&h, value);
	return client_http_retry_after_ms(&h, now_ms);
}
