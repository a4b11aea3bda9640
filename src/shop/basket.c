/* See basket.h. */
#include "shop/basket.h"

static enum err add_row(void *ctx, const void *row)
{
	struct basket *b = ctx;
	const struct shop_cart_row *r = row;
	const struct product *p = product_find(r->product);

	CHECK(p && b->count < PRODUCT_COUNT); /* a product is in it once */
	b->rows[b->count] = *r;
	b->lines[b->count++] = (struct line){
		.category = (int)p->category, .brand = (int)p->brand, .amount_cents = p->price_cents * r->quantity};
	b->pieces += r->quantity;
	return OK;
}

static void put(struct basket *b, const struct coupon *coupon)
{
	for (size_t i = 0; i < b->coupon_count; i++)
		if (b->coupons[i].number == coupon->number)
			return;
	b->coupons[b->coupon_count++] = *coupon;
}

/* One that is no longer in the wallet has expired. */
static enum err add_coupon(void *ctx, const void *row)
{
	struct basket *b = ctx;
	const struct shop_cart_coupon_list_out *r = row;
	const struct coupon *coupon = wallet_find(&b->wallet, r->coupon);

	if (coupon)
		put(b, coupon);
	return OK;
}

static void reckon(struct basket *b)
{
	discount_cart(b->coupons, b->coupon_count, b->lines, b->count, &b->totals);
}

enum err basket_load(struct call *c, const struct visit *v, int64_t store, struct basket **out)
{
	struct basket *b = ARENA_NEW(c->arena, struct basket);
	struct shop_cart_list_in lines = {.customer = v->customer, .store = store};
	struct shop_cart_coupon_list_in coupons = {.customer = v->customer};
	enum err e;

	CHECK(b);
	b->store = store;
	wallet_of(v->customer, v->now_ms, &b->wallet);
	e = q_shop_cart_list(c->db, &lines, add_row, b);
	e = e ? e : q_shop_cart_coupon_list(c->db, &coupons, add_coupon, b);
	reckon(b);
	*out = b;
	return e;
}

enum err basket_of_caller(struct call *c, struct visit *v, struct basket **out)
{
	int64_t store = 0;
	enum err e = visit_begin(c, v);

	e = e ? e : visit_store(c, v, &store);
	return e ? e : basket_load(c, v, store, out);
}

void basket_put_coupon(struct basket *b, const struct coupon *coupon)
{
	put(b, coupon);
	reckon(b);
}
