/* Stores and products. */
#include "shop/show.h"

/* ---- stores ---- */

enum err shop_store_list(struct call *c, const struct nothing *in, struct shop_stores *out)
{
	(void)in;
	out->items = ARENA_ARRAY(c->arena, struct shop_store, PLACE_COUNT);
	CHECK(out->items);
	for (int64_t id = 1; id <= PLACE_COUNT; id++)
		out->items[out->items_count++] = show_store(id);
	return OK;
}

static enum err no_store(struct call *c)
{
	return call_fail(c, ERR_NOT_FOUND, "there is no such store; GET /api/stores lists them");
}

enum err shop_store_show(struct call *c, const struct shop_store_ref *in, struct shop_store *out)
{
	if (!place_find(in->id))
		return no_store(c);
	*out = show_store(in->id);
	return OK;
}

enum err shop_store_chosen(struct call *c, const struct nothing *in, struct shop_chosen *out)
{
	struct visit v;
	int64_t store = 0;
	enum err e = visit_begin(c, &v);

	(void)in;
	e = e ? e : visit_store(c, &v, &store);
	if (!e && store)
		PUT(out, shop_chosen, store, show_store(store));
	return e;
}

enum err shop_store_choose(struct call *c, const struct shop_choice *in, struct shop_chosen *out)
{
	struct visit v;
	enum err e = visit_begin(c, &v);

	if (e)
		return e;
	if (!place_find(in->store_id))
		return no_store(c);
	PUT(out, shop_chosen, store, show_store(in->store_id));
	return q_shop_user_choose(
		c->db,
		&(struct shop_user_choose_in){.name = v.customer, .store = in->store_id, .created_ms = v.now_ms});
}

/* ---- products ---- */

struct shelves {
	int64_t store; /* 0: none was chosen, and nothing is known of any shelf */
	int64_t count;
	int64_t left[PRODUCT_COUNT + 1]; /* by product */
	int64_t by_sold[PRODUCT_COUNT];  /* products, those sold most first */
};

static enum err add_shelf(void *ctx, const void *row)
{
	struct shelves *s = ctx;
	const struct shop_shelf_list_out *r = row;

	if (!product_find(r->product))
		return OK; /* of a catalogue that had more */
	s->left[r->product] = r->left_pieces;
	s->by_sold[s->count++] = r->product;
	return OK;
}

static enum err load_shelves(struct call *c, struct shelves *out)
{
	struct visit v;
	enum err e = visit_begin(c, &v);

	*out = (struct shelves){0};
	e = e ? e : visit_store(c, &v, &out->store);
	if (e || !out->store)
		return e;
	return q_shop_shelf_list(c->db, &(struct shop_shelf_list_in){.store = out->store}, add_shelf, out);
}

static struct shop_product on_shelf(const struct shelves *s, int64_t id)
{
	struct shop_product p = show_product(id);

	if (s->store)
		PUT(&p, shop_product, in_stock, s->left[id]);
	return p;
}

static void add(struct shop_products *out, const struct shelves *s, int64_t id, int64_t limit)
{
	if ((int64_t)out->items_count < limit)
		out->items[out->items_count++] = on_shelf(s, id);
}

static enum err begin_list(struct call *c, struct shelves *s, struct shop_products *out)
{
	out->items = ARENA_ARRAY(c->arena, struct shop_product, PRODUCT_COUNT);
	CHECK(out->items);
	return load_shelves(c, s);
}

enum err shop_product_list(struct call *c, const struct shop_products_in *in, struct shop_products *out)
{
	struct shelves s;
	enum err e = begin_list(c, &s, out);

	for (int64_t id = 1; id <= PRODUCT_COUNT && !e; id++)
		if (!in->category.n || str_eqz(in->category, category_names[product_find(id)->category]))
			add(out, &s, id, in->limit);
	return e;
}

static bool contains(struct str text, struct str word)
{
	for (size_t at = 0; at + word.n <= text.n; at++)
		if (str_eq_nocase((struct str){text.p + at, word.n}, word))
			return true;
	return false;
}

static bool has_words(const struct product *p, struct str words)
{
	while (words.n) {
		struct str word = str_cut(words, ' ', &words);

		if (!contains(str_of(p->name), word) && !contains(str_of(brand_names[p->brand]), word) &&
		    !contains(str_of(category_names[p->category]), word))
			return false;
	}
	return true;
}

enum err shop_product_search(struct call *c, const struct shop_search_in *in, struct shop_products *out)
{
	struct shelves s;
	enum err e = begin_list(c, &s, out);

	for (int64_t id = 1; id <= PRODUCT_COUNT && !e; id++)
		if (has_words(product_find(id), in->query))
			add(out, &s, id, in->limit);
	return e;
}

enum err shop_product_recommend(struct call *c, const struct shop_recommendations_in *in, struct shop_products *out)
{
	struct shelves s;
	enum err e = begin_list(c, &s, out);

	for (int64_t i = 0; i < (s.store ? s.count : PRODUCT_COUNT) && !e; i++)
		add(out, &s, s.store ? s.by_sold[i] : i + 1, in->limit);
	return e;
}

enum err shop_product_show(struct call *c, const struct shop_product_ref *in, struct shop_product *out)
{
	struct shelves s;
	enum err e;

	if (!product_find(in->id))
		return call_fail(c, ERR_NOT_FOUND, "there is no such product; GET /api/products lists them");
	e = load_shelves(c, &s);
	if (!e)
		*out = on_shelf(&s, in->id);
	return e;
}
