/* Which executions of a task go on: those of the table that memory still has, and those of this batch. */
#include "flow/rows_priv.h"

/* The newest seen so far. */
struct going_on {
	const struct flow *flow;
	struct flow_execution *newest;
};

static void consider(struct going_on *g, int64_t id)
{
	struct flow_execution *e = flow_find(g->flow, id);

	if (e && !e->ended && (!g->newest || g->newest->id < e->id))
		g->newest = e;
}

static enum err take_row(void *ctx, const void *row)
{
	consider(ctx, ((const struct id_row *)row)->id);
	return OK;
}

enum err flow_rows_of_task(struct flow_rows *r, int64_t task, struct flow_execution **out)
{
	struct going_on g = {.flow = r->flow};
	struct flow_change c;
	enum err err = q_execution_live_of_task(r->config.persist->db, &(struct execution_live_of_task_in){task},
						take_row, &g);

	for (size_t i = 0; flow_next_change(r->flow, &i, &c);)
		if (c.execution->task == task)
			consider(&g, c.execution->id);
	*out = g.newest;
	return err;
}

static enum err consider_of_project(struct flow_rows *r, int64_t project, const struct flow_execution *e,
				    struct going_on *g)
{
	struct task_row task;
	enum err err =
		q_task_get(r->config.persist->db, &(struct id_row){e->task}, r->config.persist->arena, &task);

	if (!err && task.project == project)
		consider(g, e->id);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err flow_rows_of_project(struct flow_rows *r, int64_t project, struct flow_execution **out)
{
	struct going_on g = {.flow = r->flow};
	struct flow_change c;
	enum err err = q_execution_live_of_project(r->config.persist->db,
						   &(struct execution_live_of_project_in){project}, take_row, &g);

	for (size_t i = 0; !err && flow_next_change(r->flow, &i, &c);)
		if (c.execution->task)
			err = consider_of_project(r, project, c.execution, &g);
	*out = g.newest;
	return err;
}
