/*
 * A board as lines: a title, the list (the execution that the cursor is in with its steps as a tree), below it what is
 * asked there, the log, and what the keys are for. On a low screen the log goes first, then the question, then all but
 * title, list and keys. Where the list goes on above or below what is seen of it, a line says how far, and whether
 * something failed or waits there.
 */
#include "cli/board_priv.h"

#include "base/clock.h"
#include "cli/print.h"
#include "sim/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	LINE_MAX_BYTES = 4096,
	STATE_COLUMNS = 12, /* of a column, with the space behind it */
	DONE_COLUMNS = 8,
	CLOCK_COLUMNS = 10,
	WAITS_COLUMNS = 10,
	WHO_COLUMNS = 14,
	PROGRESS_COLUMNS = 5,
	NARROWEST_NAME = 8,
	ALL_COLUMNS_FROM =
		56,      /* columns of a screen; on a narrower one only name, state and what it waits for stand */
	COSTS_FROM = 16, /* columns of a name that still has costs beside it */
	DEPTH_SHOWN = 8,
	COUNTS_FROM = 8, /* lines of a screen that has … */
	LOG_FROM = 14,
	LEAST_LIST = 4, /* lines that a question leaves to the list, unless it is being answered */
	HINTS_FROM = 3, /* lines of a list that says how it goes on */
};

enum style { STYLE_PLAIN, STYLE_TITLE, STYLE_ALARM, STYLE_GOOD, STYLE_BUSY, STYLE_FAINT, STYLE_CURSOR };

struct screen {
	const struct board *b;
	const struct board_look *look;
	struct buf *out;
	int lines; /* so far */
};

/* ---- lines ---- */

/* Control characters would move the cursor. */
static void put(struct screen *s, enum style style, struct str text)
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

static void put_buf(struct screen *s, enum style style, struct buf *text)
{
	put(s, style, buf_str(text));
	buf_free(text);
}

/* In so many columns, clean. */
static void cell(struct buf *b, struct str text, int columns)
{
	struct buf clean = BUF_INIT(LINE_MAX_BYTES);

	json_show_text(text, &clean);
	print_cell(b, buf_str(&clean), (size_t)columns - 1, false);
	buf_c(b, ' ');
	buf_free(&clean);
}

/* The left one gives way. */
static void put_ends(struct screen *s, enum style style, struct buf *left, struct buf *right)
{
	struct buf all = BUF_INIT(LINE_MAX_BYTES);
	int room = s->look->width - (int)print_columns(buf_str(right));

	if (room > NARROWEST_NAME)
		cell(&all, buf_str(left), room);
	buf_str_add(&all, buf_str(right));
	put_buf(s, style, &all);
	buf_free(left);
	buf_free(right);
}

static void time_of_day(struct buf *b, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format(ms, text);
	buf_fmt(b, "%.8s", text + 11);
}

static void span(struct buf *b, int64_t from_ms, int64_t until_ms)
{
	words_clock(b, until_ms > from_ms ? until_ms - from_ms : 0);
}

/* ---- the head ---- */

static void put_title(struct screen *s)
{
	const struct board *b = s->b;
	struct buf left = BUF_INIT(LINE_MAX_BYTES), right = BUF_INIT(LINE_MAX_BYTES);

	buf_z(&left, "tenfold");
	if (b->squad.n)
		buf_fmt(&left, "  squad %.*s  %s", STRF(b->squad), enum_squad_status.values[b->squad_status].text);
	if (b->cost[0])
		buf_fmt(&left, "  %s this month", b->cost);
	buf_z(&right, s->look->trouble[0] ? "CUT OFF  " : "live  ");
	time_of_day(&right, s->look->now_ms);
	put_ends(s, s->look->trouble[0] || b->squad_status != SQUAD_ACTIVE ? STYLE_ALARM : STYLE_TITLE, &left,
		 &right);
}

