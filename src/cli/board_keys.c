/*
 * Keys: the cursor, and what is asked for. The cursor is the ids of what it stands on, so it stays there when lines
 * come and go.
 *
 *   LOOK ──a, r──► NOTE ──Enter──► approve, reject        LOOK ──c──► CANCEL ──y──► cancel
 *   LOOK ──f─────► FILTER ──Enter──► LOOK                 LOOK ──?──► HELP ──any──► LOOK
 *   Escape leads back to LOOK from everywhere.
 */
#include "cli/board_priv.h"

#include "base/term.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_ROWS = 10, KEY_BACKSPACE = 0x7f, KEY_ERASE = 0x08, KEY_CLEAR = 0x15 };

/* ---- the list ---- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool begins(struct str s, struct str with)
{
	for (size_t i = 0; i < with.n; i++)
		if (i == s.n || lower(s.p[i]) != lower(with.p[i]))
			return false;
	return true;
}

static bool contains(struct str s, struct str what)
{
	for (size_t i = 0; i < s.n; i++)
		if (begins((struct str){s.p + i, s.n - i}, what))
			return true;
	return what.n == 0;
}

static bool passes(const struct board *b, const struct board_execution *e)
{
	struct str filter = str_of(b->filter);

	return contains(e->name, filter) || contains(str_of(enum_execution_state.values[e->state].text), filter);
}

static const struct board_execution *first_shown(const struct board *b)
{
	for (int ended = 0; ended < 2; ended++)
		for (size_t i = 0; i < b->all.n; i++)
			if (passes(b, b->all.v[i]) && board_ended(b->all.v[i]) == ended)
				return b->all.v[i];
	return NULL;
}

static const struct board_execution *chosen(const struct board *b)
{
	const struct board_execution *e = board_find(b, b->at_execution);

	return e && passes(b, e) ? e : first_shown(b);
}

static void add_steps(const struct board *b, const struct board_execution *e, struct board_rows *out)
{
	for (size_t i = 0; i < e->steps_count; i++) {
		if (e->id == b->at_execution && e->steps[i].id == b->at_step)
			out->cursor = out->list.n;
		*VEC_PUSH(&out->list) = (struct board_row){e, &e->steps[i]};
	}
}

static void add_some(const struct board *b, bool ended, struct board_rows *out)
{
	const struct board_execution *open = chosen(b);

	for (size_t i = 0; i < b->all.n; i++) {
		const struct board_execution *e = b->all.v[i];

		if (!passes(b, e) || board_ended(e) != ended)
			continue;
		if (e == open)
			out->cursor = out->list.n;
		*VEC_PUSH(&out->list) = (struct board_row){e, NULL};
		if (e == open)
			add_steps(b, e, out);
	}
}

void board_rows(const struct board *b, struct board_rows *out)
{
	*out = (struct board_rows){0};
	add_some(b, false, out);
	add_some(b, true, out);
}

void board_rows_free(struct board_rows *rows)
{
	VEC_FREE(&rows->list);
}

int64_t board_chosen(const struct board *b)
{
	const struct board_execution *e = chosen(b);

	return e ? e->id : 0;
}

/* ---- the cursor ---- */

static void move(struct board *b, int by)
{
	struct board_rows rows;
	long to;

	board_rows(b, &rows);
	to = (long)rows.cursor + by;
	if (to >= (long)rows.list.n)
		to = (long)rows.list.n - 1;
	if (to < 0)
		to = 0;
	if (rows.list.n) {
		const struct board_row *row = &rows.list.v[to];

		b->at_execution = row->execution->id;
		b->at_step = row->step ? row->step->id : 0;
	}
	board_rows_free(&rows);
}

/* ---- what is asked for ---- */

static void say(struct board_action *out, const char *text)
{
	out->does = BOARD_SAY;
	snprintf(out->text, sizeof(out->text), "%s", text);
}

/* The step under the cursor, else the first that waits. */
static const struct board_step *waiting(const struct board *b, const struct board_execution *e)
{
	const struct board_step *found = NULL;

	for (size_t i = 0; e && i < e->steps_count; i++) {
		const struct board_step *s = &e->steps[i];

		if (board_waits_for_person(s) && (!found || (e->id == b->at_execution && s->id == b->at_step)))
			found = s;
	}
	return found;
}

static void ask_note(struct board *b, enum board_does does, struct board_action *out)
{
	const struct board_execution *e = chosen(b);
	const struct board_step *s = waiting(b, e);

	if (!s) {
		say(out, "no approval waits in this execution");
		return;
	}
	b->mode = MODE_NOTE;
	b->asked = (struct board_action){.does = does, .execution = e->id, .step = s->id};
	b->text_bytes = 0;
}

