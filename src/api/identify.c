/* See identify.h. */
#include "api/identify.h"

#include "access/replays.h"
#include "accounts/ticket.h"
#include "api/app.h"
#include "api/hook_work.h"
#include "api/keys.h"
#include "api/runner.h"
#include "directory/agent.h"
#include "directory/signed.h"

/* How long a signature counts: it may be that old, or that much ahead. */
enum { COUNTS_MS = 2 * SIGNED_SKEW_MS, SHOWN_MAX = 64 };

/* ---- a key ---- */

static enum err refuse(struct call *c, const char *why)
{
	return call_fail(c, ERR_UNAUTHENTICATED, "%s", why);
}

/* By what it says of itself. */
static enum err refuse_unknown(struct call *c, enum token_kind kind)
{
	switch (kind) {
	case TOKEN_ACCESS:
		return refuse(c, "the server does not know this access token; sign in again");
	case TOKEN_REFRESH:
	case TOKEN_TICKET:
	case TOKEN_INVITATION:
	case TOKEN_RESET:
		return call_fail(c, ERR_UNAUTHENTICATED, "this is %s; send the access token, or an API key",
				 token_kind_name(kind));
	case TOKEN_KEY:
	case TOKEN_KINDS:
		return refuse(c, "the server does not know this key, or it has expired or been revoked");
	}
	UNREACHABLE();
}

enum err identify_refuse_key(struct call *c, enum key_stand stand)
{
	bool of_person = c->caller.user != 0;
	if (stand == KEY_EXPIRED)
		return refuse(
			c, of_person ? "this access token has expired; POST /v1/account/refresh gives the next one"
				     : "this key has expired");
	return refuse(c,
		      of_person ? "this access token was revoked: its session has ended, or what its person may do "
				  "has changed; refresh it, or sign in again"
				: "this key was revoked");
}

static enum err refuse_secret(struct call *c, struct str secret)
{
	enum token_kind kind = token_kind_of(secret);
	enum key_stand stand = keyring_look(call_app(c)->keyring, secret, clock_now_ms(call_app(c)->clock));
	if (stand == KEY_UNKNOWN || stand == KEY_IN_FORCE)
		return refuse_unknown(c, kind);
	c->caller.user = kind == TOKEN_ACCESS; /* only for the words: nobody calls */
	identify_refuse_key(c, stand);
	c->caller.user = 0;
	return ERR_UNAUTHENTICATED;
}

enum err identify_refuse(struct call *c, struct str secret, struct str tenant, enum err err)
{
	if (err == ERR_UNAUTHENTICATED)
		return refuse_secret(c, secret);
	if (err == ERR_FORBIDDEN)
		return call_fail(c, err,
				 "this key belongs to another tenant; --tenant (X-Tenant) is for admin keys");
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "there is no tenant '%.*s'; 'tenfold tenant list' shows them",
				 tenant.n < SHOWN_MAX ? (int)tenant.n : SHOWN_MAX, tenant.p);
	return err;
}

static enum err by_key(struct call *c, struct db *db, struct str secret)
{
	struct app *app = call_app(c);
	struct str tenant = http_request_of(c).tenant;
	enum err err = keyring_look_up(app->keyring, db, secret, c->arena);
	if (tenant.n && (!err || err == ERR_NOT_FOUND))
		err = keyring_find_new_tenants(app->keyring, db);
	if (err && err != ERR_NOT_FOUND)
		return err;
	err = keyring_authenticate(app->keyring, secret, tenant, c->now_ms, c->arena, &c->caller);
	return err ? identify_refuse(c, secret, tenant, err) : OK;
}

/* ---- a ticket ---- */

static enum err by_ticket(struct call *c, struct db *db, struct str text)
{
	struct app *app = call_app(c);
	struct ticket_row row;
	enum err err = ticket_take(app->accounts, c, db, text, &row);
	if (err)
		return err;
	if (keyring_look_id(app->keyring, row.key_id, c->now_ms) == KEY_UNKNOWN)
		err = keyring_look_up_id(app->keyring, db, row.key_id, c->arena);
	if (!err)
		err = keyring_authenticate_id(app->keyring, row.key_id, row.tenant, c->now_ms, c->arena,
					      &c->caller);
	if (err == ERR_UNAUTHENTICATED || err == ERR_NOT_FOUND)
		return refuse(c, "the key that this ticket was made with works no more");
	return err;
}

/* ---- a signature ---- */

static struct str header(const void *ctx, struct str name)
{
	return http_header_of(ctx, name);
}

static struct signed_request request_of(const struct call *c)
{
	struct http_request request = http_request_of(c);
	return (struct signed_request){.method = str_of(spec_method_names[c->route->method]),
				       .path = request.path,
				       .query = request.query,
				       .body = c->body,
				       .header = header,
				       .ctx = c};
}

