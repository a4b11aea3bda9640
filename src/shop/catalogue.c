/* See catalogue.h. */
#include "shop/catalogue.h"

#include "base/magic.h"

const struct product products[PRODUCT_COUNT] = {
#define PRODUCT(brand_, category_, cents, stock_, name_) \
	{name_, BRAND_##brand_, CATEGORY_##category_, cents, stock_},
#include "shop/catalogue.def"
#undef PRODUCT
};

const struct place places[PLACE_COUNT] = {
#define STORE(name_, city_) {name_, city_},
#include "shop/catalogue.def"
#undef STORE
};

const char *const category_names[CATEGORY_COUNT] = {
#define CATEGORY(constant, text) [CATEGORY_##constant] = text,
#include "shop/catalogue.def"
#undef CATEGORY
};

const char *const brand_names[BRAND_COUNT] = {
#define BRAND(constant, text) [BRAND_##constant] = text,
#include "shop/catalogue.def"
#undef BRAND
};

const struct product *product_find(int64_t id)
{
	return id >= 1 && id <= PRODUCT_COUNT ? &products[id - 1] : NULL;
}

const struct place *place_find(int64_t id)
{
	return id >= 1 && id <= PLACE_COUNT ? &places[id - 1] : NULL;
}

/* 5 to 20 percent, 2 to 9 dollars, all from 10 to 55 dollars on; every tenth ships for nothing. */
static struct coupon front(uint32_t n)
{
	struct coupon c = {.number = n,
			   .reach = REACH_FRONTSTORE,
			   .category = -1,
			   .brand = -1,
			   .min_purchase_cents = 1000 + 500 * (n % 10)};

	if (n % 10 == 9) {
		c.discount = DISCOUNT_SHIPPING;
	} else if (n % 2) {
		c.discount = DISCOUNT_FIXED;
		c.value = 200 + 100 * (n % 8);
	} else {
		c.discount = DISCOUNT_PERCENT;
		c.value = 5 + n % 16;
		c.max_discount_cents = 1500;
	}
	return c;
}

/* Of each category in turn, and every sixth of a brand. */
static struct coupon other(uint32_t n)
{
	struct coupon c = {.number = COUPON_FRONT + n, .category = -1, .brand = -1};

	if (n % 6 == 5) {
		c.reach = REACH_BRAND;
		c.brand = (int)(n / 6 % BRAND_COUNT);
	} else {
		c.reach = REACH_CATEGORY;
		c.category = (int)(n % CATEGORY_COUNT);
	}
	switch (n / 3 % 4) {
	case 0:
	case 1:
		c.discount = DISCOUNT_PERCENT;
		c.value = 10 + 5 * (n % 5);
		c.max_discount_cents = n % 4 ? 1000 : 0;
		break;
	case 2:
		c.discount = DISCOUNT_FIXED;
		c.value = 100 + 50 * (n % 9);
		break;
	default:
		c.discount = DISCOUNT_BOGO;
		c.value = n % 2 ? 100 : 50;
	}
	c.min_purchase_cents = n % 7 == 0 ? 1000 : 0;
	return c;
}

struct coupon coupon_of(uint32_t number)
{
	CHECK(number < COUPON_FRONT + COUPON_OTHER);
	return number < COUPON_FRONT ? front(number) : other(number - COUPON_FRONT);
}
