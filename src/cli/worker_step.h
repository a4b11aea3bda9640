/*
 * Steps of a squad as jobs: each gets its brief first, and then what its kind and the worker's settings say: a command,
 * an agent of a town, a model (worker_model.h), or a search.
 *
 *   claim ──► BRIEF: asked for ──┬─► a process (worker_job.c)
 *                                ├─► a model, a search: no process, ends by job_end()
 *                                └─► nobody here can: the item goes back
 */
#ifndef TENFOLD_CLI_WORKER_STEP_H
#define TENFOLD_CLI_WORKER_STEP_H

#include "cli/worker.h"
#include "cli/worker_notes.h"

struct model_run;
struct search_run;

/* A job's. In its arena. */
struct step_run {
	int64_t execution, step;
	struct request asking; /* for the brief */
	struct backoff backoff;
	bool has_brief;
	struct step_brief brief;
	struct str brief_json; /* as it came */
	struct notes notes;
	struct model_run *model;   /* NULL: none is asked */
	struct search_run *search; /* NULL: nothing is looked for */
};

/* Asks for the brief; the job runs from now on. */
void step_start(struct job *j);
/* Begins whatever call of the step is due; when one is at the latest. */
void step_calls_begin(struct job *j);
int64_t step_next_ms(const struct job *j);
/* Is anything still to be told before it is settled? */
bool step_is_open(const struct job *j);
/* Its calls end, without being heard. */
void step_cut(struct job *j);
void step_free(struct job *j);

/* A line of the step's log. */
void step_log(struct job *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
