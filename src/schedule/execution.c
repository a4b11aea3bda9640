/* See execution.h. */
#include "schedule/execution.h"

#include "squads/squad.h"
#include "squads/template.h"
#include "store/queries.h"

static enum err check_squad(struct call *c, int64_t id)
{
	struct squad_row squad;
	return squad_read_named(c, "execution.squad", id, &squad);
}

static enum err check_task(struct call *c, const struct schedule_execution *e)
{
	struct task_row task;
	if (!HAS(e, schedule_execution, task))
		return OK;
	enum err err = q_task_get(c->db, &(struct id_row){e->task}, c->arena, &task);
	if (err == ERR_NOT_FOUND || (!err && (task.tenant != c->caller.tenant || task.squad != e->squad)))
		return problem_field(&c->problem, ERR_INVALID, "execution.task", "the squad has no such task");
	return err;
}

static enum err check_steps(struct call *c, const struct schedule_execution *e)
{
	struct squad_template given;
	bool by_template = HAS(e, schedule_execution, template);
	if (by_template == (e->steps_count > 0))
		return problem_field(&c->problem, ERR_INVALID, "execution.template",
				     "give steps or a template, one of the two");
	return by_template ? template_find(e->template, c->arena, &given, &c->problem) : OK;
}

enum err schedule_check_execution(struct call *c, const struct schedule_new *in)
{
	if (!HAS(in, schedule_new, execution))
		return OK;
	enum err err = check_squad(c, in->execution.squad);
	if (!err)
		err = check_task(c, &in->execution);
	return err ? err : check_steps(c, &in->execution);
}
