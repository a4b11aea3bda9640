/*
 * A customer's coupons of a week. They follow from the customer's name and the week (sim/offers.h), so none is stored,
 * lost or given twice. Weeks begin on Monday, 00:00 UTC.
 */
#ifndef TENFOLD_SHOP_WALLET_H
#define TENFOLD_SHOP_WALLET_H

#include "shop/discount.h"
#include "sim/offers.h"

struct wallet {
	int64_t cycle; /* number of the week */
	int64_t starts_ms, next_ms, until_ms;
	uint32_t count, short_by;
	struct coupon coupons[OFFERS_MAX];
};

/* now_ms >= 0 */
void wallet_of(struct str customer, int64_t now_ms, struct wallet *out);
const struct coupon *wallet_find(const struct wallet *w, int64_t coupon_id); /* NULL: not among them */

/* Ids of coupons are number + 1. */
static inline int64_t coupon_id(const struct coupon *c)
{
	return (int64_t)c->number + 1;
}

#endif
