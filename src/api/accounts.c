/*
 * Signing up, in and out; passwords. What takes time over a password runs first, on a thread of its own, and leaves a
 * struct proved for the handler, which writes.
 *
 * What somebody did with an account is logged, by the id of the user; of who names no account, the address alone.
 */
#include "api/accounts.h"

#include "accounts/email.h"
#include "accounts/invitation.h"
#include "accounts/password.h"
#include "accounts/people.h"
#include "accounts/reset.h"
#include "accounts/user_session.h"
#include "api/api.h"
#include "api/app.h"
#include "api/keys.h"
#include "api/tenants.h"
#include "base/log.h"

enum { KEY_NAME_MAX = 64 };

/* What the first half of a call found. */
struct proved {
	struct user_row user; /* as it was when its password fitted */
	struct str email;     /* folded */
	struct str hash;      /* of the new password; p NULL: it stays as it is */
};

static struct proved *proved_new(struct call *c)
{
	c->found = ARENA_NEW(c->arena, struct proved);
	return c->found;
}

static void tell(const struct call *c, const char *event, int64_t user)
{
	char id[ID_TEXT];
	id_format(id, "us_", user);
	LOG_I(event, "user=%s address=%.*s", id, STRF(c->address));
}

/* ---- how often ---- */

static enum err admit_email(struct call *c, struct str given)
{
	struct problem unused = {0};
	struct str email = {0};
	email_fold(given, c->arena, &unused, &email); /* what is no address is refused later */
	return accounts_admit(call_app(c)->accounts, c, email);
}

enum err account_admit(struct call *c)
{
	switch (c->route - spec_routes) {
	case ROUTE_sign_in:
		return admit_email(c, ((const struct sign_in_in *)c->in)->email);
	case ROUTE_account_password:
		return accounts_admit(call_app(c)->accounts, c, c->caller.key_name);
	default:
		return accounts_admit(call_app(c)->accounts, c, (struct str){0});
	}
}

/* ---- tokens ---- */

enum err account_is_person(struct call *c)
{
	return c->caller.user
		       ? OK
		       : call_fail(c, ERR_NOT_FOUND,
				   "this key is no person's and has no account; sign in and send an access token");
}

static enum err add_access_token(struct call *c, const struct user_row *user, const struct sign_in_row *session,
				 const struct membership *as, struct signed_in *out)
{
	int64_t expires_ms = c->now_ms + call_app(c)->accounts->config.access_ms;
	struct keyring_key key = {.tenant = as->tenant,
				  .user = user->id,
				  .sign_in = session->id,
				  .role = (enum user_role)as->role,
				  .scope = accounts_scope((enum user_role)as->role),
				  .tier = TIER_VERIFIED,
				  .expires_ms = expires_ms < session->expires_ms ? expires_ms : session->expires_ms,
				  .name = str_clip(user->email, KEY_NAME_MAX)};
	out->expires_at = key.expires_ms;
	out->expires_in_ms = key.expires_ms - c->now_ms;
	enum err err = keys_add(c, &key, &out->access_token);
	c->caller.key = key.id; /* what is read with it shows what is written now, on replicas too */
	return err;
}

/* Both tokens of a session; the last that a handler does. */
static enum err answer(struct call *c, const struct user_row *user, const struct sign_in_row *session,
		       const struct membership *as, struct signed_in *out)
{
	struct app *app = call_app(c);
	out->user = user->id;
	out->email = user->email;
	out->tenant = as->tenant;
	out->tenant_name = as->name;
	out->role = as->role;
	out->session = session->id;
	enum err err = user_session_token(app->accounts, c, app_new_id(app), session, &out->refresh_token,
					  &out->refresh_expires_at);
	return err ? err : add_access_token(c, user, session, as, out);
}

static enum err begin(struct call *c, const struct user_row *user, const struct membership *as, struct str client,
		      struct signed_in *out)
{
	struct app *app = call_app(c);
	struct sign_in_row session;
	enum err err = user_session_begin(app->accounts, c, app_new_id(app), user, as->tenant, client, &session);
	return err ? err : answer(c, user, &session, as, out);
}

/* ---- sign-up ---- */

