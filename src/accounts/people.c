/* See people.h. */
#include "accounts/people.h"

#include "base/id.h"
#include "store/page.h"

/* ---- the tenants of one ---- */

struct gathering {
	struct arena *arena;
	struct membership *items;
	size_t count;
};

static enum err gather(void *ctx, const void *row)
{
	struct gathering *g = ctx;
	const struct membership_of_user_out *m = row;
	g->items[g->count++] = (struct membership){.tenant = m->tenant,
						   .name = arena_str(g->arena, m->name),
						   .kind = (int)m->kind,
						   .role = (int)m->role};
	return OK;
}

enum err people_tenants(struct call *c, int64_t user, struct membership **out, size_t *count)
{
	struct gathering g = {c->arena, ARENA_ARRAY(c->arena, struct membership, TENANTS_OF_ONE_MAX), 0};
	if (!g.items)
		return ERR_INTERNAL;
	enum err err =
		q_membership_of_user(c->db, &(struct membership_of_user_in){user, TENANTS_OF_ONE_MAX}, gather, &g);
	*out = g.items;
	*count = g.count;
	return err;
}

static bool is_named(const struct membership *m, struct str wanted)
{
	int64_t id;
	return str_eq(m->name, wanted) || (id_parse(wanted, "t_", &id) && id == m->tenant);
}

enum err people_choose(struct call *c, int64_t user, struct str wanted, int64_t usual, struct membership *out)
{
	struct membership *all;
	size_t count;
	enum err err = people_tenants(c, user, &all, &count);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++)
		if (wanted.n ? is_named(&all[i], wanted) : all[i].tenant == usual) {
			*out = all[i];
			return OK;
		}
	if (wanted.n)
		return call_fail(c, ERR_NOT_FOUND, "you belong to no tenant '%.*s'", STRF(str_clip(wanted, 64)));
	if (!count)
		return call_fail(
			c, ERR_FORBIDDEN,
			"you belong to no tenant any more; ask for an invitation and give it with this call");
	*out = all[0];
	return OK;
}

enum err people_join(struct call *c, int64_t id, int64_t tenant, int64_t user, enum user_role role)
{
	struct membership_row row = {
		.id = id, .tenant = tenant, .user_id = user, .role = role, .created_ms = c->now_ms};
	struct membership *all;
	size_t count;
	struct id_row made;
	enum err err = people_tenants(c, user, &all, &count);
	if (!err && count == TENANTS_OF_ONE_MAX)
		return call_fail(c, ERR_CONFLICT, "one person belongs to %d tenants at most", TENANTS_OF_ONE_MAX);
	if (!err)
		err = q_membership_insert(c->db, &row, c->arena, &made);
	return err == ERR_ALREADY_EXISTS ? call_fail(c, err, "this person belongs to the tenant already") : err;
}

/* ---- who is in a tenant ---- */

struct listing {
	struct call *c;
	struct tenant_user_list_out *out;
};

static enum err read_page(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	struct membership_page_in in = {l->c->caller.tenant, below, visit};
	return q_membership_page(l->c->db, &in, each, each_ctx);
}

static bool keep(void *ctx, const void *found)
{
	struct listing *l = ctx;
	const struct membership_page_out *row = found;
	l->out->items[l->out->items_count++] = (struct tenant_user){.id = row->user_id,
								    .email = arena_str(l->c->arena, row->email),
								    .name = arena_str(l->c->arena, row->name),
								    .role = (int)row->role,
								    .joined_at = row->created_ms};
	return true;
}

enum err people_list(struct call *c, const struct tenant_user_list_in *in, struct tenant_user_list_out *out)
{
	struct listing l = {c, out};
	struct page_end end;
	out->items = ARENA_ARRAY(c->arena, struct tenant_user, PAGE_ROOM(in));
	enum err err = page_take(&(struct page_source){read_page, keep, &l}, PAGE_WANT(in, tenant_user_list_in),
				 c->arena, &c->problem, &end);
	if (!err)
		PAGE_PUT(out, tenant_user_list_out, end);
	return err;
}

/* ---- changes ---- */

enum err people_hold_organisation(struct call *c, int64_t tenant, struct tenant_hold_out *out)
{
	enum err err = q_tenant_hold(c->db, &(struct id_row){tenant}, c->arena, out);
	if (!err && out->kind == TENANT_PERSON)
		return call_fail(c, ERR_CONFLICT,
				 "this tenant is one person's own; POST /v1/organisations makes one for several");
	return err;
}

enum err people_may_give(struct call *c, enum user_role role)
{
	bool is_owner = c->caller.scope >= SCOPE_ADMIN || c->caller.role == USER_OWNER;
	if (role != USER_OWNER || is_owner)
		return OK;
	return call_fail(c, ERR_FORBIDDEN, "only an owner makes and unmakes owners");
}

/* Tenant, person and membership, held in this order. */
static enum err hold(struct call *c, int64_t user, struct user_row *who, struct membership_row *as)
{
	struct tenant_hold_out tenant;
	enum err err = q_tenant_hold(c->db, &(struct id_row){c->caller.tenant}, c->arena, &tenant);
	if (!err)
		err = q_user_hold(c->db, &(struct id_row){user}, c->arena, who);
	if (!err)
		err = q_membership_get(c->db, &(struct membership_get_in){c->caller.tenant, user}, c->arena, as);
	return err == ERR_NOT_FOUND ? call_fail(c, err, "there is no such person here") : err;
}

/* Somebody else must be an owner when this one is no more. */
static enum err check_owner_left(struct call *c, const struct membership_row *as)
{
	size_t others = 0;
	struct membership_other_owner_in in = {as->tenant, as->user_id, USER_OWNER};
	if (as->role != USER_OWNER)
		return OK;
	enum err err = people_may_give(c, USER_OWNER);
	if (!err)
		err = q_membership_other_owner(c->db, &in, db_count_row, &others);
	if (!err && !others)
		return call_fail(c, ERR_CONFLICT, "this is the last owner; make another one first");
	return err;
}

enum err people_change(struct call *c, const struct tenant_user_patch *in, struct tenant_user *out)
{
	struct user_row who;
	struct membership_row as;
	enum err err = hold(c, in->id, &who, &as);
	if (!err)
		err = people_may_give(c, (enum user_role)in->role);
	if (!err && in->role != USER_OWNER)
		err = check_owner_left(c, &as);
	if (!err)
		err = q_membership_role_set(c->db, &(struct membership_role_set_in){as.id, in->role});
	*out = (struct tenant_user){
		.id = in->id, .email = who.email, .name = who.name, .role = in->role, .joined_at = as.created_ms};
	return err;
}

enum err people_remove(struct call *c, int64_t user)
{
	struct user_row who;
	struct membership_row as;
	enum err err = hold(c, user, &who, &as);
	if (!err)
		err = check_owner_left(c, &as);
	return err ? err : q_membership_delete(c->db, &(struct id_row){as.id});
}
