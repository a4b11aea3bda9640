/* Deliveries as the API has them; see webhook.h. */
#include "webhooks/webhook.h"

#include "base/id.h"
#include "store/page.h"
#include "webhooks/outbox.h"

/* ---- looking ---- */

enum err webhook_delivery_read(struct call *c, int64_t id, struct webhook_delivery_row *out)
{
	enum err err = q_webhook_delivery_get(c->db, &(struct id_row){id}, c->arena, out);
	if (err == ERR_NOT_FOUND || (!err && out->tenant != c->caller.tenant))
		return call_fail(c, ERR_NOT_FOUND, "there is no such delivery here");
	return err;
}

void webhook_delivery_show(const struct webhook_delivery_row *row, bool whole, struct webhook_delivery *out)
{
	*out = (struct webhook_delivery){.id = row->id,
					 .webhook = row->webhook,
					 .event = row->event,
					 .type = (int)row->type,
					 .subject = row->subject,
					 .state = (int)row->state,
					 .attempts = row->attempts,
					 .created_at = row->created_ms};
	if (row->due_ms)
		PUT(out, webhook_delivery, due_at, row->due_ms);
	if (row->last_ms) {
		PUT(out, webhook_delivery, last_at, row->last_ms);
		PUT(out, webhook_delivery, took_ms, row->took_ms);
	}
	if (row->status)
		PUT(out, webhook_delivery, status, row->status);
	if (row->error.p)
		PUT(out, webhook_delivery, error, row->error);
	if (row->answer.p)
		PUT(out, webhook_delivery, answer, row->answer);
	if (whole)
		PUT(out, webhook_delivery, data, row->data);
}

struct listing {
	struct call *c;
	const struct webhook_deliveries_in *in;
	struct webhook_deliveries_out *out;
};

static enum err read_page(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	return q_webhook_delivery_page(l->c->db, &(struct webhook_delivery_page_in){l->in->id, below, visit}, each,
				       each_ctx);
}

static bool keep(void *ctx, const void *row)
{
	struct listing *l = ctx;
	struct arena *a = l->c->arena;
	struct webhook_delivery_row r = *(const struct webhook_delivery_row *)row;
	if (HAS(l->in, webhook_deliveries_in, state) && l->in->state != (int)r.state)
		return false;
	r.subject = arena_str(a, r.subject);
	r.error = arena_kept(a, r.error);
	r.answer = arena_kept(a, r.answer);
	webhook_delivery_show(&r, false, &l->out->items[l->out->items_count++]);
	return true;
}

enum err webhook_delivery_list(struct call *c, const struct webhook_deliveries_in *in,
			       struct webhook_deliveries_out *out)
{
	struct listing l = {c, in, out};
	struct webhook_row webhook;
	struct page_end end;
	out->items = ARENA_ARRAY(c->arena, struct webhook_delivery, PAGE_ROOM(in));
	enum err err = webhook_read(c, in->id, &webhook);
	if (!err)
		err = page_take(&(struct page_source){read_page, keep, &l}, PAGE_WANT(in, webhook_deliveries_in),
				c->arena, &c->problem, &end);
	if (!err)
		PAGE_PUT(out, webhook_deliveries_out, end);
	return err;
}

/* ---- sending ---- */

static enum err check_enabled(struct call *c, const struct webhook_row *webhook)
{
	if (webhook->state == WEBHOOK_ENABLED)
		return OK;
	return call_fail(c, ERR_CONFLICT, "the webhook is disabled%s%.*s; enable it first",
			 webhook->reason.n ? ": " : "", STRF(webhook->reason));
}

static enum err store_now(struct call *c, int64_t *now_ms)
{
	struct webhook_clock_out clock;
	enum err err = q_webhook_clock(c->db, c->arena, &clock);
	*now_ms = clock.now_ms;
	return err;
}

static struct str test_data(struct arena *a)
{
	struct webhook_test_data data = {.message = STR("Somebody asked whether this webhook works.")};
	struct buf b = BUF_INIT(0);
	json_encode(&type_webhook_test_data, &data, 0, &b);
	struct str text = arena_str(a, buf_str(&b));
	buf_free(&b);
	return text;
}

enum err webhook_test(struct call *c, int64_t (*new_id)(void *), void *ctx, const struct webhook_row *webhook,
		      struct webhook_delivery_row *out)
{
	char subject[ID_TEXT];
	id_format(subject, "wh_", webhook->id);
	struct webhook_event_row event = {.id = new_id(ctx),
					  .tenant = webhook->tenant,
					  .type = EVENT_TEST,
					  .subject = str_of(subject),
					  .data = test_data(c->arena),
					  .at_ms = c->now_ms};
	struct outbox o = {.db = c->db, .arena = c->arena, .new_id = new_id, .ctx = ctx};
	int64_t id;
	enum err err = check_enabled(c, webhook);
	if (!err)
		err = store_now(c, &o.now_ms);
	if (!err)
		err = q_webhook_event_insert(c->db, &event, 1);
	if (!err)
		err = outbox_deliver(&o, &event, webhook->id, &id);
	return err ? err : webhook_delivery_read(c, id, out);
}

/* The webhook is held before the delivery, as it is by the job. */
enum err webhook_replay(struct call *c, struct webhook_delivery_row *delivery)
{
	struct webhook_row webhook;
	int64_t now_ms;
	enum err err = webhook_hold(c, delivery->webhook, &webhook);
	if (!err)
		err = check_enabled(c, &webhook);
	if (!err)
		err = webhook_delivery_read(c, delivery->id, delivery);
	if (!err)
		err = store_now(c, &now_ms);
	if (err)
		return err;
	struct webhook_delivery_replay_in in = {delivery->id, now_ms};
	struct webhook_delivery_replay_out out;
	err = q_webhook_delivery_replay(c->db, &in, c->arena, &out);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, ERR_CONFLICT, "the delivery is being sent just now; look at it again");
	struct webhook_queued_in queued = {webhook.id, now_ms, delivery->state != DELIVERY_WAITING};
	if (!err)
		err = q_webhook_queued(c->db, &queued, 1);
	return err ? err : webhook_delivery_read(c, delivery->id, delivery);
}
