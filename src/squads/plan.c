/* See plan.h. */
#include "squads/plan.h"

enum err plan_read(struct call *c, enum tenant_plan *out)
{
	struct tenant_plan_get_out row;
	enum err err = q_tenant_plan_get(c->db, &(struct id_row){c->caller.tenant}, c->arena, &row);
	if (!err)
		*out = (enum tenant_plan)row.plan;
	return err;
}

int64_t plan_active_members(enum tenant_plan plan)
{
	static const int64_t most[] = {[PLAN_STARTER] = 3, [PLAN_PRO] = 10, [PLAN_ENTERPRISE] = 50};
	return most[plan];
}