static enum err check_policy(struct call *c, const struct sign_up_in *in, struct str email)
{
	struct invitation_row row;
	bool invited = HAS(in, sign_up_in, invitation);
	if (invited && HAS(in, sign_up_in, organisation))
		return problem_field(&c->problem, ERR_INVALID, "organisation",
				     "an invitation is into an organisation there is; leave one of them out");
	if (!invited && call_app(c)->accounts->config.sign_up != SIGN_UP_OPEN)
		return call_fail(
			c, ERR_FORBIDDEN,
			"accounts are by invitation here: ask an admin of an organisation for one ('tenfold "
			"account invite'); a server that was started with --sign-up open asks for none");
	return invited ? invitation_read(c, in->invitation, email, &row) : OK;
}

enum err api_sign_up_hash(struct call *c, const struct sign_up_in *in, struct signed_in *out)
{
	struct proved *p = proved_new(c);
	(void)out;
	enum err err = p ? email_fold(in->email, c->arena, &c->problem, &p->email) : ERR_INTERNAL;
	if (!err)
		err = check_policy(c, in, p->email);
	if (!err)
		err = password_check(in->password, p->email, "password", &c->problem);
	return err ? err : password_hash(in->password, c->arena, &p->hash, &c->problem);
}

static enum err add_user(struct call *c, const struct sign_up_in *in, const struct proved *p, struct user_row *out)
{
	struct id_row made;
	*out = (struct user_row){.id = app_new_id(call_app(c)),
				 .email = p->email,
				 .name = HAS(in, sign_up_in, name) ? in->name : email_local(p->email),
				 .password = p->hash,
				 .password_ms = c->now_ms,
				 .created_ms = c->now_ms};
	enum err err = q_user_insert(c->db, out, c->arena, &made);
	if (err == ERR_ALREADY_EXISTS)
		return problem_field(&c->problem, err, "email", "has an account; sign in");
	return err;
}

/* By an invitation. */
static enum err enter(struct call *c, struct str invitation, const struct user_row *user, struct membership *as)
{
	struct invitation_row row;
	enum err err = invitation_use(c, invitation, user, &row);
	if (!err)
		err = people_join(c, app_new_id(call_app(c)), row.tenant, user->id, (enum user_role)row.role);
	return err ? err : people_choose(c, user->id, (struct str){0}, row.tenant, as);
}

/* A tenant made for the person. */
static enum err found(struct call *c, const struct tenant *tenant, enum tenant_kind kind, int64_t user,
		      struct membership *as)
{
	*as = (struct membership){
		.tenant = tenant->id, .name = tenant->name, .kind = (int)kind, .role = USER_OWNER};
	enum err err = q_tenant_found(c->db, &(struct tenant_found_in){tenant->id, kind});
	return err ? err : people_join(c, app_new_id(call_app(c)), tenant->id, user, USER_OWNER);
}

static enum err find_place(struct call *c, const struct sign_up_in *in, const struct user_row *user,
			   struct membership *as)
{
	struct tenant tenant;
	bool organised = HAS(in, sign_up_in, organisation);
	if (HAS(in, sign_up_in, invitation))
		return enter(c, in->invitation, user, as);
	enum err err = organised ? tenants_add(c, in->organisation, "organisation", &tenant)
				 : tenants_add_own(c, user->id, &tenant);
	return err ? err : found(c, &tenant, organised ? TENANT_ORGANISATION : TENANT_PERSON, user->id, as);
}

enum err api_sign_up(struct call *c, const struct sign_up_in *in, struct signed_in *out)
{
	struct user_row user;
	struct membership as;
	enum err err = add_user(c, in, c->found, &user);
	if (!err)
		err = find_place(c, in, &user, &as);
	if (!err)
		err = begin(c, &user, &as, in->client, out);
	if (!err)
		tell(c, "account.signed_up", user.id);
	return err;
}

/* ---- sign-in ---- */

static enum err wrong(struct call *c)
{
	return call_fail(c, ERR_UNAUTHENTICATED, "the address or the password is wrong");
}

enum err api_sign_in_hash(struct call *c, const struct sign_in_in *in, struct signed_in *out)
{
	struct proved *p = proved_new(c);
	(void)out;
	enum err err = p ? email_fold(in->email, c->arena, &c->problem, &p->email) : ERR_INTERNAL;
	if (err)
		return err;
	err = q_user_of_email(c->db, &(struct user_of_email_in){p->email}, c->arena, &p->user);
	if (err && err != ERR_NOT_FOUND)
		return err;
	if (!password_fits(p->user.password, in->password)) {
		tell(c, "account.sign_in_failed", p->user.id);
		return wrong(c);
	}
	if (password_is_dated(p->user.password))
		return password_hash(in->password, c->arena, &p->hash, &c->problem);
	return OK;
}

