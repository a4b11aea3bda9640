/*
 * What hangs on a run while it goes: the dashboard, the control socket, the plain lines, the log. A watcher looks at
 * the engine and tells it what to do through sim/engine.h; nothing else is between them.
 *
 * All is called on the run's thread, between the engine's turns, so a watcher needs no locks. It must not wait: a
 * terminal or a socket that has nothing to say is passed over until the next turn. Watchers are called in the order
 * in which they were hung on, and end in the reverse one.
 */
#ifndef TENFOLD_SIM_WATCHER_H
#define TENFOLD_SIM_WATCHER_H

#include "sim/engine.h"

enum { WATCHER_EVERY_MS = 100 };

/* What does not change while a run goes. Stays as long as the run. */
struct run_facts {
	const struct scenario *scenario;
	struct str run_id, seed_text;
	struct str target;      /* empty: --mock-api */
	struct str store;       /* empty: --mock-db; without a password */
	struct str dir, folder; /* of all runs; of this run's own files */
	int64_t started_ms;     /* real; of this process */
	uint32_t attempt;       /* 0; one more for each resume */
	double time_scale;      /* 0: flat out */
	bool mock_api, mock_db;
};

struct watcher {
	void *self;
	/* At least every WATCHER_EVERY_MS, and after news. It may look (engine_look) and ask: engine_pause, _resume,
	 * _checkpoint, _stop(e, false) to quit at the end of the cycle, _stop(e, true) to stop at once. */
	void (*turn)(void *self, struct engine *e);
	void (*news)(void *self, enum engine_news what, const char *line);
	/* Gives back all it has (the terminal, its socket); `last` is the run at its end, NULL when it never began. */
	void (*end)(void *self, const struct engine_view *last);
};

#endif
