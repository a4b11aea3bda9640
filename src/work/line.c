/* See line.h. Positions count up for ever and wrap; only their differences and low bits mean something. */
#include "work/line.h"

#include "base/magic.h"
#include "work/work_priv.h"

enum { FIRST_CAP = 8, KEPT_CAP = 64 };

static struct item **at(const struct line *l, uint32_t position)
{
	return &l->v[position & (l->cap - 1)];
}

/* Moves the items to a ring of `cap` without holes. */
static void rebuild(struct line *l, uint32_t cap)
{
	struct line from = *l;

	l->v = must_alloc(cap * sizeof(l->v[0]));
	l->cap = cap;
	l->back = l->front;
	for (uint32_t p = from.front; p != from.back; p++) {
		struct item *item = *at(&from, p);

		if (!item)
			continue;
		item->shelf_place = l->back;
		*at(l, l->back++) = item;
	}
	free(from.v);
}

static void make_room(struct line *l)
{
	if (l->cap == 0)
		rebuild(l, FIRST_CAP);
	else if (l->back - l->front == l->cap)
		rebuild(l, l->count > l->cap / 2 ? l->cap * 2 : l->cap);
}

static bool is_behind_last(const struct line *l, const struct item *item)
{
	if (l->count == 0)
		return true;
	return item->ready_ms > l->last_ready_ms || (item->ready_ms == l->last_ready_ms && item->id > l->last_id);
}

bool line_push(struct line *l, struct item *item)
{
	if (!is_behind_last(l, item))
		return false;
	make_room(l);
	item->shelf_place = l->back;
	*at(l, l->back++) = item;
	l->count++;
	l->last_ready_ms = item->ready_ms;
	l->last_id = item->id;
	return true;
}

void line_remove(struct line *l, struct item *item)
{
	CHECK(l->count > 0 && *at(l, item->shelf_place) == item);
	*at(l, item->shelf_place) = NULL;
	item->shelf_place = HEAP_NOWHERE;
	l->count--;
	while (l->front != l->back && !*at(l, l->front))
		l->front++;
	if (l->count > 1)
		__builtin_prefetch(*at(l, l->front + 1)); /* the head after the next: it will be compared */
	if (l->count == 0 && l->cap > KEPT_CAP)
		line_free(l);
}

struct item *line_first(const struct line *l)
{
	return l->count ? *at(l, l->front) : NULL;
}

void line_free(struct line *l)
{
	free(l->v);
	*l = (struct line){0};
}