/* The chosen one, unless it has ended. */
static const struct board_execution *live_one(const struct board *b, struct board_action *out)
{
	const struct board_execution *e = chosen(b);

	if (!e)
		say(out, "there is no execution here");
	else if (board_ended(e))
		say(out, "this execution has ended");
	return e && !board_ended(e) ? e : NULL;
}

static void ask_cancel(struct board *b, struct board_action *out)
{
	const struct board_execution *e = live_one(b, out);

	if (!e)
		return;
	b->mode = MODE_CANCEL;
	b->asked = (struct board_action){.does = BOARD_CANCEL, .execution = e->id};
}

static void toggle_pause(const struct board *b, struct board_action *out)
{
	const struct board_execution *e = live_one(b, out);

	if (!e)
		return;
	out->does = e->paused ? BOARD_RESUME : BOARD_PAUSE;
	out->execution = e->id;
}

static void pause_squad(const struct board *b, struct board_action *out)
{
	if (!b->squad.n)
		say(out, "its squad is not watched here");
	else if (b->squad_status == SQUAD_ARCHIVED)
		say(out, "the squad is archived");
	else
		out->does = b->squad_status == SQUAD_PAUSED ? BOARD_RESUME_SQUAD : BOARD_PAUSE_SQUAD;
}

/* How far a key moves what is chosen. */
static int rows_of(int key)
{
	switch (key) {
	case TERM_DOWN:
	case 'j':
		return 1;
	case TERM_UP:
	case 'k':
		return -1;
	case TERM_PAGE_DOWN:
		return PAGE_ROWS;
	case TERM_PAGE_UP:
		return -PAGE_ROWS;
	default:
		return 0;
	}
}

static void look_key(struct board *b, int key, struct board_action *out)
{
	int rows = rows_of(key);

	if (rows) {
		move(b, rows);
		return;
	}
	switch (key) {
	case 'a':
		ask_note(b, BOARD_APPROVE, out);
		break;
	case 'r':
		ask_note(b, BOARD_REJECT, out);
		break;
	case 'c':
		ask_cancel(b, out);
		break;
	case 'p':
		toggle_pause(b, out);
		break;
	case 'P':
		pause_squad(b, out);
		break;
	case 'l':
		b->all_lines = !b->all_lines;
		break;
	case 'f':
	case '/':
		b->mode = MODE_FILTER;
		break;
	case TERM_ESCAPE:
		b->filter[0] = '\0';
		break;
	case '?':
	case 'h':
		b->mode = MODE_HELP;
		break;
	case 'q':
	case 'Q':
		out->does = BOARD_QUIT;
		break;
	}
}

/* ---- writing ---- */

static void take_off_last(char *text, size_t *n)
{
	while (*n > 0 && (text[*n - 1] & 0xc0) == 0x80)
		(*n)--;
	if (*n > 0)
		(*n)--;
	text[*n] = '\0';
}

/* True when the key was one of writing. */
static bool write_key(char *text, size_t *n, size_t max, int key)
{
	if (key == KEY_BACKSPACE || key == KEY_ERASE)
		take_off_last(text, n);
	else if (key == KEY_CLEAR)
		text[ *n = 0] = '\0';
	else if (key < ' ' || key > 0xff)
		return false;
	else if (*n < max)
		text[(*n)++] = (char)key, text[*n] = '\0';
	return true;
}

static bool is_enter(int key)
{
	return key == '\r' || key == '\n';
}

static void note_key(struct board *b, int key, struct board_action *out)
{
	if (write_key(b->asked.text, &b->text_bytes, BOARD_TEXT, key))
		return;
	if (is_enter(key))
		*out = b->asked;
	if (is_enter(key) || key == TERM_ESCAPE)
		b->mode = MODE_LOOK;
}

static void filter_key(struct board *b, int key)
{
	size_t n = strlen(b->filter);

	if (write_key(b->filter, &n, BOARD_FILTER, key))
		return;
	if (key == TERM_ESCAPE)
		b->filter[0] = '\0';
	if (is_enter(key) || key == TERM_ESCAPE)
		b->mode = MODE_LOOK;
}

static void cancel_key(struct board *b, int key, struct board_action *out)
{
	if (key == 'y' || key == 'Y')
		*out = b->asked;
	else
		say(out, "not cancelled");
	b->mode = MODE_LOOK;
}

void board_key(struct board *b, int key, struct board_action *out)
{
	*out = (struct board_action){0};
	switch (b->mode) {
	case MODE_LOOK:
		look_key(b, key, out);
		return;
	case MODE_HELP:
		b->mode = MODE_LOOK;
		return;
	case MODE_NOTE:
		note_key(b, key, out);
		return;
	case MODE_CANCEL:
		cancel_key(b, key, out);
		return;
	case MODE_FILTER:
		filter_key(b, key);
		return;
	}
}
