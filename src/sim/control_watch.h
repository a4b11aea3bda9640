/* The control socket of a run, as something that hangs on it. */
#ifndef TENFOLD_SIM_CONTROL_WATCH_H
#define TENFOLD_SIM_CONTROL_WATCH_H

#include "sim/watcher.h"
#include "spec/types.h"

/* What control_open() says, which need not keep a run from going. The facts must stay. */
enum err control_watch(const struct run_facts *facts, struct watcher *out, struct problem *p);

struct status_room {
	int held_by[3];
	char last_error[sizeof(((struct engine_view *)0)->last_error)];
};

/* What *out points to is in the room and the facts. */
void status_of(const struct engine_view *v, const struct run_facts *facts, struct status_room *room,
	       struct sim_status *out);

#endif
