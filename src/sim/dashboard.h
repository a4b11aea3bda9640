/*
 * A run on a terminal: sums alone, whatever the number of agents. dashboard_draw() makes text of what it is given and
 * does nothing else; dashboard_watch() hangs it on a run and on the terminal, with its keys.
 *
 *	p pause   r resume, also when the breaker is open   c checkpoint at the end of the cycle
 *	s all endpoints, and back   q quit at the end of the cycle, with a checkpoint; again: at once
 *
 * It is drawn every 5 s, after a key, when something happened, and when the terminal's size changed.
 */
#ifndef TENFOLD_SIM_DASHBOARD_H
#define TENFOLD_SIM_DASHBOARD_H

#include "base/buf.h"
#include "sim/watcher.h"

struct dashboard_look {
	int width, height; /* of the screen; at least 1 */
	bool colours;
	bool has_keys;
	bool statistics;  /* all endpoints instead of an overview */
	bool quits;       /* it was told to */
	const char *news; /* the last line; "" for none */
};

/* At most `height` lines of at most `width` columns, with '\n' between. Fewer lines leave out what matters least. */
void dashboard_draw(const struct run_facts *facts, const struct engine_view *v, const struct dashboard_look *look,
		    struct buf *b);

/* False when standard output is no terminal that can be drawn on. The facts must stay. */
bool dashboard_watch(const struct run_facts *facts, struct watcher *out);

#endif
