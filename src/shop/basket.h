/*
 * A customer's cart as it stands: its lines, the customer's coupons, those in the cart that are still good, and what
 * that comes to. In the call's arena; a picture of the moment it was loaded.
 */
#ifndef TENFOLD_SHOP_BASKET_H
#define TENFOLD_SHOP_BASKET_H

#include "shop/catalogue.h"
#include "shop/queries.h"
#include "shop/visit.h"
#include "shop/wallet.h"

struct basket {
	int64_t store; /* 0: none was chosen, and the cart is empty */
	size_t count;
	struct shop_cart_row rows[PRODUCT_COUNT];
	struct line lines[PRODUCT_COUNT]; /* of the rows */
	int64_t pieces;
	size_t coupon_count;
	struct coupon coupons[OFFERS_MAX];
	struct totals totals;
	struct wallet wallet;
};

enum err basket_load(struct call *c, const struct visit *v, int64_t store, struct basket **out);
/* The caller's in the store that was chosen; begins the visit. */
enum err basket_of_caller(struct call *c, struct visit *v, struct basket **out);
/* Another coupon in it, of its wallet; one that is there already changes nothing. */
void basket_put_coupon(struct basket *b, const struct coupon *coupon);

#endif