/* Nobody may have changed the password since it fitted. */
static enum err hold_user(struct call *c, struct user_row *out)
{
	const struct proved *p = c->found;
	enum err err = q_user_hold(c->db, &(struct id_row){p->user.id}, c->arena, out);
	if (err == ERR_NOT_FOUND || (!err && !str_eq(out->password, p->user.password)))
		return wrong(c);
	return err;
}

static enum err renew_hash(struct call *c, const struct user_row *user)
{
	const struct proved *p = c->found;
	if (!p->hash.p)
		return OK;
	return q_user_password_set(c->db, &(struct user_password_set_in){user->id, p->hash, user->password_ms});
}

enum err api_sign_in(struct call *c, const struct sign_in_in *in, struct signed_in *out)
{
	struct user_row user;
	struct membership as;
	enum err err = hold_user(c, &user);
	if (!err)
		err = renew_hash(c, &user);
	if (!err && HAS(in, sign_in_in, invitation))
		err = enter(c, in->invitation, &user, &as);
	else if (!err)
		err = people_choose(c, user.id, in->tenant, 0, &as);
	if (!err)
		err = begin(c, &user, &as, in->client, out);
	if (!err)
		tell(c, "account.signed_in", user.id);
	return err;
}

/* ---- refresh ---- */

/* The session ends although the call is refused. */
static enum err end_replayed(struct call *c, const struct sign_in_row *session)
{
	char id[ID_TEXT];
	id_format(id, "us_", session->user_id);
	LOG_W("account.refresh_replayed", "user=%s address=%.*s", id, STRF(c->address));
	c->verdict = ERR_UNAUTHENTICATED;
	return account_end(c, session->user_id, session->id);
}

enum err api_token_refresh(struct call *c, const struct token_refresh_in *in, struct signed_in *out)
{
	struct sign_in_row session;
	struct user_row user;
	struct membership as;
	bool replayed;
	enum err err = user_session_use(c, in->refresh_token, &session, &user, &replayed);
	if (replayed)
		return end_replayed(c, &session);
	if (!err)
		err = people_choose(c, user.id, in->tenant, session.tenant, &as);
	if (!err)
		err = user_session_refreshed(c, &session, as.tenant);
	return err ? err : answer(c, &user, &session, &as, out);
}

/* ---- the end of sessions ---- */

enum err account_end(struct call *c, int64_t user, int64_t session)
{
	enum err err = user_session_end(c, user, session);
	return err ? err : keys_revoke_of_sign_in(c, user, session);
}

enum err account_end_others(struct call *c, int64_t user, int64_t keep)
{
	enum err err = user_session_end_others(c, user, keep);
	return err ? err : keys_revoke_of_others(c, user, keep);
}

enum err api_sign_out(struct call *c, const struct sign_out_in *in, struct nothing *out)
{
	(void)out;
	enum err err = account_is_person(c);
	if (!err)
		err = in->everywhere ? account_end_others(c, c->caller.user, 0)
				     : account_end(c, c->caller.user, c->caller.sign_in);
	if (!err)
		tell(c, in->everywhere ? "account.signed_out_everywhere" : "account.signed_out", c->caller.user);
	return err == ERR_NOT_FOUND && c->caller.user ? OK : err; /* it had ended */
}

enum err api_account_session_list(struct call *c, const struct account_session_list_in *in,
				  struct account_session_list_out *out)
{
	enum err err = account_is_person(c);
	return err ? err : user_session_list(c, in, out);
}

enum err api_account_session_end(struct call *c, const struct account_session_ref *in, struct nothing *out)
{
	(void)out;
	enum err err = c->caller.user ? account_end(c, c->caller.user, in->id) : ERR_NOT_FOUND;
	return err == ERR_NOT_FOUND ? call_fail(c, err, "you have no such session, or it has ended") : err;
}

/* ---- the account ---- */

