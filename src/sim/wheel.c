/*
 * A time is WHEEL_LEVELS digits of WHEEL_BITS each, and what stands before them. A timer stands at the level of the
 * highest digit in which its time differs from `now`, in the slot of that digit:
 *
 *	now  … 03 17 42 05
 *	due  … 03 19 00 11    level 2, slot 19
 *
 * So all that is at a lower level is due earlier than all that is at a higher one, and within a level by slot. When
 * `now` comes to the beginning of a slot, its timers agree with it in that digit too, and are put anew: lower. At
 * level 0 a slot is a tick. Slots are lists in no order, sorted when their tick comes.
 */
#include "sim/wheel.h"

#include "base/magic.h"

#include <stdbool.h>

void wheel_init(struct wheel *w, int64_t now)
{
	CHECK(now >= 0);
	*w = (struct wheel){.now = now};
}

static void link_at(struct timer **head, struct timer *t)
{
	t->next = *head;
	t->at = head;
	if (t->next)
		t->next->at = &t->next;
	*head = t;
}

static void unlink_timer(struct timer *t)
{
	*t->at = t->next;
	if (t->next)
		t->next->at = t->at;
	t->at = NULL;
	t->next = NULL;
}

/* They come back when `now` differs from the first of them in no more than the wheel's digits. */
static void put_far(struct wheel *w, struct timer *t)
{
	enum { SHIFT = WHEEL_LEVELS * WHEEL_BITS };
	int64_t from = t->due >> SHIFT << SHIFT;

	if (w->far == NULL || from < w->far_from)
		w->far_from = from;
	link_at(&w->far, t);
}

static void put(struct wheel *w, struct timer *t)
{
	int64_t due = t->due > w->now ? t->due : w->now;
	uint64_t differs = (uint64_t)(due ^ w->now) | 1;
	unsigned level = (63 - (unsigned)__builtin_clzll(differs)) / WHEEL_BITS;
	unsigned slot = (unsigned)(due >> level * WHEEL_BITS) % WHEEL_SLOTS;

	if (level >= WHEEL_LEVELS) {
		put_far(w, t);
		return;
	}
	link_at(&w->slots[level][slot], t);
	w->filled[level] |= UINT64_C(1) << slot;
}

void wheel_add(struct wheel *w, struct timer *t, int64_t due)
{
	CHECK(t->at == NULL);
	t->due = due;
	put(w, t);
	w->count++;
}

/* Clears the slot's bit when `place` is the head of a slot, and nothing follows. */
static void emptied(struct wheel *w, struct timer **place)
{
	uintptr_t number = ((uintptr_t)place - (uintptr_t)w->slots) / sizeof(*place);

	if (number < WHEEL_LEVELS * WHEEL_SLOTS && *place == NULL)
		w->filled[number / WHEEL_SLOTS] &= ~(UINT64_C(1) << number % WHEEL_SLOTS);
}

void wheel_cancel(struct wheel *w, struct timer *t)
{
	struct timer **place = t->at;

	if (place == NULL)
		return;
	unlink_timer(t);
	emptied(w, place);
	w->count--;
}

static bool before(const struct timer *a, const struct timer *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

/* Lists linked by `next` alone. */
static struct timer *merge(struct timer *a, struct timer *b)
{
	struct timer *head = NULL, **end = &head;

	while (a && b) {
		struct timer **first = before(b, a) ? &b : &a;

		*end = *first;
		end = &(*end)->next;
		*first = *end;
	}
	*end = a ? a : b;
	return head;
}

/* Merges like a binary counter: sorted[i] holds none or 2^i. */
static struct timer *sort(struct timer *list)
{
	enum { POWERS = 32 };
	struct timer *sorted[POWERS] = {NULL}, *all = NULL;

	while (list) {
		struct timer *one = list;
		unsigned i;

		list = list->next;
		one->next = NULL;
		for (i = 0; sorted[i]; i++) {
			one = merge(sorted[i], one);
			sorted[i] = NULL;
		}
		sorted[i] = one;
	}
	for (unsigned i = 0; i < POWERS; i++)
		all = merge(sorted[i], all);
	return all;
}

static void make_ready(struct wheel *w, struct timer *list)
{
	struct timer **at = &w->ready;

	w->ready = sort(list);
	for (struct timer *t = w->ready; t; t = t->next) {
		t->at = at;
		at = &t->next;
	}
}

/* The level that holds the next ones, WHEEL_LEVELS when none does. */
static unsigned next_level(const struct wheel *w)
{
	unsigned level = 0;

	while (level < WHEEL_LEVELS && w->filled[level] == 0)
		level++;
	return level;
}

/* When the first filled slot of a level begins. */
static int64_t begins(const struct wheel *w, unsigned level)
{
	unsigned shift = level * WHEEL_BITS;
	int64_t slot = __builtin_ctzll(w->filled[level]);

	return (w->now >> (shift + WHEEL_BITS) << (shift + WHEEL_BITS)) + (slot << shift);
}

int64_t wheel_next(const struct wheel *w)
{
	unsigned level = next_level(w);

	if (w->ready)
		return w->now;
	return level < WHEEL_LEVELS ? begins(w, level) : w->far ? w->far_from : INT64_MAX;
}

static struct timer *take_list(struct timer **head)
{
	struct timer *list = *head;

	*head = NULL;
	return list;
}

static void put_anew(struct wheel *w, struct timer *list)
{
	while (list) {
		struct timer *t = list;

		list = t->next;
		put(w, t);
	}
}

/* `now` has come to the beginning of the next slot: what is in it becomes ready, or comes lower. */
static void turn(struct wheel *w)
{
	unsigned level = next_level(w), slot;

	if (level == WHEEL_LEVELS) {
		put_anew(w, take_list(&w->far));
		return;
	}
	slot = (unsigned)__builtin_ctzll(w->filled[level]);
	w->filled[level] &= ~(UINT64_C(1) << slot);
	if (level == 0)
		make_ready(w, take_list(&w->slots[0][slot]));
	else
		put_anew(w, take_list(&w->slots[level][slot]));
}

struct timer *wheel_expire(struct wheel *w, int64_t now)
{
	struct timer *t;

	while (w->ready == NULL && wheel_next(w) <= now) {
		w->now = wheel_next(w);
		turn(w);
	}
	t = w->ready;
	if (t) {
		unlink_timer(t);
		w->count--;
	} else if (now > w->now) {
		w->now = now;
	}
	return t;
}
