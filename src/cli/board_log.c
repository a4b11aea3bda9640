/* See board.h: events as text, and the log that they stand in. */
#include "cli/board_priv.h"

#include "base/id.h"
#include "json/pick.h"

#include <inttypes.h>
#include <string.h>

enum { LOOK_BACK = 50, REASON_MAX = 1 << 20 };

/* ---- events as text ---- */

/* A text, or the one member of an object that is the text. */
static void add_message(struct buf *b, struct str message)
{
	static const char *const names[] = {"text", "message", "token"};
	struct str value;
	char *plain;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!str_starts(message, STR("{")) || !pick_member(message, str_of(names[i]), &value) ||
		    value.n < 2 || value.p[0] != '"')
			continue;
		plain = buf_room(b, value.n);
		if (plain)
			buf_took(b, pick_unescape((struct str){value.p + 1, value.n - 2}, plain));
		return;
	}
	buf_str_add(b, message);
}

/* What happened, where the text of the event does not say it all. */
static void add_what(struct buf *b, const struct execution_event_shown *e)
{
	if (HAS(e, execution_event_shown, new_status))
		buf_fmt(b, "%.*s -> %.*s", STRF(e->old_status), STRF(e->new_status));
	else if (e->kind == FLOW_STEP_PROGRESS)
		buf_fmt(b, "%" PRId64 "%%", HAS(e, execution_event_shown, progress) ? e->progress : 0);
	else if (e->kind == FLOW_STEP_ADDED)
		buf_z(b, "added");
	else if (e->kind == FLOW_ERROR)
		buf_z(b, "failed");
	else if (e->kind != FLOW_LOG && e->kind != FLOW_MESSAGE && e->kind != FLOW_TOKENS)
		buf_z(b, enum_execution_event_kind.values[e->kind].text);
}

/* A question has a text where somebody said something. */
static bool says_something(const struct execution_event_shown *e)
{
	struct str text;

	return HAS(e, execution_event_shown, message) && e->message.n &&
	       (!board_is_of_question(e->kind) || pick_member(e->message, STR("text"), &text));
}

/* Without its step. */
static void add_event(struct buf *b, const struct execution_event_shown *e)
{
	size_t before = b->n;

	add_what(b, e);
	if (HAS(e, execution_event_shown, agent))
		buf_fmt(b, "%sby %.*s", b->n > before ? " " : "", STRF(e->agent));
	if (HAS(e, execution_event_shown, attempt) && e->attempt > 1)
		buf_fmt(b, ", try %" PRId64, e->attempt);
	if (says_something(e)) {
		buf_z(b, b->n > before ? ": " : "");
		add_message(b, e->message);
	}
}

void board_event_text(const struct execution_event_shown *e, struct buf *b)
{
	char id[ID_TEXT];

	if (HAS(e, execution_event_shown, step)) {
		id_format(id, "st_", e->step);
		buf_fmt(b, "%s: ", id);
	}
	add_event(b, e);
}

/* ---- the log ---- */

const struct board_line *board_line(const struct board *b, size_t i)
{
	return &b->lines[(b->first_line + i) % BOARD_LINES];
}

static struct board_line *line_new(struct board *b, const struct execution_event_shown *e)
{
	struct board_line *l;

	if (b->line_count == BOARD_LINES)
		b->first_line = (b->first_line + 1) % BOARD_LINES;
	else
		b->line_count++;
	l = &b->lines[(b->first_line + b->line_count - 1) % BOARD_LINES];
	*l = (struct board_line){.at_ms = e->at,
				 .execution = e->execution,
				 .step = HAS(e, execution_event_shown, step) ? e->step : 0,
				 .kind = e->kind};
	return l;
}

/* The line in which a model goes on, if nothing else happened in its execution since. */
static struct board_line *line_open(struct board *b, const struct execution_event_shown *e)
{
	for (size_t i = 0; i < b->line_count && i < LOOK_BACK; i++) {
		struct board_line *l = &b->lines[(b->first_line + b->line_count - 1 - i) % BOARD_LINES];

		if (l->execution == e->execution)
			return l->kind == FLOW_TOKENS && l->step == e->step && !l->is_over ? l : NULL;
	}
	return NULL;
}

/* As much as there is room for, in whole characters; the rest. */
static struct str line_add(struct board_line *l, struct str text)
{
	size_t has = strlen(l->text), room = sizeof(l->text) - 1 - has, used = 0;

	while (used < text.n) {
		size_t step = str_utf8_step((struct str){text.p + used, text.n - used});

		step = step ? step : 1;
		if (used + step > room)
			break;
		used += step;
	}
	memcpy(l->text + has, text.p, used);
	l->text[has + used] = '\0';
	return (struct str){text.p + used, text.n - used};
}

/* A line begins with its text: an end that nothing follows leaves no empty one. */
static void log_tokens(struct board *b, const struct execution_event_shown *e)
{
	struct board_line *l = line_open(b, e);
	struct buf text = BUF_INIT(REASON_MAX);
	struct str rest;

	add_message(&text, e->message);
	for (rest = buf_str(&text); rest.n;) {
		struct str line = str_cut(rest, '\n', &rest);

		while (line.n) {
			if (!l || l->is_over)
				l = line_new(b, e);
			line = line_add(l, line);
			l->is_over = line.n > 0;
		}
		if (l && rest.p)
			l->is_over = true;
	}
	buf_free(&text);
}

void board_log(struct board *b, const struct execution_event_shown *e)
{
	struct buf text = BUF_INIT(REASON_MAX);

	if (e->kind == FLOW_TOKENS && HAS(e, execution_event_shown, message)) {
		log_tokens(b, e);
		return;
	}
	add_event(&text, e);
	line_add(line_new(b, e), buf_str(&text));
	buf_free(&text);
}
