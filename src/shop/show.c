/* See show.h. */
#include "shop/show.h"

double show_dollars(int64_t cents)
{
	return (double)cents / 100;
}

struct shop_store show_store(int64_t id)
{
	const struct place *p = place_find(id);

	CHECK(p);
	return (struct shop_store){.id = id, .name = str_of(p->name), .city = str_of(p->city)};
}

struct shop_product show_product(int64_t id)
{
	const struct product *p = product_find(id);

	CHECK(p);
	return (struct shop_product){.id = id,
				     .name = str_of(p->name),
				     .brand = str_of(brand_names[p->brand]),
				     .category = str_of(category_names[p->category]),
				     .price = show_dollars(p->price_cents)};
}

struct shop_cart_item show_cart_item(const struct shop_cart_row *row)
{
	const struct product *p = product_find(row->product);

	CHECK(p);
	return (struct shop_cart_item){.id = row->id,
				       .product_id = row->product,
				       .product_name = str_of(p->name),
				       .category = str_of(category_names[p->category]),
				       .quantity = row->quantity,
				       .unit_price = show_dollars(p->price_cents),
				       .line_total = show_dollars(p->price_cents * row->quantity)};
}

struct shop_coupon show_coupon(const struct coupon *c, int64_t until_ms)
{
	struct shop_coupon out = {.id = coupon_id(c),
				  .type = (int)c->reach,
				  .discount_type = (int)c->discount,
				  .discount_value =
					  c->discount == DISCOUNT_FIXED ? show_dollars(c->value) : (double)c->value,
				  .min_purchase_amount = show_dollars(c->min_purchase_cents),
				  .eligible_until = until_ms};

	if (c->max_discount_cents)
		PUT(&out, shop_coupon, max_discount, show_dollars(c->max_discount_cents));
	if (c->category >= 0)
		PUT(&out, shop_coupon, category, str_of(category_names[c->category]));
	if (c->brand >= 0)
		PUT(&out, shop_coupon, brand, str_of(brand_names[c->brand]));
	return out;
}

struct shop_coupon *show_coupons(struct arena *a, const struct coupon *coupons, size_t count, int64_t until_ms)
{
	struct shop_coupon *out = ARENA_ARRAY(a, struct shop_coupon, count);

	CHECK(out);
	for (size_t i = 0; i < count; i++)
		out[i] = show_coupon(&coupons[i], until_ms);
	return out;
}

struct shop_summary show_summary(const struct basket *b)
{
	const struct totals *t = &b->totals;

	return (struct shop_summary){.item_count = b->pieces,
				     .subtotal = show_dollars(t->subtotal_cents),
				     .item_discounts = show_dollars(t->item_discounts_cents),
				     .frontstore_discount = show_dollars(t->frontstore_cents),
				     .discount_total = show_dollars(t->item_discounts_cents + t->frontstore_cents),
				     .final_total = show_dollars(t->final_cents)};
}

struct shop_judged show_judged(struct arena *a, const struct basket *b)
{
	const struct wallet *w = &b->wallet;
	struct shop_judged out = {.eligible = ARENA_ARRAY(a, struct shop_eligible, w->count),
				  .ineligible = ARENA_ARRAY(a, struct shop_ineligible, w->count)};

	CHECK(out.eligible && out.ineligible);
	for (uint32_t i = 0; i < w->count; i++) {
		struct shop_coupon coupon = show_coupon(&w->coupons[i], w->until_ms);
		const char *why = NULL;
		int64_t discount = discount_alone(&w->coupons[i], b->lines, b->count, &why);

		if (discount)
			out.eligible[out.eligible_count++] =
				(struct shop_eligible){.coupon = coupon, .discount = show_dollars(discount)};
		else
			out.ineligible[out.ineligible_count++] =
				(struct shop_ineligible){.coupon = coupon, .reason = str_of(why)};
	}
	return out;
}
