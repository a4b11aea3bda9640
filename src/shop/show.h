/* From what the shop has to what its API answers. Texts are the catalogue's, or live in the arena. */
#ifndef TENFOLD_SHOP_SHOW_H
#define TENFOLD_SHOP_SHOW_H

#include "shop/basket.h"

double show_dollars(int64_t cents);
struct shop_store show_store(int64_t id);     /* of a store there is */
struct shop_product show_product(int64_t id); /* likewise; without in_stock */
struct shop_cart_item show_cart_item(const struct shop_cart_row *row);
struct shop_coupon show_coupon(const struct coupon *c, int64_t until_ms);
struct shop_coupon *show_coupons(struct arena *a, const struct coupon *coupons, size_t count, int64_t until_ms);
struct shop_summary show_summary(const struct basket *b);
/* Each coupon of the wallet, by itself, beside the cart. */
struct shop_judged show_judged(struct arena *a, const struct basket *b);

#endif
