/*
 * For test programs that keep what each test makes in an arena of its own.
 */
#ifndef TENFOLD_TESTS_HARNESS_ARENA_H
#define TENFOLD_TESTS_HARNESS_ARENA_H

#include "harness.h"

#include "base/arena.h"

/* One for each test of a file that has `static struct arena *arena`: ARENA_TEST(name, arena) in its list. */
static inline int arena_set_up(void **state)
{
	*(struct arena **)*state = arena_new((size_t)64 << 20);
	return 0;
}

static inline int arena_tear_down(void **state)
{
	arena_destroy(*state);
	return 0;
}

#define ARENA_TEST(name, arena) \
	cmocka_unit_test_prestate_setup_teardown(name, arena_set_up, arena_tear_down, &(arena))

#endif
