/*
 * Projects and tasks. Tasks need others of their project, never in a ring: whoever changes what they need holds the
 * project until the end of the transaction.
 *
 * These run inside a handler, on its connection; memory is of the call's arena. Errors, with their sentences:
 * ERR_NOT_FOUND (none of that id in the tenant), ERR_CONFLICT (the squad is archived), ERR_INVALID, ERR_CYCLE and
 * ERR_ALREADY_EXISTS naming the field, ERR_PRECONDITION (If-Match).
 */
#ifndef TENFOLD_SQUADS_PROJECT_H
#define TENFOLD_SQUADS_PROJECT_H

#include "http/call.h"
#include "store/queries.h"

enum err project_add(struct call *c, int64_t id, const struct project_new *in, struct project *out);
enum err project_show(struct call *c, int64_t id, struct project *out);
enum err project_change(struct call *c, const struct project_patch *in, struct project *out);
enum err project_list(struct call *c, const struct project_list_in *in, struct project_list_out *out);
/* With its tasks, or ERR_CONFLICT while it has some. Nothing of it may run. */
enum err project_delete(struct call *c, const struct project_delete_in *in);
/* Nothing more is made for a squad that is archived: ERR_CONFLICT. ERR_INVALID naming `squad`: there is none. */
enum err project_check_squad(struct call *c, int64_t id);
/* The row; held until the transaction ends. */
enum err project_hold(struct call *c, int64_t id, struct project_row *out);

enum err task_add(struct call *c, int64_t id, const struct task_new *in, struct project_task *out);
enum err task_show(struct call *c, int64_t id, struct project_task *out);
enum err task_change(struct call *c, const struct task_patch *in, struct project_task *out);
/* ERR_CONFLICT while others need it. Nothing of it may run. */
enum err task_delete(struct call *c, int64_t id);
enum err task_list(struct call *c, const struct task_list_in *in, struct task_list_out *out);

/* May the squad begin an execution of it? ERR_INVALID naming `task`: there is none, or it is another squad's;
 * ERR_CONFLICT: it needs tasks that are not completed. */
enum err task_check_begin(struct call *c, int64_t id, int64_t squad);

#endif
