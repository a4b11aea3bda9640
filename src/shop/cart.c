/* The cart. What is in it is promised to nobody: shelves are looked at here, and taken from by an order. */
#include "shop/show.h"

enum { PIECES_MAX = 1000 };

/* ---- reading ---- */

enum err shop_cart_show(struct call *c, const struct nothing *in, struct shop_cart *out)
{
	struct visit v;
	struct basket *b;
	enum err e = basket_of_caller(c, &v, &b);

	(void)in;
	if (e)
		return e;
	out->items = ARENA_ARRAY(c->arena, struct shop_cart_item, b->count);
	CHECK(out->items);
	for (size_t i = 0; i < b->count; i++)
		out->items[out->items_count++] = show_cart_item(&b->rows[i]);
	out->coupons = show_coupons(c->arena, b->coupons, b->coupon_count, b->wallet.until_ms);
	out->coupons_count = b->coupon_count;
	out->item_count = b->pieces;
	if (b->store)
		PUT(out, shop_cart, store, show_store(b->store));
	return OK;
}

enum err shop_cart_summary(struct call *c, const struct nothing *in, struct shop_summary *out)
{
	struct visit v;
	struct basket *b;
	enum err e = basket_of_caller(c, &v, &b);

	(void)in;
	if (!e)
		*out = show_summary(b);
	return e;
}

/* ---- lines ---- */

/* Has the store so many? */
static enum err check_shelf(struct call *c, int64_t store, int64_t product, int64_t quantity)
{
	struct shop_shelf_lock_out shelf;
	enum err e = q_shop_shelf_lock(c->db, &(struct shop_shelf_lock_in){.store = store, .product = product},
				       c->arena, &shelf);

	if (!e && shelf.left_pieces < quantity)
		e = call_fail(c, ERR_OUT_OF_STOCK, "%lld of \"%s\" are wanted and %lld are left in this store",
			      (long long)quantity, product_find(product)->name, (long long)shelf.left_pieces);
	return e;
}

static struct shop_event_payload of_line(const struct shop_cart_row *row)
{
	const struct product *p = product_find(row->product);
	struct shop_event_payload payload = {0};

	PUT(&payload, shop_event_payload, product_id, row->product);
	PUT(&payload, shop_event_payload, product_name, str_of(p->name));
	PUT(&payload, shop_event_payload, price, show_dollars(p->price_cents));
	PUT(&payload, shop_event_payload, quantity, row->quantity);
	return payload;
}

/* The line becomes this one. */
static enum err put_line(struct call *c, const struct visit *v, int64_t store, const struct shop_cart_row *row,
			 enum shop_event event, struct shop_cart_line *out)
{
	struct shop_cart_put_in line = {.id = row->id,
					.customer = v->customer,
					.store = store,
					.product = row->product,
					.quantity = row->quantity,
					.added_ms = v->now_ms};
	struct shop_event_payload payload = of_line(row);
	enum err e = check_shelf(c, store, row->product, row->quantity);

	e = e ? e : q_shop_cart_put(c->db, &line);
	*out = (struct shop_cart_line){.success = true, .cart_item = show_cart_item(row)};
	return e ? e : visit_note(c, v, event, &payload);
}

/* The line of a product, or a new one without pieces. */
static enum err find_line(struct call *c, const struct visit *v, int64_t store, int64_t product,
			  struct shop_cart_row *out)
{
	struct shop_cart_find_in line = {.customer = v->customer, .store = store, .product = product};
	enum err e = q_shop_cart_find(c->db, &line, c->arena, out);

	if (e != ERR_NOT_FOUND)
		return e;
	*out = (struct shop_cart_row){.id = shop_new_id(shop_of(c)), .product = product};
	return OK;
}

enum err shop_cart_add(struct call *c, const struct shop_cart_add *in, struct shop_cart_line *out)
{
	struct visit v;
	struct shop_cart_row row;
	int64_t store;
	enum err e = visit_begin(c, &v);

	e = e ? e : visit_needs_store(c, &v, &store);
	if (e)
		return e;
	if (!product_find(in->product_id))
		return call_fail(c, ERR_NOT_FOUND, "there is no such product; GET /api/products lists them");
	e = find_line(c, &v, store, in->product_id, &row);
	if (e)
		return e;
	row.quantity += in->quantity;
	if (row.quantity > PIECES_MAX)
		return problem_field(&c->problem, ERR_INVALID, "quantity", "a line may have at most %d pieces",
				     PIECES_MAX);
	return put_line(c, &v, store, &row, EVENT_CART_ADD_ITEM, out);
}

static enum err get_line(struct call *c, const struct visit *v, int64_t store, int64_t id,
			 struct shop_cart_row *out)
{
	struct shop_cart_get_in line = {.customer = v->customer, .store = store, .id = id};
	enum err e = q_shop_cart_get(c->db, &line, c->arena, out);

	return e == ERR_NOT_FOUND ? call_fail(c, e, "there is no such line in the cart") : e;
}

enum err shop_cart_change(struct call *c, const struct shop_cart_change *in, struct shop_cart_line *out)
{
	struct visit v;
	struct shop_cart_row row;
	int64_t store;
	enum err e = visit_begin(c, &v);

	e = e ? e : visit_needs_store(c, &v, &store);
	e = e ? e : get_line(c, &v, store, in->id, &row);
	if (e)
		return e;
	row.quantity = in->quantity;
	return put_line(c, &v, store, &row, EVENT_CART_UPDATE_QTY, out);
}

enum err shop_cart_remove(struct call *c, const struct shop_cart_ref *in, struct shop_done *out)
{
	struct visit v;
	struct shop_cart_row row;
	struct shop_event_payload payload;
	int64_t store;
	enum err e = visit_begin(c, &v);

	e = e ? e : visit_needs_store(c, &v, &store);
	e = e ? e : get_line(c, &v, store, in->id, &row);
	if (e)
		return e;
	payload = of_line(&row);
	out->success = true;
	e = q_shop_cart_take(c->db, &(struct shop_cart_take_in){.customer = v.customer, .id = in->id});
	return e ? e : visit_note(c, &v, EVENT_CART_REMOVE_ITEM, &payload);
}

enum err shop_cart_clear(struct call *c, const struct nothing *in, struct shop_cart_cleared *out)
{
	struct visit v;
	struct shop_cart_count_out count;
	struct shop_event_payload payload = {0};
	enum err e = visit_begin(c, &v);

	(void)in;
	e = e ? e : q_shop_cart_count(c->db, &(struct shop_cart_count_in){v.customer}, c->arena, &count);
	e = e ? e : q_shop_cart_clear(c->db, &(struct shop_cart_clear_in){v.customer});
	e = e ? e : q_shop_cart_coupon_clear(c->db, &(struct shop_cart_coupon_clear_in){v.customer});
	if (e)
		return e;
	*out = (struct shop_cart_cleared){
		.success = true, .items_removed = count.items, .coupons_removed = count.coupons};
	PUT(&payload, shop_event_payload, item_count, count.items);
	return visit_note(c, &v, EVENT_CART_CLEAR, &payload);
}
