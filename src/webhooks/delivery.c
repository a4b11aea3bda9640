/* See delivery.h. */
#include "webhooks/delivery.h"

#include "base/arena.h"
#include "base/id.h"
#include "base/log.h"
#include "spec/types.h"
#include "webhooks/retry.h"

#include <inttypes.h>

enum {
	WEBHOOKS_DUE_MAX = 64,
	FAILING_AFTER = 3, /* attempts in a row */
	STATUS_GONE = 410,
	CLEARED_AT_ONCE = 1000
};

static const int64_t DAY_MS = INT64_C(86400000);
static const int64_t KEPT_DAYS = 14; /* of deliveries; their events a day longer */

/* A webhook is held before its deliveries, here as by calls, so that nobody waits for each other crosswise. */
static enum err hold(struct delivery_run *r, int64_t webhook)
{
	struct webhook_hold_out held;
	return q_webhook_hold(r->db, &(struct id_row){webhook}, r->arena, &held);
}

/* ---- what came of attempts ---- */

static enum err disable(struct delivery_run *r, int64_t webhook, const char *why)
{
	struct webhook_disable_in in = {webhook, str_of(why), r->now_ms};
	LOG_I("webhook.disabled", "webhook=%" PRId64 " why=\"%s\"", webhook, why);
	return q_webhook_disable(r->db, &in);
}

/* A delivery is given up: has its webhook taken anything since the delivery was made? */
static enum err judge_webhook(struct delivery_run *r, const struct webhook_delivery_row *d)
{
	struct webhook_row webhook;
	enum err err = q_webhook_get(r->db, &(struct id_row){d->webhook}, r->arena, &webhook);
	if (err || webhook.taken_ms >= d->created_ms)
		return err;
	return disable(r, d->webhook, "a delivery was given up after three days, and no other was taken meanwhile");
}

/* As much of it as is text. */
static struct str as_text(struct str bytes)
{
	struct str rest = bytes;
	size_t step;
	while (rest.n && rest.p[0] && (step = str_utf8_step(rest)) > 0)
		rest = (struct str){rest.p + step, rest.n - step};
	return (struct str){bytes.p, bytes.n - rest.n};
}

/* What a delivery is after an attempt; due_ms 0: it is over. */
static struct webhook_delivery_end_in end_of(struct delivery_run *r, const struct sender_outcome *o,
					     const struct webhook_delivery_row *d)
{
	struct webhook_delivery_end_in end = {.id = o->delivery,
					      .attempts = o->number,
					      .state = DELIVERY_DONE,
					      .last_ms = r->now_ms,
					      .status = o->status,
					      .took_ms = o->took_ms};
	if (o->error[0])
		end.error = as_text(str_of(o->error));
	if (o->answer_bytes)
		end.answer = as_text((struct str){o->answer, o->answer_bytes});
	if (retry_is_taken(o->status))
		return end;
	int64_t wait_ms = retry_wait_ms(o->number - d->spared, o->retry_after_ms, r->rng);
	bool over = o->status == STATUS_GONE || wait_ms < 0;
	end.state = over ? DELIVERY_DEAD : DELIVERY_WAITING;
	end.due_ms = over ? 0 : r->now_ms + wait_ms;
	return end;
}

static enum err settle_webhook(struct delivery_run *r, const struct sender_outcome *o,
			       const struct webhook_delivery_row *d, const struct webhook_delivery_end_in *end)
{
	struct webhook_attempted_in attempted = {.id = d->webhook,
						 .taken = retry_is_taken(o->status),
						 .ended = end->state != DELIVERY_WAITING,
						 .last_ms = r->now_ms};
	enum err err = q_webhook_attempted(r->db, &attempted);
	if (!err && o->status == STATUS_GONE)
		err = disable(r, d->webhook, "the receiver answered 410 Gone");
	else if (!err && end->state == DELIVERY_DEAD)
		err = judge_webhook(r, d);
	return err ? err : q_webhook_after(r->db, &(struct id_row){d->webhook}, 1);
}

