/* Executions begun and shown by whoever: callers, schedules, hooks and streams. */
#ifndef TENFOLD_API_EXECUTIONS_H
#define TENFOLD_API_EXECUTIONS_H

#include "api/app.h"

/* Makes one for c's caller, whose key's name says who made it, and starts it unless told otherwise. On the queue's
 * thread, inside a batch. Errors are those of POST /v1/executions, with their sentences in c->problem; they have
 * changed nothing. */
enum err execution_begin(struct call *c, const struct execution_new *in, struct flow_execution **out);

/* What is said of one that is not in memory: ERR_CONFLICT and where it stands when it has ended, ERR_NOT_FOUND when the
 * caller's tenant has none of that id. On the queue's thread, inside a batch. */
enum err execution_gone(struct call *c, int64_t id);

/* Has the caller's tenant one of that id, also in an archive? ERR_NOT_FOUND with its sentence. On a connection. */
enum err execution_find(struct call *c, int64_t id);

/* Without its steps; texts stay where the row has them. */
void execution_show(const struct execution_row *row, bool archived, struct execution *out);

#endif
