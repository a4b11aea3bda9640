/* The rules of deliveries: conditions on events, and when what failed is tried again. */
#include "harness.h"

#include "webhooks/condition.h"
#include "webhooks/retry.h"

static const char event[] = "{\"type\":\"tool\",\"tags\":[\"a\",\"b \\\"c\\\"\"],\"n\":7,\"on\":true,\"none\":null,"
			    "\"in\":{\"a=b\":1,\"x/y\":\"z\"},\"text\":\"\\u00e9=1\"}";

static bool holds(const char *const *texts, size_t count)
{
	struct str list[8];
	struct problem p = {0};
	for (size_t i = 0; i < count; i++)
		list[i] = str_of(texts[i]);
	assert_int_equal(conditions_check(list, count, "when", &p), OK);
	return conditions_hold(list, count, str_of(event));
}

static void one_condition(void **state)
{
	static const char *const good[] = {"/type=tool", "/tags=a",    "/tags=b \"c\"",
					   "/n=7",       "/on=true",   "/none=null",
					   "/tags/0=a",  "/in/x~1y=z", "/text=\xc3\xa9=1"};
	static const char *const bad[] = {"/type=Tool", "/type=",    "/tags=c", "/n=8",        "/n=7.0",
					  "/absent=",   "/tags/2=a", "/in=",    "/type/x=tool"};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_row(good[i], holds(&good[i], 1));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_row(bad[i], !holds(&bad[i], 1));
}

static void one_of_a_pointer_and_all_pointers(void **state)
{
	(void)state;
	assert_true(holds(NULL, 0));
	assert_true(holds((const char *const[]){"/type=x", "/type=tool", "/n=7"}, 3));
	assert_false(holds((const char *const[]){"/type=x", "/type=tool", "/n=8"}, 3));
	assert_false(holds((const char *const[]){"/type=x", "/type=y"}, 2));
}

static void what_is_no_condition(void **state)
{
	static const char *const bad[] = {"", "=", "=x", "/type", "type=tool", "/a~=1", "/a~2=1"};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct problem p = {0};
		struct str one = str_of(bad[i]);
		assert_row(bad[i], conditions_check(&one, 1, "when", &p) == ERR_INVALID);
		assert_row(bad[i], strcmp(p.fields[0].field, "when") == 0);
	}
}

static void ten_attempts_in_three_days(void **state)
{
	struct rng r = test_seed();
	(void)state;
	for (int round = 0; round < 200; round++) {
		int64_t total = 0, last = 0;
		for (int64_t attempts = 1; attempts < RETRY_ATTEMPTS; attempts++) {
			int64_t wait = retry_wait_ms(attempts, 0, &r);
			assert_true(wait >= 4000 && wait <= 24 * 3600 * 1200);
			assert_true(attempts == 1 || wait * 2 > last);
			total += last = wait;
		}
		assert_true(total > INT64_C(60) * 3600 * 1000 && total < INT64_C(91) * 3600 * 1000);
		assert_int_equal(retry_wait_ms(RETRY_ATTEMPTS, 0, &r), -1);
		assert_int_equal(retry_wait_ms(0, 0, &r), -1);
	}
}

static void what_failed_together_is_not_tried_together(void **state)
{
	struct rng r = test_seed();
	int64_t least = INT64_MAX, most = 0;
	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t wait = retry_wait_ms(1, 0, &r);
		least = wait < least ? wait : least;
		most = wait > most ? wait : most;
	}
	assert_true(least < 4200 && most > 5800 && least >= 4000 && most <= 6000);
}

static void retry_after(void **state)
{
	struct rng r = test_seed();
	(void)state;
	assert_int_equal(retry_asked_ms(STR(" 120\r\n")), 120000);
	assert_int_equal(retry_asked_ms(STR("0")), 0);
	assert_int_equal(retry_asked_ms(STR("-5")), 0);
	assert_int_equal(retry_asked_ms(STR("Wed, 21 Oct 2015 07:28:00 GMT")), 0);
	assert_int_equal(retry_asked_ms(STR("9223372036854775807")), 86400000);
	assert_int_equal(retry_wait_ms(1, 3600000, &r), 3600000);
	assert_int_equal(retry_wait_ms(1, INT64_MAX, &r), 86400000);
	assert_true(retry_wait_ms(4, 1000, &r) > 3600000);
	assert_true(retry_is_taken(200) && retry_is_taken(299) && !retry_is_taken(199) && !retry_is_taken(300) &&
		    !retry_is_taken(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_condition),
		cmocka_unit_test(one_of_a_pointer_and_all_pointers),
		cmocka_unit_test(what_is_no_condition),
		cmocka_unit_test(ten_attempts_in_three_days),
		cmocka_unit_test(what_failed_together_is_not_tried_together),
		cmocka_unit_test(retry_after),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
