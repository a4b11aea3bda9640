/*
 * A run from its flags to its end: folder, scenario, agents, records, engine, and what hangs on it.
 *
 *	err = run_open(&config, &run, &p);
 *	run_hang(run, &watcher);
 *	while (!err && !run_ended(run))
 *		err = run_turn(run, &p);
 *	err = run_finish(run, err, &out, &p);
 *	run_free(&run);
 *
 * One thread.
 */
#ifndef TENFOLD_SIM_RUN_H
#define TENFOLD_SIM_RUN_H

#include "base/clock.h"
#include "sim/watcher.h"
#include "spec/types.h"

struct run;

struct run_config {
	struct sim_run_args *args; /* with --resume what the run was begun with is filled in */
	const char *version;
	struct clock *wall;
	struct arena *arena; /* of all texts */
	/* Starts the demo shop over books in that file, for a run without a target; says where it is. */
	enum err (*shop)(void *ctx, struct str books, uint32_t connections, struct str *url, struct problem *p);
	/* --from-directory: the ids of its agents, in the arena. */
	enum err (*directory)(void *ctx, struct arena *a, struct str **ids, uint32_t *count, struct problem *p);
	/* A line, or several, for people. */
	void (*say)(void *ctx, const char *line);
	void *ctx;
};

/* Prints the run's arithmetic before anything is sent. ERR_USAGE and ERR_INVALID name the flag, ERR_IN_USE the process
 * that has the folder, ERR_CONFLICT what does not fit the checkpoint. */
enum err run_open(const struct run_config *config, struct run **out, struct problem *p);
const struct run_facts *run_facts(const struct run *r);
void run_hang(struct run *r, const struct watcher *w); /* copied; at most RUN_WATCHERS_MAX */
enum { RUN_WATCHERS_MAX = 8 };
/* For its log, and for what hangs on it as news of trouble. */
void run_note(struct run *r, const char *line);
void run_trouble(struct run *r, const char *line);

enum err run_turn(struct run *r, struct problem *p); /* takes WATCHER_EVERY_MS at most */
bool run_ended(struct run *r);

/* Ends the watchers, writes what is left, prints what came of it and writes --json. `err` is what run_turn() said. */
struct run_came {
	enum engine_end end;
	unsigned thresholds_failed;
};
enum err run_finish(struct run *r, enum err err, struct run_came *out, struct problem *p);
void run_free(struct run **r);

#endif
