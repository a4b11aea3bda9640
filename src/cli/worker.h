/*
 * tenfold worker run: the loop and the life of the worker (cmd_worker.c), what it says to the server (worker_calls.c),
 * and its commands (worker_job.c, with worker_output.c). Agents of a town are in worker_agent.c; steps of squads, which
 * commands, models and searches carry out, in worker_step.c and what it names; what nothing here is for, in
 * worker_aside.c.
 *
 * A job is one claimed item:
 *
 *               ┌─ exit ───────────────────────────► SETTLING ──answered──► gone
 *   claim ──► RUNNING                                 ▲    │
 *               └─ cancelled, lost, stop ─► STOPPING ─┘    └─ server away ─► kept, sent again
 *                                              └─ cancelled or lost: nothing to settle ─► gone
 *
 * Everything happens on one thread: a curl multi handle for the calls, and an epoll set nested in its poll for
 * pipes, process descriptors and signals.
 */
#ifndef TENFOLD_CLI_WORKER_H
#define TENFOLD_CLI_WORKER_H

#include "cli/cli.h"
#include "cli/stream.h"
#include "cli/worker_output.h"
#include "roles/model.h"

#include <sys/epoll.h>
#include <sys/types.h>

struct worker;
struct job;
struct agent_run;
struct step_run;
struct worker_agents;
struct worker_models;
struct worker_searches;

/* A descriptor in the epoll set. */
struct watched {
	int fd; /* -1: none */
	void (*ready)(void *owner);
	void *owner;
};

enum job_state { JOB_RUNNING, JOB_STOPPING, JOB_SETTLING, JOB_GONE };

enum job_stop {
	STOP_NOT,
	STOP_CANCELLED, /* the server says so: it does not want to hear of it again */
	STOP_LOST,      /* the lease ran out: the item may be somebody else's */
	STOP_FAILED,    /* the deadline passed, or the last of its leases ran out */
	STOP_RELEASE,   /* the worker is told to stop: the item goes back */
};

struct job {
	struct job *next;
	struct worker *worker;
	struct arena *arena; /* of item and request */
	struct work_claimed item;
	enum job_state state;
	enum job_stop stop;
	bool has_process; /* it has, or had one */
	bool is_aside;    /* worker_aside.h */
	pid_t pid;
	struct watched in, out, err, process;
	char *const *argv;       /* NULL-terminated */
	struct str input;        /* for its stdin */
	struct pairs variables;  /* over the worker's own environment */
	struct agent_run *agent; /* worker_agent.c; NULL: a command */
	struct step_run *step;   /* worker_step.c; NULL: no step of a squad */
	struct work_used used;
	size_t input_written;
	struct output output;
	int64_t kill_ms;           /* SIGKILL then; 0: not planned */
	struct request progress;   /* easy is NULL until there is some */
	int64_t progress_ms;       /* not before this */
	enum work_outcome outcome; /* SETTLING: */
	bool retry;
	bool sent; /* in the call that is on its way */
	struct str result, error;
	struct str question; /* SETTLING: a step asks it instead of ending; worker_question.c */
	bool asking;         /* … and `progress` is that call, on its way */
};

/* Steps that nothing here is for: worker_aside.h. */
struct aside {
	size_t count;
	uint32_t told;          /* of which kinds it was said: a bit for each */
	struct problem why;     /* of the last */
	struct backoff backoff; /* claims rest */
};

/* Which attempt an entry of a call is about: by the time of the answer the job may be gone. */
struct attempt_ref {
	int64_t id, attempt;
};

struct worker {
	struct cli *cli;
	const struct worker_args *args;
	char *const *command;             /* NULL-terminated; NULL: */
	struct worker_agents *agents;     /* an agent for each item */
	struct worker_models *models;     /* NULL: none is asked */
	struct worker_searches *searches; /* NULL: nothing is looked for */
	bool takes_steps;                 /* of a squad: each is given its brief */
	struct client *client;
	struct rng rng;
	struct arena *arena; /* of one turn of the loop */
	struct str name;
	struct str *types; /* that it claims; none: all */
	size_t types_count;
	const struct str *team; /* NULL: any */
	CURLM *multi;
	int epoll;
	struct watched signals;
	struct job *jobs;
	size_t running, unsettled; /* RUNNING and STOPPING; SETTLING */
	struct aside aside;        /* of those that run */

