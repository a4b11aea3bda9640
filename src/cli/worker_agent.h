/*
 * worker run --role, or --squad with --town: an agent for each item instead of one command for all. Which one is asked
 * anew for every item, so a changed file counts for the next; what its end says about its provider and its tokens is
 * remembered for the town (roles/state.h).
 */
#ifndef TENFOLD_CLI_WORKER_AGENT_H
#define TENFOLD_CLI_WORKER_AGENT_H

#include "cli/worker.h"
#include "roles/trouble.h"

/* Asks once, so that what is wrong is told before the first claim. */
enum err worker_agents_open(struct worker *w, struct worker_agents **out);
void worker_agents_close(struct worker_agents **g);

/* What is started for the job's item: its argv, variables and input. ERR_CONFLICT: no agent can work on it now. */
enum err worker_agents_prepare(struct worker_agents *g, struct job *j, struct problem *p);

/* Which model the town says for the step of a job; empty: it says none. */
enum err worker_agents_model(struct worker_agents *g, struct job *j, struct str *out, struct problem *p);

/* Its process has ended: the tokens are counted. When it did so because of its provider, the agent cools down, and
 * what is returned says so; `stopped` by us it never did. */
struct trouble worker_agents_ended(struct worker_agents *g, struct job *j, int status, bool stopped);

#endif
