/*
 * A run's figures for Prometheus: GET /metrics on a port of this machine, made anew by the run every second. Counters
 * go on over a resume.
 */
#ifndef TENFOLD_SIM_EXPORT_H
#define TENFOLD_SIM_EXPORT_H

#include "sim/watcher.h"

struct export;

/* Takes the port of 127.0.0.1, 0: a free one; ERR_IN_USE names it. Nobody is answered before the run's first turn. */
enum err export_open(unsigned port, struct export **out, struct problem *p);
const char *export_url(const struct export *x); /* http://127.0.0.1:PORT */
void export_close(struct export **x);

/* Hangs on a run, and closes x with it. The facts must stay. */
void export_watch(struct export *x, const struct run_facts *facts, struct watcher *out);

/* What is shown: text exposition format 0.0.4. */
void export_text(const struct engine_view *v, const struct run_facts *facts, struct buf *b);

#endif
