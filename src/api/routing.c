/* Rules of routing, see squads/routing.h; and whom a question would go to. */
#include "api/api.h"
#include "api/app.h"

#include "squads/routing.h"
#include "squads/squad.h"

enum err api_routing_rule_add(struct call *c, const struct routing_rule_new *in, struct routing_rule *out)
{
	return routing_rule_add(c, app_new_id(call_app(c)), in, out);
}

enum err api_routing_rule_list(struct call *c, const struct routing_rule_list_in *in,
			       struct routing_rule_list_out *out)
{
	return routing_rule_list(c, in, out);
}

enum err api_routing_rule_show(struct call *c, const struct routing_rule_ref *in, struct routing_rule *out)
{
	return routing_rule_show(c, in->id, out);
}

enum err api_routing_rule_change(struct call *c, const struct routing_rule_patch *in, struct routing_rule *out)
{
	return routing_rule_change(c, in, out);
}

enum err api_routing_rule_remove(struct call *c, const struct routing_rule_ref *in, struct nothing *out)
{
	(void)out;
	return routing_rule_remove(c, in->id);
}

static int role_of(const struct squad_route_in *in)
{
	if (!HAS(in, squad_route_in, from_role))
		return -1;
	return in->from_role == MEMBER_QA_TESTER ? MEMBER_TESTER : in->from_role;
}

/* Who would ask must be of the squad. */
static enum err check_from(struct call *c, const struct squad_route_in *in)
{
	struct squad_member_row member;
	enum err err;

	if (!HAS(in, squad_route_in, from))
		return OK;
	err = q_squad_member_get(c->db, &(struct id_row){in->from}, c->arena, &member);
	if (err == ERR_NOT_FOUND || (!err && member.squad != in->id))
		return problem_field(&c->problem, ERR_INVALID, "from", "there is no such member in the squad");
	return err;
}

enum err api_squad_route(struct call *c, const struct squad_route_in *in, struct squad_route *out)
{
	struct squad_row squad;
	struct routing_asked asked = {.squad = in->id,
				      .kind = in->kind,
				      .text = in->text,
				      .asker = HAS(in, squad_route_in, from) ? in->from : 0,
				      .from_role = role_of(in)};
	enum err err = squad_read(c, in->id, &squad);

	if (!err)
		err = check_from(c, in);
	return err ? err : routing_decide(c, &asked, out);
}
