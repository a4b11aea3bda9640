/* What calls of models cost: noted when steps are settled (costs.h), and shown; see squads/cost.h. */
#include "api/costs.h"

#include "api/api.h"
#include "api/app.h"

#include "squads/cost.h"

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
	return cost_of_execution(c, in, out);
}

enum err api_squad_cost(struct call *c, const struct squad_cost_in *in, struct cost_report *out)
{
	return cost_of_squad(c, in, out);
}

enum err api_cost_report(struct call *c, const struct costs_in *in, struct cost_report *out)
{
	return cost_of_tenant(c, in, out);
}
