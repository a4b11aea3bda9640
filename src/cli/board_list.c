/*
 * The list of a board: executions, live ones first, and the steps of the one that the cursor is in as a tree. Where it
 * goes on above or below what is seen of it, a line says how far, and whether something failed or waits there. On a
 * narrow screen only name, state and what it waits for stand.
 */
#include "cli/board_screen.h"

#include <inttypes.h>
#include <string.h>

enum {
	STATE_COLUMNS = 12, /* of a column, with the space behind it */
	DONE_COLUMNS = 8,
	CLOCK_COLUMNS = 10,
	WAITS_COLUMNS = 10,
	WHO_COLUMNS = 14,
	PROGRESS_COLUMNS = 5,
	ALL_COLUMNS_FROM = 56, /* columns of a screen */
	COSTS_FROM = 16,       /* columns of a name that still has costs beside it */
	DEPTH_SHOWN = 8,
	HINTS_FROM = 3, /* lines of a list that says how it goes on */
};

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
	screen_cell(b, buf_str(&text), DONE_COLUMNS);
	buf_free(&text);
}

static void add_clock(const struct screen *s, struct buf *b, int64_t began_ms, int64_t ended_ms)
{
	struct buf text = BUF_INIT(0);

	if (began_ms)
		screen_span(&text, began_ms, ended_ms ? ended_ms : s->look->now_ms);
	screen_cell(b, buf_str(&text), CLOCK_COLUMNS);
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
	screen_cell(&b, str_of(enum_execution_state.values[e->state].text), STATE_COLUMNS);
	screen_cell(&b, e->name.n ? e->name : STR("..."), name_columns(s, others + costs));
	if (all) {
		add_done(&b, e);
		add_clock(s, &b, e->started_ms, e->finished_ms);
	}
	if (costs)
		screen_cell(&b, str_of(e->cost), costs);
	buf_z(&b, waits_for(e));
	screen_put_buf(s, cursor ? STYLE_CURSOR : style_of(e), &b);
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
	screen_cell(b, buf_str(&text), columns);
	buf_free(&text);
}

static void add_progress(struct buf *b, const struct board_step *s)
{
	struct buf text = BUF_INIT(0);

	if (s->state == STEP_RUNNING && s->progress)
		buf_fmt(&text, "%" PRId64 "%%", s->progress);
	screen_cell(b, buf_str(&text), PROGRESS_COLUMNS);
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
	screen_cell(&b, str_of(state_word(row->execution, step)), STATE_COLUMNS);
	add_progress(&b, step);
	if (all) {
		screen_cell(&b, who(s, step), WHO_COLUMNS);
		add_clock(s, &b, step->started_ms, step->finished_ms);
	}
	screen_put_buf(s, cursor ? STYLE_CURSOR : looks_of_steps[step->state].style, &b);
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
	screen_put_buf(s, failed || waiting ? STYLE_ALARM : STYLE_FAINT, &b);
}

static void put_row(struct screen *s, const struct board_rows *rows, size_t i)
{
	const struct board_row *row = i < rows->list.n ? &rows->list.v[i] : NULL;

	if (!row)
		screen_put(s, STYLE_PLAIN, (struct str){0});
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

void board_put_list(struct screen *s, int height)
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
