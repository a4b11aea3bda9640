/*
 * What a squad does, as far as it is known: executions with their steps, what those ask and what they cost, made of
 * what was read of them and of the events since. Plain data and pure functions: no sockets, no clock, no terminal.
 *
 *              board_event(): the next one            a gap, or one that does not tell all
 *   CURRENT ◄──────────────────────────► CURRENT ─────────────────────────────────────────► STALE
 *      ▲                                                                                      │
 *      └── board_take(): what was read holds all events that were heard ◄── board_stale() ────┘
 *
 * An event up to an execution's last_event changes nothing and one behind it does, so it is the same whether the stream
 * or what was read comes first. Each event adds one line to the log, and one that was heard before adds none.
 *
 * Of a question all that is said only leads on (it goes a level up, it ends), so any order of events and lists will do.
 * What something costs stands in no event: it is due to be read when an attempt at a step has ended.
 *
 * Bounded: at most BOARD_EXECUTIONS executions, of which those that ended longest ago leave first, and BOARD_LINES
 * lines of the log. Texts are copied.
 */
#ifndef TENFOLD_CLI_BOARD_H
#define TENFOLD_CLI_BOARD_H

#include "base/buf.h"
#include "spec/types.h"

enum { BOARD_EXECUTIONS = 200, BOARD_LINES = 500 };

struct board;

struct board *board_new(void);
void board_destroy(struct board **b);

/* ---- what was read ---- */

void board_take_squad(struct board *b, const struct squad *s);
void board_take_member(struct board *b, const struct squad_member *m);
/* One of a list: without its steps. */
void board_take_listed(struct board *b, const struct execution *e);
void board_take(struct board *b, const struct execution *e);
void board_expect(struct board *b, int64_t execution); /* one to be read */
void board_forget(struct board *b, int64_t execution); /* there is none of that id any more */
void board_take_question(struct board *b, const struct question *q);
void board_take_cost(struct board *b, int64_t execution, const struct cost_sum *cost);
void board_take_squad_cost(struct board *b, const struct cost_sum *cost); /* of this month */

/* An execution to be read: first `wanted`, if it is one; 0: none. */
int64_t board_stale(const struct board *b, int64_t wanted);

enum board_part { BOARD_QUESTIONS, BOARD_COST };

/* Likewise one of which that part is due to be read. It is due no more from here on, so that what happens meanwhile
 * makes it due again; board_is_due() does when it could not be read. */
int64_t board_due(struct board *b, enum board_part part, int64_t wanted);
void board_is_due(struct board *b, enum board_part part, int64_t execution);
/* Was something spent since this was asked last? */
bool board_has_spent(struct board *b);

/* ---- what happened ---- */

/* False: it was heard before. */
bool board_hear(struct board *b, const struct execution_event_shown *e);
/* Some events were missed: all is to be read again. */
void board_missed(struct board *b);

/* What an event says, as a person reads it, without time and execution. */
void board_event_text(const struct execution_event_shown *e, struct buf *b);

/* ---- what a person does ---- */

enum board_does {
	BOARD_NOTHING,
	BOARD_APPROVE, /* execution, step, text: a note, may be empty */
	BOARD_REJECT,  /* likewise */
	BOARD_ANSWER,  /* execution, step, question, text: never empty */
	BOARD_CANCEL,  /* execution */
	BOARD_PAUSE,   /* execution */
	BOARD_RESUME,  /* execution */
	BOARD_PAUSE_SQUAD,
	BOARD_RESUME_SQUAD,
	BOARD_QUIT,
};

enum { BOARD_TEXT = 8192, BOARD_NEWS_MS = 5000 };

struct board_action {
	enum board_does does;
	int64_t execution, step, question;
	char text[BOARD_TEXT + 1];
};

/* Keys as term_key() gives them. */
void board_key(struct board *b, int key, int64_t now_ms, struct board_action *out);
/* What became of it; `why` not: NULL when it was done. What was written for it is kept until then. */
void board_did(struct board *b, const struct board_action *a, const char *why, int64_t now_ms);
/* Stands in the foot until the next key, or for BOARD_NEWS_MS. */
void board_say(struct board *b, const char *news, int64_t now_ms);
int64_t board_chosen(const struct board *b); /* the execution that the cursor is in; 0: none */

/* ---- what is seen ---- */

struct board_look {
	int width, height; /* of the screen; at least 1 */
	bool colours;
	bool has_keys;
	int64_t now_ms;      /* UTC */
	const char *trouble; /* why nothing comes; "" while the stream is open */
};

/* At most `height` lines of at most `width` columns, with '\n' between. */
void board_draw(const struct board *b, const struct board_look *look, struct buf *out);

#endif
