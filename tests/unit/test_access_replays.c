/* Signatures are taken once, and not remembered for ever. */
#include "harness.h"

#include "access/replays.h"

enum { COUNTS_MS = 1000, STEP_MS = 97, LONG_AFTER = 1000000 };

static void each_is_taken_once_while_it_counts(void **state)
{
	struct replays *r = replays_new(COUNTS_MS);
	(void)state;
	for (int64_t now_ms = LONG_AFTER; now_ms < LONG_AFTER + 20 * COUNTS_MS; now_ms += STEP_MS) {
		assert_true(replays_take(r, (uint64_t)now_ms, now_ms));
		for (int64_t then_ms = now_ms; then_ms > now_ms - COUNTS_MS && then_ms >= LONG_AFTER;
		     then_ms -= STEP_MS)
			assert_false(replays_take(r, (uint64_t)then_ms, now_ms));
	}
	replays_destroy(&r);
}

static void others_are_taken_too(void **state)
{
	struct replays *r = replays_new(COUNTS_MS);
	(void)state;
	for (uint64_t hash = 0; hash < 1000; hash++)
		assert_true(replays_take(r, hash, LONG_AFTER));
	replays_destroy(&r);
}

static void what_no_longer_counts_is_forgotten(void **state)
{
	struct replays *r = replays_new(COUNTS_MS);
	(void)state;
	assert_true(replays_take(r, 1, LONG_AFTER));
	assert_true(replays_take(r, 2, LONG_AFTER + COUNTS_MS));
	assert_true(replays_take(r, 1, LONG_AFTER + 2 * COUNTS_MS));
	assert_true(replays_take(r, 2, LONG_AFTER + 5 * COUNTS_MS));
	replays_destroy(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_is_taken_once_while_it_counts),
					   cmocka_unit_test(others_are_taken_too),
					   cmocka_unit_test(what_no_longer_counts_is_forgotten)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