static void put_counts(struct screen *s)
{
	struct buf text = BUF_INIT(LINE_MAX_BYTES);
	unsigned standing[EXECUTION_CANCELLED + 1] = {0}, waiting = 0;

	for (size_t i = 0; i < s->b->all.n; i++) {
		standing[s->b->all.v[i]->state]++;
		waiting += board_waiting(s->b->all.v[i]);
	}
	for (int state = 0; state <= EXECUTION_CANCELLED; state++)
		if (standing[state])
			buf_fmt(&text, "%s%u %s", text.n ? "  " : "", standing[state],
				enum_execution_state.values[state].text);
	if (!text.n)
		buf_z(&text, "no executions yet");
	if (waiting)
		buf_fmt(&text, "   WAITING FOR YOU: %u", waiting);
	if (s->b->filter[0])
		buf_fmt(&text, "   filter: %s", s->b->filter);
	put_buf(s, waiting ? STYLE_ALARM : STYLE_PLAIN, &text);
}

/* ---- an execution ---- */

static enum style style_of(const struct board_execution *e)
{
	switch ((enum execution_state)e->state) {
	case EXECUTION_IN_PROGRESS:
	case EXECUTION_RETRYING:
		return STYLE_BUSY;
	case EXECUTION_BLOCKED:
	case EXECUTION_FAILED:
		return STYLE_ALARM;
	case EXECUTION_COMPLETED:
		return STYLE_GOOD;
	case EXECUTION_CANCELLED:
	case EXECUTION_PENDING:
		return STYLE_FAINT;
	case EXECUTION_QUEUED:
		return STYLE_PLAIN;
	}
	return STYLE_PLAIN;
}

static void add_done(struct buf *b, const struct board_execution *e)
{
	struct buf text = BUF_INIT(0);
	size_t done = 0;

	for (size_t i = 0; i < e->steps_count; i++)
		done += e->steps[i].state == STEP_COMPLETED;
	if (e->has_steps)
		buf_fmt(&text, "%zu/%zu", done, e->steps_count);
	cell(b, buf_str(&text), DONE_COLUMNS);
	buf_free(&text);
}

static void add_clock(const struct screen *s, struct buf *b, int64_t began_ms, int64_t ended_ms)
{
	struct buf text = BUF_INIT(0);

	if (began_ms)
		span(&text, began_ms, ended_ms ? ended_ms : s->look->now_ms);
	cell(b, buf_str(&text), CLOCK_COLUMNS);
	buf_free(&text);
}

static const char *waits_for(const struct board_execution *e)
{
	if (e->paused)
		return "paused";
	return e->block == BLOCK_NONE ? "" : enum_execution_block.values[e->block].text;
}

static bool has_all_columns(const struct screen *s)
{
	return s->look->width >= ALL_COLUMNS_FROM;
}

static int name_columns(const struct screen *s, int others)
{
	int room = s->look->width - others;

	return room < NARROWEST_NAME ? NARROWEST_NAME : room;
}

/* As wide as the widest there is, where the names leave room for it; else 0. */
static int cost_columns(const struct screen *s, int others)
{
	size_t widest = 0;

	for (size_t i = 0; i < s->b->all.n; i++) {
		size_t n = strlen(s->b->all.v[i]->cost);

		widest = n > widest ? n : widest;
	}
	return widest && s->look->width - others - (int)widest - 1 >= COSTS_FROM ? (int)widest + 1 : 0;
}

static void put_execution(struct screen *s, const struct board_execution *e, bool cursor)
{
	struct buf b = BUF_INIT(LINE_MAX_BYTES);
	bool all = has_all_columns(s);
	int others = 2 + STATE_COLUMNS + WAITS_COLUMNS + (all ? DONE_COLUMNS + CLOCK_COLUMNS : 0);
	int costs = cost_columns(s, others);

	buf_z(&b, cursor ? "> " : "  ");
	cell(&b, str_of(enum_execution_state.values[e->state].text), STATE_COLUMNS);
	cell(&b, e->name.n ? e->name : STR("..."), name_columns(s, others + costs));
	if (all) {
		add_done(&b, e);
		add_clock(s, &b, e->started_ms, e->finished_ms);
	}
	if (costs)
		cell(&b, str_of(e->cost), costs);
	buf_z(&b, waits_for(e));
	put_buf(s, cursor ? STYLE_CURSOR : style_of(e), &b);
}

/* ---- a step ---- */

