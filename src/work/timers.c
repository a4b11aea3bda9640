/*
 * One heap of items by what is due first, and one of waits by their end. What is due is computed from the item, so
 * there is nothing to cancel; a lease has lapsed only when its timer is applied here.
 */
#include "work/work_priv.h"

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t item_due_ms(const struct item *item)
{
	int64_t due = item->deadline_ms ? item->deadline_ms : NEVER_MS;

	if (item->state == WORK_SCHEDULED)
		due = earlier(due, item->run_at_ms);
	else if (item->state == WORK_LEASED)
		due = earlier(due, item->lease_until_ms);
	return due;
}

bool timer_before(const void *a, const void *b)
{
	const struct item *one = a, *other = b;
	int64_t one_ms = item_due_ms(one), other_ms = item_due_ms(other);

	return one_ms != other_ms ? one_ms < other_ms : one->id < other->id;
}

void timer_add(struct work *w, struct item *item)
{
	if (item_due_ms(item) != NEVER_MS)
		heap_push(&w->timers, item);
}

void timer_remove(struct work *w, struct item *item)
{
	if (item->timer_place != HEAP_NOWHERE)
		heap_remove(&w->timers, item);
}

static void deadline_passed(struct work *w, struct item *item)
{
	struct ending e = {.state = WORK_FAILED, .error = STR("deadline passed"), .note = STR("deadline passed")};

	item_finishes(w, item, &e);
	depends_tell(w);
}

static void apply(struct work *w, struct item *item)
{
	if (item->deadline_ms && item->deadline_ms <= w->batch.now_ms)
		deadline_passed(w, item);
	else if (item->state == WORK_SCHEDULED)
		item_becomes_ready(w, item, EVENT_READY, NULL, (struct str){0});
	else
		attempt_lapsed(w, item);
}

/* Applies the first that is due; false when nothing is. Items before waits: they may serve them. */
static bool tick(struct work *w)
{
	struct item *item = heap_peek(&w->timers);
	struct work_waiter *waiter = heap_peek(&w->waits);

	if (item && item_due_ms(item) <= w->batch.now_ms)
		apply(w, item);
	else if (waiter && waiter->until_ms <= w->batch.now_ms)
		wait_end(w, waiter);
	else
		return false;
	return true;
}

bool work_tick(struct work *w, size_t max)
{
	CHECK(w->batch.open);
	for (size_t i = 0; i < max; i++)
		if (!tick(w))
			return false;
	return work_next_due_ms(w) <= w->batch.now_ms;
}

int64_t work_next_due_ms(const struct work *w)
{
	const struct item *item = heap_peek(&w->timers);
	const struct work_waiter *waiter = heap_peek(&w->waits);

	return earlier(item ? item_due_ms(item) : NEVER_MS, waiter ? waiter->until_ms : NEVER_MS);
}
