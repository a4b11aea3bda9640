/*
 * A run told what to do while it runs: by `tenfold sim ctl`, or a script of one's own, over the socket DIR/run.sock.
 *
 *   {"command":"pause"}\n  ─►  {"status":{…}}\n   or   {"fault":{"code":…,"detail":…}}\n        (api/types/sim.def)
 *
 * A connection may tell several things, one after another; each answer says how the run goes after that was told. The
 * run serves the socket between its turns and never waits for it, so nobody who is slow, silent or talks too much
 * delays it: of each client one line is taken in a turn, and who does not read its answer is dropped. The socket
 * belongs to whoever runs, and to nobody else. One that a killed run left behind is taken over: rundir.h sees to it
 * that there is one run in a folder.
 */
#ifndef TENFOLD_SIM_CONTROL_H
#define TENFOLD_SIM_CONTROL_H

#include "base/arena.h"
#include "base/problem.h"
#include "spec/types.h"

enum {
	CONTROL_CLIENTS = 16,    /* at once; one more takes the place of who has been silent longest */
	CONTROL_LINE_MAX = 1024, /* bytes of what is told */
	CONTROL_SILENCE_MS = 10000,
};

/* ---- the run's side ---- */

struct control;

/* Does what was told, and says how the run goes then; what *out points to stays until the next call. */
typedef void control_told_fn(void *ctx, enum sim_command command, struct sim_status *out);

/* ERR_IN_USE: another process serves it; ERR_USAGE: no socket can be made there. */
enum err control_open(struct str dir, control_told_fn *told, void *ctx, struct control **out, struct problem *p);
/* Takes what has come, of each client one line, and answers; now by clock_mono_ns(). */
void control_turn(struct control *c, int64_t now_ns);
void control_close(struct control **c);

/* ---- the other side ---- */

/* ERR_NOT_FOUND: no run is under way there; ERR_UNREACHABLE: it does not answer. The run's own error is passed on. */
enum err control_tell(struct str dir, enum sim_command command, int64_t patience_ms, struct arena *a,
		      struct sim_status *out, struct problem *p);

#endif