static const struct look_of_step {
	const char *mark;
	enum style style;
} looks_of_steps[] = {
	[STEP_PENDING] = {".", STYLE_FAINT},   [STEP_READY] = {"o", STYLE_PLAIN},
	[STEP_RUNNING] = {"*", STYLE_BUSY},    [STEP_WAITING] = {"?", STYLE_ALARM},
	[STEP_COMPLETED] = {"+", STYLE_GOOD},  [STEP_FAILED] = {"x", STYLE_ALARM},
	[STEP_CANCELLED] = {"-", STYLE_FAINT},
};

static void add_branches(struct buf *b, const struct board_step *s)
{
	unsigned depth = s->depth < DEPTH_SHOWN ? s->depth : DEPTH_SHOWN;

	for (unsigned d = 1; d < depth; d++)
		buf_z(b, s->more_below >> d & 1 ? "|  " : "   ");
	if (depth)
		buf_z(b, s->depth < 64 && s->more_below >> s->depth & 1 ? "|- " : "`- ");
}

static void add_name(struct buf *b, const struct board_step *s, int columns)
{
	struct buf text = BUF_INIT(LINE_MAX_BYTES);

	add_branches(&text, s);
	buf_fmt(&text, "%s %.*s", looks_of_steps[s->state].mark, STRF(s->name));
	if (s->needs_count > 1)
		buf_fmt(&text, " (needs %zu)", s->needs_count);
	cell(b, buf_str(&text), columns);
	buf_free(&text);
}

static void add_progress(struct buf *b, const struct board_step *s)
{
	struct buf text = BUF_INIT(0);

	if (s->state == STEP_RUNNING && s->progress)
		buf_fmt(&text, "%" PRId64 "%%", s->progress);
	cell(b, buf_str(&text), PROGRESS_COLUMNS);
	buf_free(&text);
}

static struct str who(const struct screen *s, const struct board_step *step)
{
	bool taken = step->state == STEP_RUNNING || step->state == STEP_COMPLETED || step->state == STEP_FAILED;

	return taken && step->agent.n ? step->agent : board_member(s->b, step->member);
}

static const char *state_word(const struct board_execution *e, const struct board_step *s)
{
	if (board_waits_for_approval(s))
		return "approve?";
	if (board_asks(s))
		return board_waits_for_person(e, s) ? "answer?" : "asks";
	return enum_step_state.values[s->state].text;
}

static void put_step(struct screen *s, const struct board_row *row, bool cursor)
{
	const struct board_step *step = row->step;
	struct buf b = BUF_INIT(LINE_MAX_BYTES);
	bool all = has_all_columns(s);
	int others = 4 + STATE_COLUMNS + PROGRESS_COLUMNS + (all ? WHO_COLUMNS + CLOCK_COLUMNS : 0);

	buf_z(&b, cursor ? ">   " : "    ");
	add_name(&b, step, name_columns(s, others));
	cell(&b, str_of(state_word(row->execution, step)), STATE_COLUMNS);
	add_progress(&b, step);
	if (all) {
		cell(&b, who(s, step), WHO_COLUMNS);
		add_clock(s, &b, step->started_ms, step->finished_ms);
	}
	put_buf(s, cursor ? STYLE_CURSOR : looks_of_steps[step->state].style, &b);
}

/* ---- the list ---- */

/* What is not seen of the list, from one row up to another. */
static void put_hint(struct screen *s, const struct board_rows *rows, size_t from, size_t until, const char *where)
{
	struct buf b = BUF_INIT(LINE_MAX_BYTES);
	unsigned failed = 0, waiting = 0;

	for (size_t i = from; i < until; i++) {
		const struct board_row *row = &rows->list.v[i];

		failed += !row->step && row->execution->state == EXECUTION_FAILED;
		waiting += row->step ? board_waits_for_person(row->execution, row->step)
				     : !board_is_open(s->b, row->execution) && board_waiting(row->execution) > 0;
	}
	buf_fmt(&b, "  ... %zu more %s", until - from, where);
	if (failed)
		buf_fmt(&b, ", %u failed", failed);
	if (waiting)
		buf_fmt(&b, ", %u waiting for you", waiting);
	put_buf(s, failed || waiting ? STYLE_ALARM : STYLE_FAINT, &b);
}

