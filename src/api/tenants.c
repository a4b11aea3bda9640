/* See tenants.h. */
#include "api/tenants.h"

#include "api/app.h"
#include "store/queries.h"

/* Names that begin like ids would be taken for such. */
static bool is_tenant_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];
		bool good = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
			    ch == '-' || ch == '_' || ch == '.';
		if (!good)
			return false;
	}
	return s.n > 0 && !str_starts(s, STR("t_")) && !str_starts(s, STR("us_"));
}

struct tenant_added {
	struct app *app;
	struct keyring_tenant tenant;
};

static void put_tenant(void *arg)
{
	struct tenant_added *added = arg;
	keyring_put_tenant(added->app->keyring, &added->tenant);
}

static enum err add(struct call *c, struct str name, struct tenant *out)
{
	struct app *app = call_app(c);
	struct tenant_insert_in row = {
		.id = app_new_id(app), .name = name, .created_ms = c->now_ms, .plan = app->plan};
	struct tenant_insert_out inserted;
	struct tenant_added *added = ARENA_NEW(c->arena, struct tenant_added);
	if (!added)
		return ERR_INTERNAL;
	enum err err = q_tenant_insert(c->db, &row, c->arena, &inserted);
	if (err)
		return err;
	*added = (struct tenant_added){app, {.id = row.id, .created_ms = row.created_ms, .name = row.name}};
	call_after_commit(c, put_tenant, added);
	*out = (struct tenant){.id = row.id, .name = name, .created_at = row.created_ms};
	return OK;
}

enum err tenants_add(struct call *c, struct str name, const char *field, struct tenant *out)
{
	if (!is_tenant_name(name))
		return problem_field(&c->problem, ERR_INVALID, field,
				     "letters, digits, '-', '_' and '.' only, and not starting with t_ or us_");
	enum err err = add(c, name, out);
	if (err == ERR_ALREADY_EXISTS)
		return problem_field(&c->problem, err, field, "there is a tenant named '%.*s'", STRF(name));
	return err;
}

enum err tenants_add_own(struct call *c, int64_t user, struct tenant *out)
{
	char name[ID_TEXT];
	id_format(name, "us_", user);
	return add(c, arena_str(c->arena, str_of(name)), out);
}
