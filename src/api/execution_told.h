/*
 * What webhooks are told of executions: written in the transaction of the batch in which it happened, for those tenants
 * alone that have a webhook for it. On the queue's thread.
 */
#ifndef TENFOLD_API_EXECUTION_TOLD_H
#define TENFOLD_API_EXECUTION_TOLD_H

#include "api/app.h"

/* After the executions' own rows. *told: something was written, and execution_was_told() is to be called after the
 * commit. */
enum err execution_tell(struct app *app, struct db *db, bool *told);
void execution_was_told(struct app *app);

#endif
