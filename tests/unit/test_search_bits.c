/* Whichever way bits are counted on this machine, it is what the portable way counts. */
#include "harness.h"

#include "search/bits_priv.h"

static void every_way_counts_alike(void **state)
{
	struct rng r = test_seed();
	uint64_t a[67], b[67];

	(void)state;
	for (size_t words = 0; words <= COUNT_OF(a); words++) {
		uint32_t n = 0;

		for (size_t i = 0; i < words; i++) {
			a[i] = rng_u64(&r) & rng_u64(&r);
			b[i] = i % 5 ? rng_u64(&r) : UINT64_MAX;
			for (unsigned bit = 0; bit < 64; bit++)
				n += (a[i] & b[i]) >> bit & 1;
		}
		assert_int_equal(bits_count_both(a, b, words), n);
		assert_int_equal(bits_count_both_portable(a, b, words), n);
		assert_int_equal(bits_count(a, words), bits_count_both(a, a, words));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_counts_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
