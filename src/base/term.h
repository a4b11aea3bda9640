/*
 * The terminal, drawn on as a whole and read key by key; it is given back as it was, whatever ends the process.
 *
 *              term_open()                    Ctrl-Z: term_turn() gives back, stops
 *   SHELL'S ──────────────► OURS ───────────────────────────────────────────────► SHELL'S
 *      ▲                     │ ▲                                                    │
 *      └──── term_close(), ──┘ └────────── fg: term_turn() says TERM_ANEW ──────────┘
 *            exit(), SIGHUP, SIGQUIT, a crash
 *
 * Keys do not echo; Ctrl-C and Ctrl-\ are signals as ever. Signals that the process blocks or takes (SIGINT, SIGTERM)
 * are left to it: who ends by them calls term_close() as always. Once in a process; one thread, and term_stop() by any.
 */
#ifndef TENFOLD_BASE_TERM_H
#define TENFOLD_BASE_TERM_H

#include "base/str.h"

struct term;

/* Is standard output a terminal that can be drawn on (TERM is set and not dumb)? */
bool term_can_draw(void);
/* Does nobody mind colours (NO_COLOR, https://no-color.org)? */
bool term_can_colour(void);

/* NULL when it cannot be drawn on. Keys are read when standard input is a terminal. */
struct term *term_open(void);
void term_close(struct term **t);
bool term_has_keys(const struct term *t);

enum term_turn {
	TERM_SAME,
	TERM_ANEW, /* opened, resized, or back from the shell: nothing of ours is on it */
	TERM_AWAY, /* the shell has it: nothing may be drawn */
	TERM_STOP, /* Ctrl-Z: make ready and call term_stop() */
};
enum term_turn term_turn(struct term *t);
/* Gives the terminal back, and stops the process until the shell lets it go on. */
void term_stop(struct term *t);

struct term_size {
	int width, height; /* at least 1 */
};
struct term_size term_size(const struct term *t);
/* Bytes as they come, and these. */
enum { TERM_ESCAPE = 0x1b, TERM_UP = 0x100, TERM_DOWN, TERM_PAGE_UP, TERM_PAGE_DOWN };
int term_key(struct term *t); /* the next one; 0: none was pressed. Does not wait */

/* Lines with '\n' between, no wider and no more than fit. Not drawn when the terminal would make it wait. */
void term_draw(struct term *t, struct str lines);

#endif
