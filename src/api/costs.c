/* What calls of models cost: noted when steps are settled (costs.h), and shown; see squads/cost.h. */
#include "api/costs.h"

#include "api/api.h"
#include "api/app.h"
#include "api/executions.h"
#include "api/squads.h"

#include "squads/cost.h"

/* The squad is paused when it has spent what it may in this month. What cannot be read now is looked at again with the
 * next call of a model. */
static void hold_to_budget(struct call *c, const struct flow_execution *e)
{
	struct flow_rows *rows = call_app(c)->flow;
	struct squad_budget_get_out budget;
	struct flow_execution *told;
	struct problem p;
	int64_t from_ms, until_ms, spent;
	if (q_squad_budget_get(c->db, &(struct id_row){e->squad}, c->arena, &budget) != OK ||
	    cost_month((struct str){0}, c->now_ms, &from_ms, &until_ms, NULL) != OK ||
	    flow_rows_spent(rows, e->squad, from_ms, until_ms, &spent) != OK || spent < budget.micro_usd ||
	    flow_squad_is_paused(rows->flow, e->squad) || squads_pause(c, e->squad) != OK)
		return;
	struct flow_event event = {
		.kind = FLOW_LOG,
		.from = -1,
		.to = -1,
		.text = arena_fmt(
			c->arena,
			"the squad is paused: it has spent %lld of %lld millionths of a dollar this month",
			(long long)spent, (long long)budget.micro_usd)};
	(void)flow_note(rows->flow, e->tenant, e->id, &event, &told, &p); /* not of one that has ended meanwhile */
}

void costs_note(struct call *c, const struct flow_execution *e, const struct flow_step *step, int64_t attempt,
		const struct work_used *used)
{
	struct app *app = call_app(c);
	for (size_t i = 0; i < used->calls_count; i++) {
		struct cost_entry_row row = {.id = app_new_id(app),
					     .tenant = e->tenant,
					     .squad = e->squad,
					     .execution = e->id,
					     .step = step->id,
					     .member = step->member,
					     .attempt = attempt,
					     .at_ms = c->now_ms};
		cost_of_call(app->prices, &used->calls[i], &row);
		flow_rows_cost(app->flow, &row);
	}
	if (used->calls_count)
		hold_to_budget(c, e);
}

void costs_note_item(struct call *c, const struct item *item, const struct work_used *used)
{
	const struct flow_step *step;
	const struct flow_execution *e = flow_of_item(call_app(c)->flow->flow, item->id, &step);
	if (e)
		costs_note(c, e, step, item->attempt, used);
}

enum err api_execution_cost(struct call *c, const struct execution_cost_in *in, struct cost_report *out)
{
	enum err err = execution_find(c, in->id);
	return err ? err : cost_of_execution(c, in, out);
}

enum err api_squad_cost(struct call *c, const struct squad_cost_in *in, struct cost_report *out)
{
	return cost_of_squad(c, in, out);
}

enum err api_cost_report(struct call *c, const struct costs_in *in, struct cost_report *out)
{
	return cost_of_tenant(c, in, out);
}

enum err api_squad_budget_set(struct call *c, const struct squad_budget_in *in, struct squad_budget *out)
{
	return budget_set(c, in, out);
}

enum err api_squad_budget_show(struct call *c, const struct squad_ref *in, struct squad_budget *out)
{
	return budget_show(c, in->id, out);
}
