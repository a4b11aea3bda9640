/*
 * Keys: the cursor, and what is asked for. The cursor is the ids of what it stands on, so it stays there when lines
 * come and go.
 *
 *   LOOK ──a, r, w──► WRITE ──Enter──► approve, reject, answer        LOOK ──c──► CANCEL ──y──► cancel
 *   LOOK ──f────────► FILTER ──Enter──► LOOK                          LOOK ──?──► HELP ──any──► LOOK
 *   Escape leads back to LOOK from everywhere.
 *
 * What was written and sent stays as a draft until it is told to be done, so what is refused can be mended; Escape
 * throws it away.
 */
#include "cli/board_priv.h"

#include "base/term.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_ROWS = 10, KEY_BACKSPACE = 0x7f, KEY_ERASE = 0x08, KEY_CLEAR = 0x15, NOTE_BYTES = 1024 };

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

bool board_is_open(const struct board *b, const struct board_execution *e)
{
	return chosen(b) == e;
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

/* The step under the cursor, else the first that waits. */
static const struct board_step *approval(const struct board *b, const struct board_execution *e)
{
	const struct board_step *found = NULL;

	for (size_t i = 0; e && i < e->steps_count; i++) {
		const struct board_step *s = &e->steps[i];

		if (board_waits_for_approval(s) && (!found || (e->id == b->at_execution && s->id == b->at_step)))
			found = s;
	}
	return found;
}

static bool same_thing(const struct board_action *a, const struct board_action *b)
{
	return a->does == b->does && a->execution == b->execution && a->step == b->step &&
	       a->question == b->question;
}

static void forget_draft(struct board *b)
{
	b->draft = (struct board_action){0};
	b->text_bytes = 0;
}

static void begin_writing(struct board *b, const struct board_action *what)
{
	b->mode = MODE_WRITE;
	if (same_thing(&b->draft, what))
		return;
	b->draft = *what;
	b->text_bytes = 0;
}

static void ask_note(struct board *b, enum board_does does, int64_t now_ms)
{
	const struct board_execution *e = chosen(b);
	const struct board_step *s = approval(b, e);

	if (s)
		begin_writing(b, &(struct board_action){.does = does, .execution = e->id, .step = s->id});
	else
		board_say(b, "no approval waits in this execution", now_ms);
}

static void ask_answer(struct board *b, int64_t now_ms)
{
	const struct board_question *q = board_question_here(b);

	if (q)
		begin_writing(b, &(struct board_action){.does = BOARD_ANSWER,
							.execution = board_chosen(b),
							.step = q->step,
							.question = q->id});
	else
		board_say(b, "no question waits in this execution", now_ms);
}

/* The chosen one, unless it has ended. */
static const struct board_execution *live_one(struct board *b, int64_t now_ms)
{
	const struct board_execution *e = chosen(b);

	if (!e)
		board_say(b, "there is no execution here", now_ms);
	else if (board_ended(e))
		board_say(b, "this execution has ended", now_ms);
	return e && !board_ended(e) ? e : NULL;
}

static void ask_cancel(struct board *b, int64_t now_ms)
{
	const struct board_execution *e = live_one(b, now_ms);

	if (!e)
		return;
	b->mode = MODE_CANCEL;
	b->to_cancel = e->id;
}

static void toggle_pause(struct board *b, int64_t now_ms, struct board_action *out)
{
	const struct board_execution *e = live_one(b, now_ms);

	if (!e)
		return;
	out->does = e->paused ? BOARD_RESUME : BOARD_PAUSE;
	out->execution = e->id;
}

static void pause_squad(struct board *b, int64_t now_ms, struct board_action *out)
{
	if (!b->squad.n)
		board_say(b, "its squad is not watched here", now_ms);
	else if (b->squad_status == SQUAD_ARCHIVED)
		board_say(b, "the squad is archived", now_ms);
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

/* How the board is looked at. */
static void view_key(struct board *b, int key)
{
	switch (key) {
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
	}
}

static void ask_key(struct board *b, int key, int64_t now_ms, struct board_action *out)
{
	switch (key) {
	case 'a':
		ask_note(b, BOARD_APPROVE, now_ms);
		break;
	case 'r':
		ask_note(b, BOARD_REJECT, now_ms);
		break;
	case 'w':
		ask_answer(b, now_ms);
		break;
	case 'c':
		ask_cancel(b, now_ms);
		break;
	case 'p':
		toggle_pause(b, now_ms, out);
		break;
	case 'P':
		pause_squad(b, now_ms, out);
		break;
	case 'q':
	case 'Q':
		out->does = BOARD_QUIT;
		break;
	}
}

static void look_key(struct board *b, int key, int64_t now_ms, struct board_action *out)
{
	int rows = rows_of(key);

	b->news[0] = '\0';
	if (rows)
		move(b, rows);
	view_key(b, key);
	ask_key(b, key, now_ms, out);
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

static void send(struct board *b, int64_t now_ms, struct board_action *out)
{
	if (b->draft.does == BOARD_ANSWER && !str_trim(str_of(b->draft.text)).n) {
		board_say(b, "an answer cannot be empty", now_ms);
		return;
	}
	*out = b->draft;
	b->mode = MODE_LOOK;
}

static void draft_key(struct board *b, int key, int64_t now_ms, struct board_action *out)
{
	size_t max = b->draft.does == BOARD_ANSWER ? BOARD_TEXT : NOTE_BYTES;

	if (write_key(b->draft.text, &b->text_bytes, max, key)) {
		b->news[0] = '\0';
	} else if (is_enter(key)) {
		send(b, now_ms, out);
	} else if (key == TERM_ESCAPE) {
		b->mode = MODE_LOOK;
		forget_draft(b);
	}
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

static void cancel_key(struct board *b, int key, int64_t now_ms, struct board_action *out)
{
	if (key == 'y' || key == 'Y')
		*out = (struct board_action){.does = BOARD_CANCEL, .execution = b->to_cancel};
	else
		board_say(b, "not cancelled", now_ms);
	b->mode = MODE_LOOK;
}

void board_key(struct board *b, int key, int64_t now_ms, struct board_action *out)
{
	*out = (struct board_action){0};
	switch (b->mode) {
	case MODE_LOOK:
		look_key(b, key, now_ms, out);
		return;
	case MODE_HELP:
		b->mode = MODE_LOOK;
		return;
	case MODE_WRITE:
		draft_key(b, key, now_ms, out);
		return;
	case MODE_CANCEL:
		cancel_key(b, key, now_ms, out);
		return;
	case MODE_FILTER:
		filter_key(b, key);
		return;
	}
}

/* ---- what became of it ---- */

void board_say(struct board *b, const char *news, int64_t now_ms)
{
	snprintf(b->news, sizeof(b->news), "%s", news);
	b->news_ms = now_ms;
}

static const struct saying {
	const char *done;
	char key; /* that opens the draft; 0: nothing is written for it */
} sayings[] = {
	[BOARD_NOTHING] = {"", 0},
	[BOARD_APPROVE] = {"approved", 'a'},
	[BOARD_REJECT] = {"rejected", 'r'},
	[BOARD_ANSWER] = {"answered", 'w'},
	[BOARD_CANCEL] = {"cancelled", 0},
	[BOARD_PAUSE] = {"paused", 0},
	[BOARD_RESUME] = {"goes on", 0},
	[BOARD_PAUSE_SQUAD] = {"the squad is paused", 0},
	[BOARD_RESUME_SQUAD] = {"the squad goes on", 0},
	[BOARD_QUIT] = {"", 0},
};

static bool still_waits(const struct board *b, const struct board_action *a)
{
	const struct board_execution *e = board_find(b, a->execution);

	for (size_t i = 0; e && i < e->steps_count; i++) {
		const struct board_step *s = &e->steps[i];
		const struct board_question *q = board_question(e, s);

		if (s->id == a->step)
			return a->does == BOARD_ANSWER ? q && q->id == a->question : board_waits_for_approval(s);
	}
	return false;
}

/* Does its key open what was written for it? */
static bool is_drafted(const struct board *b, const struct board_action *a)
{
	return a->text[0] && same_thing(&b->draft, a) && still_waits(b, a);
}

void board_did(struct board *b, const struct board_action *a, const char *why, int64_t now_ms)
{
	char text[BOARD_NEWS_BYTES];

	if (why && is_drafted(b, a)) {
		snprintf(text, sizeof(text), "%c reopens it: %s", sayings[a->does].key, why);
		board_say(b, text, now_ms);
		return;
	}
	board_say(b, why ? why : sayings[a->does].done, now_ms);
	if (!why && b->mode != MODE_WRITE && same_thing(&b->draft, a))
		forget_draft(b);
}
