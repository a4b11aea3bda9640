/* Executions begun by whoever: callers, schedules and hooks. On the queue's thread, inside a batch. */
#ifndef TENFOLD_API_EXECUTIONS_H
#define TENFOLD_API_EXECUTIONS_H

#include "api/app.h"

/* Makes one for c's caller, whose key's name says who made it, and starts it unless told otherwise. Errors are those of
 * POST /v1/executions, with their sentences in c->problem; they have changed nothing. */
enum err execution_begin(struct call *c, const struct execution_new *in, struct flow_execution **out);

#endif
