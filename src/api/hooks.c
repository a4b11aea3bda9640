/* Hooks: see hooks/hook.h. What is made of what comes in is in hook_work.c. */
#include "api/api.h"
#include "api/app.h"
#include "api/hook_work.h"

#include "directory/changes.h"
#include "hooks/hook.h"

#include <inttypes.h>
#include <string.h>

/* ---- hooks ---- */

static enum err show(struct call *c, const struct hook_row *row, struct hook *out)
{
	c->etag = arena_fmt(c->arena, "%" PRId64, row->version);
	return hook_show(row, c->now_ms, c->arena, out);
}

enum err api_hook_add(struct call *c, const struct hook_new *in, struct hook *out)
{
	struct hook_row row;
	enum err err = hook_add(c, app_new_id(call_app(c)), in, &row);
	return err ? err : show(c, &row, out);
}

enum err api_hook_list(struct call *c, const struct hook_list_in *in, struct hook_list_out *out)
{
	return hook_list(c, in, out);
}

enum err api_hook_show(struct call *c, const struct hook_ref *in, struct hook *out)
{
	struct hook_row row;
	enum err err = hook_read(c, in->id, &row);
	return err ? err : show(c, &row, out);
}

enum err api_hook_change(struct call *c, const struct hook_patch *in, struct hook *out)
{
	struct hook_row row;
	enum err err = hook_read(c, in->id, &row);
	if (!err)
		err = call_if_match(c, row.version);
	if (!err)
		err = hook_change(c, in, &row);
	return err ? err : show(c, &row, out);
}

enum err api_hook_delete(struct call *c, const struct hook_ref *in, struct nothing *out)
{
	(void)out;
	struct hook_row row;
	enum err err = hook_read(c, in->id, &row);
	if (!err)
		err = call_if_match(c, row.version);
	return err ? err : q_hook_delete(c->db, &(struct id_row){row.id}, 1);
}

enum err api_hook_secret(struct call *c, const struct hook_secret_in *in, struct hook_secret *out)
{
	struct hook_row row;
	struct str made;
	enum err err = hook_read(c, in->id, &row);
	if (!err)
		err = hook_renew(c, in, &row, &made);
	if (err)
		return err;
	out->id = row.id;
	if (made.n)
		PUT(out, hook_secret, secret, made);
	if (row.old_until_ms)
		PUT(out, hook_secret, old_secret_until, row.old_until_ms);
	return OK;
}

/* ---- what comes in ---- */

static struct str header(const void *ctx, struct str name)
{
	return http_header_of(ctx, name);
}

static struct str last_segment(struct str path)
{
	const char *slash = memrchr(path.p, '/', path.n);
	size_t before = slash ? (size_t)(slash - path.p) + 1 : 0;
	return (struct str){path.p + before, path.n - before};
}

/* Who sends is who knows the secret; he acts for the hook's tenant, and nothing but this call. */
enum err hook_identify(struct call *c)
{
	struct hook_row hook;
	struct hook_arrival *arrival = ARENA_NEW(c->arena, struct hook_arrival);
	enum err err = arrival ? hook_find(c->db, last_segment(c->path), c->arena, &hook) : ERR_INTERNAL;
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "there is no such hook here");
	if (!err)
		err = hook_verify(c, &hook, header, arrival);
	if (err)
		return err;
	c->found = arrival;
	c->caller = (struct caller){.tenant = hook.tenant,
				    .tier = TIER_UNLIMITED,
				    .key_name = arena_fmt(c->arena, "hook %.*s", STRF(hook.name)),
				    .tenant_name = STR("")};
	return OK;
}

static void wake(void *arg)
{
	hook_work_wake(call_app(arg)->hook_work);
}

/* The process that owns the queue hears of it, whichever it is. */
static enum err tell(struct call *c, int64_t hook, int64_t tenant)
{
	struct change_fact fact = hook_fact(hook, tenant, c->now_ms);
	call_after_commit(c, wake, c);
	return change_add(call_app(c)->feed, c, &fact, 1);
}

enum err api_hook_receive(struct call *c, const struct hook_ref *in, struct hook_received *out)
{
	(void)in; /* its hook has been looked up */
	const struct hook_arrival *arrival = c->found;
	enum err err = hook_store(c, app_new_id(call_app(c)), arrival, out);
	c->status = out->duplicate ? 200 : 0;
	return err || out->duplicate ? err : tell(c, arrival->hook, arrival->tenant);
}

enum err api_hook_deliveries(struct call *c, const struct hook_deliveries_in *in, struct hook_deliveries_out *out)
{
	return hook_delivery_list(c, in, out);
}

enum err api_hook_delivery(struct call *c, const struct hook_delivery_ref *in, struct hook_delivery *out)
{
	struct hook_delivery_row row;
	enum err err = hook_delivery_read(c, in->id, &row);
	if (!err)
		hook_delivery_show(&row, true, out);
	return err;
}

enum err api_hook_replay(struct call *c, const struct hook_delivery_ref *in, struct hook_delivery *out)
{
	struct hook_delivery_row row;
	enum err err = hook_delivery_read(c, in->id, &row);
	if (!err)
		err = hook_delivery_again(c, &row);
	if (err)
		return err;
	hook_delivery_show(&row, false, out);
	return tell(c, row.hook, row.tenant);
}
