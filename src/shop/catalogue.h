/*
 * Stores, products and coupons of the demo shop: constant, so no store of rows holds them. What is left on a shelf does
 * change and is in the table shop_shelves.
 *
 * Ids of products and stores are index + 1. Coupons are made by a formula from their number, which is what
 * offers (sim/offers.h) are numbers of: 0 … COUPON_FRONT - 1 for the whole cart, the others of a category or a brand.
 */
#ifndef TENFOLD_SHOP_CATALOGUE_H
#define TENFOLD_SHOP_CATALOGUE_H

#include "shop/discount.h"

enum category {
#define CATEGORY(constant, text) CATEGORY_##constant,
#include "shop/catalogue.def"
#undef CATEGORY
	CATEGORY_COUNT
};

enum brand {
#define BRAND(constant, text) BRAND_##constant,
#include "shop/catalogue.def"
#undef BRAND
	BRAND_COUNT
};

struct product {
	const char *name;
	enum brand brand;
	enum category category;
	int64_t price_cents;
	int64_t stock; /* on the shelves of each store in the beginning */
};

struct place {
	const char *name, *city;
};

enum { PRODUCT_COUNT = 27, PLACE_COUNT = 3, COUPON_FRONT = 50, COUPON_OTHER = 150 };

extern const struct product products[PRODUCT_COUNT];
extern const struct place places[PLACE_COUNT];
extern const char *const category_names[CATEGORY_COUNT];
extern const char *const brand_names[BRAND_COUNT];

/* number < COUPON_FRONT + COUPON_OTHER */
struct coupon coupon_of(uint32_t number);

/* NULL when there is none of that id. */
const struct product *product_find(int64_t id);
const struct place *place_find(int64_t id);

#endif
