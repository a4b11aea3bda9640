/* The shop's own clock, and the weeks whose coupons follow from it. */
#include "harness.h"

#include "base/clock.h"
#include "shop/shop_time.h"
#include "shop/wallet.h"

enum { HOUR_MS = 3600000, DAY_MS = 24 * HOUR_MS };

static const int64_t now_ms = INT64_C(1772445600000); /* 2026-03-02T10:00:00Z, a Monday */

struct fixture {
	struct clock_virtual real;
	struct shop_time time;
};

static int begin(void **state)
{
	static struct fixture f;

	clock_virtual_init(&f.real, now_ms);
	shop_time_init(&f.time, &f.real.clock);
	*state = &f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	shop_time_free(&f->time);
	return 0;
}

static void it_is_the_real_time_until_it_is_started(void **state)
{
	struct fixture *f = *state;

	f->real.ms += 5;
	assert_int_equal(shop_time_now(&f->time).ms, now_ms + 5);
	assert_false(shop_time_now(&f->time).simulated);
}

static void it_runs_as_fast_as_it_was_told_and_stands_when_stopped(void **state)
{
	struct fixture *f = *state;
	int64_t from_ms = 1000000;

	shop_time_start(&f->time, &from_ms, 48);
	f->real.ms += 1000;
	assert_int_equal(shop_time_now(&f->time).ms, from_ms + 48000);
	shop_time_stop(&f->time);
	f->real.ms += 1000;
	assert_int_equal(shop_time_now(&f->time).ms, from_ms + 48000);
	shop_time_start(&f->time, NULL, 2);
	f->real.ms += 1000;
	assert_int_equal(shop_time_now(&f->time).ms, from_ms + 50000);
}

static void advancing_changes_nothing_but_the_time(void **state)
{
	struct fixture *f = *state;
	int64_t from_ms = 0;

	shop_time_advance(&f->time, HOUR_MS);
	f->real.ms += 1000;
	assert_int_equal(shop_time_now(&f->time).ms, now_ms + HOUR_MS);
	shop_time_start(&f->time, &from_ms, 10);
	f->real.ms += 100;
	shop_time_advance(&f->time, HOUR_MS);
	f->real.ms += 100;
	assert_int_equal(shop_time_now(&f->time).ms, 2000 + HOUR_MS);
	shop_time_reset(&f->time);
	assert_int_equal(shop_time_now(&f->time).ms, f->real.ms);
}

static void a_week_goes_from_monday_to_monday(void **state)
{
	struct wallet w, same, next, first;
	const int64_t monday_ms = now_ms - 10 * HOUR_MS;

	(void)state;
	wallet_of(STR("anna"), now_ms, &w);
	assert_int_equal(w.starts_ms, monday_ms);
	assert_int_equal(w.next_ms, monday_ms + 7 * DAY_MS);
	assert_int_equal(w.until_ms, monday_ms + 14 * DAY_MS);
	wallet_of(STR("anna"), w.next_ms - 1, &same);
	assert_int_equal(same.cycle, w.cycle);
	wallet_of(STR("anna"), w.next_ms, &next);
	assert_int_equal(next.cycle, w.cycle + 1);
	wallet_of(STR("anna"), 0, &first);
	assert_int_equal(first.cycle, 0);
	assert_int_equal(first.starts_ms, -3 * (int64_t)DAY_MS);
}

static void each_coupon_of_a_wallet_is_found_and_no_other(void **state)
{
	struct wallet w;
	uint32_t found = 0;

	(void)state;
	wallet_of(STR("anna"), now_ms, &w);
	for (int64_t id = -1; id < 300; id++) {
		const struct coupon *c = wallet_find(&w, id);

		found += c != NULL;
		assert_true(!c || coupon_id(c) == id);
	}
	assert_int_equal(found, w.count);
	assert_int_equal(w.count, 32);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(it_is_the_real_time_until_it_is_started),
		ON(it_runs_as_fast_as_it_was_told_and_stands_when_stopped),
		ON(advancing_changes_nothing_but_the_time),
		cmocka_unit_test(a_week_goes_from_monday_to_monday),
		cmocka_unit_test(each_coupon_of_a_wallet_is_found_and_no_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
