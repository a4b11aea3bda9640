/*
 * The limiter's own time is the clock's less what it stood in holds. Slots, and the time when the bucket is full, are
 * in it, so a hold changes nothing about them: it only moves what the clock says when they are due.
 */
#include "sim/limiter.h"

#include "base/magic.h"

#include <math.h>

static const double ns_per_s = 1e9;

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void limiter_init(struct limiter *l, double rate, uint32_t burst)
{
	CHECK(rate >= 0 && burst >= 1 && burst <= LIMITER_BURST_MAX);
	l->interval_ns = rate > 0 ? (int64_t)ceil(fmin(ns_per_s / rate, 0x1p40)) : 0;
	l->tolerance_ns = (burst - 1) * l->interval_ns;
	atomic_init(&l->full_at, INT64_MIN);
	atomic_init(&l->holds, 0);
	atomic_init(&l->stood_ns, 0);
	atomic_init(&l->held_until_ns, INT64_MIN);
	CHECK(pthread_mutex_init(&l->hold_lock, NULL) == 0);
}

void limiter_destroy(struct limiter *l)
{
	CHECK(pthread_mutex_destroy(&l->hold_lock) == 0);
}

struct stand {
	int64_t stood_ns, until_ns;
};

/* Both of one hold. Two halves would let out a second burst, or make a slot late by the hold's length. */
static struct stand stand_of(const struct limiter *l)
{
	uint32_t before;
	struct stand s;

	do {
		before = atomic_load(&l->holds);
		s.stood_ns = atomic_load(&l->stood_ns);
		s.until_ns = atomic_load(&l->held_until_ns);
	} while (before % 2 == 1 || before != atomic_load(&l->holds));
	return s;
}

struct slot limiter_reserve(struct limiter *l, int64_t now_ns)
{
	struct stand s = stand_of(l);
	int64_t now = later(now_ns, s.until_ns) - s.stood_ns, full = atomic_load(&l->full_at), from;

	if (l->interval_ns == 0)
		return (struct slot){now};
	do
		from = later(full, now);
	while (!atomic_compare_exchange_weak(&l->full_at, &full, from + l->interval_ns));
	return (struct slot){later(now, from - l->tolerance_ns)};
}

int64_t limiter_due(const struct limiter *l, struct slot s)
{
	struct stand now = stand_of(l);

	return later(s.at + now.stood_ns, now.until_ns);
}

void limiter_hold(struct limiter *l, int64_t now_ns, int64_t until_ns)
{
	int64_t from;

	CHECK(pthread_mutex_lock(&l->hold_lock) == 0);
	from = later(now_ns, atomic_load(&l->held_until_ns));
	if (until_ns > from) {
		atomic_fetch_add(&l->holds, 1);
		atomic_fetch_add(&l->stood_ns, until_ns - from);
		atomic_store(&l->held_until_ns, until_ns);
		atomic_fetch_add(&l->holds, 1);
	}
	CHECK(pthread_mutex_unlock(&l->hold_lock) == 0);
}

int64_t limiter_held_until(const struct limiter *l)
{
	return atomic_load(&l->held_until_ns);
}
