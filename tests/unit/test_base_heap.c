/* The heap against an array that is searched from end to end. */
#include "harness.h"

#include "base/heap.h"
#include "base/magic.h"

enum { THINGS = 300 };

struct thing {
	int64_t due, rank;
	uint32_t by_due, by_rank;
};

static bool due_before(const void *a, const void *b)
{
	return ((const struct thing *)a)->due < ((const struct thing *)b)->due;
}

static bool rank_before(const void *a, const void *b)
{
	return ((const struct thing *)a)->rank < ((const struct thing *)b)->rank;
}

static void change(struct heap *h, struct thing *t, uint32_t *place, struct rng *r)
{
	int64_t *key = place == &t->by_due ? &t->due : &t->rank;

	if (*place == HEAP_NOWHERE) {
		*key = (int64_t)rng_below(r, 100); /* equal keys are common */
		heap_push(h, t);
	} else if (rng_below(r, 2)) {
		*key = (int64_t)rng_below(r, 100);
		heap_moved(h, t);
	} else {
		heap_remove(h, t);
		assert_int_equal(*place, HEAP_NOWHERE);
	}
}

/* The count, every place, and the smallest at the top. */
static void assert_sound(const struct heap *h, const struct thing *things, size_t place_offset)
{
	const struct thing *top = heap_peek(h);
	uint32_t in = 0;

	for (int i = 0; i < THINGS; i++) {
		uint32_t place = *(const uint32_t *)(const void *)((const char *)&things[i] + place_offset);

		if (place == HEAP_NOWHERE)
			continue;
		in++;
		assert_ptr_equal(h->v[place], &things[i]);
		assert_false(h->before(&things[i], top));
	}
	assert_int_equal(in, h->n);
	assert_int_equal(top == NULL, in == 0);
}

static void an_object_can_be_in_two_heaps_through_any_history(void **state)
{
	struct rng r = test_seed();
	struct heap dues = HEAP_INIT(due_before, struct thing, by_due);
	struct heap ranks = HEAP_INIT(rank_before, struct thing, by_rank);
	struct thing things[THINGS];

	(void)state;
	for (int i = 0; i < THINGS; i++)
		things[i] = (struct thing){.by_due = HEAP_NOWHERE, .by_rank = HEAP_NOWHERE};
	for (int step = 0; step < 6000; step++) {
		struct thing *t = &things[rng_below(&r, THINGS)];

		change(&dues, t, &t->by_due, &r);
		change(&ranks, t, &t->by_rank, &r);
		if (step % 50 == 0)
			heap_pop(rng_below(&r, 2) ? &dues : &ranks);
		if (step % 7 == 0 || step < THINGS) {
			assert_sound(&dues, things, offsetof(struct thing, by_due));
			assert_sound(&ranks, things, offsetof(struct thing, by_rank));
		}
	}
	heap_free(&dues);
	heap_free(&ranks);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void popping_sorts(void **state)
{
	enum { MANY = 5000 };
	struct rng r = test_seed();
	struct heap h = HEAP_INIT(due_before, struct thing, by_due);
	struct thing *things = calloc(MANY, sizeof(*things));
	int64_t *expected = calloc(MANY, sizeof(*expected));

	(void)state;
	for (int i = 0; i < MANY; i++) {
		things[i] = (struct thing){.due = expected[i] = (int64_t)rng_u64(&r), .by_due = HEAP_NOWHERE};
		heap_push(&h, &things[i]);
	}
	qsort(expected, MANY, sizeof(*expected), by_value);
	for (int i = 0; i < MANY; i++) {
		struct thing *t = heap_pop(&h);

		assert_true(t->due == expected[i]);
		assert_int_equal(t->by_due, HEAP_NOWHERE);
	}
	assert_null(heap_pop(&h));
	assert_null(heap_peek(&h));
	heap_free(&h);
	free(things);
	free(expected);
}

static void push_twice(void *thing)
{
	struct heap h = HEAP_INIT(due_before, struct thing, by_due);

	heap_push(&h, thing);
	heap_push(&h, thing);
}

static void remove_absent(void *thing)
{
	struct heap h = HEAP_INIT(due_before, struct thing, by_due);

	heap_remove(&h, thing);
}

static void move_absent(void *thing)
{
	struct heap h = HEAP_INIT(due_before, struct thing, by_due);
	struct thing other = {.by_due = HEAP_NOWHERE};

	heap_push(&h, &other);
	heap_moved(&h, thing); /* claims place 0, which is the other's */
}

static void misuse_dies(void **state)
{
	struct thing nowhere = {.by_due = HEAP_NOWHERE}, unset = {0};

	(void)state;
	assert_true(dies(push_twice, &nowhere));
	assert_true(dies(push_twice, &unset));
	assert_true(dies(remove_absent, &nowhere));
	assert_true(dies(move_absent, &unset));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_can_be_in_two_heaps_through_any_history),
		cmocka_unit_test(popping_sorts),
		cmocka_unit_test(misuse_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