static void put_row(struct screen *s, const struct board_rows *rows, size_t i)
{
	const struct board_row *row = i < rows->list.n ? &rows->list.v[i] : NULL;

	if (!row)
		put(s, STYLE_PLAIN, (struct str){0});
	else if (row->step)
		put_step(s, row, i == rows->cursor);
	else
		put_execution(s, row->execution, i == rows->cursor);
}

/* The cursor in the middle, as far as there are rows. */
static size_t top_row(const struct board_rows *rows, size_t room)
{
	size_t top = rows->cursor > room / 2 ? rows->cursor - room / 2 : 0;

	if (rows->list.n <= room)
		return 0;
	return top > rows->list.n - room ? rows->list.n - room : top;
}

static void put_list(struct screen *s, int height)
{
	struct board_rows rows;
	size_t top, n, room = height > 0 ? (size_t)height : 0;

	board_rows(s->b, &rows);
	n = rows.list.n;
	top = top_row(&rows, room);
	for (size_t i = top; i < top + room; i++)
		if (i == top && top > 0 && room >= HINTS_FROM)
			put_hint(s, &rows, 0, top + 1, "above");
		else if (i + 1 == top + room && i + 1 < n && room >= HINTS_FROM)
			put_hint(s, &rows, i, n, "below");
		else
			put_row(s, &rows, i);
	board_rows_free(&rows);
}

/* ---- what is asked ---- */

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
		struct buf clean = BUF_INIT(LINE_MAX_BYTES);
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

/* How a line with a rule behind it ends. */
static void put_rule(struct screen *s, enum style style, struct buf *head)
{
	buf_c(head, ' ');
	for (int i = (int)print_columns(buf_str(head)); i < s->look->width; i++)
		buf_c(head, '-');
	put_buf(s, style, head);
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
		span(&head, s->look->now_ms, q->due_ms);
	}
	put_rule(s, q->role < 0 ? STYLE_ALARM : STYLE_FAINT, &head);
}

static void put_lines(struct screen *s, struct str lines, int most)
{
	for (int i = 1; lines.n; i++) {
		struct buf line = BUF_INIT(LINE_MAX_BYTES);

		buf_str_add(&line, str_cut(lines, '\n', &lines));
		if (i == most && lines.n)
			buf_z(&line, " …");
		put_buf(s, STYLE_PLAIN, &line);
		if (i == most)
			return;
	}
}

/* The question, in as much of `room` as it takes and the list can spare. */
static void put_list_and_question(struct screen *s, int room)
{
	const struct board_question *q = board_question_here(s->b);
	bool is_answered = s->b->mode == MODE_WRITE && s->b->draft.does == BOARD_ANSWER;
	struct buf text = BUF_INIT(LINE_MAX_BYTES);
	int height = 0, most = room - (is_answered ? 1 : LEAST_LIST);

	if (q)
		height = 1 + wrap(str_of(q->text), (size_t)s->look->width, &text);
	height = height < most ? height : most;
	height = height < 2 ? 0 : height;
	put_list(s, room - height);
	if (height) {
		put_who_is_asked(s, q);
		put_lines(s, buf_str(&text), height - 1);
	}
	buf_free(&text);
}

/* ---- the log ---- */

static bool is_shown(const struct screen *s, const struct board_line *l)
{
	return s->b->all_lines || l->execution == board_chosen(s->b);
}

/* Where the last `count` lines that are shown begin. */
static size_t log_from(const struct screen *s, int count)
{
	size_t i = s->b->line_count;

	while (i > 0 && count > 0)
		count -= is_shown(s, board_line(s->b, --i));
	return i;
}

static void put_log_line(struct screen *s, const struct board_line *l)
{
	const struct board_execution *e = s->b->all_lines ? board_find(s->b, l->execution) : NULL;
	struct buf b = BUF_INIT(LINE_MAX_BYTES);

	time_of_day(&b, l->at_ms);
	buf_c(&b, ' ');
	if (e)
		buf_fmt(&b, "%.*s | ", STRF(e->name));
	if (l->step)
		buf_fmt(&b, "%.*s: ", STRF(board_step_name(s->b, l->execution, l->step)));
	buf_z(&b, l->text);
	put_buf(s, STYLE_PLAIN, &b);
}

