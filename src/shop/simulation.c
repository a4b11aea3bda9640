/* The shop's own simulated clock, what it saw of its callers, and its books as a whole; and whether it works. */
#include "shop/show.h"

enum { ARRIVALS_MAX = 8 << 20 };

enum err shop_health(struct call *c, const struct nothing *in, struct shop_health *out)
{
	(void)in;
	*out = (struct shop_health){.status = STR("ok"), .version = str_of(shop_of(c)->version)};
	return OK;
}

enum err shop_healthz(struct call *c, const struct nothing *in, struct shop_health *out)
{
	return shop_health(c, in, out);
}

/* ---- clock and callers ---- */

static enum err show_status(struct call *c, struct shop_simulation_status *out)
{
	struct shop_moment now = shop_time_now(&shop_of(c)->time);
	struct gate_view seen;

	gate_look(shop_of(c)->gate, &seen);
	*out = (struct shop_simulation_status){.running = now.running,
					       .simulated_at = now.ms,
					       .time_scale = now.scale,
					       .requests = (int64_t)seen.requests,
					       .refused = (int64_t)seen.refused,
					       .failed = (int64_t)seen.failed,
					       .in_flight = seen.in_flight,
					       .in_flight_peak = seen.in_flight_peak};
	return OK;
}

enum err shop_simulation_status(struct call *c, const struct shop_simulation_status_in *in,
				struct shop_simulation_status *out)
{
	struct buf b = BUF_INIT(ARRIVALS_MAX);
	enum err e = show_status(c, out);

	if (!in->arrivals)
		return e;
	gate_arrivals(shop_of(c)->gate, &b);
	CHECK(buf_ok(&b));
	PUT(out, shop_simulation_status, arrivals_us, arena_str(c->arena, buf_str(&b)));
	buf_free(&b);
	return e;
}

enum err shop_simulation_start(struct call *c, const struct shop_simulation_start *in,
			       struct shop_simulation_status *out)
{
	bool given = HAS(in, shop_simulation_start, calendar_start);

	if (given && !visit_takes_time(in->calendar_start))
		return problem_field(&c->problem, ERR_INVALID, "calendar_start", "must be from 1970 to 2199");
	shop_time_start(&shop_of(c)->time, given ? &in->calendar_start : NULL, in->time_scale);
	return show_status(c, out);
}

enum err shop_simulation_stop(struct call *c, const struct nothing *in, struct shop_simulation_status *out)
{
	(void)in;
	shop_time_stop(&shop_of(c)->time);
	return show_status(c, out);
}

enum err shop_simulation_advance(struct call *c, const struct shop_simulation_advance *in,
				 struct shop_simulation_status *out)
{
	static const double hour_ms = 3600000;

	shop_time_advance(&shop_of(c)->time, (int64_t)(in->hours * hour_ms));
	return show_status(c, out);
}

/* ---- books ---- */

static void forget_what_was_seen(void *shop)
{
	struct shop *s = shop;

	shop_time_reset(&s->time);
	gate_forget(s->gate);
}

enum err shop_simulation_reset(struct call *c, const struct nothing *in, struct shop_done *out)
{
	static enum err (*const forget[])(struct db *) = {
		q_shop_forget_users,        q_shop_forget_shelves,  q_shop_forget_cart_items,
		q_shop_forget_cart_coupons, q_shop_forget_orders,   q_shop_forget_order_items,
		q_shop_forget_interactions, q_shop_forget_sessions, q_shop_forget_events,
		q_shop_forget_offers,
	};
	enum err e = OK;

	(void)in;
	for (size_t i = 0; i < sizeof(forget) / sizeof(forget[0]) && !e; i++)
		e = forget[i](c->db);
	e = e ? e : shop_fill_shelves(c->db);
	call_after_commit(c, forget_what_was_seen, shop_of(c));
	out->success = true;
	return e;
}

enum err shop_simulation_stats(struct call *c, const struct nothing *in, struct shop_simulation_stats *out)
{
	struct shop_stats_out books;
	enum err e =
		q_shop_stats(c->db, &(struct shop_stats_in){.redeemed = INTERACTION_REDEEMED}, c->arena, &books);

	(void)in;
	*out = (struct shop_simulation_stats){.customers = books.customers,
					      .sessions = books.sessions,
					      .events = books.events,
					      .carts = books.carts,
					      .orders = books.orders,
					      .simulated_orders = books.simulated_orders,
					      .revenue = show_dollars(books.revenue_cents),
					      .offers_assigned = books.offers_assigned,
					      .coupons_redeemed = books.coupons_redeemed};
	return e;
}
