/*
 * What is due when, for a great many timers of one thread: a hierarchical timing wheel (Varghese and Lauck 1987).
 *
 * Ticks are whole (the engine's: microseconds). Adding, cancelling and expiring take the same time however many there
 * are, but for the sorting of those of one tick; empty spans are jumped over by a bit map per level. Timers live in
 * what they are timers of, and must stay where they are while they are in a wheel.
 *
 * Order: by `due`; those of one tick by `order`, which no two of them share. Who is added for a tick that is being
 * expired, or is past, comes after all that were there when its expiry began. So it is the same on every run.
 */
#ifndef TENFOLD_SIM_WHEEL_H
#define TENFOLD_SIM_WHEEL_H

#include <stdint.h>

enum { WHEEL_BITS = 6, WHEEL_SLOTS = 1 << WHEEL_BITS, WHEEL_LEVELS = 6 };

struct timer {
	struct timer *next, **at; /* `at` is NULL when it is in no wheel */
	int64_t due;
	uint32_t order; /* the agent's number */
};

struct wheel {
	int64_t now;                   /* all that was due before has been handed out, or is in `ready` */
	uint64_t filled[WHEEL_LEVELS]; /* a bit for each slot that holds any */
	struct timer *slots[WHEEL_LEVELS][WHEEL_SLOTS];
	struct timer *far;   /* past the last level: in 19 hours of microseconds or more */
	int64_t far_from;    /* none of those is due earlier, if there are any */
	struct timer *ready; /* of the tick that is being expired, in order */
	uint32_t count;
};

void wheel_init(struct wheel *w, int64_t now);
void wheel_add(struct wheel *w, struct timer *t, int64_t due); /* t must be in no wheel */
void wheel_cancel(struct wheel *w, struct timer *t);           /* nothing happens to one that is in none */
/* No timer is due before; INT64_MAX when there is none. The first may be due later: whoever comes back then, expires
 * and asks again, comes nearer, and never more often than once a level. */
int64_t wheel_next(const struct wheel *w);
/* Takes out the first that is due at or before now, which never goes back; NULL when there is none more. */
struct timer *wheel_expire(struct wheel *w, int64_t now);

#endif
