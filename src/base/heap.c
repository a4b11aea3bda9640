/*
 * A 4-ary heap in an array: the children of i are 4i+1 ... 4i+4.
 *
 * Invariants: no object comes out before its parent; each object's place is its index here. Moving an object
 * carries a hole to where it belongs and writes each object once.
 */
#include "base/heap.h"

#include "base/magic.h"

enum { WAYS = 4, FIRST_CAPACITY = 64 };

static uint32_t *place_of(const struct heap *h, void *object)
{
	return (uint32_t *)(void *)((char *)object + h->place_offset);
}

static void put(struct heap *h, uint32_t i, void *object)
{
	h->v[i] = object;
	*place_of(h, object) = i;
}

/* The object is not in the array, and i is a hole; returns the hole where it does not come before its parent. */
static uint32_t hole_up(struct heap *h, uint32_t i, const void *object)
{
	while (i > 0) {
		uint32_t parent = (i - 1) / WAYS;

		if (!h->before(object, h->v[parent]))
			break;
		put(h, i, h->v[parent]);
		i = parent;
	}
	return i;
}

static uint32_t first_child(const struct heap *h, uint32_t i)
{
	uint64_t start = (uint64_t)i * WAYS + 1, end = start + WAYS;
	uint32_t best = h->n;

	for (uint64_t c = start; c < end && c < h->n; c++)
		if (best == h->n || h->before(h->v[c], h->v[best]))
			best = (uint32_t)c;
	return best;
}

static uint32_t hole_down(struct heap *h, uint32_t i, const void *object)
{
	for (;;) {
		uint32_t child = first_child(h, i);

		if (child == h->n || !h->before(h->v[child], object))
			return i;
		put(h, i, h->v[child]);
		i = child;
	}
}

static void settle(struct heap *h, uint32_t hole, void *object)
{
	put(h, hole_down(h, hole_up(h, hole, object), object), object);
}

static void grow(struct heap *h)
{
	uint32_t cap = h->cap ? h->cap * 2 : FIRST_CAPACITY;

	CHECK(cap > h->cap);
	h->v = must_realloc(h->v, cap * sizeof(*h->v));
	h->cap = cap;
}

void heap_push(struct heap *h, void *object)
{
	CHECK(*place_of(h, object) == HEAP_NOWHERE);
	if (h->n == h->cap)
		grow(h);
	h->n++;
	put(h, hole_up(h, h->n - 1, object), object);
}

void *heap_peek(const struct heap *h)
{
	return h->n ? h->v[0] : NULL;
}

void *heap_pop(struct heap *h)
{
	void *top = heap_peek(h);

	if (top)
		heap_remove(h, top);
	return top;
}

void heap_remove(struct heap *h, void *object)
{
	uint32_t *place = place_of(h, object), hole = *place;
	void *last;

	CHECK(hole < h->n && h->v[hole] == object);
	*place = HEAP_NOWHERE;
	last = h->v[--h->n];
	if (last != object)
		settle(h, hole, last);
}

void heap_moved(struct heap *h, void *object)
{
	uint32_t place = *place_of(h, object);

	CHECK(place < h->n && h->v[place] == object);
	settle(h, place, object);
}

/* The objects may be gone already, so their places are left as they are. */
void heap_free(struct heap *h)
{
	free(h->v);
	h->v = NULL;
	h->n = h->cap = 0;
}
