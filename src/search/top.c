/* The best documents so far. What is on top of the heap is the next to go. */
#include "search/rank_priv.h"

static bool before(uint64_t points_a, int64_t id_a, uint64_t points_b, int64_t id_b)
{
	return points_a != points_b ? points_a > points_b : id_a < id_b;
}

static bool worse(const struct best *a, const struct best *b)
{
	return before(b->points, b->id, a->points, a->id);
}

static void sift_down(struct top *t, struct best b)
{
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < t->n && worse(&t->v[child + 1], &t->v[child]))
			child++;
		if (child >= t->n || !worse(&t->v[child], &b))
			break;
		t->v[i] = t->v[child];
		i = child;
	}
	t->v[i] = b;
}

static void sift_up(struct top *t, struct best b)
{
	size_t i = t->n++;

	while (i > 0 && worse(&b, &t->v[(i - 1) / 2])) {
		t->v[i] = t->v[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	t->v[i] = b;
}

void top_add(struct top *t, uint64_t points, int64_t id, uint32_t slot)
{
	struct best b = {points, id, slot};

	if (t->after && !before(t->after_points, t->after_id, points, id))
		return;
	if (t->n < t->max)
		sift_up(t, b);
	else if (worse(&t->v[0], &b))
		sift_down(t, b);
}

static int by_order(const void *a, const void *b)
{
	return worse(a, b) ? 1 : -1;
}

void top_sort(struct top *t)
{
	if (t->n)
		qsort(t->v, t->n, sizeof(t->v[0]), by_order);
}
