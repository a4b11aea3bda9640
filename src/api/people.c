/* People in a tenant, invitations into it, and tickets; see accounts/people.h, invitation.h, reset.h and ticket.h. */
#include "api/accounts.h"
#include "api/api.h"
#include "api/app.h"
#include "api/keys.h"

#include "access/confirm.h"
#include "accounts/invitation.h"
#include "accounts/people.h"
#include "accounts/reset.h"
#include "accounts/ticket.h"

enum err api_tenant_user_list(struct call *c, const struct tenant_user_list_in *in,
			      struct tenant_user_list_out *out)
{
	return people_list(c, in, out);
}

/* What the tokens of a person say of their role is true no more. */
enum err api_tenant_user_change(struct call *c, const struct tenant_user_patch *in, struct tenant_user *out)
{
	enum err err = confirm_caller(c);
	if (!err)
		err = people_change(c, in, out);
	return err ? err : keys_revoke_of_user(c, in->id);
}

enum err api_tenant_user_remove(struct call *c, const struct tenant_user_ref *in, struct nothing *out)
{
	(void)out;
	enum err err = confirm_caller(c);
	if (!err)
		err = people_remove(c, in->id);
	return err ? err : keys_revoke_of_user(c, in->id);
}

enum err api_password_reset_add(struct call *c, const struct tenant_user_ref *in, struct password_reset *out)
{
	enum err err = confirm_caller(c);
	return err ? err : reset_add(c, app_new_id(call_app(c)), in->id, out);
}

enum err api_invitation_add(struct call *c, const struct invitation_new *in, struct invitation_made *out)
{
	enum err err = confirm_caller(c);
	return err ? err : invitation_add(c, app_new_id(call_app(c)), in, out);
}

enum err api_invitation_list(struct call *c, const struct invitation_list_in *in, struct invitation_list_out *out)
{
	return invitation_list(c, in, out);
}

enum err api_invitation_revoke(struct call *c, const struct invitation_ref *in, struct nothing *out)
{
	(void)out;
	return invitation_revoke(c, in->id);
}

enum err api_ticket_add(struct call *c, const struct stream_ticket_new *in, struct stream_ticket *out)
{
	struct app *app = call_app(c);
	if (!c->caller.key)
		return call_fail(c, ERR_CONFLICT,
				 "a ticket is made with a key or an access token, not with a signature");
	return ticket_add(app->accounts, c, app_new_id(app), in->path, out);
}
