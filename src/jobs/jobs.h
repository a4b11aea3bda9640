/*
 * What the server does by itself, each thing in one process at a time.
 *
 * One thread per process knows when each job is due and posts its step as a chore (store/chore.h); the step's
 * transaction takes or renews the job's lease in the table `jobs`, does a bounded piece of work, and notes how it
 * went. So a step that finds another process's lease does nothing, and two never do the same: the row of the job is
 * locked meanwhile.
 *
 *              due                lease is ours, work done
 *   RESTING ────────► RUNNING ─────────────────────────────► RESTING for a period, or none when there is more
 *      ▲                 ├─ failed: noted ─────────────────► RESTING for 1, 2, 4 … 60 s
 *      │                 └─ another's lease ───────────────► ELSEWHERE
 *      └─ that lease has lapsed ────────────────────────────────┘
 *
 * Leases run by the store's clock, so that a process whose clock jumps takes nothing from another. On PostgreSQL
 * all leases of the process are renewed together four times per lease, and what other processes noted is read; on
 * SQLite no other process can be there. A lease lost to a crash is taken over when it lapses.
 */
#ifndef TENFOLD_JOBS_JOBS_H
#define TENFOLD_JOBS_JOBS_H

#include "base/buf.h"
#include "spec/types.h"
#include "store/chore.h"

struct jobs;
struct arena;
struct metrics;

/* One run of a job, as its step sees it. */
struct job_run {
	int64_t now_ms;     /* of the process */
	int64_t watched_ms; /* on the same clock: it has run without a gap since then, in whatever process */
	bool more;          /* set by the step: run it again at once */
	int64_t again_ms;   /* set by the step: run it again so soon, if that is before a period; 0: no */
	struct arena *arena;
	struct buf result; /* one line for people, at most 200 bytes */
};

/* Inside a transaction. Bounded: under a second of work. May be run again from the start. */
typedef enum err job_fn(void *ctx, struct db *db, struct job_run *run);

struct job_spec {
	enum job_name name;
	int64_t period_ms;
	job_fn *step;
	void (*committed)(void *ctx); /* after a run that went well; or NULL */
	void *ctx;
	bool on_queue; /* as in struct chore */
};

struct jobs_config {
	int64_t process_id; /* not 0 */
	int64_t lease_ms;
	bool exclusive;                               /* no other process is on this store */
	void (*post)(void *app, struct chore *chore); /* has it run where writes run */
	void *app;
	struct metrics *metrics;
};

struct jobs *jobs_new(const struct jobs_config *config);
void jobs_add(struct jobs *j, const struct job_spec *spec); /* before the start; once per name */
enum err jobs_start(struct jobs *j, struct problem *p);
/* Waits for what runs, and gives the leases back. While steps can still be run. */
void jobs_stop(struct jobs *j);
void jobs_destroy(struct jobs **j);

/* Any thread. */
bool jobs_held(struct jobs *j, enum job_name name);      /* by this process, as far as it knows */
void jobs_wake(struct jobs *j, enum job_name name);      /* it is due now; if it runs, once more after that */
int64_t jobs_age_ms(struct jobs *j, enum job_name name); /* since it last ended well, or the start of the process */
enum { JOBS_MAX = 16 };
size_t jobs_list(struct jobs *j, struct arena *a, struct job_status *out); /* JOBS_MAX at most; text in the arena */

#endif
