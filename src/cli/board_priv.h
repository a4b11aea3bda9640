/* What a board is made of, for the files of the board and their tests. */
#ifndef TENFOLD_CLI_BOARD_PRIV_H
#define TENFOLD_CLI_BOARD_PRIV_H

#include "base/arena.h"
#include "base/vec.h"
#include "cli/board.h"

enum {
	BOARD_LINE_BYTES = 400,
	BOARD_FILTER = 64,
	BOARD_NEWS_BYTES = 1100,
	BOARD_QUESTION_BYTES = 2048,
	BOARD_COST_BYTES = 80,
};

struct board_step {
	int64_t id, member, started_ms, finished_ms;
	struct str name, agent; /* of the execution's arena */
	int kind, state;
	int64_t progress, attempt;
	unsigned depth; /* in the tree; 0: needs nothing */
	uint64_t
		more_below; /* a bit for each depth at which the tree goes on below this line; depths above 63 have none */
	size_t needs_count;
};

/* The newest one of its step. */
struct board_question {
	int64_t id, step;
	int64_t member, due_ms; /* whom it is with, and until when; 0: a person, and for ever */
	int64_t level;
	int role; /* -1: a person */
	bool is_over;
	char text[BOARD_QUESTION_BYTES + 1]; /* empty: not heard yet */
};

struct board_execution {
	int64_t id;
	struct arena *arena; /* of what was read last; NULL: nothing yet */
	struct str name, why;
	int state, block;
	bool paused;
	int64_t started_ms, finished_ms;
	int64_t last_event;       /* what stands here holds all events up to this one */
	int64_t heard;            /* the last one that came */
	bool has_steps;           /* it was read by itself */
	bool must_read;           /* an event came that does not tell all */
	struct board_step *steps; /* as a tree: a step stands below one that it needs */
	size_t steps_count;
	VEC(struct board_question) questions;
	bool questions_read, cost_due;
	char cost[BOARD_COST_BYTES]; /* empty: nothing, as far as is known */
};

/* One event, without the name of its step; what a model says goes on in its line. */
struct board_line {
	int64_t at_ms, execution, step;
	int kind;     /* enum execution_event_kind */
	bool is_over; /* of what a model says: what follows is another line */
	char text[BOARD_LINE_BYTES];
};

struct board_member {
	int64_t id;
	struct str name;
};

enum board_mode { MODE_LOOK, MODE_HELP, MODE_WRITE, MODE_CANCEL, MODE_FILTER };

struct board {
	struct arena *arena; /* of the squad */
	struct str squad;
	int squad_status;
	char cost[BOARD_COST_BYTES]; /* of its month; empty: nothing */
	bool has_spent;
	VEC(struct board_member) members;
	VEC(struct board_execution *) all;    /* newest first */
	struct board_line lines[BOARD_LINES]; /* a ring */
	size_t first_line, line_count;

	/* What a person looks at. */
	int64_t at_execution, at_step; /* the cursor; 0: on the execution itself */
	enum board_mode mode;
	int64_t to_cancel;
	struct board_action draft; /* what is written, or was sent and is not done yet */
	size_t text_bytes;
	char news[BOARD_NEWS_BYTES];
	int64_t news_ms; /* when that was said */
	char filter[BOARD_FILTER + 1];
	bool all_lines; /* of all executions */
};

/* A line of the list: an execution, or a step of the one that the cursor is in. */
struct board_row {
	const struct board_execution *execution;
	const struct board_step *step; /* NULL: the execution itself */
};

struct board_rows {
	VEC(struct board_row) list;
	size_t cursor;
};

/* What the list shows, live ones first. */
void board_rows(const struct board *b, struct board_rows *out);
void board_rows_free(struct board_rows *rows);

bool board_ended(const struct board_execution *e);
bool board_is_open(const struct board *b, const struct board_execution *e); /* are its steps rows of the list? */
struct board_execution *board_find(const struct board *b, int64_t id);
void board_log(struct board *b, const struct execution_event_shown *e);
const struct board_line *board_line(const struct board *b, size_t i);               /* 0 is the oldest */
struct str board_member(const struct board *b, int64_t id);                         /* empty: not known */
struct str board_step_name(const struct board *b, int64_t execution, int64_t step); /* likewise */

/* ---- questions ---- */

bool board_is_of_question(int kind); /* of an event */
void board_hear_question(struct board_execution *e, const struct execution_event_shown *ev);
bool board_asks(const struct board_step *s); /* does it wait for an answer? */
/* What it asks; NULL: nothing, or not read yet. */
const struct board_question *board_question(const struct board_execution *e, const struct board_step *s);
/* That of the step under the cursor; else of the first in its execution that asks a person, or anybody. */
const struct board_question *board_question_here(const struct board *b);
/* Is it a person's turn: an approval, or a question that has come to one? */
bool board_waits_for_person(const struct board_execution *e, const struct board_step *s);
bool board_waits_for_approval(const struct board_step *s);
unsigned board_waiting(const struct board_execution *e); /* steps that wait for a person */

#endif
