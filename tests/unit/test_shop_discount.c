/* What coupons take off: the rules one by one, and what must hold for every cart and every hand of coupons. */
#include "harness.h"

#include "base/rng.h"
#include "shop/catalogue.h"

enum { LINES = 12, COUPONS = 40, CARTS = 20000 };

static struct line line(enum category category, enum brand brand, int64_t amount_cents)
{
	return (struct line){.category = (int)category, .brand = (int)brand, .amount_cents = amount_cents};
}

static struct coupon of_category(enum category category, enum shop_discount how, int64_t value)
{
	return (struct coupon){
		.reach = REACH_CATEGORY, .category = (int)category, .brand = -1, .discount = how, .value = value};
}

static struct coupon of_brand(enum brand brand, enum shop_discount how, int64_t value)
{
	return (struct coupon){
		.reach = REACH_BRAND, .category = -1, .brand = (int)brand, .discount = how, .value = value};
}

static struct coupon of_cart(enum shop_discount how, int64_t value, int64_t min_purchase_cents)
{
	return (struct coupon){.reach = REACH_FRONTSTORE,
			       .category = -1,
			       .brand = -1,
			       .discount = how,
			       .value = value,
			       .min_purchase_cents = min_purchase_cents};
}

static void each_kind_is_reckoned_as_it_says(void **state)
{
	struct coupon percent = of_cart(DISCOUNT_PERCENT, 15, 0), fixed = of_cart(DISCOUNT_FIXED, 500, 0);
	struct coupon bogo = of_cart(DISCOUNT_BOGO, 50, 0), shipping = of_cart(DISCOUNT_SHIPPING, 0, 0);

	(void)state;
	assert_int_equal(coupon_discount(&percent, 1999), 300); /* 299.85 */
	percent.max_discount_cents = 100;
	assert_int_equal(coupon_discount(&percent, 1999), 100);
	assert_int_equal(coupon_discount(&fixed, 1999), 500);
	assert_int_equal(coupon_discount(&fixed, 399), 399);
	assert_int_equal(coupon_discount(&bogo, 1000), 250);
	assert_int_equal(coupon_discount(&shipping, 1000), 0);
	fixed.min_purchase_cents = 2000;
	assert_int_equal(coupon_discount(&fixed, 1999), 0);
	assert_int_equal(coupon_discount(&fixed, 2000), 500);
}

static void one_line_of_a_category_is_discounted_where_it_saves_most(void **state)
{
	struct coupon coupons[] = {of_category(CATEGORY_PAIN, DISCOUNT_PERCENT, 10),
				   of_category(CATEGORY_PAIN, DISCOUNT_FIXED, 100)};
	struct line lines[] = {line(CATEGORY_PAIN, BRAND_FENWAY, 500), line(CATEGORY_PAIN, BRAND_FENWAY, 3000)};
	struct totals t;

	(void)state;
	discount_cart(coupons, 2, lines, 2, &t);
	assert_null(lines[0].by);
	assert_ptr_equal(lines[1].by, &coupons[0]);
	assert_int_equal(t.item_discounts_cents, 300);
	assert_int_equal(t.final_cents, 3200);
}

static void a_brand_is_for_lines_without_a_coupon_of_their_category(void **state)
{
	struct coupon coupons[] = {of_category(CATEGORY_PAIN, DISCOUNT_PERCENT, 10),
				   of_brand(BRAND_FENWAY, DISCOUNT_PERCENT, 50)};
	struct line lines[] = {line(CATEGORY_PAIN, BRAND_FENWAY, 1000), line(CATEGORY_ALLERGY, BRAND_FENWAY, 1000)};
	struct totals t;

	(void)state;
	discount_cart(coupons, 2, lines, 2, &t);
	assert_ptr_equal(lines[0].by, &coupons[0]);
	assert_ptr_equal(lines[1].by, &coupons[1]);
	assert_int_equal(t.final_cents, 900 + 500);
}

static void one_coupon_of_the_cart_the_highest_value_whose_minimum_is_reached(void **state)
{
	struct coupon coupons[] = {of_cart(DISCOUNT_PERCENT, 10, 0), of_cart(DISCOUNT_PERCENT, 20, 5000),
				   of_cart(DISCOUNT_FIXED, 300, 0)};
	struct line lines[] = {line(CATEGORY_SKIN, BRAND_ELMHURST, 4000)};
	struct totals t;

	(void)state;
	discount_cart(coupons, 3, lines, 1, &t);
	assert_ptr_equal(t.frontstore, &coupons[0]);
	assert_int_equal(t.frontstore_cents, 400);
	lines[0].amount_cents = 5000;
	discount_cart(coupons, 3, lines, 1, &t);
	assert_ptr_equal(t.frontstore, &coupons[1]);
	assert_int_equal(t.final_cents, 4000);
}

static void the_minimum_is_asked_of_what_the_items_cost_after_their_discounts(void **state)
{
	struct coupon coupons[] = {of_category(CATEGORY_SKIN, DISCOUNT_FIXED, 1),
				   of_cart(DISCOUNT_FIXED, 500, 1000)};
	struct line lines[] = {line(CATEGORY_SKIN, BRAND_ELMHURST, 1000)};
	struct totals t;

	(void)state;
	discount_cart(coupons, 2, lines, 1, &t);
	assert_null(t.frontstore);
	assert_int_equal(t.final_cents, 999);
}

