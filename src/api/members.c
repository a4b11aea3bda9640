/* Members of squads, see squads/member.h; and the plan that says how many there may be. */
#include "api/api.h"
#include "api/app.h"
#include "api/kept.h"

#include "directory/changes.h"
#include "squads/member.h"
#include "squads/plan.h"

#include <inttypes.h>

static enum err tell(struct call *c, enum change_entity entity, enum change_op op, int64_t ref, int64_t version)
{
	struct change_fact fact = {.tenant = c->caller.tenant,
				   .entity = entity,
				   .op = op,
				   .ref = ref,
				   .version = version,
				   .at_ms = c->now_ms};
	return change_add(call_app(c)->feed, c, &fact, 1);
}

static void show(struct call *c, const struct squad_member_row *row, struct squad_member *out)
{
	member_show(row, out);
	PUT(out, squad_member, system_prompt, member_prompt(row));
	c->etag = arena_fmt(c->arena, "%" PRId64, row->version);
}

/* Of a call that has changed it. */
static enum err answer(struct call *c, enum err err, const struct squad_member_row *row, struct squad_member *out)
{
	if (err)
		return err;
	show(c, row, out);
	return tell(c, ENTITY_SQUAD_MEMBER, OP_PUT, row->id, row->version);
}

enum err api_squad_member_add(struct call *c, const struct squad_member_new *in, struct squad_member *out)
{
	struct squad_member_row row;
	return answer(c, member_add(c, app_new_id(call_app(c)), in, &row), &row, out);
}

enum err api_squad_member_list(struct call *c, const struct squad_member_list_in *in,
			       struct squad_member_list_out *out)
{
	struct kept k;
	if (kept_begin(c, &k))
		return OK;
	enum err err = member_list(c, in, out);
	if (err)
		return kept_not(&k, err);
	kept_put(c, &k, 0, c->caller.tenant, VISIBLE_TENANT);
	return OK;
}

enum err api_squad_member_show(struct call *c, const struct squad_member_ref *in, struct squad_member *out)
{
	struct kept k;
	if (kept_begin(c, &k))
		return OK;
	struct squad_member_row row;
	enum err err = member_read(c, in->id, &row);
	if (err)
		return kept_not(&k, err);
	show(c, &row, out);
	kept_put(c, &k, row.version, row.tenant, VISIBLE_TENANT);
	return OK;
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
	enum err err = member_remove(c, in);
	return err ? err : tell(c, ENTITY_SQUAD_MEMBER, OP_DELETE, in->id, 0);
}

/* ---- plans ---- */

static void show_plan(enum tenant_plan plan, struct plan_shown *out)
{
	*out = (struct plan_shown){.plan = (int)plan, .active_members = plan_active_members(plan)};
}

enum err api_plan_show(struct call *c, const struct nothing *in, struct plan_shown *out)
{
	(void)in;
	struct kept k;
	if (kept_begin(c, &k))
		return OK;
	enum tenant_plan plan = PLAN_STARTER;
	enum err err = plan_read(c, &plan);
	if (err)
		return kept_not(&k, err);
	show_plan(plan, out);
	kept_put(c, &k, 0, c->caller.tenant, VISIBLE_TENANT);
	return OK;
}

enum err api_plan_set(struct call *c, const struct plan_in *in, struct plan_shown *out)
{
	show_plan((enum tenant_plan)in->plan, out);
	enum err err = q_tenant_plan_set(c->db, &(struct tenant_plan_set_in){c->caller.tenant, in->plan}, 1);
	return err ? err : tell(c, ENTITY_PLAN, OP_PUT, c->caller.tenant, 0);
}
