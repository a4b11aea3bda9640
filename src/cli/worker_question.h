/*
 * Steps of squads' executions: what their commands are told besides, and what they ask by a line of their output.
 *
 * A command that ended well and wrote such a line has not done its step: the worker asks, which settles the item too.
 */
#ifndef TENFOLD_CLI_WORKER_QUESTION_H
#define TENFOLD_CLI_WORKER_QUESTION_H

#include "cli/worker.h"

enum { WORKER_STEP_VARIABLES = 5 };

bool worker_step_is(const struct job *j);

/* Asks what the job's command wants to know, when it has ended and it is time; and takes what came of it. */
void worker_step_ask(struct worker *w, struct job *j);
void worker_step_asked(struct worker *w, struct job *j, CURLcode code);

/* Appends "NAME=value" in the job's arena to env, at most so many; returns how many. None when the item is no step. */
size_t worker_step_variables(struct job *j, char **env);

#endif