/* One that is not the delivery's last attempt any more, or whose webhook is gone, counts nothing. */
static enum err settle(struct delivery_run *r, const struct sender_outcome *o)
{
	struct webhook_delivery_row delivery;
	struct webhook_delivery_end_out ended;
	enum err err = q_webhook_delivery_get(r->db, &(struct id_row){o->delivery}, r->arena, &delivery);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	struct webhook_delivery_end_in end = end_of(r, o, &delivery);
	err = hold(r, delivery.webhook);
	if (!err)
		err = q_webhook_delivery_end(r->db, &end, r->arena, &ended);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	return settle_webhook(r, o, &delivery, &end);
}

enum err deliveries_settle(struct delivery_run *r)
{
	struct sender_outcome *outcomes = ARENA_ARRAY(r->arena, struct sender_outcome, DELIVERIES_SETTLED_MAX);
	if (!outcomes)
		return ERR_INTERNAL;
	enum err err = OK;
	r->settled = sender_outcomes(r->sender, outcomes, DELIVERIES_SETTLED_MAX);
	for (size_t i = 0; i < r->settled && !err; i++)
		err = settle(r, &outcomes[i]);
	r->more = r->more || r->settled == DELIVERIES_SETTLED_MAX;
	return err;
}

/* ---- what is due ---- */

struct due {
	struct delivery_run *run;
	struct webhook_due_out webhooks[WEBHOOKS_DUE_MAX];
	size_t n;
	size_t failing; /* claimed here, of webhooks that fail */

	const struct webhook_due_out *webhook; /* whose deliveries are read */
	struct webhook_delivery_claim_in claims[SENDER_EACH];
	size_t claim_count;
};

static enum err take_webhook(void *ctx, const void *row)
{
	struct due *d = ctx;
	struct arena *a = d->run->arena;
	struct webhook_due_out w = *(const struct webhook_due_out *)row;
	w.url = arena_str(a, w.url);
	w.secret = arena_str(a, w.secret);
	w.old_secret = arena_kept(a, w.old_secret);
	d->webhooks[d->n++] = w;
	return OK;
}

static bool is_failing(const struct webhook_due_out *w)
{
	return w->failures >= FAILING_AFTER;
}

static size_t less(size_t max, size_t taken)
{
	return taken < max ? max - taken : 0;
}

/* How many may be sent to a webhook now. */
static size_t room_of(const struct due *d, const struct webhook_due_out *w)
{
	const struct delivery_run *r = d->run;
	struct sender_taken taken = sender_taken(r->sender, w->id);
	size_t room = less(SENDER_MAX, taken.all + r->attempt_count);
	size_t own = less(is_failing(w) ? 1 : SENDER_EACH, taken.of_one);
	if (is_failing(w) && less(SENDER_FAILING_MAX, taken.failing + d->failing) == 0)
		return 0;
	room = own < room ? own : room;
	size_t left = DELIVERIES_CLAIMED_MAX - r->attempt_count;
	return room < left ? room : left;
}

static void put_secrets(struct sender_attempt *a, const struct webhook_due_out *w, int64_t now_ms)
{
	a->secret_count = sign_secret_read(w->secret, &a->secrets[0]);
	if (w->old_secret.p && w->old_until_ms > now_ms)
		a->secret_count += sign_secret_read(w->old_secret, &a->secrets[a->secret_count]);
}

static struct str id_text(struct arena *a, const char *prefix, int64_t id)
{
	char text[ID_TEXT];
	id_format(text, prefix, id);
	return arena_str(a, str_of(text));
}

static struct str body_of(struct arena *a, const struct webhook_delivery_due_out *d)
{
	struct webhook_message message = {.specversion = STR("1.0"),
					  .id = d->event,
					  .source = arena_fmt(a, "tenfold:%s", id_text(a, "t_", d->tenant).p),
					  .type = (int)d->type,
					  .subject = d->subject,
					  .time = d->at_ms,
					  .datacontenttype = STR("application/json"),
					  .data = d->data};
	struct buf b = BUF_INIT(0);
	json_encode(&type_webhook_message, &message, 0, &b);
	struct str body = arena_str(a, buf_str(&b));
	buf_free(&b);
	return body;
}

