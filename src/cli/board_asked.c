/* What is asked where the cursor is: who asks whom, until when, and the question in lines. */
#include "cli/board_screen.h"

#include <inttypes.h>

enum {
	WRAPPED_MAX = 1 << 16,
	LEAST_LIST = 4, /* lines that a question leaves to the list, unless it is being answered */
};

/* What of a paragraph fits into a line: whole words, unless the first is too long. Never nothing. */
static size_t line_bytes(struct str text, size_t columns)
{
	size_t fits = print_fits(text, columns), end = fits;

	if (fits == text.n)
		return fits;
	while (end > 0 && text.p[end] != ' ')
		end--;
	if (end > 0)
		return end;
	return fits ? fits : str_utf8_step(text);
}

/* Into lines with '\n' behind each; how many. */
static int wrap(struct str text, size_t columns, struct buf *out)
{
	struct str rest = text;
	int lines = 0;

	while (rest.n) {
		struct buf clean = BUF_INIT(WRAPPED_MAX);
		struct str line;

		json_show_text(str_trim(str_cut(rest, '\n', &rest)), &clean);
		for (line = buf_str(&clean); line.n; lines++) {
			size_t n = line_bytes(line, columns);

			buf_add(out, line.p, n);
			buf_c(out, '\n');
			line = str_trim((struct str){line.p + n, line.n - n});
		}
		buf_free(&clean);
	}
	return lines;
}

static void put_who_is_asked(struct screen *s, const struct board_question *q)
{
	struct buf head = BUF_INIT(LINE_MAX_BYTES);
	struct str member = board_member(s->b, q->member);

	buf_fmt(&head, "-- %.*s asks ", STRF(board_step_name(s->b, board_chosen(s->b), q->step)));
	if (member.n)
		buf_fmt(&head, "%.*s, ", STRF(member));
	buf_fmt(&head, "%s, level %" PRId64, q->role < 0 ? "a person" : enum_member_role.values[q->role].text,
		q->level);
	if (q->due_ms) {
		buf_z(&head, ", moves on in ");
		screen_span(&head, s->look->now_ms, q->due_ms);
	}
	screen_put_rule(s, q->role < 0 ? STYLE_ALARM : STYLE_FAINT, &head);
}

static void put_lines(struct screen *s, struct str lines, int most)
{
	for (int i = 1; lines.n; i++) {
		struct buf line = BUF_INIT(LINE_MAX_BYTES);

		buf_str_add(&line, str_cut(lines, '\n', &lines));
		if (i == most && lines.n)
			buf_z(&line, " …");
		screen_put_buf(s, STYLE_PLAIN, &line);
		if (i == most)
			return;
	}
}

void board_put_list_and_question(struct screen *s, int room)
{
	const struct board_question *q = board_question_here(s->b);
	bool is_answered = s->b->mode == MODE_WRITE && s->b->draft.does == BOARD_ANSWER;
	struct buf text = BUF_INIT(WRAPPED_MAX);
	int height = 0, most = room - (is_answered ? 1 : LEAST_LIST);

	if (q)
		height = 1 + wrap(str_of(q->text), (size_t)s->look->width, &text);
	height = height < most ? height : most;
	height = height < 2 ? 0 : height;
	board_put_list(s, room - height);
	if (height) {
		put_who_is_asked(s, q);
		put_lines(s, buf_str(&text), height - 1);
	}
	buf_free(&text);
}
