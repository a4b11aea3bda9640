/*
 * What coupons take off a cart: a pure function of both.
 *
 *  1. Of each category that has coupons one line is discounted, by the best of them: where it saves most.
 *  2. A line that is not is discounted by the best coupon of its brand.
 *  3. Then at most one coupon of the whole cart: of those whose minimum the discounted subtotal reaches, the one with
 *     the highest value as it is written.
 *
 * Percent: of the amount, rounded half up, at most max_discount. Fixed: at most the amount. Bogo: percent of half the
 * amount. Free shipping: nothing. A coupon of an item looks at its line for the minimum. Nothing ever becomes negative.
 */
#ifndef TENFOLD_SHOP_DISCOUNT_H
#define TENFOLD_SHOP_DISCOUNT_H

#include "shop/types.h"

struct coupon {
	uint32_t number;
	enum shop_coupon_reach reach;
	enum shop_discount discount;
	int64_t value; /* percent, or cents when fixed */
	int64_t min_purchase_cents;
	int64_t max_discount_cents; /* 0: none */
	int category, brand;        /* -1: of none */
};

struct line {
	int category, brand;
	int64_t amount_cents; /* of all pieces */
	/* Found: */
	int64_t discount_cents;
	const struct coupon *by; /* NULL: no discount */
};

struct totals {
	int64_t subtotal_cents, item_discounts_cents, frontstore_cents, final_cents;
	const struct coupon *frontstore; /* NULL: none took something off */
};

/* What it takes off such an amount, whatever it is of; from 0 to amount. */
int64_t coupon_discount(const struct coupon *c, int64_t amount_cents);

void discount_cart(const struct coupon *coupons, size_t coupon_count, struct line *lines, size_t line_count,
		   struct totals *out);

/* What this one alone takes off, and with 0 why nothing; why may be NULL. */
int64_t discount_alone(const struct coupon *c, const struct line *lines, size_t line_count, const char **why);

#endif
