/* See member.h. */
#include "squads/member.h"

#include "directory/agent.h"
#include "directory/handle.h"
#include "squads/plan.h"
#include "squads/prompt.h"
#include "squads/squad.h"
#include "store/page.h"

/* ---- the squad ---- */

/* Nobody else changes its members until the transaction ends. */
static enum err hold_squad(struct call *c, int64_t id)
{
	struct squad_row squad;
	struct squad_hold_out held;
	enum err err = squad_read(c, id, &squad);
	if (!err)
		err = squad_check_open(c, &squad);
	return err ? err : q_squad_hold(c->db, &(struct id_row){id}, c->arena, &held);
}

static enum err check_room(struct call *c, int64_t squad, bool is_new, bool active)
{
	struct squad_member_count_out there;
	enum tenant_plan plan = PLAN_STARTER;
	enum err err = q_squad_member_count(c->db, &(struct squad_member_count_in){squad}, c->arena, &there);
	if (!err && is_new && there.count >= SQUAD_MEMBERS_MAX)
		return call_fail(c, ERR_CONFLICT, "a squad has at most %d members", SQUAD_MEMBERS_MAX);
	if (!err && active)
		err = plan_read(c, &plan);
	if (!err && active && there.active >= plan_active_members(plan))
		return call_fail(c, ERR_CONFLICT,
				 "the plan %s allows %d active members in a squad; deactivate one, or have an "
				 "admin of the server set a wider plan",
				 enum_tenant_plan.values[plan].text, (int)plan_active_members(plan));
	return err;
}

/* ---- what is given ---- */

static int64_t plain_role(int role)
{
	return role == MEMBER_QA_TESTER ? MEMBER_TESTER : role;
}

/* Is it taken? ERR_ALREADY_EXISTS, without a sentence. */
static enum err look_for_name(struct call *c, const struct squad_member_row *row, struct str name)
{
	struct squad_member_named_out found;
	struct squad_member_named_in in = {row->squad, name};
	enum err err = q_squad_member_named(c->db, &in, c->arena, &found);
	if (err == ERR_NOT_FOUND || (!err && found.id == row->id))
		return OK;
	return err ? err : ERR_ALREADY_EXISTS;
}

static enum err take_name(struct call *c, struct str name, struct squad_member_row *row)
{
	if (!slug_is_good(name))
		return problem_field(&c->problem, ERR_INVALID, "name",
				     "must be 2 to 64 of a to z, 0 to 9 and '-', with '-' at neither end");
	enum err err = look_for_name(c, row, name);
	if (err == ERR_ALREADY_EXISTS)
		return problem_field(&c->problem, err, "name", "is taken by another member of the squad");
	row->name = name;
	return err;
}

static struct str slug_of_role(struct arena *a, int64_t role)
{
	char *slug = arena_z(a, str_of(enum_member_role.values[role].text));
	for (char *p = slug; p && *p; p++)
		if (*p == '_')
			*p = '-';
	return str_of(slug ? slug : "");
}

/* The role's own, or the first of it with a number that is free. */
static enum err make_name(struct call *c, struct squad_member_row *row)
{
	struct str slug = slug_of_role(c->arena, row->role);
	enum err err = ERR_ALREADY_EXISTS;
	row->name = slug;
	for (int n = 2; err == ERR_ALREADY_EXISTS && n < SQUAD_MEMBERS_MAX + 3; n++) {
		err = look_for_name(c, row, row->name);
		if (err == ERR_ALREADY_EXISTS)
			row->name = arena_fmt(c->arena, "%.*s-%d", STRF(slug), n);
	}
	return err;
}

static enum err take_agent(struct call *c, struct str ref, struct squad_member_row *row)
{
	struct directory_agent agent;
	enum err err = agent_read(c, ref, &agent);
	if (err == ERR_NOT_FOUND || err == ERR_GONE)
		return problem_field(&c->problem, ERR_INVALID, "agent", "there is no such agent here");
	if (!err)
		row->agent = agent.row.id;
	return err;
}

enum err member_add(struct call *c, int64_t id, const struct squad_member_new *in, struct squad_member_row *out)
{
	int64_t role = plain_role(in->role);
	*out = (struct squad_member_row){.id = id,
					 .tenant = c->caller.tenant,
					 .squad = in->id,
					 .role = role,
					 .specialization = in->specialization,
					 .town_role = HAS(in, squad_member_new, town_role)
							      ? in->town_role
							      : (int64_t)town_role_of((enum member_role)role),
					 .provider = in->provider,
					 .model = in->model,
					 .prompt = in->system_prompt,
					 .active = in->active,
					 .version = 1,
					 .created_ms = c->now_ms,
					 .updated_ms = c->now_ms};
	enum err err = hold_squad(c, in->id);
	if (!err)
		err = check_room(c, in->id, true, in->active);
	if (!err)
		err = HAS(in, squad_member_new, name) ? take_name(c, in->name, out) : make_name(c, out);
	if (!err && HAS(in, squad_member_new, agent))
		err = take_agent(c, in->agent, out);
	return err ? err : q_squad_member_insert(c->db, out, 1);
}

/* ---- one that is there ---- */

enum err member_read(struct call *c, int64_t id, struct squad_member_row *out)
{
	enum err err = q_squad_member_get(c->db, &(struct id_row){id}, c->arena, out);
	if (err == ERR_NOT_FOUND || (!err && out->tenant != c->caller.tenant))
		return call_fail(c, ERR_NOT_FOUND, "there is no such member here");
	return err;
}

