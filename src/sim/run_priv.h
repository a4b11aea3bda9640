/*
 * The parts of a run.
 *
 *	run.c          opened, turned, closed
 *	run_parts.c    target, records, what the engine is told
 *	run_settings.c flags that a table cannot check
 *	run_people.c   scenario, cohorts, agents
 *	run_folder.c   the folder, the checkpoint, run.json
 *	run_orphans.c  who was cut off
 *	run_result.c   what came of it
 */
#ifndef TENFOLD_SIM_RUN_PRIV_H
#define TENFOLD_SIM_RUN_PRIV_H

#include "sim/behaviour_sink.h"
#include "sim/run.h"
#include "sim/run_settings.h"
#include "sim/rundir.h"
#include "sim/thresholds.h"

struct run {
	struct run_config config;
	struct sim_run_args *args;
	struct run_settings settings;
	struct run_facts facts;
	struct scenario *scenario;
	struct population *population;
	struct rundir folder;
	struct checkpoint checkpoint; /* of a resume */
	bool has_folder, has_checkpoint;
	bool was_cut_off; /* a run that is resumed: in the middle of a cycle */
	struct threshold *thresholds;
	size_t threshold_count;
	struct recorder *recorder;
	struct recorder_seen seen;
	struct behaviour_sink *behaviour; /* of --mock-db; NULL: records say how agents behaved */
	struct client_config client;
	struct engine_config engine_config;
	struct engine *engine;
	struct watcher watchers[RUN_WATCHERS_MAX];
	unsigned watcher_count;
	uint32_t *orphans; /* agents that clean up first */
};

void run_say(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void run_log(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void run_happened(void *run, enum engine_news what, const char *line);

/* ---- run_parts.c ---- */

void run_plan(struct run *r); /* tells the engine how agents decide, and what bounds them */
enum err run_open_records(struct run *r, struct problem *p);
enum err run_find_target(struct run *r, struct problem *p);
void run_connect(struct run *r);               /* tells the engine the target, and where records go */
struct str run_agents_of(const struct run *r); /* where its agents come from */

/* ---- run_people.c ---- */

enum err run_open_scenario(struct run *r, struct problem *p);
enum err run_open_population(struct run *r, struct problem *p);

/* ---- run_folder.c ---- */

enum err run_open_folder(struct run *r, struct problem *p);  /* and for a resume its checkpoint and settings */
uint32_t run_first_cycle(const struct run *r);               /* the one it begins with */
enum err run_enter_folder(struct run *r, struct problem *p); /* all is well: the run has begun */

/* A file is there while the run goes, and stays when it is cut off. */
void run_is_whole(struct run *r);                /* it was not: takes the file away */
struct str run_agents_path(const struct run *r); /* who takes part, with --from-directory */

/* ---- run_orphans.c ---- */

void run_clean_up(struct run *r); /* behind a run that is resumed */

/* ---- run_result.c ---- */

enum err run_result_check(const struct run *r, struct problem *p); /* that --json can be written */
/* How many thresholds failed. Prints, and writes --json. */
enum err run_result(struct run *r, const struct engine_view *v, unsigned *failed, struct problem *p);
/* Writes it beside run.json once all records are written, or says why not. */
void run_report(struct run *r);

#endif
