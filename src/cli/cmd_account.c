/* account sign-up, sign-in, sign-out, use, password, reset: what asks for passwords, or changes what is kept of
 * tokens. */
#include "cli/client.h"
#include "cli/print.h"
#include "cli/secret.h"
#include "cli/sign_in.h"

#include <stdio.h>
#include <unistd.h>

enum { HOST_MAX = 64 };

/* What the list of sessions calls it. */
static struct str client_name(struct cli *cli)
{
	char host[HOST_MAX + 1] = {0};

	if (gethostname(host, HOST_MAX) != 0 || !str_is_utf8(str_of(host)))
		return STR("tenfold");
	return arena_fmt(cli->arena, "tenfold on %s", host);
}

/* Nothing of what was given is shown. */
static enum err keep(struct cli *cli, struct client *client, const struct signed_in *in)
{
	struct account_report report = {.email = in->email,
					.user = in->user,
					.tenant = in->tenant_name,
					.role = in->role,
					.session = in->session,
					.refresh_expires_at = in->refresh_expires_at};
	enum err e = sign_in_keep(cli, client->url, in);

	if (!e)
		print_answer(cli, &type_account_report, &report, "");
	return e;
}

/* ---- in ---- */

/* Its texts are of cli->arena. */
static enum err get_tokens(struct cli *cli, struct client *client, enum route_id route, const void *in,
			   struct signed_in *out)
{
	struct arena *a = cli->arena;
	enum err e = client_call(client, route, in, a, out, NULL, &cli->problem);

	if (e)
		return e;
	out->email = arena_str(a, out->email);
	out->tenant_name = arena_str(a, out->tenant_name);
	out->access_token = arena_str(a, out->access_token);
	out->refresh_token = arena_str(a, out->refresh_token);
	return OK;
}

/* A session there was ends, since its tokens are about to be forgotten. */
static enum err sign_in_anew(struct cli *cli, struct client *client, enum route_id route, const void *in)
{
	struct sign_out_in here = {0};
	struct problem ignored = {0};
	struct signed_in out;
	enum err e = get_tokens(cli, client, route, in, &out);

	if (!e && client->is_signed_in)
		client_call(client, ROUTE_sign_out, &here, cli->arena, NULL, NULL, &ignored);
	return e ? e : keep(cli, client, &out);
}

enum err cmd_account_sign_up(struct cli *cli, const void *args)
{
	const struct account_sign_up_args *a = args;
	struct secret_source from = {a->password_file, a->password_stdin};
	struct sign_up_in in = {0};
	struct client *client;
	struct str password;
	enum err e = cli_connect(cli, &client);

	if (e)
		return e;
	e = secret_read(cli, &from, "Password", true, &password);
	PUT(&in, sign_up_in, email, a->email);
	if (!e)
		PUT(&in, sign_up_in, password, password);
	if (HAS(a, account_sign_up_args, name))
		PUT(&in, sign_up_in, name, a->name);
	if (HAS(a, account_sign_up_args, organisation))
		PUT(&in, sign_up_in, organisation, a->organisation);
	if (HAS(a, account_sign_up_args, invitation))
		PUT(&in, sign_up_in, invitation, a->invitation);
	PUT(&in, sign_up_in, client, client_name(cli));
	if (!e)
		e = sign_in_anew(cli, client, ROUTE_sign_up, &in);
	client_destroy(&client);
	return e;
}

enum err cmd_account_sign_in(struct cli *cli, const void *args)
{
	const struct account_sign_in_args *a = args;
	struct secret_source from = {a->password_file, a->password_stdin};
	struct sign_in_in in = {0};
	struct client *client;
	struct str password;
	enum err e = cli_connect(cli, &client);

