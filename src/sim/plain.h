/*
 * What a run says of itself in plain lines: for logs, pipes and terminals that can do no more.
 */
#ifndef TENFOLD_SIM_PLAIN_H
#define TENFOLD_SIM_PLAIN_H

#include "base/buf.h"
#include "sim/watcher.h"

#include <stdio.h>

/* One line of how far it is, without the line's end: "cycle 14 of 168  2026-01-05 14:00  12 under way  310 sessions
 * 48.9 requests/s  p95 12.3 ms  2 failed  1:32:10 to go". */
void plain_progress(const struct engine_view *v, struct buf *b);
/* Several lines of what came of it. */
void plain_summary(const struct engine_view *v, const struct scenario *s, struct buf *b);
/* How long it still takes, ms, by what it took so far; -1: that cannot be said. */
int64_t plain_left_ms(const struct engine_view *v);

/* Prints a line every few seconds, and the news. */
struct watcher plain_watcher(FILE *to);

#endif
