/* Webhooks: see webhooks/webhook.h. */
#include "api/api.h"
#include "api/app.h"

#include "directory/changes.h"
#include "webhooks/webhook.h"
#include "webhooks/webhooks.h"

#include <inttypes.h>

static int64_t new_id(void *ctx)
{
	return app_new_id(ctx);
}

/* The process that sends hears of it, whichever it is. */
static enum err tell(struct call *c, const struct webhook_row *row, enum change_op op)
{
	struct change_fact fact = {.tenant = row->tenant,
				   .entity = ENTITY_WEBHOOK,
				   .op = op,
				   .ref = row->id,
				   .version = row->version,
				   .at_ms = c->now_ms};
	return change_add(call_app(c)->feed, c, &fact, 1);
}

static enum err show(struct call *c, const struct webhook_row *row, struct webhook *out)
{
	c->etag = arena_fmt(c->arena, "%" PRId64, row->version);
	return webhook_show(row, c->now_ms, c->arena, out);
}

enum err api_webhook_add(struct call *c, const struct webhook_new *in, struct webhook_created *out)
{
	struct webhook_row row;
	struct app *app = call_app(c);
	enum err err = webhook_add(c, webhooks_reach(app->webhooks), app_new_id(app), in, &row);
	if (!err)
		err = show(c, &row, &out->webhook);
	out->secret = row.secret;
	return err ? err : tell(c, &row, OP_PUT);
}

enum err api_webhook_list(struct call *c, const struct webhook_list_in *in, struct webhook_list_out *out)
{
	return webhook_list(c, in, out);
}

enum err api_webhook_show(struct call *c, const struct webhook_ref *in, struct webhook *out)
{
	struct webhook_row row;
	enum err err = webhook_read(c, in->id, &row);
	return err ? err : webhook_show(&row, c->now_ms, c->arena, out);
}

enum err api_webhook_change(struct call *c, const struct webhook_patch *in, struct webhook *out)
{
	struct webhook_row row;
	enum err err = webhook_hold(c, in->id, &row);
	if (!err)
		err = call_if_match(c, row.version);
	if (!err)
		err = webhook_change(c, webhooks_reach(call_app(c)->webhooks), in, &row);
	if (!err)
		err = show(c, &row, out);
	return err ? err : tell(c, &row, OP_PUT);
}

enum err api_webhook_delete(struct call *c, const struct webhook_ref *in, struct nothing *out)
{
	(void)out;
	struct webhook_row row;
	enum err err = webhook_hold(c, in->id, &row);
	if (!err)
		err = call_if_match(c, row.version);
	if (!err)
		err = q_webhook_delete(c->db, &(struct id_row){row.id}, 1);
	return err ? err : tell(c, &row, OP_DELETE);
}

enum err api_webhook_secret(struct call *c, const struct webhook_secret_in *in, struct webhook_secret *out)
{
	struct webhook_row row;
	enum err err = webhook_hold(c, in->id, &row);
	if (!err)
		err = webhook_renew(c, in->overlap_ms, &row);
	if (err)
		return err;
	*out = (struct webhook_secret){.id = row.id, .secret = row.secret};
	if (row.old_until_ms)
		PUT(out, webhook_secret, old_secret_until, row.old_until_ms);
	return tell(c, &row, OP_PUT);
}

enum err api_webhook_test(struct call *c, const struct webhook_ref *in, struct webhook_delivery *out)
{
	struct webhook_row row;
	struct webhook_delivery_row delivery;
	enum err err = webhook_hold(c, in->id, &row);
	if (!err)
		err = webhook_test(c, new_id, call_app(c), &row, &delivery);
	if (err)
		return err;
	webhook_delivery_show(&delivery, false, out);
	return tell(c, &row, OP_PUT);
}

/* ---- deliveries ---- */

enum err api_webhook_deliveries(struct call *c, const struct webhook_deliveries_in *in,
				struct webhook_deliveries_out *out)
{
	return webhook_delivery_list(c, in, out);
}

enum err api_webhook_delivery(struct call *c, const struct webhook_delivery_ref *in, struct webhook_delivery *out)
{
	struct webhook_delivery_row row;
	enum err err = webhook_delivery_read(c, in->id, &row);
	if (!err)
		webhook_delivery_show(&row, true, out);
	return err;
}

enum err api_webhook_replay(struct call *c, const struct webhook_delivery_ref *in, struct webhook_delivery *out)
{
	struct webhook_delivery_row row;
	enum err err = webhook_delivery_read(c, in->id, &row);
	if (!err)
		err = webhook_replay(c, &row);
	if (err)
		return err;
	webhook_delivery_show(&row, false, out);
	return tell(c, &(struct webhook_row){.id = row.webhook, .tenant = row.tenant}, OP_PUT);
}
