/*
 * The folder of runs, DIR (./data unless told otherwise):
 *
 *   DIR/lock                 held by the run under way; its holder's process id stands in it
 *   DIR/sim.db               records of all runs
 *   DIR/checkpoints/         of the latest run
 *   DIR/run.sock             control socket of the run under way
 *   DIR/runs/RUN/            one run: its log, its report, and its checkpoints once another run has begun
 *
 * RUN is run_ and 13 characters that sort by the time the run began.
 */
#ifndef TENFOLD_SIM_RUNDIR_H
#define TENFOLD_SIM_RUNDIR_H

#include "base/arena.h"
#include "base/problem.h"

struct rundir {
	struct str dir, checkpoints, socket, store_url; /* of the arena */
	struct str run, run_dir;                        /* empty until rundir_begin() or rundir_resume() */
	int lock, log;                                  /* -1: none */
	struct arena *arena;
};

/* Makes what is missing and takes the lock: ERR_IN_USE names the process that has it. */
enum err rundir_open(struct str dir, struct arena *a, struct rundir *out, struct problem *p);
void rundir_close(struct rundir *d);

/* Another run: a new id, a folder and a log, and checkpoints of the run before go to that one's folder. */
enum err rundir_begin(struct rundir *d, int64_t now_ms, struct problem *p);
/* The run goes on that a checkpoint is of, in its own folder and log. */
enum err rundir_resume(struct rundir *d, struct str run, struct problem *p);

/* The run that began last; empty when there is none. Needs no lock. */
struct str rundir_latest(struct str dir, struct arena *a);
/* Is a run under way there? */
bool rundir_is_held(struct str dir);

/* A line of the run's log, with the time before it. What cannot be written is lost: the log is for people. */
void rundir_log(struct rundir *d, int64_t now_ms, const char *line);

#endif
