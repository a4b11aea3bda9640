/* See discount.h. */
#include "shop/discount.h"

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t percent_of(int64_t percent, int64_t amount_cents)
{
	return (amount_cents * percent + 50) / 100;
}

static int64_t reckon(const struct coupon *c, int64_t amount_cents)
{
	switch (c->discount) {
	case DISCOUNT_PERCENT:
		return percent_of(c->value, amount_cents);
	case DISCOUNT_FIXED:
		return c->value;
	case DISCOUNT_BOGO:
		return percent_of(c->value, amount_cents / 2);
	case DISCOUNT_SHIPPING:
		return 0;
	}
	return 0;
}

int64_t coupon_discount(const struct coupon *c, int64_t amount_cents)
{
	int64_t discount;

	if (amount_cents < c->min_purchase_cents)
		return 0;
	discount = least(reckon(c, amount_cents), amount_cents);
	return c->max_discount_cents ? least(discount, c->max_discount_cents) : discount;
}

/* Does the coupon speak of this line? */
static bool is_of(const struct coupon *c, const struct line *l)
{
	switch (c->reach) {
	case REACH_CATEGORY:
		return c->category == l->category;
	case REACH_BRAND:
		return c->brand == l->brand;
	case REACH_FRONTSTORE:
		return false;
	}
	return false;
}

/* The coupon of that reach that saves most on this line, more than *most; NULL: none. */
static const struct coupon *best_on(const struct coupon *coupons, size_t count, enum shop_coupon_reach reach,
				    const struct line *l, int64_t *most)
{
	const struct coupon *best = NULL;

	for (size_t i = 0; i < count; i++) {
		int64_t discount;

		if (coupons[i].reach != reach || !is_of(&coupons[i], l))
			continue;
		discount = coupon_discount(&coupons[i], l->amount_cents);
		if (discount > *most) {
			*most = discount;
			best = &coupons[i];
		}
	}
	return best;
}

/* Is another line of this one's category the better one to discount? */
static bool another_saves_more(const struct coupon *coupons, size_t coupon_count, const struct line *lines,
			       size_t line_count, size_t at, int64_t saved)
{
	for (size_t i = 0; i < line_count; i++) {
		int64_t most = i < at ? saved - 1 : saved; /* of equals the first */

		if (i != at && lines[i].category == lines[at].category &&
		    best_on(coupons, coupon_count, REACH_CATEGORY, &lines[i], &most))
			return true;
	}
	return false;
}

static void discount_line(const struct coupon *coupons, size_t coupon_count, struct line *lines, size_t line_count,
			  size_t at)
{
	struct line *l = &lines[at];
	int64_t most = 0;
	const struct coupon *best = best_on(coupons, coupon_count, REACH_CATEGORY, l, &most);

	if (best && another_saves_more(coupons, coupon_count, lines, line_count, at, most))
		best = NULL;
	if (!best) {
		most = 0;
		best = best_on(coupons, coupon_count, REACH_BRAND, l, &most);
	}
	l->by = best;
	l->discount_cents = best ? most : 0;
}

/* The highest value as it is written; dollars and percent are compared as the numbers they are. */
static int64_t written(const struct coupon *c)
{
	return c->discount == DISCOUNT_FIXED ? c->value : c->value * 100;
}

static void discount_whole(const struct coupon *coupons, size_t count, struct totals *t)
{
	int64_t left = t->subtotal_cents - t->item_discounts_cents;

	for (size_t i = 0; i < count; i++) {
		const struct coupon *c = &coupons[i];

		if (c->reach == REACH_FRONTSTORE && coupon_discount(c, left) > 0 &&
		    (!t->frontstore || written(c) > written(t->frontstore)))
			t->frontstore = c;
	}
	if (t->frontstore)
		t->frontstore_cents = coupon_discount(t->frontstore, left);
	t->final_cents = left - t->frontstore_cents;
}

void discount_cart(const struct coupon *coupons, size_t coupon_count, struct line *lines, size_t line_count,
		   struct totals *out)
{
	*out = (struct totals){0};
	for (size_t i = 0; i < line_count; i++) {
		discount_line(coupons, coupon_count, lines, line_count, i);
		out->subtotal_cents += lines[i].amount_cents;
		out->item_discounts_cents += lines[i].discount_cents;
	}
	discount_whole(coupons, coupon_count, out);
}

/* By one coupon of an item: its best line if it is of a category, all of its lines if it is of a brand. */
static int64_t alone_on_items(const struct coupon *c, const struct line *lines, size_t line_count, bool *found)
{
	int64_t sum = 0, most = 0;

	for (size_t i = 0; i < line_count; i++) {
		int64_t discount;

		if (!is_of(c, &lines[i]))
			continue;
		*found = true;
		discount = coupon_discount(c, lines[i].amount_cents);
		sum += discount;
		most = discount > most ? discount : most;
	}
	return c->reach == REACH_CATEGORY ? most : sum;
}

int64_t discount_alone(const struct coupon *c, const struct line *lines, size_t line_count, const char **why)
{
	bool found = line_count > 0;
	int64_t discount, subtotal = 0;

	for (size_t i = 0; i < line_count; i++)
		subtotal += lines[i].amount_cents;
	if (c->reach == REACH_FRONTSTORE) {
		discount = coupon_discount(c, subtotal);
	} else {
		found = false;
		discount = alone_on_items(c, lines, line_count, &found);
	}
	if (why && discount == 0)
		*why = line_count == 0                    ? "the cart is empty"
		       : !found                           ? "nothing of this kind is in the cart"
		       : c->discount == DISCOUNT_SHIPPING ? "shipping costs nothing anyway"
							  : "less than min_purchase_amount is in the cart";
	return discount;
}