/* Read again, because somebody may have changed it before the squad was ours. */
static enum err hold(struct call *c, int64_t id, struct squad_member_row *out)
{
	enum err err = member_read(c, id, out);
	if (!err)
		err = hold_squad(c, out->squad);
	if (!err)
		err = member_read(c, id, out);
	return err ? err : call_if_match(c, out->version);
}

static enum err write_change(struct call *c, struct squad_member_row *row)
{
	row->version++;
	row->updated_ms = c->now_ms;
	struct squad_member_update_in in = {.id = row->id,
					    .name = row->name,
					    .role = row->role,
					    .specialization = row->specialization,
					    .town_role = row->town_role,
					    .provider = row->provider,
					    .model = row->model,
					    .prompt = row->prompt,
					    .agent = row->agent,
					    .active = row->active,
					    .version = row->version,
					    .updated_ms = row->updated_ms};
	return q_squad_member_update(c->db, &in, 1);
}

/* What is given, nothing for null, else what stood there. */
#define PATCHED(member, was)                                         \
	(HAS(in, squad_member_patch, member)       ? in->member      \
	 : IS_NULL(in, squad_member_patch, member) ? (struct str){0} \
						   : (was))

static void patch_words(const struct squad_member_patch *in, struct squad_member_row *row)
{
	if (HAS(in, squad_member_patch, role))
		row->role = plain_role(in->role);
	row->specialization = PATCHED(specialization, row->specialization);
	row->provider = PATCHED(provider, row->provider);
	row->model = PATCHED(model, row->model);
	row->prompt = PATCHED(system_prompt, row->prompt);
	if (HAS(in, squad_member_patch, town_role))
		row->town_role = in->town_role;
	if (IS_NULL(in, squad_member_patch, town_role))
		row->town_role = town_role_of((enum member_role)row->role);
	if (IS_NULL(in, squad_member_patch, agent))
		row->agent = 0;
}

#undef PATCHED

enum err member_change(struct call *c, const struct squad_member_patch *in, struct squad_member_row *out)
{
	enum err err = hold(c, in->id, out);
	if (err)
		return err;
	patch_words(in, out);
	if (HAS(in, squad_member_patch, name))
		err = take_name(c, in->name, out);
	if (!err && HAS(in, squad_member_patch, agent))
		err = take_agent(c, in->agent, out);
	return err ? err : write_change(c, out);
}

enum err member_activate(struct call *c, const struct squad_member_ref *in, bool active,
			 struct squad_member_row *out)
{
	enum err err = hold(c, in->id, out);
	if (err || out->active == active)
		return err;
	if (active)
		err = check_room(c, out->squad, false, true);
	out->active = active;
	return err ? err : write_change(c, out);
}

enum err member_remove(struct call *c, const struct squad_member_ref *in)
{
	struct squad_member_row row;
	enum err err = hold(c, in->id, &row);
	return err ? err : q_squad_member_delete(c->db, &(struct id_row){row.id}, 1);
}

/* ---- showing ---- */

struct str member_prompt(const struct squad_member_row *row)
{
	return row->prompt.p ? row->prompt : prompt_of_role((enum member_role)row->role, row->specialization);
}

void member_show(const struct squad_member_row *row, struct squad_member *out)
{
	*out = (struct squad_member){.id = row->id,
				     .squad = row->squad,
				     .name = row->name,
				     .role = (int)row->role,
				     .town_role = (int)row->town_role,
				     .own_prompt = row->prompt.p != NULL,
				     .active = row->active,
				     .version = row->version,
				     .created_at = row->created_ms,
				     .updated_at = row->updated_ms};
	if (row->specialization.p)
		PUT(out, squad_member, specialization, row->specialization);
	if (row->provider.p)
		PUT(out, squad_member, provider, row->provider);
	if (row->model.p)
		PUT(out, squad_member, model, row->model);
	if (row->agent)
		PUT(out, squad_member, agent, row->agent);
}

/* ---- lists ---- */

struct listing {
	struct call *c;
	const struct squad_member_list_in *in;
	struct squad_member_list_out *out;
};

static enum err read_page(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	return q_squad_member_page(l->c->db, &(struct squad_member_page_in){l->in->id, below, visit}, each,
				   each_ctx);
}

static bool is_wanted(const struct squad_member_list_in *in, const struct squad_member_row *row)
{
	return (!HAS(in, squad_member_list_in, role) || row->role == plain_role(in->role)) &&
	       (!HAS(in, squad_member_list_in, active) || row->active == in->active);
}

static bool keep(void *ctx, const void *found)
{
	struct listing *l = ctx;
	struct squad_member_row row = *(const struct squad_member_row *)found;
	if (!is_wanted(l->in, &row))
		return false;
	row.name = arena_kept(l->c->arena, row.name);
	row.specialization = arena_kept(l->c->arena, row.specialization);
	row.provider = arena_kept(l->c->arena, row.provider);
	row.model = arena_kept(l->c->arena, row.model);
	member_show(&row, &l->out->items[l->out->items_count++]);
	return true;
}

enum err member_list(struct call *c, const struct squad_member_list_in *in, struct squad_member_list_out *out)
{
	struct listing l = {c, in, out};
	struct squad_row squad;
	struct page_end end;
	out->items = ARENA_ARRAY(c->arena, struct squad_member, PAGE_ROOM(in));
	enum err err = squad_read(c, in->id, &squad);
	if (!err)
		err = page_take(&(struct page_source){read_page, keep, &l}, PAGE_WANT(in, squad_member_list_in),
				c->arena, &c->problem, &end);
	if (!err)
		PAGE_PUT(out, squad_member_list_out, end);
	return err;
}
