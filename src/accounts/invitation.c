/* See invitation.h. */
#include "accounts/invitation.h"

#include "access/token.h"
#include "accounts/email.h"
#include "accounts/people.h"
#include "store/page.h"

/* ---- made ---- */

enum err invitation_add(struct call *c, int64_t id, const struct invitation_new *in, struct invitation_made *out)
{
	char text[TOKEN_TEXT];
	unsigned char hash[TOKEN_HASH_BYTES];
	struct tenant_hold_out tenant;
	struct str email = {0};
	enum err err = people_may_give(c, (enum user_role)in->role);
	if (!err && HAS(in, invitation_new, email))
		err = email_fold(in->email, c->arena, &c->problem, &email);
	if (!err)
		err = people_hold_organisation(c, c->caller.tenant, &tenant);
	if (err)
		return err;
	token_new(TOKEN_INVITATION, text);
	token_hash(str_of(text), hash);
	struct invitation_row row = {.id = id,
				     .tenant = c->caller.tenant,
				     .hash = {(const char *)hash, sizeof hash},
				     .role = in->role,
				     .email = email,
				     .made_by = c->caller.user,
				     .created_ms = c->now_ms,
				     .expires_ms = c->now_ms + in->valid_ms};
	*out = (struct invitation_made){.id = id,
					.role = in->role,
					.invitation = arena_str(c->arena, str_of(text)),
					.expires_at = row.expires_ms};
	if (email.p)
		PUT(out, invitation_made, email, email);
	return q_invitation_insert(c->db, &row, 1);
}

enum err invitation_revoke(struct call *c, int64_t id)
{
	struct id_row gone;
	struct invitation_delete_in in = {id, c->caller.tenant};
	enum err err = q_invitation_delete(c->db, &in, c->arena, &gone);
	return err == ERR_NOT_FOUND ? call_fail(c, err, "there is no such invitation here") : err;
}

/* ---- used ---- */

static enum err fault(struct call *c, const char *what)
{
	return problem_field(&c->problem, ERR_INVALID, "invitation", "%s; ask for another", what);
}

enum err invitation_read(struct call *c, struct str token, struct str email, struct invitation_row *out)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	token_hash(token, hash);
	struct invitation_of_hash_in in = {.hash = {(const char *)hash, sizeof hash}};
	enum err err = q_invitation_of_hash(c->db, &in, c->arena, out);
	if (err == ERR_NOT_FOUND)
		return fault(c, token_kind_of(token) == TOKEN_INVITATION ? "is not known here, or was taken back"
									 : "is no invitation");
	if (err)
		return err;
	if (out->used_ms)
		return fault(c, "was used");
	if (out->expires_ms <= c->now_ms)
		return fault(c, "has expired");
	if (out->email.p && !str_eq(out->email, email))
		return fault(c, "is for another address");
	return OK;
}

enum err invitation_use(struct call *c, struct str token, const struct user_row *user, struct invitation_row *out)
{
	struct tenant_hold_out tenant;
	struct id_row used;
	enum err err = invitation_read(c, token, user->email, out);
	if (!err)
		err = people_hold_organisation(c, out->tenant, &tenant);
	if (err)
		return err;
	struct invitation_use_in in = {out->id, c->now_ms, user->id};
	err = q_invitation_use(c->db, &in, c->arena, &used);
	return err == ERR_NOT_FOUND ? fault(c, "was used") : err;
}

/* ---- the list ---- */

struct listing {
	struct call *c;
	struct invitation_list_out *out;
};

static enum err read_page(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	struct invitation_page_in in = {l->c->caller.tenant, below, visit};
	return q_invitation_page(l->c->db, &in, each, each_ctx);
}

static bool keep(void *ctx, const void *found)
{
	struct listing *l = ctx;
	const struct invitation_row *row = found;
	struct invitation *out = &l->out->items[l->out->items_count++];
	*out = (struct invitation){.id = row->id,
				   .role = (int)row->role,
				   .created_at = row->created_ms,
				   .expires_at = row->expires_ms};
	if (row->email.p)
		PUT(out, invitation, email, arena_str(l->c->arena, row->email));
	if (row->made_by)
		PUT(out, invitation, made_by, row->made_by);
	if (row->used_ms) {
		PUT(out, invitation, used_at, row->used_ms);
		PUT(out, invitation, used_by, row->used_by);
	}
	return true;
}

enum err invitation_list(struct call *c, const struct invitation_list_in *in, struct invitation_list_out *out)
{
	struct listing l = {c, out};
	struct page_end end;
	out->items = ARENA_ARRAY(c->arena, struct invitation, PAGE_ROOM(in));
	enum err err = page_take(&(struct page_source){read_page, keep, &l}, PAGE_WANT(in, invitation_list_in),
				 c->arena, &c->problem, &end);
	if (!err)
		PAGE_PUT(out, invitation_list_out, end);
	return err;
}