	struct stream session;
	int64_t session_id;    /* 0: none now */
	bool sessions_refused; /* the server has none */
	int64_t claim_held_ms; /* claims wait for the session until then */
	int64_t claim_rest_ms; /* nothing here could work on more until then */

	struct request claim, extend, settle;
	struct backoff claim_backoff, extend_backoff, settle_backoff;
	bool claim_had_session; /* the claim on its way */
	bool claim_was_idle;    /* it was made when nothing of this worker was unfinished */
	struct attempt_ref *extending;
	int64_t extend_ms;  /* when the next one is due */
	size_t settle_most; /* entries in one call: 1 after one that was refused as a whole */
	bool trouble_told;  /* that the server is away */

	int stops;          /* signals so far */
	int stop_signal;    /* the first of them */
	int64_t give_up_ms; /* after the second: leave then, settled or not */
	bool draining, done;
	enum err fatal; /* why it drains, if in error: the problem is the cli's */
	int64_t began_ms, now_ms;
	int64_t status_ms; /* the status line is not written before this */
	bool status_shown;
	struct worker_summary summary;
};

/* ---- worker_job.c ---- */

/* Starts the command for an item (copied). When that fails the job is SETTLING, as released. */
void job_start(struct worker *w, const struct work_claimed *item);
/* The same for a step that was given its brief. */
void job_run(struct job *j);
/* For one that runs without a process: how it ended. `said` is its result, as JSON, or its error; copied. */
void job_end(struct job *j, enum work_outcome outcome, bool retry, struct str said);
/* Its item goes back. With a reason it is told, and claims rest; a worker that works until nothing is left ends. */
void job_give_back(struct job *j);
void job_cannot_run(struct job *j, enum err e, const struct problem *p);
/* Ends its process group: SIGTERM now, SIGKILL after the grace. */
void job_stop(struct job *j, enum job_stop why);
void job_stop_if_due(struct job *j); /* and ends what has no process */
/* It is over: the memory goes at the end of the turn, because events may still name it. */
void job_forget(struct job *j);
void jobs_free_gone(struct worker *w);

bool watch_fd(struct worker *w, struct watched *f, int fd, uint32_t events, void (*ready)(void *), void *owner);
void unwatch_fd(struct worker *w, struct watched *f); /* and closes it */

/* ---- worker_calls.c ---- */

void worker_calls_init(struct worker *w);
void worker_calls_free(struct worker *w);
/* Begins whatever call is due. */
void worker_calls_begin(struct worker *w);
/* Takes what has come back. */
void worker_calls_end(struct worker *w);
/* True when the error passes by itself; what settles has backed off then, and comes again. */
bool worker_settles_later(struct worker *w, const struct request *r, enum err e, const struct problem *p);
/* Nobody wants to hear how the job ended. */
void worker_drops(struct worker *w, struct job *j, enum err e, const char *why);
/* Begins a call of a job; its request's `done` hears of its end, on the loop. */
void worker_request_begin(struct worker *w, struct request *r, enum route_id route, const void *in,
			  int64_t timeout_ms);
bool worker_is_passing(enum err e); /* by itself: it makes sense to try again */
/* The server said that the attempt is no longer this worker's. */
void worker_lease_refused(struct job *j, enum err e);
/* It will not change by waiting: no more is claimed, and the error becomes the worker's. */
void worker_give_up(struct worker *w, enum err e, const struct problem *p);
/* When worker_calls_begin() has something to do at the latest. */
int64_t worker_calls_next_ms(const struct worker *w);

/* ---- cmd_worker.c ---- */

/* One line about what happens; clears the status line first. */
void worker_say(struct worker *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Stop claiming, finish what runs. */
void worker_drain(struct worker *w);
#endif
