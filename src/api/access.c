/* Tenants, keys, and who the caller is. Changes reach the key ring after their commit. */
#include "api/api.h"
#include "api/app.h"
#include "api/keys.h"
#include "api/tenants.h"

#include "access/confirm.h"
#include "store/page.h"
#include "store/queries.h"

enum err api_whoami(struct call *c, const struct nothing *in, struct whoami *out)
{
	(void)in;
	out->tenant = c->caller.tenant;
	out->tenant_name = c->caller.tenant_name;
	out->key = c->caller.key;
	out->key_name = c->caller.key_name;
	out->scope = (int)c->caller.scope;
	if (c->caller.agent)
		PUT(out, whoami, agent, c->caller.agent);
	if (c->caller.user) {
		PUT(out, whoami, user, c->caller.user);
		PUT(out, whoami, session, c->caller.sign_in);
	}
	if (c->caller.expires_ms)
		PUT(out, whoami, expires_at, c->caller.expires_ms);
	return OK;
}

/* ---- tenants ---- */

enum err api_tenant_add(struct call *c, const struct tenant_new *in, struct tenant *out)
{
	enum err err = tenants_add(c, in->name, "name", out);
	if (err != ERR_ALREADY_EXISTS)
		return err;
	problem_clear(&c->problem);
	return call_fail(c, err, "there is a tenant named '%.*s'; 'tenfold tenant list' shows it", STRF(in->name));
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

enum err api_key_add(struct call *c, const struct key_new *in, struct key_created *out)
{
	bool expires = HAS(in, key_new, expires_at);
	if (expires && in->expires_at <= c->now_ms)
		return problem_field(&c->problem, ERR_INVALID, "expires_at", "must lie in the future");
	if (in->scope == SCOPE_NONE)
		return problem_field(&c->problem, ERR_INVALID, "scope", "a key that may do nothing is of no use");
	if (in->scope > (int)c->caller.scope)
		return problem_field(&c->problem, ERR_FORBIDDEN, "scope",
				     "a key may do no more than who makes it: %s",
				     enum_scope.values[c->caller.scope].text);
	struct keyring_key key = {.tenant = c->caller.tenant,
				  .expires_ms = expires ? in->expires_at : 0,
				  .scope = (enum scope)in->scope,
				  .name = in->name};
	enum err err = confirm_caller(c);
	if (!err)
		err = keys_add(c, &key, &out->secret);
	out->id = key.id;
	out->name = in->name;
	out->scope = in->scope;
	if (expires)
		PUT(out, key_created, expires_at, in->expires_at);
	return err;
}

static void show_key(const struct key_row *row, struct key *out)
{
	*out = (struct key){.id = row->id,
			    .tenant = row->tenant,
			    .name = row->name,
			    .scope = (int)row->scope,
			    .tier = (int)row->tier,
			    .created_at = row->created_ms};
	if (row->agent)
		PUT(out, key, agent, row->agent);
	if (row->expires_ms)
		PUT(out, key, expires_at, row->expires_ms);
	if (row->revoked_ms)
		PUT(out, key, revoked_at, row->revoked_ms);
}

struct key_page {
	struct arena *arena;
	struct key_list *out;
};

static enum err add_key(void *ctx, const void *row)
{
	struct key_page *page = ctx;
	struct key_row r = *(const struct key_row *)row;
	r.name = arena_str(page->arena, r.name);
	show_key(&r, &page->out->items[page->out->items_count++]);
	return OK;
}

enum err api_key_list(struct call *c, const struct key_list_in *in, struct key_list *out)
{
	struct key_page page = {c->arena, out};
	bool resumes = HAS(in, key_list_in, cursor);
	size_t limit = (size_t)in->limit;
	int64_t last;
	enum err err = page_cursor_read(resumes, in->cursor, &last, &c->problem);
	out->items = ARENA_ARRAY(c->arena, struct key, limit + 1);
	if (err || !out->items)
		return err ? err : ERR_INTERNAL;
	struct key_page_in wanted = {c->caller.tenant, resumes ? last : 0, in->limit + 1};
	err = q_key_page(c->db, &wanted, add_key, &page);
	size_t n = out->items_count;
	struct page_end end = page_cut(c->arena, n, limit, n > limit ? out->items[limit - 1].id : 0);
	PAGE_PUT(out, key_list, end);
	return err;
}

enum err api_key_revoke(struct call *c, const struct key_ref *in, struct nothing *out)
{
	(void)out;
	enum err err = keys_revoke(c, in->id);
	return err == ERR_NOT_FOUND ? call_fail(c, err, "this tenant has no such key in force") : err;
}
