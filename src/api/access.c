/* Tenants, keys, and who the caller is. Lists are answered from the keyring; changes reach it after their commit.
 */
#include "api/api.h"
#include "api/app.h"

#include "store/queries.h"

#include <string.h>

enum err api_whoami(struct call *c, const struct nothing *in, struct whoami *out)
{
	(void)in;
	out->tenant = c->caller.tenant;
	out->tenant_name = c->caller.tenant_name;
	out->key = c->caller.key;
	out->key_name = c->caller.key_name;
	out->scope = (int)c->caller.scope;
	if (c->caller.expires_ms)
		PUT(out, whoami, expires_at, c->caller.expires_ms);
	return OK;
}

/* ---- tenants ---- */

static bool is_tenant_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];
		bool good = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
			    ch == '-' || ch == '_' || ch == '.';
		if (!good)
			return false;
	}
	return s.n > 0 && !str_starts(s, STR("t_"));
}

struct tenant_added {
	struct app *app;
	struct keyring_tenant tenant;
};

static void tenant_committed(void *arg)
{
	struct tenant_added *added = arg;
	keyring_put_tenant(added->app->keyring, &added->tenant);
}

enum err api_tenant_add(struct call *c, const struct tenant_new *in, struct tenant *out)
{
	struct app *app = call_app(c);
	if (!is_tenant_name(in->name))
		return problem_field(&c->problem, ERR_INVALID, "name",
				     "letters, digits, '-', '_' and '.' only, and not starting with t_");
	struct tenant_row row = {.id = app_new_id(app), .name = in->name, .created_ms = c->now_ms};
	struct tenant_insert_out inserted;
	enum err err = q_tenant_insert(c->db, &row, c->arena, &inserted);
	if (err == ERR_ALREADY_EXISTS)
		return call_fail(c, err, "there is a tenant named '%.*s'; 'tenfold tenant list' shows it",
				 STRF(in->name));
	if (err)
		return err;
	struct tenant_added *added = ARENA_NEW(c->arena, struct tenant_added);
	*added = (struct tenant_added){app, {.id = row.id, .created_ms = row.created_ms, .name = row.name}};
	call_after_commit(c, tenant_committed, added);
	out->id = row.id;
	out->name = row.name;
	out->created_at = row.created_ms;
	return OK;
}

enum err api_tenant_list(struct call *c, const struct nothing *in, struct tenant_list *out)
{
	(void)in;
	struct keyring_tenant *all;
	size_t n = keyring_tenants(call_app(c)->keyring, c->arena, &all);
	out->items = ARENA_ARRAY(c->arena, struct tenant, n);
	for (; out->items && out->items_count < n; out->items_count++) {
		const struct keyring_tenant *t = &all[out->items_count];
		out->items[out->items_count] =
			(struct tenant){.id = t->id, .name = t->name, .created_at = t->created_ms};
	}
	return OK;
}

/* ---- keys ---- */

struct key_added {
	struct app *app;
	struct keyring_key key;
};

static void key_committed(void *arg)
{
	struct key_added *added = arg;
	keyring_put_key(added->app->keyring, &added->key);
}

enum err api_key_add(struct call *c, const struct key_new *in, struct key_created *out)
{
	struct app *app = call_app(c);
	bool expires = HAS(in, key_new, expires_at);
	if (expires && in->expires_at <= c->now_ms)
		return problem_field(&c->problem, ERR_INVALID, "expires_at", "must lie in the future");
	if (in->scope == SCOPE_NONE)
		return problem_field(&c->problem, ERR_INVALID, "scope", "a key that may do nothing is of no use");
	char secret[KEY_SECRET_TEXT];
	keyring_secret_new(secret);
	struct key_added *added = ARENA_NEW(c->arena, struct key_added);
	added->app = app;
	added->key = (struct keyring_key){.id = app_new_id(app),
					  .tenant = c->caller.tenant,
					  .created_ms = c->now_ms,
					  .expires_ms = expires ? in->expires_at : 0,
					  .scope = (enum scope)in->scope,
					  .name = in->name};
	keyring_secret_hash(str_of(secret), added->key.hash);
	struct key_row row = {.id = added->key.id,
			      .tenant = added->key.tenant,
			      .name = in->name,
			      .scope = in->scope,
			      .hash = {(const char *)added->key.hash, KEY_HASH_BYTES},
			      .created_ms = c->now_ms,
			      .expires_ms = added->key.expires_ms};
	enum err err = q_key_insert(c->db, &row);
	if (err)
		return err;
	call_after_commit(c, key_committed, added);
	out->id = row.id;
	out->name = in->name;
	out->scope = in->scope;
	out->secret = arena_str(c->arena, str_of(secret));
	if (expires)
		PUT(out, key_created, expires_at, in->expires_at);
	return OK;
}

enum err api_key_list(struct call *c, const struct nothing *in, struct key_list *out)
{
	(void)in;
	struct keyring_key *all;
	size_t n = keyring_keys(call_app(c)->keyring, c->caller.tenant, c->arena, &all);
	out->items = ARENA_ARRAY(c->arena, struct key, n);
	for (; out->items && out->items_count < n; out->items_count++) {
		const struct keyring_key *k = &all[out->items_count];
		struct key *item = &out->items[out->items_count];
		*item = (struct key){.id = k->id,
				     .tenant = k->tenant,
				     .name = k->name,
				     .scope = (int)k->scope,
				     .created_at = k->created_ms};
		if (k->expires_ms)
			PUT(item, key, expires_at, k->expires_ms);
		if (k->revoked_ms)
			PUT(item, key, revoked_at, k->revoked_ms);
	}
	return OK;
}

struct key_gone {
	struct app *app;
	int64_t key, now_ms;
};

static void key_revoke_committed(void *arg)
{
	struct key_gone *gone = arg;
	keyring_revoke(gone->app->keyring, gone->key, gone->now_ms);
}

enum err api_key_revoke(struct call *c, const struct key_ref *in, struct nothing *out)
{
	(void)out;
	struct key_revoke_in row = {.id = in->id, .tenant = c->caller.tenant, .revoked_ms = c->now_ms};
	struct key_revoke_out revoked;
	enum err err = q_key_revoke(c->db, &row, c->arena, &revoked);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "this tenant has no such key in force");
	if (err)
		return err;
	struct key_gone *gone = ARENA_NEW(c->arena, struct key_gone);
	*gone = (struct key_gone){call_app(c), in->id, c->now_ms};
	call_after_commit(c, key_revoke_committed, gone);
	return OK;
}