enum err api_account_show(struct call *c, const struct nothing *in, struct user_account *out)
{
	struct user_row user;
	(void)in;
	enum err err = account_is_person(c);
	if (!err)
		err = q_user_get(c->db, &(struct id_row){c->caller.user}, c->arena, &user);
	if (!err)
		err = people_tenants(c, user.id, &out->tenants, &out->tenants_count);
	if (err)
		return err;
	out->id = user.id;
	out->email = user.email;
	out->name = user.name;
	out->tenant = c->caller.tenant;
	out->tenant_name = c->caller.tenant_name;
	out->role = (int)c->caller.role;
	out->session = c->caller.sign_in;
	out->password_set_at = user.password_ms;
	out->created_at = user.created_ms;
	return OK;
}

enum err api_invitation_accept(struct call *c, const struct invitation_accept_in *in, struct membership *out)
{
	struct user_row user;
	enum err err = account_is_person(c);
	if (!err)
		err = q_user_get(c->db, &(struct id_row){c->caller.user}, c->arena, &user);
	return err ? err : enter(c, in->invitation, &user, out);
}

enum err api_organisation_add(struct call *c, const struct organisation_new *in, struct tenant *out)
{
	struct membership as;
	enum err err = account_is_person(c);
	if (!err && call_app(c)->accounts->config.sign_up != SIGN_UP_OPEN)
		return call_fail(c, ERR_FORBIDDEN, "organisations are made by the server's admins here");
	if (!err)
		err = tenants_add(c, in->name, "name", out);
	return err ? err : found(c, out, TENANT_ORGANISATION, c->caller.user, &as);
}

/* ---- passwords ---- */

enum err api_account_password_hash(struct call *c, const struct account_password_in *in, struct nothing *out)
{
	struct proved *p = proved_new(c);
	(void)out;
	enum err err = p ? account_is_person(c) : ERR_INTERNAL;
	if (!err)
		err = q_user_get(c->db, &(struct id_row){c->caller.user}, c->arena, &p->user);
	if (!err)
		err = password_check(in->new_password, p->user.email, "new_password", &c->problem);
	if (!err && !password_fits(p->user.password, in->password)) {
		tell(c, "account.password_refused", c->caller.user);
		return problem_field(&c->problem, ERR_FORBIDDEN, "password", "is not the one there is");
	}
	return err ? err : password_hash(in->new_password, c->arena, &p->hash, &c->problem);
}

/* The user is held. */
static enum err set_password(struct call *c, int64_t user)
{
	const struct proved *p = c->found;
	enum err err = q_user_password_set(c->db, &(struct user_password_set_in){user, p->hash, c->now_ms});
	return err ? err : q_password_reset_void(c->db, &(struct password_reset_void_in){user, c->now_ms});
}

enum err api_account_password(struct call *c, const struct account_password_in *in, struct nothing *out)
{
	struct user_row user;
	(void)in, (void)out;
	enum err err = hold_user(c, &user);
	if (!err)
		err = set_password(c, user.id);
	if (!err)
		err = account_end_others(c, user.id, c->caller.sign_in);
	if (!err)
		tell(c, "account.password_changed", user.id);
	return err;
}

enum err api_password_reset_use_hash(struct call *c, const struct password_reset_in *in, struct nothing *out)
{
	struct password_reset_row row;
	struct proved *p = proved_new(c);
	(void)out;
	enum err err = p ? reset_read(c, in->reset_token, &row) : ERR_INTERNAL;
	if (!err)
		err = q_user_get(c->db, &(struct id_row){row.user_id}, c->arena, &p->user);
	if (!err)
		err = password_check(in->new_password, p->user.email, "new_password", &c->problem);
	return err ? err : password_hash(in->new_password, c->arena, &p->hash, &c->problem);
}

enum err api_password_reset_use(struct call *c, const struct password_reset_in *in, struct nothing *out)
{
	const struct proved *p = c->found;
	struct password_reset_row row;
	struct user_row user;
	(void)out;
	enum err err = q_user_hold(c->db, &(struct id_row){p->user.id}, c->arena, &user);
	if (!err)
		err = reset_read(c, in->reset_token, &row); /* nobody used it meanwhile */
	if (!err)
		err = set_password(c, user.id);
	if (!err)
		err = account_end_others(c, user.id, 0);
	if (!err)
		tell(c, "account.password_reset", user.id);
	return err;
}