static enum err take_delivery(void *ctx, const void *row)
{
	struct due *due = ctx;
	struct delivery_run *r = due->run;
	const struct webhook_delivery_due_out *d = row;
	struct sender_attempt *a = &r->attempts[r->attempt_count++];
	*a = (struct sender_attempt){.delivery = d->id,
				     .webhook = due->webhook->id,
				     .number = d->attempts + 1,
				     .url = due->webhook->url,
				     .id = id_text(r->arena, "ev_", d->event),
				     .body = body_of(r->arena, d),
				     .failing = is_failing(due->webhook),
				     .expires_ns = r->leased_ns +
						   (DELIVERY_LEASE_MS - SENDER_TIMEOUT_MS) * INT64_C(1000000)};
	put_secrets(a, due->webhook, r->now_ms);
	due->claims[due->claim_count++] = (struct webhook_delivery_claim_in){d->id, r->now_ms + DELIVERY_LEASE_MS};
	due->failing += a->failing;
	return a->body.n ? OK : ERR_INTERNAL;
}

static enum err claim_of(struct due *d, const struct webhook_due_out *w, size_t room)
{
	struct delivery_run *r = d->run;
	struct webhook_delivery_due_in in = {w->id, r->now_ms, (int64_t)room};
	d->webhook = w;
	d->claim_count = 0;
	enum err err = q_webhook_delivery_due(r->db, &in, take_delivery, d);
	if (!err && d->claim_count)
		err = q_webhook_delivery_claim(r->db, d->claims, d->claim_count);
	return err;
}

/* Until one of its attempts is over it is out of the way of the others: settling tells when it is due. */
static enum err park(struct delivery_run *r, const struct webhook_due_out *w)
{
	return q_webhook_park(r->db, &(struct webhook_park_in){w->id, r->now_ms + SENDER_TIMEOUT_MS}, 1);
}

static enum err claim(struct due *d, const struct webhook_due_out *w)
{
	struct delivery_run *r = d->run;
	size_t room = room_of(d, w);
	enum err err = hold(r, w->id);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err; /* deleted just now */
	err = room ? claim_of(d, w, room) : OK;
	if (err)
		return err;
	if (room == 0 || d->claim_count == room)
		return park(r, w);
	return q_webhook_after(r->db, &(struct id_row){w->id}, 1);
}

static enum err look_ahead(struct delivery_run *r)
{
	struct webhook_due_next_out next;
	enum err err = q_webhook_due_next(r->db, r->arena, &next);
	r->next_ms = err ? 0 : next.due_ms;
	return err;
}

enum err deliveries_claim(struct delivery_run *r)
{
	struct due *d = ARENA_NEW(r->arena, struct due);
	if (!d)
		return ERR_INTERNAL;
	d->run = r;
	enum err err = q_webhook_due(r->db, &(struct webhook_due_in){r->now_ms, WEBHOOKS_DUE_MAX}, take_webhook, d);
	for (size_t i = 0; i < d->n && !err; i++)
		err = claim(d, &d->webhooks[i]);
	r->more = r->more || d->n == WEBHOOKS_DUE_MAX;
	return err ? err : look_ahead(r);
}

/* ---- what is old ---- */

struct cleared {
	struct webhook_waiting_in webhooks[CLEARED_AT_ONCE];
	size_t n, rows;
};

static enum err take_cleared(void *ctx, const void *row)
{
	struct cleared *c = ctx;
	const struct webhook_delivery_clear_out *d = row;
	c->rows++;
	if (d->state == DELIVERY_WAITING)
		c->webhooks[c->n++] = (struct webhook_waiting_in){d->webhook, -1};
	return OK;
}

enum err deliveries_clear(struct delivery_run *r, size_t *count)
{
	struct cleared *c = ARENA_NEW(r->arena, struct cleared);
	if (!c)
		return ERR_INTERNAL;
	struct webhook_delivery_clear_in deliveries = {r->now_ms - KEPT_DAYS * DAY_MS, CLEARED_AT_ONCE};
	struct webhook_event_clear_in events = {r->now_ms - (KEPT_DAYS + 1) * DAY_MS, CLEARED_AT_ONCE};
	enum err err = q_webhook_delivery_clear(r->db, &deliveries, take_cleared, c);
	for (size_t i = 0; i < c->n && !err; i++)
		err = q_webhook_waiting(r->db, &c->webhooks[i]);
	*count = c->rows;
	return err ? err : q_webhook_event_clear(r->db, &events, db_count_row, count);
}
