/*
 * Orders. Making one looks at everything first, with the shelves held in the order of their products, and then writes:
 * so it is made whole or not at all, and no shelf is ever taken from twice.
 */
#include "shop/show.h"

/* ---- making one ---- */

static int by_product(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t wanted(const struct basket *b, int64_t product)
{
	for (size_t i = 0; i < b->count; i++)
		if (b->rows[i].product == product)
			return b->rows[i].quantity;
	return 0;
}

static enum err check_shelf(struct call *c, const struct basket *b, int64_t product)
{
	struct shop_shelf_lock_out shelf;
	enum err e = q_shop_shelf_lock(c->db, &(struct shop_shelf_lock_in){.store = b->store, .product = product},
				       c->arena, &shelf);

	if (!e && shelf.left_pieces < wanted(b, product))
		e = call_fail(c, ERR_OUT_OF_STOCK, "%lld of \"%s\" are in the cart and %lld are left in this store",
			      (long long)wanted(b, product), product_find(product)->name,
			      (long long)shelf.left_pieces);
	return e;
}

static enum err check_shelves(struct call *c, const struct basket *b)
{
	int64_t of[PRODUCT_COUNT];
	enum err e = OK;

	for (size_t i = 0; i < b->count; i++)
		of[i] = b->rows[i].product;
	qsort(of, b->count, sizeof(of[0]), by_product);
	for (size_t i = 0; i < b->count && !e; i++)
		e = check_shelf(c, b, of[i]);
	return e;
}

static enum err take_from_shelves(struct call *c, const struct basket *b)
{
	struct shop_shelf_take_in rows[PRODUCT_COUNT];

	for (size_t i = 0; i < b->count; i++)
		rows[i] = (struct shop_shelf_take_in){
			.store = b->store, .product = b->rows[i].product, .pieces = b->rows[i].quantity};
	return q_shop_shelf_take(c->db, rows, b->count);
}

static int64_t id_or_none(const struct coupon *c)
{
	return c ? coupon_id(c) : 0;
}

static struct shop_order_row order_row(struct call *c, const struct visit *v, const struct basket *b)
{
	const struct totals *t = &b->totals;

	return (struct shop_order_row){.id = shop_new_id(shop_of(c)),
				       .customer = v->customer,
				       .store = b->store,
				       .session = v->session,
				       .item_count = b->pieces,
				       .subtotal_cents = t->subtotal_cents,
				       .item_discounts_cents = t->item_discounts_cents,
				       .frontstore_cents = t->frontstore_cents,
				       .final_cents = t->final_cents,
				       .frontstore_coupon = id_or_none(t->frontstore),
				       .simulated = v->simulated,
				       .created_ms = v->now_ms};
}

static void item_rows(int64_t order, const struct basket *b, struct shop_order_item_row *out)
{
	for (size_t i = 0; i < b->count; i++)
		out[i] = (struct shop_order_item_row){.order_id = order,
						      .line = (int64_t)i,
						      .product = b->rows[i].product,
						      .quantity = b->rows[i].quantity,
						      .unit_cents = product_find(b->rows[i].product)->price_cents,
						      .discount_cents = b->lines[i].discount_cents,
						      .coupon = id_or_none(b->lines[i].by)};
}

/* Each coupon that took something off is redeemed. It stays in the wallet: it may be used again. */
static enum err redeem(struct call *c, const struct visit *v, const struct basket *b)
{
	struct shop_interaction_put_in rows[PRODUCT_COUNT + 1];
	const struct coupon *used[PRODUCT_COUNT + 1];
	size_t n = 0;

	for (size_t i = 0; i <= b->count; i++) {
		const struct coupon *coupon = i < b->count ? b->lines[i].by : b->totals.frontstore;
		bool again = !coupon;

		for (size_t k = 0; k < n; k++)
			again = again || used[k] == coupon;
		if (again)
			continue;
		used[n] = coupon;
		rows[n++] = (struct shop_interaction_put_in){.id = shop_new_id(shop_of(c)),
							     .customer = v->customer,
							     .coupon = coupon_id(coupon),
							     .action = INTERACTION_REDEEMED,
							     .at_ms = v->now_ms,
							     .simulated = v->simulated};
	}
	return q_shop_interaction_put(c->db, rows, n);
}

static enum err note_checkout(struct call *c, const struct visit *v, const struct shop_order_row *row)
{
	struct shop_event_payload payload = {0};

	PUT(&payload, shop_event_payload, order_id, row->id);
	PUT(&payload, shop_event_payload, subtotal, show_dollars(row->subtotal_cents));
	PUT(&payload, shop_event_payload, discount,
	    show_dollars(row->item_discounts_cents + row->frontstore_cents));
	PUT(&payload, shop_event_payload, total, show_dollars(row->final_cents));
	PUT(&payload, shop_event_payload, item_count, row->item_count);
	return visit_note(c, v, EVENT_CHECKOUT_COMPLETED, &payload);
}

static enum err write_order(struct call *c, const struct visit *v, const struct basket *b,
			    const struct shop_order_row *row, const struct shop_order_item_row *items)
{
	enum err e = take_from_shelves(c, b);

	e = e ? e : q_shop_order_put(c->db, row);
	e = e ? e : q_shop_order_item_put(c->db, items, b->count);
	e = e ? e : redeem(c, v, b);
	e = e ? e : q_shop_cart_clear(c->db, &(struct shop_cart_clear_in){v->customer});
	e = e ? e : q_shop_cart_coupon_clear(c->db, &(struct shop_cart_coupon_clear_in){v->customer});
	return e ? e : note_checkout(c, v, row);
}

/* ---- showing one ---- */

static struct shop_totals totals_of(const struct shop_order_row *row)
{
	return (struct shop_totals){.subtotal = show_dollars(row->subtotal_cents),
				    .item_discounts = show_dollars(row->item_discounts_cents),
				    .frontstore_discount = show_dollars(row->frontstore_cents),
				    .discount_total =
					    show_dollars(row->item_discounts_cents + row->frontstore_cents),
				    .final_total = show_dollars(row->final_cents)};
}

static struct shop_order_item show_item(const struct shop_order_item_row *row)
{
	const struct product *p = product_find(row->product);
	struct shop_order_item item = {.product_id = row->product,
				       .product_name = str_of(p ? p->name : "no longer sold"),
				       .quantity = row->quantity,
				       .unit_price = show_dollars(row->unit_cents),
				       .line_total = show_dollars(row->unit_cents * row->quantity),
				       .discount = show_dollars(row->discount_cents)};

	if (row->coupon)
		PUT(&item, shop_order_item, coupon_id, row->coupon);
	return item;
}

static void add_used(struct shop_order_coupons *out, int64_t coupon)
{
	for (size_t i = 0; i < out->item_level_count; i++)
		if (out->item_level[i].id == coupon)
			return;
	out->item_level[out->item_level_count++] = (struct shop_coupon_ref){.id = coupon};
}

static void show_order(struct call *c, const struct shop_order_row *row, const struct shop_order_item_row *items,
		       size_t count, struct shop_order *out)
{
	struct shop_order_coupons *used = &out->applied_coupons;

	*out = (struct shop_order){.id = row->id,
				   .store = show_store(row->store),
				   .items = ARENA_ARRAY(c->arena, struct shop_order_item, count),
				   .items_count = count,
				   .totals = totals_of(row),
				   .status = STR("placed"),
				   .is_simulated = row->simulated,
				   .created_at = row->created_ms};
	used->item_level = ARENA_ARRAY(c->arena, struct shop_coupon_ref, count);
	used->frontstore = ARENA_NEW(c->arena, struct shop_coupon_ref);
	CHECK(out->items && used->item_level && used->frontstore);
	for (size_t i = 0; i < count; i++) {
		out->items[i] = show_item(&items[i]);
		if (items[i].coupon)
			add_used(used, items[i].coupon);
	}
	if (row->frontstore_coupon)
		used->frontstore[used->frontstore_count++] = (struct shop_coupon_ref){.id = row->frontstore_coupon};
}

/* ---- calls ---- */

enum err shop_order_add(struct call *c, const struct nothing *in, struct shop_order_made *out)
{
	struct visit v;
	struct basket *b;
	struct shop_order_row row;
	struct shop_order_item_row items[PRODUCT_COUNT];
	enum err e = basket_of_caller(c, &v, &b);

	(void)in;
	if (e)
		return e;
	if (!b->store)
		return call_fail(c, ERR_NO_STORE_CHOSEN, "Please select a store first: PUT /api/user/store");
	if (!b->count)
		return call_fail(c, ERR_CART_EMPTY, "Cart is empty: POST /api/cart/items puts something into it");
	e = check_shelves(c, b);
	if (e)
		return e;
	row = order_row(c, &v, b);
	item_rows(row.id, b, items);
	out->success = true;
	out->message = STR("Thank you for your order.");
	show_order(c, &row, items, b->count, &out->order);
	return write_order(c, &v, b, &row, items);
}

static enum err add_order(void *ctx, const void *order)
{
	struct shop_orders *out = ctx;
	const struct shop_order_row *row = order;

	out->items[out->items_count++] = (struct shop_order_brief){.id = row->id,
								   .store_id = row->store,
								   .item_count = row->item_count,
								   .totals = totals_of(row),
								   .status = STR("placed"),
								   .is_simulated = row->simulated,
								   .created_at = row->created_ms};
	return OK;
}

enum err shop_order_list(struct call *c, const struct shop_orders_in *in, struct shop_orders *out)
{
	struct visit v;
	enum err e = visit_begin(c, &v);

	if (e)
		return e;
	out->items = ARENA_ARRAY(c->arena, struct shop_order_brief, (size_t)in->limit);
	CHECK(out->items);
	return q_shop_order_page(
		c->db, &(struct shop_order_page_in){.customer = v.customer, .count = in->limit, .skip = in->offset},
		add_order, out);
}

struct items {
	struct shop_order_item_row rows[PRODUCT_COUNT];
	size_t count;
};

static enum err add_item(void *ctx, const void *row)
{
	struct items *items = ctx;

	CHECK(items->count < PRODUCT_COUNT);
	items->rows[items->count++] = *(const struct shop_order_item_row *)row;
	return OK;
}

enum err shop_order_show(struct call *c, const struct shop_order_ref *in, struct shop_order *out)
{
	struct visit v;
	struct items items = {.count = 0};
	struct shop_order_row row;
	enum err e = visit_begin(c, &v);

	if (e)
		return e;
	e = q_shop_order_get(c->db, &(struct shop_order_get_in){.customer = v.customer, .id = in->id}, c->arena,
			     &row);
	if (e == ERR_NOT_FOUND)
		return call_fail(c, e, "the customer has no such order");
	e = e ? e
	      : q_shop_order_item_list(c->db, &(struct shop_order_item_list_in){.order_id = in->id}, add_item,
				       &items);
	if (!e)
		show_order(c, &row, items.rows, items.count, out);
	return e;
}
