/* Projects, tasks and templates; see squads/project.h and squads/template.h. */
#include "api/api.h"
#include "api/app.h"

#include "base/id.h"
#include "squads/project.h"
#include "squads/template.h"

enum err api_project_add(struct call *c, const struct project_new *in, struct project *out)
{
	return project_add(c, app_new_id(call_app(c)), in, out);
}

enum err api_project_list(struct call *c, const struct project_list_in *in, struct project_list_out *out)
{
	return project_list(c, in, out);
}

enum err api_project_show(struct call *c, const struct project_ref *in, struct project *out)
{
	return project_show(c, in->id, out);
}

enum err api_project_change(struct call *c, const struct project_patch *in, struct project *out)
{
	return project_change(c, in, out);
}

static enum err refuse_running(struct call *c, enum err err, const struct flow_execution *e)
{
	char id[ID_TEXT];
	if (err || !e || e->tenant != c->caller.tenant)
		return err;
	id_format(id, "ex_", e->id);
	return call_fail(c, ERR_CONFLICT, "its execution %s has not ended; cancel it first", id);
}

enum err api_project_delete(struct call *c, const struct project_delete_in *in, struct nothing *out)
{
	(void)out;
	struct flow_execution *running;
	enum err err = flow_rows_of_project(call_app(c)->flow, in->id, &running);
	err = refuse_running(c, err, running);
	return err ? err : project_delete(c, in);
}

enum err api_task_add(struct call *c, const struct task_new *in, struct project_task *out)
{
	return task_add(c, app_new_id(call_app(c)), in, out);
}

enum err api_task_list(struct call *c, const struct task_list_in *in, struct task_list_out *out)
{
	return task_list(c, in, out);
}

enum err api_task_show(struct call *c, const struct task_ref *in, struct project_task *out)
{
	return task_show(c, in->id, out);
}

enum err api_task_change(struct call *c, const struct task_patch *in, struct project_task *out)
{
	struct flow_execution *running = NULL;
	enum err err = OK;
	if (HAS(in, task_patch, status)) /* its execution's end would write over it */
		err = flow_rows_of_task(call_app(c)->flow, in->id, &running);
	err = refuse_running(c, err, running);
	return err ? err : task_change(c, in, out);
}

enum err api_task_delete(struct call *c, const struct task_ref *in, struct nothing *out)
{
	(void)out;
	struct flow_execution *running;
	enum err err = flow_rows_of_task(call_app(c)->flow, in->id, &running);
	err = refuse_running(c, err, running);
	return err ? err : task_delete(c, in->id);
}

enum err api_squad_template_list(struct call *c, const struct nothing *in, struct squad_template_list *out)
{
	(void)in;
	size_t count = 0;
	enum err err = OK;
	while (template_built_in((unsigned)count))
		count++;
	out->items = ARENA_ARRAY(c->arena, struct squad_template, count);
	if (!out->items)
		return ERR_INTERNAL;
	for (; out->items_count < count && !err; out->items_count++)
		err = template_read((unsigned)out->items_count, c->arena, &out->items[out->items_count]);
	return err;
}