bool identify_is_signed(const struct call *c)
{
	struct signed_request r = request_of(c);
	return signed_is(&r);
}

/* What only reads may be sent again. */
static enum err take_once(struct call *c, struct db *db, const struct signed_claim *claim)
{
	struct app *app = call_app(c);
	uint64_t hash = str_hash((struct str){(const char *)claim->signature, sizeof claim->signature});
	if (c->route->method == METHOD_GET)
		return OK;
	enum err err = OK;
	if (store_kind(app->store) == STORE_POSTGRES) {
		struct signature_take_in in = {.id = (int64_t)(hash >> 1), .expires_ms = c->now_ms + COUNTS_MS};
		struct id_row out;
		err = q_signature_take(db, &in, c->arena, &out);
	} else if (claim->created_ms < app->started_ms) { /* it may have been taken then */
		return call_fail(c, ERR_UNAUTHENTICATED,
				 "the signature is older than this process, which cannot know whether it was used "
				 "before; sign again");
	} else if (!replays_take(app->replays, hash, c->now_ms)) {
		err = ERR_NOT_FOUND;
	}
	if (err != ERR_NOT_FOUND)
		return err;
	return call_fail(c, ERR_UNAUTHENTICATED,
			 "this signature was used before; sign again, with a nonce or at a later time");
}

static enum err no_such_signer(struct call *c, struct str agent)
{
	return call_fail(c, ERR_UNAUTHENTICATED, "there is no agent '%.*s' with a key that signed this",
			 agent.n < SHOWN_MAX ? (int)agent.n : SHOWN_MAX, agent.p);
}

/* Also one that another process has made a moment ago. */
static enum err find_tenant(struct call *c, int64_t tenant, struct keyring_tenant *out)
{
	struct keyring *keyring = call_app(c)->keyring;
	char id[ID_TEXT];
	id_format(id, "t_", tenant);
	if (keyring_find_tenant(keyring, str_of(id), c->arena, out))
		return OK;
	enum err err = keyring_find_new_tenants(keyring, c->db);
	return err ? err : keyring_find_tenant(keyring, str_of(id), c->arena, out) ? OK : ERR_NOT_FOUND;
}

static enum err become(struct call *c, const struct agent_full_row *row)
{
	struct keyring_tenant tenant;
	enum limit_tier tier = TIER_REGISTERED;
	enum err err = find_tenant(c, row->tenant, &tenant);
	if (err)
		return err == ERR_NOT_FOUND ? no_such_signer(c, row->handle) : err;
	err = keys_tier_of_agent(c, row->id, &tier);
	if (err && err != ERR_NOT_FOUND)
		return err;
	c->caller = (struct caller){.tenant = row->tenant,
				    .agent = row->id,
				    .proved_ms = row->key_proved_ms,
				    .scope = SCOPE_AGENT,
				    .tier = tier,
				    .key_name = arena_fmt(c->arena, "signature of %.*s", STRF(row->handle)),
				    .tenant_name = tenant.name};
	return OK;
}

static enum err by_signature(struct call *c, struct db *db)
{
	struct signed_request r = request_of(c);
	struct signed_claim claim;
	struct directory_agent agent;
	int64_t id;
	enum err err = signed_read(&r, c->now_ms, c->arena, &claim, &c->problem);
	if (err)
		return err;
	err = agent_resolve(db, claim.agent, c->arena, &id);
	if (!err)
		err = directory_agent_load(db, id, c->arena, &agent);
	if (err)
		return err == ERR_NOT_FOUND ? no_such_signer(c, claim.agent) : err;
	if (agent.row.deleted_ms || agent.row.public_key.n != PROOF_KEY ||
	    !signed_by(&claim, (const unsigned char *)agent.row.public_key.p))
		return no_such_signer(c, claim.agent);
	err = take_once(c, db, &claim);
	return err ? err : become(c, &agent.row);
}

/* ---- on the pool ---- */

enum err identify_post(struct call *c)
{
	struct app *app = call_app(c);
	if (atomic_load_explicit(&app->stopping, memory_order_relaxed))
		return ERR_SHUTTING_DOWN;
	c->task = (struct task){.cost = 1, .share = 1, .kind = TASK_IDENTIFY};
	return pool_post(app->pool, &c->task);
}

void identify_run(struct call *c, struct db *db, enum err why)
{
	struct str secret, scheme = str_cut(http_request_of(c).authorization, ' ', &secret);
	struct str ticket = http_ticket_of(c);
	c->db = db;
	c->now_ms = clock_now_ms(call_app(c)->clock);
	if (!db)
		c->outcome = why;
	else if (c->route->flags & ROUTE_SIGNED)
		c->outcome = hook_identify(c);
	else if (scheme.n)
		c->outcome = by_key(c, db, str_trim(secret));
	else
		c->outcome = ticket.n ? by_ticket(c, db, ticket) : by_signature(c, db);
	http_finish(c);
}
