/*
 * Lines end in LF, CR or CR LF. A line is a field; an empty one ends the event, which counts if it has data.
 */
#include "cli/sse.h"

#include <string.h>

static void add_bounded(struct sse *s, struct buf *b, struct str text)
{
	if (text.n > SSE_EVENT_MAX - b->n)
		s->too_long = true;
	else
		buf_str_add(b, text);
}

static void set(struct buf *b, struct str text)
{
	buf_reset(b);
	buf_str_add(b, text);
}

static void end_event(struct sse *s, sse_event_fn *fn, void *ctx)
{
	struct sse_event e = {.name = s->name.n ? buf_str(&s->name) : STR("message"), .id = buf_str(&s->id)};

	/* Each line of data has added a line feed; the last one is none of the text. */
	if (s->data.n && !s->too_long) {
		e.data = (struct str){s->data.p, s->data.n - 1};
		fn(ctx, &e);
	}
	buf_reset(&s->name);
	buf_reset(&s->data);
	s->too_long = false;
}

static void take_field(struct sse *s, struct str line)
{
	struct str value, name = str_cut(line, ':', &value);

	if (value.n && value.p[0] == ' ')
		value = (struct str){value.p + 1, value.n - 1};
	if (str_eqz(name, "event")) {
		set(&s->name, value);
	} else if (str_eqz(name, "data")) {
		add_bounded(s, &s->data, value);
		add_bounded(s, &s->data, STR("\n"));
	} else if (str_eqz(name, "id") && !(value.n && memchr(value.p, '\0', value.n))) {
		set(&s->id, value);
	}
}

static void end_line(struct sse *s, sse_event_fn *fn, void *ctx)
{
	if (s->line.n == 0)
		end_event(s, fn, ctx);
	else
		take_field(s, buf_str(&s->line));
	buf_reset(&s->line);
}

/* Bytes up to the end of the line. */
static size_t run(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != '\n' && s.p[n] != '\r')
		n++;
	return n;
}

void sse_feed(struct sse *s, struct str bytes, sse_event_fn *fn, void *ctx)
{
	while (bytes.n) {
		size_t n = run(bytes);

		if (s->after_cr && bytes.p[0] == '\n') {
			s->after_cr = false;
			bytes = (struct str){bytes.p + 1, bytes.n - 1};
			continue;
		}
		s->after_cr = false;
		add_bounded(s, &s->line, (struct str){bytes.p, n});
		if (n == bytes.n)
			return;
		s->after_cr = bytes.p[n] == '\r';
		bytes = (struct str){bytes.p + n + 1, bytes.n - n - 1};
		end_line(s, fn, ctx);
	}
}

void sse_restart(struct sse *s)
{
	buf_reset(&s->line);
	buf_reset(&s->name);
	buf_reset(&s->data);
	s->after_cr = s->too_long = false;
}

void sse_free(struct sse *s)
{
	buf_free(&s->line);
	buf_free(&s->name);
	buf_free(&s->data);
	buf_free(&s->id);
}
