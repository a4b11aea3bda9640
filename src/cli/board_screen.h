/* Lines of a board's screen, and the parts of it, for the files that draw. */
#ifndef TENFOLD_CLI_BOARD_SCREEN_H
#define TENFOLD_CLI_BOARD_SCREEN_H

#include "cli/board_priv.h"
#include "cli/print.h"

enum { LINE_MAX_BYTES = 4096, NARROWEST_NAME = 8 };

enum style { STYLE_PLAIN, STYLE_TITLE, STYLE_ALARM, STYLE_GOOD, STYLE_BUSY, STYLE_FAINT, STYLE_CURSOR };

struct screen {
	const struct board *b;
	const struct board_look *look;
	struct buf *out;
	int lines; /* so far */
};

/* ---- lines ---- */

/* One line, cut to the screen; nothing when it is full. Control characters would move the cursor, so they are shown. */
void screen_put(struct screen *s, enum style style, struct str text);
/* These free what they are given. */
void screen_put_buf(struct screen *s, enum style style, struct buf *text);
void screen_put_ends(struct screen *s, enum style style, struct buf *left, struct buf *right); /* left gives way */
void screen_put_rule(struct screen *s, enum style style, struct buf *head); /* and "---" behind it */

/* In exactly so many columns, the last one a space. */
void screen_cell(struct buf *b, struct str text, int columns);
void screen_time(struct buf *b, int64_t ms); /* of the day, UTC */
void screen_span(struct buf *b, int64_t from_ms, int64_t until_ms);

/* ---- parts ---- */

void board_put_list(struct screen *s, int height);
/* The question in as much of `room` as it takes and the list can spare. */
void board_put_list_and_question(struct screen *s, int room);
void board_put_prompt(struct screen *s); /* a line for what is written, asked or said */
void board_put_keys(struct screen *s);

#endif
