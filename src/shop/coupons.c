/* Coupons: a customer's, those in the cart, what is noted of them; and the offers, which they come from. */
#include "shop/show.h"

enum err shop_coupon_wallet(struct call *c, const struct nothing *in, struct shop_wallet *out)
{
	struct visit v;
	struct wallet *w = ARENA_NEW(c->arena, struct wallet);
	enum err e = visit_begin(c, &v);

	(void)in;
	CHECK(w);
	if (e)
		return e;
	wallet_of(v.customer, v.now_ms, w);
	out->items = show_coupons(c->arena, w->coupons, w->count, w->until_ms);
	out->items_count = w->count;
	return OK;
}

enum err shop_coupon_eligible(struct call *c, const struct nothing *in, struct shop_judged *out)
{
	struct visit v;
	struct basket *b;
	enum err e = basket_of_caller(c, &v, &b);

	(void)in;
	if (!e)
		*out = show_judged(c->arena, b);
	return e;
}

/* ---- in the cart ---- */

static enum err note_action(struct call *c, const struct visit *v, int64_t coupon, enum shop_interaction action)
{
	struct shop_interaction_put_in row = {.id = shop_new_id(shop_of(c)),
					      .customer = v->customer,
					      .coupon = coupon,
					      .action = action,
					      .at_ms = v->now_ms,
					      .simulated = v->simulated};

	return q_shop_interaction_put(c->db, &row, 1);
}

static enum err no_coupon(struct call *c)
{
	return call_fail(c, ERR_NOT_FOUND,
			 "the customer has no such coupon now; GET /api/coupons/wallet lists those there are");
}

static enum err note_event(struct call *c, const struct visit *v, enum shop_event event, int64_t coupon)
{
	struct shop_event_payload payload = {0};

	PUT(&payload, shop_event_payload, coupon_id, coupon);
	return visit_note(c, v, event, &payload);
}

enum err shop_cart_add_coupon(struct call *c, const struct shop_coupon_choice *in, struct shop_coupon_added *out)
{
	struct visit v;
	struct basket *b;
	struct shop_judged judged;
	const struct coupon *coupon;
	enum err e = basket_of_caller(c, &v, &b);

	if (e)
		return e;
	coupon = wallet_find(&b->wallet, in->coupon_id);
	if (!coupon)
		return no_coupon(c);
	basket_put_coupon(b, coupon);
	judged = show_judged(c->arena, b);
	*out = (struct shop_coupon_added){.success = true,
					  .coupon = show_coupon(coupon, b->wallet.until_ms),
					  .summary = show_summary(b),
					  .eligible = judged.eligible,
					  .eligible_count = judged.eligible_count,
					  .ineligible = judged.ineligible,
					  .ineligible_count = judged.ineligible_count};
	e = q_shop_cart_coupon_put(c->db, &(struct shop_cart_coupon_put_in){.customer = v.customer,
									    .coupon = in->coupon_id,
									    .added_ms = v.now_ms});
	e = e ? e : note_action(c, &v, in->coupon_id, INTERACTION_ADDED);
	return e ? e : note_event(c, &v, EVENT_CART_ADD_COUPON, in->coupon_id);
}

enum err shop_cart_remove_coupon(struct call *c, const struct shop_coupon_ref *in, struct shop_done *out)
{
	struct visit v;
	struct shop_cart_coupon_take_in row;
	struct shop_cart_coupon_get_out found;
	enum err e = visit_begin(c, &v);

	if (e)
		return e;
	e = q_shop_cart_coupon_get(c->db,
				   &(struct shop_cart_coupon_get_in){.customer = v.customer, .coupon = in->id},
				   c->arena, &found);
	if (e)
		return e == ERR_NOT_FOUND ? call_fail(c, e, "there is no such coupon in the cart") : e;
	row = (struct shop_cart_coupon_take_in){.customer = v.customer, .coupon = in->id};
	out->success = true;
	e = q_shop_cart_coupon_take(c->db, &row);
	e = e ? e : note_action(c, &v, in->id, INTERACTION_REMOVED);
	return e ? e : note_event(c, &v, EVENT_CART_REMOVE_COUPON, in->id);
}

enum err shop_coupon_interaction(struct call *c, const struct shop_interaction_new *in, struct shop_done *out)
{
	struct visit v;
	enum err e = visit_begin(c, &v);

	if (e)
		return e;
	if (in->coupon_id < 1 || in->coupon_id > COUPON_FRONT + COUPON_OTHER)
		return call_fail(c, ERR_NOT_FOUND, "there is no such coupon");
	out->success = true;
	return note_action(c, &v, in->coupon_id, (enum shop_interaction)in->action);
}

/* ---- offers ---- */

static enum err load_wallet(struct call *c, struct str customer, struct visit *v, struct wallet **out)
{
	struct wallet *w = ARENA_NEW(c->arena, struct wallet);
	enum err e = visit_of(c, customer, v);

	CHECK(w);
	if (!e)
		wallet_of(customer, v->now_ms, w);
	*out = w;
	return e;
}

enum err shop_offer_wallet(struct call *c, const struct shop_user_ref *in, struct shop_offers *out)
{
	struct visit v;
	struct wallet *w;
	enum err e = load_wallet(c, in->user_id, &v, &w);

	if (e)
		return e;
	*out = (struct shop_offers){.user_id = in->user_id,
				    .cycle = w->cycle,
				    .starts_at = w->starts_ms,
				    .next_refresh_at = w->next_ms,
				    .items = show_coupons(c->arena, w->coupons, w->count, w->until_ms),
				    .items_count = w->count,
				    .short_by = w->short_by};
	return OK;
}

enum err shop_offer_refresh(struct call *c, const struct shop_user_ref *in, struct shop_offers_given *out)
{
	struct visit v;
	struct wallet *w;
	struct shop_offers_get_out had;
	struct shop_offers_put_in row;
	enum err e = load_wallet(c, in->user_id, &v, &w);

	if (e)
		return e;
	row = (struct shop_offers_put_in){.customer = in->user_id,
					  .cycle = w->cycle,
					  .assigned = w->count,
					  .short_by = w->short_by,
					  .at_ms = v.now_ms};
	e = q_shop_offers_get(c->db, &(struct shop_offers_get_in){.customer = in->user_id, .cycle = w->cycle},
			      c->arena, &had);
	*out = (struct shop_offers_given){.success = true,
					  .refreshed = e == ERR_NOT_FOUND,
					  .cycle = w->cycle,
					  .assigned = w->count,
					  .short_by = w->short_by};
	return e == ERR_NOT_FOUND ? q_shop_offers_put(c->db, &row) : e;
}

enum err shop_offer_stats(struct call *c, const struct shop_user_ref *in, struct shop_offer_stats *out)
{
	struct shop_offers_sum_out sum;
	struct shop_offers_sum_in of = {.customer = in->user_id, .redeemed = INTERACTION_REDEEMED};
	enum err e = q_shop_offers_sum(c->db, &of, c->arena, &sum);

	*out = (struct shop_offer_stats){.user_id = in->user_id,
					 .cycles = sum.cycles,
					 .assigned = sum.assigned,
					 .short_by = sum.short_by,
					 .redeemed = sum.redeemed};
	return e;
}
