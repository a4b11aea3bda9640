/* See forward.h: calls, claims that nobody received, and streams, as the others see them. */
#include "api/forward_priv.h"

#include "base/magic.h"
#include "http/http.h"
#include "telemetry/metrics.h"

#include <string.h>

static enum err no_owner(struct call *c)
{
	return call_fail(c, ERR_OWNER_UNAVAILABLE, "it is not known yet which process owns the queue");
}

enum err forward_wanted(const struct call *c, bool *wanted)
{
	struct app *app = call_app(c);
	bool standby = executor_state(app->executor) == EXECUTOR_STANDBY;
	struct str forwarded = http_request_of(c).forwarded;
	int64_t epoch;

	*wanted = standby && !forwarded.n;
	if (!forwarded.n)
		return OK;
	if (!standby && str_to_i64(forwarded, &epoch) && epoch == atomic_load(&app->epoch))
		return OK;
	return ERR_STANDBY;
}

enum err forward_call(struct call *c)
{
	struct forward *f = call_app(c)->forward;
	struct transfer *t = transfer_new(f, OF_CALL);

	t->call = c;
	t->number = c->number;
	if (!transfer_address_request(t, c)) {
		transfer_free(t);
		return no_owner(c);
	}
	metrics_add(f->app->metrics, METRIC_calls_forwarded_total, 1);
	if (forward_order(f, START, t, 0))
		return OK;
	transfer_free(t);
	return ERR_SHUTTING_DOWN;
}

void forward_hung_up(struct call *c)
{
	forward_order(call_app(c)->forward, CANCEL, NULL, c->number);
}

void forward_end_waits(struct app *app)
{
	if (app->forward)
		forward_order(app->forward, END_WAITS, NULL, 0);
}

/* ---- claims that nobody received ---- */

static bool read_claimed(const struct call *c, struct work_claim_out *out)
{
	struct problem p = {0};

	return c->route == &spec_routes[ROUTE_work_claim] && c->relayed && c->relayed->status == 200 &&
	       json_decode_answer(&type_work_claim_out, c->relayed->body, c->arena, out, &p) == OK &&
	       out->items_count > 0;
}

static void write_release(const struct call *c, const struct work_claim_out *claimed, struct buf *body)
{
	struct work_settle_in in = {.items_count = claimed->items_count};

	in.items = ARENA_ARRAY(c->arena, struct work_settle_item, claimed->items_count);
	CHECK(in.items);
	for (size_t i = 0; i < claimed->items_count; i++)
		in.items[i] = (struct work_settle_item){
			.id = claimed->items[i].id, .token = claimed->items[i].token, .outcome = OUTCOME_RELEASED};
	json_encode(&type_work_settle_in, &in, 0, body);
}

void forward_undelivered(struct call *c)
{
	struct work_claim_out claimed;
	struct transfer *t;

	if (!read_claimed(c, &claimed))
		return;
	t = transfer_new(call_app(c)->forward, OF_RELEASE);
	write_release(c, &claimed, &t->body);
	if (transfer_address(t, c, str_of(spec_routes[ROUTE_work_settle].path), (struct str){0})) {
		transfer_header(t, "Content-Type", STR("application/json"));
		if (forward_order(t->forward, START, t, 0))
			return;
	}
	transfer_free(t);
}

/* ---- streams: on the loops ---- */

static enum stream_next next(void *state, struct buf *out)
{
	struct transfer *t = state;
	struct forward *f = t->forward;
	bool resumes, over;

	pthread_mutex_lock(&f->lock);
	buf_str_add(out, buf_str(&t->pending));
	buf_reset(&t->pending);
	resumes = t->paused;
	t->paused = false;
	over = t->ended;
	pthread_mutex_unlock(&f->lock);
	if (resumes)
		forward_order(f, RESUME, t, 0);
	if (out->n)
		return STREAM_DATA;
	return over || atomic_load(&f->app->stopping) ? STREAM_END : STREAM_WAIT;
}

static void close_stream(void *state)
{
	struct transfer *t = state;

	forward_order(t->forward, CUT, t, 0); /* after forward_stop() it is forward_destroy()'s */
}

static const struct stream_ops stream_ops = {.next = next, .close = close_stream};

enum err forward_stream(struct call *c)
{
	struct forward *f = call_app(c)->forward;
	struct transfer *t = transfer_new(f, OF_STREAM);

	if (!transfer_address_request(t, c)) {
		transfer_free(t);
		return no_owner(c);
	}
	if (!forward_order(f, START, t, 0)) {
		transfer_free(t);
		return ERR_SHUTTING_DOWN;
	}
	call_stream(c, &stream_ops, t);
	return OK;
}
