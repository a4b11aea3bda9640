/* See board_screen.h. */
#include "cli/board_screen.h"

#include "base/clock.h"
#include "sim/words.h"

void screen_put(struct screen *s, enum style style, struct str text)
{
	static const char *const colours[] = {
		[STYLE_PLAIN] = "",        [STYLE_TITLE] = "\x1b[1m", [STYLE_ALARM] = "\x1b[1;33m",
		[STYLE_GOOD] = "\x1b[32m", [STYLE_BUSY] = "\x1b[36m", [STYLE_FAINT] = "\x1b[2m",
		[STYLE_CURSOR] = "\x1b[7m"};
	bool coloured = s->look->colours && style != STYLE_PLAIN;
	struct buf shown = BUF_INIT(LINE_MAX_BYTES);

	if (s->lines == s->look->height)
		return;
	while (text.n && text.p[text.n - 1] == ' ')
		text.n--;
	buf_z(s->out, s->lines++ ? "\n" : "");
	json_show_text(text, &shown);
	buf_z(s->out, coloured ? colours[style] : "");
	print_cell(s->out, buf_str(&shown), (size_t)s->look->width, true);
	buf_z(s->out, coloured ? "\x1b[0m" : "");
	buf_free(&shown);
}

void screen_put_buf(struct screen *s, enum style style, struct buf *text)
{
	screen_put(s, style, buf_str(text));
	buf_free(text);
}

void screen_cell(struct buf *b, struct str text, int columns)
{
	struct buf clean = BUF_INIT(LINE_MAX_BYTES);

	json_show_text(text, &clean);
	print_cell(b, buf_str(&clean), (size_t)columns - 1, false);
	buf_c(b, ' ');
	buf_free(&clean);
}

void screen_put_ends(struct screen *s, enum style style, struct buf *left, struct buf *right)
{
	struct buf all = BUF_INIT(LINE_MAX_BYTES);
	int room = s->look->width - (int)print_columns(buf_str(right));

	if (room > NARROWEST_NAME)
		screen_cell(&all, buf_str(left), room);
	buf_str_add(&all, buf_str(right));
	screen_put_buf(s, style, &all);
	buf_free(left);
	buf_free(right);
}

void screen_put_rule(struct screen *s, enum style style, struct buf *head)
{
	buf_c(head, ' ');
	for (int i = (int)print_columns(buf_str(head)); i < s->look->width; i++)
		buf_c(head, '-');
	screen_put_buf(s, style, head);
}

void screen_time(struct buf *b, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format(ms, text);
	buf_fmt(b, "%.8s", text + 11);
}

void screen_span(struct buf *b, int64_t from_ms, int64_t until_ms)
{
	words_clock(b, until_ms > from_ms ? until_ms - from_ms : 0);
}