static void put_log(struct screen *s, int height)
{
	const struct board_execution *e = board_find(s->b, board_chosen(s->b));
	struct buf head = BUF_INIT(LINE_MAX_BYTES);
	int until = s->lines + height;

	buf_z(&head, "-- ");
	buf_str_add(&head, s->b->all_lines || !e ? STR("all executions") : e->name);
	put_rule(s, STYLE_FAINT, &head);
	for (size_t i = log_from(s, height - 1); i < s->b->line_count; i++)
		if (is_shown(s, board_line(s->b, i)))
			put_log_line(s, board_line(s->b, i));
	while (s->lines < until && s->lines < s->look->height)
		put(s, STYLE_PLAIN, (struct str){0});
}

/* ---- the foot ---- */

/* Where one writes: the end of the text is always seen, and the label gives way. */
static void put_writing(struct screen *s, struct buf *label, const char *text)
{
	struct buf line = BUF_INIT(LINE_MAX_BYTES), clean = BUF_INIT(2 * BOARD_TEXT);
	size_t width = (size_t)s->look->width - 1, columns = print_columns(buf_str(label)), skipped;
	struct str shown;

	json_show_text(str_of(text), &clean);
	shown = buf_str(&clean);
	if (columns + print_columns(shown) > width && columns > width / 2)
		columns = width / 2;
	print_cell(&line, buf_str(label), columns, true);
	if (print_columns(shown) > width - columns) {
		skipped = print_fits(shown, print_columns(shown) - (width - columns) + 1);
		buf_z(&line, "…");
		shown = (struct str){shown.p + skipped, shown.n - skipped};
	}
	buf_str_add(&line, shown);
	buf_c(&line, '_');
	put_buf(s, STYLE_ALARM, &line);
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
	put_buf(s, STYLE_ALARM, &text);
}

static const char *news(const struct screen *s)
{
	return s->look->now_ms - s->b->news_ms < BOARD_NEWS_MS ? s->b->news : "";
}

static void put_prompt(struct screen *s)
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
		put(s, STYLE_PLAIN, str_of(s->look->trouble[0] ? s->look->trouble : news(s)));
		return;
	}
}

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

static void put_keys(struct screen *s)
{
	struct buf keys = BUF_INIT(LINE_MAX_BYTES);
	bool is_written = s->b->mode == MODE_WRITE;

	if (!s->look->has_keys)
		buf_z(&keys, "no keys: standard input is no terminal");
	else if (is_written)
		buf_z(&keys, news(s)[0] ? news(s) : "Enter sends it  Escape leaves it");
	else
		add_keys(s, &keys);
	put_buf(s, is_written && news(s)[0] ? STYLE_ALARM : STYLE_FAINT, &keys);
}

/* ---- help ---- */

static void put_help(struct screen *s)
{
	static const char *const lines[] = {
		"arrows, j, k   move: the execution under the cursor shows its steps",
		"a, r           approve or reject what waits for it; a note is asked for",
		"w              write the answer to what a step asks",
		"c              cancel the execution, after a question",
		"p              pause the execution, or let it go on",
		"P              pause the squad, or let it go on",
		"f, /           show only executions with some text in name or state",
		"l              the log of all executions, and back",
		"q              quit; the squad goes on",
		"",
		"steps: . pending  o ready  * running  ? waits  + completed  x failed",
		"       - cancelled; below a step stands what needs it",
	};

	put(s, STYLE_TITLE, STR("tenfold squad watch"));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]) && s->lines < s->look->height - 1; i++)
		put(s, STYLE_PLAIN, str_of(lines[i]));
	put(s, STYLE_FAINT, STR("any key leads back"));
}

/* ---- together ---- */

static void put_board(struct screen *s)
{
	int height = s->look->height, foot = height >= COUNTS_FROM || s->b->mode != MODE_LOOK ? 2 : 1;
	int log = height >= LOG_FROM ? height / 3 : 0;

	if (height > 1)
		put_title(s);
	if (height >= COUNTS_FROM)
		put_counts(s);
	put_list_and_question(s, height - s->lines - log - foot);
	if (log)
		put_log(s, log);
	if (foot == 2)
		put_prompt(s);
	put_keys(s);
}

void board_draw(const struct board *b, const struct board_look *look, struct buf *out)
{
	struct screen s = {b, look, out, 0};

	if (b->mode == MODE_HELP)
		put_help(&s);
	else
		put_board(&s);
}