	if (e)
		return e;
	e = secret_read(cli, &from, "Password", false, &password);
	PUT(&in, sign_in_in, email, a->email);
	if (!e)
		PUT(&in, sign_in_in, password, password);
	if (cli->globals.tenant.n)
		PUT(&in, sign_in_in, tenant, cli->globals.tenant);
	if (HAS(a, account_sign_in_args, invitation))
		PUT(&in, sign_in_in, invitation, a->invitation);
	PUT(&in, sign_in_in, client, client_name(cli));
	if (!e)
		e = sign_in_anew(cli, client, ROUTE_sign_in, &in);
	client_destroy(&client);
	return e;
}

/* ---- elsewhere, and out ---- */

static enum err use(struct cli *cli, struct client *client, struct str tenant)
{
	struct token_refresh_in in = {0};
	struct signed_in out;
	struct str token;
	int lock = sign_in_lock(cli->arena);
	enum err e = sign_in_token(cli, client->url, &token);

	PUT(&in, token_refresh_in, tenant, tenant);
	if (!e)
		PUT(&in, token_refresh_in, refresh_token, token);
	if (!e)
		e = get_tokens(cli, client, ROUTE_token_refresh, &in, &out);
	if (!e)
		e = keep(cli, client, &out);
	sign_in_unlock(lock);
	return e;
}

enum err cmd_account_use(struct cli *cli, const void *args)
{
	const struct account_use_args *a = args;
	struct client *client;
	enum err e = cli_connect(cli, &client);

	if (e)
		return e;
	e = use(cli, client, a->name);
	client_destroy(&client);
	return e;
}

/* To whom it is news that there is another key for the server: it may do more than the person could. */
static void tell_next_key(struct cli *cli)
{
	struct client *next;

	if (cli->globals.key.n || cli_connect(cli, &next) != OK)
		return;
	if (next->key.n)
		fprintf(stderr, "Signed out; from now on commands use the key in %.*s\n", STRF(next->key_note));
	client_destroy(&next);
}

/* What is kept here is forgotten even when the server has ended the session before. */
enum err cmd_account_sign_out(struct cli *cli, const void *args)
{
	struct client *client;
	struct str token;
	int lock;
	enum err e = cli_connect(cli, &client);

	if (e)
		return e;
	e = sign_in_token(cli, client->url, &token);
	if (!e)
		e = client_call(client, ROUTE_sign_out, args, cli->arena, NULL, NULL, &cli->problem);
	lock = sign_in_lock(cli->arena);
	if (!e || e == ERR_UNAUTHENTICATED)
		e = sign_in_forget(cli, client->url);
	sign_in_unlock(lock);
	client_destroy(&client);
	if (!e)
		tell_next_key(cli);
	return e;
}

/* ---- passwords ---- */

enum err cmd_account_password(struct cli *cli, const void *args)
{
	const struct account_password_args *a = args;
	struct secret_source now = {a->password_file, a->password_stdin};
	struct secret_source next = {a->new_password_file, a->password_stdin};
	struct account_password_in in = {0};
	struct client *client;
	struct str password, new_password;
	enum err e = cli_connect(cli, &client);

	if (e)
		return e;
	e = secret_read(cli, &now, "Password there is", false, &password);
	if (!e)
		e = secret_read(cli, &next, "New password", true, &new_password);
	if (!e) {
		PUT(&in, account_password_in, password, password);
		PUT(&in, account_password_in, new_password, new_password);
		e = client_call(client, ROUTE_account_password, &in, cli->arena, NULL, NULL, &cli->problem);
	}
	client_destroy(&client);
	return e;
}

enum err cmd_account_reset(struct cli *cli, const void *args)
{
	const struct account_reset_args *a = args;
	struct secret_source from = {a->password_file, a->password_stdin};
	struct password_reset_in in = {0};
	struct client *client;
	struct str password;
	enum err e = cli_connect(cli, &client);

	if (e)
		return e;
	e = secret_read(cli, &from, "New password", true, &password);
	if (!e) {
		PUT(&in, password_reset_in, reset_token, a->reset_token);
		PUT(&in, password_reset_in, new_password, password);
		e = client_call(client, ROUTE_password_reset_use, &in, cli->arena, NULL, NULL, &cli->problem);
	}
	client_destroy(&client);
	return e;
}
