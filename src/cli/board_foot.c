/* The last two lines of a board: what is written, asked or said, and the keys that do something here. */
#include "cli/board_screen.h"

#include <string.h>

/* ---- what is written, asked or said ---- */

/* The last characters of a text, in no more than so many columns. */
static struct str tail(struct str text, size_t columns)
{
	size_t has = print_columns(text), skipped = has > columns ? print_fits(text, has - columns) : 0;
	struct str end = {text.p + skipped, text.n - skipped};

	while (print_columns(end) > columns) {
		size_t step = str_utf8_step(end);

		end = (struct str){end.p + step, end.n - step};
	}
	return end;
}

/* Where one writes: the end of the text is always seen, and the label gives way. */
static void put_writing(struct screen *s, struct buf *label, const char *text)
{
	struct buf line = BUF_INIT(LINE_MAX_BYTES), clean = BUF_INIT(0);
	size_t width = (size_t)s->look->width - 1, of_label = print_columns(buf_str(label)), of_text;

	json_show_text(str_of(text), &clean);
	of_text = print_columns(buf_str(&clean));
	if (of_label + of_text > width && of_label > width / 2)
		of_label = width / 2;
	print_cell(&line, buf_str(label), of_label, true);
	if (of_text > width - of_label && width > of_label) {
		buf_z(&line, "…");
		buf_str_add(&line, tail(buf_str(&clean), width - of_label - 1));
	} else {
		buf_str_add(&line, buf_str(&clean));
	}
	buf_c(&line, '_');
	screen_put_buf(s, STYLE_ALARM, &line);
	buf_free(label);
	buf_free(&clean);
}

static void put_draft(struct screen *s)
{
	const struct board_action *draft = &s->b->draft;
	const struct board_execution *e = board_find(s->b, draft->execution);
	struct str step = board_step_name(s->b, draft->execution, draft->step);
	struct buf label = BUF_INIT(LINE_MAX_BYTES);

	if (draft->does == BOARD_ANSWER)
		buf_fmt(&label, "Answer %.*s: ", STRF(step));
	else
		buf_fmt(&label, "%s %.*s of %.*s; note (may be empty): ",
			draft->does == BOARD_APPROVE ? "Approve" : "Reject", STRF(step),
			STRF(e ? e->name : STR("")));
	put_writing(s, &label, draft->text);
}

static void put_filter(struct screen *s)
{
	struct buf label = BUF_INIT(LINE_MAX_BYTES);

	buf_z(&label, "Only those with (Enter keeps it, Escape shows all): ");
	put_writing(s, &label, s->b->filter);
}

static void put_cancel(struct screen *s)
{
	const struct board_execution *e = board_find(s->b, s->b->to_cancel);
	struct buf text = BUF_INIT(LINE_MAX_BYTES);

	buf_fmt(&text, "Cancel %.*s? y cancels, any other key does not", STRF(e ? e->name : STR("")));
	screen_put_buf(s, STYLE_ALARM, &text);
}

static const char *news(const struct screen *s)
{
	return s->look->now_ms - s->b->news_ms < BOARD_NEWS_MS ? s->b->news : "";
}

void board_put_prompt(struct screen *s)
{
	switch (s->b->mode) {
	case MODE_WRITE:
		put_draft(s);
		return;
	case MODE_CANCEL:
		put_cancel(s);
		return;
	case MODE_FILTER:
		put_filter(s);
		return;
	case MODE_LOOK:
	case MODE_HELP:
		screen_put(s, STYLE_PLAIN, str_of(s->look->trouble[0] ? s->look->trouble : news(s)));
		return;
	}
}

/* ---- keys ---- */

static bool has_approval(const struct board *b)
{
	const struct board_execution *e = board_find(b, board_chosen(b));

	for (size_t i = 0; e && i < e->steps_count; i++)
		if (board_waits_for_approval(&e->steps[i]))
			return true;
	return false;
}

/* As many as there is room for; the last two always. */
static void add_keys(const struct screen *s, struct buf *b)
{
	const char *last = "? help  q quit";
	const struct {
		const char *text;
		bool is_there;
	} keys[] = {
		{"a approve  r reject  ", has_approval(s->b)},
		{"w answer  ", board_question_here(s->b) != NULL},
		{"c cancel  ", true},
		{"p pause  ", true},
		{"P squad  ", true},
		{"f filter  ", true},
		{"l log  ", true},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].is_there && b->n + strlen(keys[i].text) + strlen(last) <= (size_t)s->look->width)
			buf_z(b, keys[i].text);
	buf_z(b, last);
}

void board_put_keys(struct screen *s)
{
	struct buf keys = BUF_INIT(LINE_MAX_BYTES);
	bool is_written = s->b->mode == MODE_WRITE;

	if (!s->look->has_keys)
		buf_z(&keys, "no keys: standard input is no terminal");
	else if (is_written)
		buf_z(&keys, news(s)[0] ? news(s) : "Enter sends it  Escape leaves it");
	else
		add_keys(s, &keys);
	screen_put_buf(s, is_written && news(s)[0] ? STYLE_ALARM : STYLE_FAINT, &keys);
}