static void why_a_coupon_takes_nothing_off_is_said(void **state)
{
	struct coupon skin = of_category(CATEGORY_SKIN, DISCOUNT_FIXED, 100);
	struct line lines[] = {line(CATEGORY_PAIN, BRAND_FENWAY, 500)};
	const char *why = NULL;

	(void)state;
	assert_int_equal(discount_alone(&skin, lines, 0, &why), 0);
	assert_string_equal(why, "the cart is empty");
	assert_int_equal(discount_alone(&skin, lines, 1, &why), 0);
	assert_string_equal(why, "nothing of this kind is in the cart");
	lines[0].category = CATEGORY_SKIN;
	assert_int_equal(discount_alone(&skin, lines, 1, &why), 100);
}

static void assert_sound(const struct line *lines, size_t n, const struct totals *t)
{
	int64_t subtotal = 0, discounts = 0;
	bool taken[CATEGORY_COUNT] = {0};

	for (size_t i = 0; i < n; i++) {
		subtotal += lines[i].amount_cents;
		discounts += lines[i].discount_cents;
		assert_in_range(lines[i].discount_cents, 0, lines[i].amount_cents);
		assert_int_equal(lines[i].by != NULL, lines[i].discount_cents > 0);
		if (lines[i].by && lines[i].by->reach == REACH_CATEGORY) {
			assert_false(taken[lines[i].category]);
			taken[lines[i].category] = true;
			assert_int_equal(lines[i].by->category, lines[i].category);
		}
	}
	assert_int_equal(t->subtotal_cents, subtotal);
	assert_int_equal(t->item_discounts_cents, discounts);
	assert_true(t->frontstore_cents >= 0 && t->final_cents >= 0);
	assert_int_equal(t->final_cents, subtotal - discounts - t->frontstore_cents);
	assert_int_equal(t->frontstore != NULL, t->frontstore_cents > 0);
}

/* No other coupon of its category would have saved more, on whichever line of it. */
static void assert_best_of_each_category(const struct coupon *coupons, size_t count, const struct line *lines,
					 size_t n)
{
	for (int category = 0; category < CATEGORY_COUNT; category++) {
		int64_t saved = 0, could = 0;

		for (size_t i = 0; i < n; i++) {
			if (lines[i].category != category)
				continue;
			if (lines[i].by && lines[i].by->reach == REACH_CATEGORY)
				saved = lines[i].discount_cents;
			for (size_t k = 0; k < count; k++)
				if (coupons[k].reach == REACH_CATEGORY && coupons[k].category == category &&
				    coupon_discount(&coupons[k], lines[i].amount_cents) > could)
					could = coupon_discount(&coupons[k], lines[i].amount_cents);
		}
		assert_int_equal(saved, could);
	}
}

static void whatever_is_in_the_cart_the_rules_hold(void **state)
{
	struct rng rng;
	struct line lines[LINES];
	struct coupon coupons[COUPONS];

	(void)state;
	rng_seeded_init(&rng, 20);
	for (int cart = 0; cart < CARTS; cart++) {
		size_t n = rng_below(&rng, LINES + 1), count = rng_below(&rng, COUPONS + 1);
		struct totals t;

		for (size_t i = 0; i < n; i++) {
			const struct product *p = &products[rng_below(&rng, PRODUCT_COUNT)];

			lines[i] = line(p->category, p->brand, p->price_cents * (1 + (int64_t)rng_below(&rng, 5)));
		}
		for (size_t i = 0; i < count; i++)
			coupons[i] = coupon_of((uint32_t)rng_below(&rng, COUPON_FRONT + COUPON_OTHER));
		discount_cart(coupons, count, lines, n, &t);
		assert_sound(lines, n, &t);
		assert_best_of_each_category(coupons, count, lines, n);
	}
}

static void the_catalogue_is_the_one_that_was_asked_for(void **state)
{
	bool used[CATEGORY_COUNT] = {0};
	int used_count = 0;

	(void)state;
	for (int i = 0; i < PRODUCT_COUNT; i++) {
		assert_non_null(products[i].name);
		assert_in_range(products[i].price_cents, 399, 3700);
		used_count += !used[products[i].category];
		used[products[i].category] = true;
	}
	assert_int_equal(used_count, 17);
	for (uint32_t i = 0; i < COUPON_FRONT + COUPON_OTHER; i++) {
		struct coupon c = coupon_of(i);

		assert_int_equal(c.number, i);
		assert_int_equal(c.reach == REACH_FRONTSTORE, i < COUPON_FRONT);
		assert_int_equal(c.category >= 0, c.reach == REACH_CATEGORY);
		assert_int_equal(c.brand >= 0, c.reach == REACH_BRAND);
		assert_true(c.value > 0 || c.discount == DISCOUNT_SHIPPING);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_reckoned_as_it_says),
		cmocka_unit_test(one_line_of_a_category_is_discounted_where_it_saves_most),
		cmocka_unit_test(a_brand_is_for_lines_without_a_coupon_of_their_category),
		cmocka_unit_test(one_coupon_of_the_cart_the_highest_value_whose_minimum_is_reached),
		cmocka_unit_test(the_minimum_is_asked_of_what_the_items_cost_after_their_discounts),
		cmocka_unit_test(why_a_coupon_takes_nothing_off_is_said),
		cmocka_unit_test(whatever_is_in_the_cart_the_rules_hold),
		cmocka_unit_test(the_catalogue_is_the_one_that_was_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
