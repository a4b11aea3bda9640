/* What a call costs: whole millionths of a dollar by the list, unknown what is not known. Months as people write. */
#include "harness.h"

#include "base/clock.h"
#include "squads/cost.h"

static struct cost_entry_row cost(const struct cost_tables *list, const struct model_call *call)
{
	struct cost_entry_row row = {0};

	cost_of_call(list, call, &row);
	return row;
}

static struct model_call call_of(const char *model, int64_t input, int64_t cached, int64_t output)
{
	struct model_call call = {.provider = STR("here"), .model = str_of(model)};

	PUT(&call, model_call, input_tokens, input);
	PUT(&call, model_call, cached_tokens, cached);
	PUT(&call, model_call, output_tokens, output);
	return call;
}

static void tokens_are_priced_by_the_list(void **state)
{
	static const struct price own[] = {{.model = "tiny", .input = 1, .output = 2, .cache_read = 0.5}};
	struct cost_tables list = {.prices = own, .price_count = 1};
	struct model_call call = call_of("tiny", 1000, 400, 10);
	struct cost_entry_row row = cost(&list, &call);

	(void)state;
	assert_true(row.counted && row.listed && row.priced);
	assert_int_equal(row.micro_usd, 600 + 200 + 20);
	assert_int_equal(row.input_price, 1000000);
	call = call_of("claude-opus-5-5", 1, 0, 0);
	assert_int_equal(cost(&list, &call).micro_usd, 4);
	call = call_of("tiny", 1, 1, 0);
	assert_int_equal(cost(&list, &call).micro_usd, 1); /* half of one is rounded up */
}

static void what_is_not_known_stays_unknown(void **state)
{
	struct model_call nobody = call_of("nobody-knows-it", 5, 0, 5);
	struct model_call silent = {.provider = STR("here"), .model = STR("claude-opus-5-5")};
	struct cost_entry_row row = cost(NULL, &nobody);

	(void)state;
	assert_true(row.counted && !row.listed && !row.priced && row.micro_usd == 0);
	row = cost(NULL, &silent);
	assert_true(!row.counted && row.listed && !row.priced);
	PUT(&silent, model_call, micro_usd, 0);
	row = cost(NULL, &silent);
	assert_true(row.priced && row.micro_usd == 0);
}

static void nothing_overflows(void **state)
{
	static const struct price own[] = {{.model = "dear", .input = 2000, .output = 2000, .cache_read = 2000},
					   {.model = "typo", .input = 1e300, .output = 1}};
	struct cost_tables list = {.prices = own, .price_count = 2};
	struct model_call call = call_of("dear", 1000000000, 1000000000, 1000000000);

	(void)state;
	assert_int_equal(cost(&list, &call).micro_usd, INT64_C(4000000000000));
	call = call_of("typo", 1, 0, 1);
	assert_false(cost(&list, &call).priced);
	call = call_of("dear", 1, 5, 0); /* no more came out of a cache than was read */
	assert_int_equal(cost(&list, &call).cached, 1);
}

static void months(void **state)
{
	static const char *const bad[] = {"2026",  "2026-",   "2026-0",  "2026-00", "2026-13",
					  "26-11", "2026-1x", "1969-12", "-026-11", "2026-+1"};
	int64_t from, until, now = clock_day(2026, 11, 21) * INT64_C(86400000);
	struct problem p = {0};

	(void)state;
	assert_int_equal(cost_month((struct str){0}, now, &from, &until, &p), OK);
	assert_int_equal(from, clock_day(2026, 11, 1) * INT64_C(86400000));
	assert_int_equal(until, clock_day(2026, 12, 1) * INT64_C(86400000));
	assert_int_equal(cost_month(STR("2028-02"), now, &from, &until, &p), OK);
	assert_int_equal(until - from, 29 * INT64_C(86400000));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_row(bad[i], cost_month(str_of(bad[i]), now, &from, &until, &p) == ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_are_priced_by_the_list),
		cmocka_unit_test(what_is_not_known_stays_unknown),
		cmocka_unit_test(nothing_overflows),
		cmocka_unit_test(months),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
