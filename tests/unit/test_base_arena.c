/* Arenas: what they hand out is zeroed, aligned, whole, bounded and gone after a reset. */
#include "harness.h"

#include "base/arena.h"

#if defined(ARENA_EMULATION) && HAS_ASAN
#include <sanitizer/asan_interface.h>
#endif

static void memory_is_aligned_for_any_type_and_zeroed_even_when_it_was_used_before(void **state)
{
	static const char zero[64];
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (size_t n = 1; n <= sizeof(zero); n++) {
			char *p = arena_alloc(a, n);

			assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
			assert_memory_equal(p, zero, n);
			memset(p, 0xa5, n);
			assert_non_null(arena_z(a, STR("odd"))); /* leaves the fill at an odd place */
		}
		arena_reset(a);
	}
	arena_destroy(&a);
	assert_null(a);
}

static void allocations_of_any_size_never_overlap(void **state)
{
	enum { PIECES = 400 };
	struct rng r = test_seed();
	struct arena *a = arena_new(64 << 20);
	unsigned char *piece[PIECES];
	size_t size[PIECES];

	(void)state;
	for (unsigned i = 0; i < PIECES; i++) {
		size[i] = rng_below(&r, 10) ? rng_below(&r, 300) : rng_below(&r, 300000);
		piece[i] = arena_alloc(a, size[i]);
		assert_non_null(piece[i]);
		memset(piece[i], (int)(i & 0xff), size[i]);
	}
	for (unsigned i = 0; i < PIECES; i++)
		for (size_t j = 0; j < size[i]; j++)
			assert_int_equal(piece[i][j], i & 0xff);
	arena_destroy(&a);
}

static void an_arena_takes_exactly_its_bound_and_then_stays_overflowed(void **state)
{
	struct arena *a = arena_new(64);

	(void)state;
	assert_non_null(arena_alloc(a, 48));
	assert_int_equal(arena_used(a), 48);
	assert_non_null(arena_alloc(a, 16));
	assert_false(arena_overflowed(a));
	assert_null(arena_alloc(a, 1));
	assert_true(arena_overflowed(a));
	assert_null(arena_alloc(a, 0));
	assert_null(arena_z(a, (struct str){0}));
	assert_int_equal(arena_used(a), 64);

	arena_reset(a);
	assert_false(arena_overflowed(a));
	assert_int_equal(arena_used(a), 0);
	assert_non_null(arena_alloc(a, 64));
	arena_destroy(&a);
}

static void sizes_that_overflow_are_over_every_bound(void **state)
{
	struct arena *a = arena_new(SIZE_MAX);

	(void)state;
	assert_null(arena_array(a, SIZE_MAX / 2, 3));
	assert_true(arena_overflowed(a));
	arena_reset(a);
	assert_null(arena_alloc(a, SIZE_MAX));
	arena_reset(a);
	assert_null(arena_alloc(a, SIZE_MAX - 3));
	arena_reset(a);
	assert_non_null(arena_array(a, 0, SIZE_MAX));
	arena_destroy(&a);
}

static void text_is_copied_and_terminated(void **state)
{
	struct arena *a = arena_new(1000);
	char source[] = "agent";
	struct str copy = arena_str(a, (struct str){source, 3}), empty = arena_str(a, (struct str){0});
	char *z = arena_z(a, STR("zero"));

	(void)state;
	memset(source, 'x', 5);
	assert_string_equal(copy.p, "age");
	assert_int_equal(copy.n, 3);
	assert_non_null(empty.p);
	assert_string_equal(empty.p, "");
	assert_string_equal(z, "zero");
	assert_int_equal(arena_used(a), 4 + 1 + 5);
	arena_destroy(&a);
}

static void a_kept_copy_of_nothing_is_nothing(void **state)
{
	struct arena *a = arena_new(1000);
	char source[] = "agent";
	struct str copy = arena_kept(a, str_of(source));

	(void)state;
	source[0] = 'x';
	assert_str(copy, "agent");
	assert_non_null(arena_kept(a, STR("")).p);
	assert_null(arena_kept(a, (struct str){0}).p);
	assert_int_equal(arena_used(a), 6 + 1);
	arena_destroy(&a);
}

static void formatted_text_has_its_length_and_respects_the_bound(void **state)
{
	struct arena *a = arena_new(20);
	struct str s = arena_fmt(a, "%d of %s", 7, "nine");

	(void)state;
	assert_str(s, "7 of nine");
	assert_int_equal(strlen(s.p), s.n);
	assert_null(arena_fmt(a, "%s", "eleven char").p);
	assert_true(arena_overflowed(a));
	arena_destroy(&a);
	arena_destroy(&a); /* a second time is nothing */
}

#if defined(ARENA_EMULATION) && HAS_ASAN
static void emulation_shows_the_sanitizer_each_end_and_each_reset(void **state)
{
	struct arena *a = arena_new(1000);
	char *first = arena_alloc(a, 5), *second = arena_alloc(a, 5);

	(void)state;
	assert_false(__asan_address_is_poisoned(first + 4));
	assert_true(__asan_address_is_poisoned(first + 5));
	assert_true(__asan_address_is_poisoned(second + 5));
	arena_reset(a);
	assert_true(__asan_address_is_poisoned(first));
	assert_true(__asan_address_is_poisoned(second));
	arena_destroy(&a);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_aligned_for_any_type_and_zeroed_even_when_it_was_used_before),
		cmocka_unit_test(allocations_of_any_size_never_overlap),
		cmocka_unit_test(an_arena_takes_exactly_its_bound_and_then_stays_overflowed),
		cmocka_unit_test(sizes_that_overflow_are_over_every_bound),
		cmocka_unit_test(text_is_copied_and_terminated),
		cmocka_unit_test(a_kept_copy_of_nothing_is_nothing),
		cmocka_unit_test(formatted_text_has_its_length_and_respects_the_bound),
#if defined(ARENA_EMULATION) && HAS_ASAN
		cmocka_unit_test(emulation_shows_the_sanitizer_each_end_and_each_reset),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
