/*
 * What is made of what came in at hooks: work items, tasks, executions and signals to them, on the thread of the
 * queue that this process owns.
 *
 *   hook_work_wake() ──► a chore in the executor's batch: deliveries that wait ──rules──► what they say
 *
 * What is made and what became of the deliveries are one transaction, so each delivery makes its own once. A process
 * that does not own the queue refuses the chore; the owner hears of each delivery by the feed of changes.
 */
#ifndef TENFOLD_API_HOOK_WORK_H
#define TENFOLD_API_HOOK_WORK_H

#include "store/queries.h"

struct app;
struct call;
struct hook_work;

struct hook_work *hook_work_new(struct app *app);
void hook_work_destroy(struct hook_work **w); /* when the executor has stopped */

/* Something may wait; any thread. */
void hook_work_wake(struct hook_work *w);
/* A follower_fn. */
enum err hook_work_follow(void *ctx, struct db *db, const struct change_row *rows, size_t count);

/* Given by api/hooks.c, for identify.c: who sends to a hook. Fills the caller, and c->found for the handler. */
enum err hook_identify(struct call *c);

#endif
