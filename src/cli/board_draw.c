/*
 * A board as lines: a title, the list (the execution that the cursor is in with its steps as a tree), the log below it,
 * and what the keys are for. On a low screen the log goes first, then all but title, list and keys.
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
	DEPTH_SHOWN = 8,
	COUNTS_FROM = 8, /* lines of a screen that has … */
	LOG_FROM = 14,
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
	buf_z(&right, s->look->trouble[0] ? "CUT OFF  " : "live  ");
	time_of_day(&right, s->look->now_ms);
	put_ends(s, s->look->trouble[0] || b->squad_status != SQUAD_ACTIVE ? STYLE_ALARM : STYLE_TITLE, &left,
		 &right);
}

static unsigned waiting_for_person(const struct board_execution *e)
{
	unsigned n = 0;

	for (size_t i = 0; i < e->steps_count; i++)
		n += board_waits_for_person(&e->steps[i]);
	return n + (e->block == BLOCK_QUESTION);
}

static void put_counts(struct screen *s)
{
	struct buf text = BUF_INIT(LINE_MAX_BYTES);
	unsigned standing[EXECUTION_CANCELLED + 1] = {0}, waiting = 0;

	for (size_t i = 0; i < s->b->all.n; i++) {
		standing[s->b->all.v[i]->state]++;
		waiting += waiting_for_person(s->b->all.v[i]);
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

static int name_columns(const struct screen *s, int others)
{
	int room = s->look->width - others;

	return room < NARROWEST_NAME ? NARROWEST_NAME : room;
}

static void put_execution(struct screen *s, const struct board_execution *e, bool cursor)
{
	struct buf b = BUF_INIT(LINE_MAX_BYTES);

	buf_z(&b, cursor ? "> " : "  ");
	cell(&b, str_of(enum_execution_state.values[e->state].text), STATE_COLUMNS);
	cell(&b, e->name.n ? e->name : STR("..."),
	     name_columns(s, 2 + STATE_COLUMNS + DONE_COLUMNS + CLOCK_COLUMNS + WAITS_COLUMNS));
	add_done(&b, e);
	add_clock(s, &b, e->started_ms, e->finished_ms);
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

static const char *state_word(const struct board_step *s)
{
	return board_waits_for_person(s) ? "approve?" : enum_step_state.values[s->state].text;
}

static void put_step(struct screen *s, const struct board_step *step, bool cursor)
{
	struct buf b = BUF_INIT(LINE_MAX_BYTES);

	buf_z(&b, cursor ? ">   " : "    ");
	add_name(&b, step, name_columns(s, 4 + STATE_COLUMNS + PROGRESS_COLUMNS + WHO_COLUMNS + CLOCK_COLUMNS));
	cell(&b, str_of(state_word(step)), STATE_COLUMNS);
	add_progress(&b, step);
	cell(&b, who(s, step), WHO_COLUMNS);
	add_clock(s, &b, step->started_ms, step->finished_ms);
	put_buf(s, cursor ? STYLE_CURSOR : looks_of_steps[step->state].style, &b);
}

/* ---- the list ---- */

static void put_list(struct screen *s, int height)
{
	struct board_rows rows;
	size_t top = 0, room = height > 0 ? (size_t)height : 0;

	board_rows(s->b, &rows);
	if (rows.list.n > room && rows.cursor > room / 2)
		top = rows.cursor - room / 2;
	if (rows.list.n > room && top > rows.list.n - room)
		top = rows.list.n - room;
	for (size_t i = top; i < top + room; i++) {
		const struct board_row *row = i < rows.list.n ? &rows.list.v[i] : NULL;

		if (!row)
			put(s, STYLE_PLAIN, (struct str){0});
		else if (row->step)
			put_step(s, row->step, i == rows.cursor);
		else
			put_execution(s, row->execution, i == rows.cursor);
	}
	board_rows_free(&rows);
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
	buf_c(&head, ' ');
	for (int i = (int)print_columns(buf_str(&head)); i < s->look->width; i++)
		buf_c(&head, '-');
	put_buf(s, STYLE_FAINT, &head);
	for (size_t i = log_from(s, height - 1); i < s->b->line_count; i++)
		if (is_shown(s, board_line(s->b, i)))
			put_log_line(s, board_line(s->b, i));
	while (s->lines < until && s->lines < s->look->height)
		put(s, STYLE_PLAIN, (struct str){0});
}

/* ---- the foot ---- */

static void put_prompt(struct screen *s)
{
	const struct board *b = s->b;
	const struct board_execution *e = board_find(b, b->asked.execution);
	struct str execution = e ? e->name : (struct str){0};
	struct str step = board_step_name(b, b->asked.execution, b->asked.step);
	struct buf text = BUF_INIT(LINE_MAX_BYTES);

	switch (b->mode) {
	case MODE_NOTE:
		buf_fmt(&text, "%s %.*s of %.*s; note (may be empty): %s_",
			b->asked.does == BOARD_APPROVE ? "Approve" : "Reject", STRF(step), STRF(execution),
			b->asked.text);
		break;
	case MODE_CANCEL:
		buf_fmt(&text, "Cancel %.*s? y cancels, any other key does not", STRF(execution));
		break;
	case MODE_FILTER:
		buf_fmt(&text, "Only those with (Enter keeps it, Escape shows all): %s_", b->filter);
		break;
	case MODE_LOOK:
	case MODE_HELP:
		buf_z(&text, s->look->trouble[0] ? s->look->trouble : s->look->news);
		break;
	}
	put_buf(s, b->mode == MODE_LOOK ? STYLE_PLAIN : STYLE_ALARM, &text);
}

static void put_keys(struct screen *s)
{
	const char *keys = "a approve  r reject  c cancel  p pause  P squad  f filter  l log  ? help  q quit";

	if (!s->look->has_keys)
		keys = "no keys: standard input is no terminal";
	else if (s->b->mode == MODE_NOTE)
		keys = "Enter sends it  Escape leaves it";
	else if (s->look->width < (int)strlen(keys))
		keys = "? help  q quit";
	put(s, STYLE_FAINT, str_of(keys));
}

/* ---- help ---- */

static void put_help(struct screen *s)
{
	static const char *const lines[] = {
		"arrows, j, k   move: the execution under the cursor shows its steps",
		"a, r           approve or reject what waits for it; a note is asked for",
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
	put_list(s, height - s->lines - log - foot);
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
