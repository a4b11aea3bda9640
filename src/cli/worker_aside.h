/*
 * Steps that this worker has nothing for. Given back at once, each would be the first of the queue again, and the next
 * claim would take it before all that this worker could do. So it is held, set aside, while claims that do not wait
 * take what is behind it. When they find nothing more, or enough to do, what is set aside goes back, for whoever can.
 * After claims that found nothing the worker rests, longer each time in a row.
 *
 * Of each kind of step it is said once that it waits for another worker.
 */
#ifndef TENFOLD_CLI_WORKER_ASIDE_H
#define TENFOLD_CLI_WORKER_ASIDE_H

#include "cli/worker.h"

/* A running job, which has its brief. `why` is for people. */
void aside_put(struct job *j, const struct problem *why);
/* It does not run any more. */
void aside_leave(struct job *j);
/* A claim brought nothing: claims rest when something is set aside. Was the worker idle besides, all that is left is
 * for others: one that works until nothing is left cannot get there, and ends with the last `why`. */
void aside_rest(struct worker *w, bool is_idle);
/* A step that this worker can do was found, or its end may have made others ready: claims do not rest. */
void aside_look_again(struct worker *w);
/* Gives back what is held for nothing; once in a turn, after all answers. */
void aside_give_back(struct worker *w);

size_t worker_busy(const struct worker *w);     /* how many run that are not set aside */
bool worker_is_judging(const struct worker *w); /* a step's brief is on its way */

#endif
