/* Members of squads, see squads/member.h; and the plan that says how many there may be. */
#include "api/api.h"
#include "api/app.h"

#include "squads/member.h"
#include "squads/plan.h"

#include <inttypes.h>

static enum err answer(struct call *c, enum err err, const struct squad_member_row *row, struct squad_member *out)
{
	if (err)
		return err;
	member_show(row, out);
	PUT(out, squad_member, system_prompt, member_prompt(row));
	c->etag = arena_fmt(c->arena, "%" PRId64, row->version);
	return OK;
}

enum err api_squad_member_add(struct call *c, const struct squad_member_new *in, struct squad_member *out)
{
	struct squad_member_row row;
	return answer(c, member_add(c, app_new_id(call_app(c)), in, &row), &row, out);
}

enum err api_squad_member_list(struct call *c, const struct squad_member_list_in *in,
			       struct squad_member_list_out *out)
{
	return member_list(c, in, out);
}

enum err api_squad_member_show(struct call *c, const struct squad_member_ref *in, struct squad_member *out)
{
	struct squad_member_row row;
	return answer(c, member_read(c, in->id, &row), &row, out);
}

enum err api_squad_member_change(struct call *c, const struct squad_member_patch *in, struct squad_member *out)
{
	struct squad_member_row row;
	return answer(c, member_change(c, in, &row), &row, out);
}

enum err api_squad_member_activate(struct call *c, const struct squad_member_ref *in, struct squad_member *out)
{
	struct squad_member_row row;
	return answer(c, member_activate(c, in, true, &row), &row, out);
}

enum err api_squad_member_deactivate(struct call *c, const struct squad_member_ref *in, struct squad_member *out)
{
	struct squad_member_row row;
	return answer(c, member_activate(c, in, false, &row), &row, out);
}

enum err api_squad_member_remove(struct call *c, const struct squad_member_ref *in, struct nothing *out)
{
	(void)out;
	return member_remove(c, in);
}

/* ---- plans ---- */

static void show_plan(enum tenant_plan plan, struct plan_shown *out)
{
	*out = (struct plan_shown){.plan = (int)plan, .active_members = plan_active_members(plan)};
}

enum err api_plan_show(struct call *c, const struct nothing *in, struct plan_shown *out)
{
	(void)in;
	enum tenant_plan plan = PLAN_STARTER;
	enum err err = plan_read(c, &plan);
	show_plan(plan, out);
	return err;
}

enum err api_plan_set(struct call *c, const struct plan_in *in, struct plan_shown *out)
{
	show_plan((enum tenant_plan)in->plan, out);
	return q_tenant_plan_set(c->db, &(struct tenant_plan_set_in){c->caller.tenant, in->plan}, 1);
}
