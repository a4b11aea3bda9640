/*
 * How many requests a second leave this program: a generic cell rate algorithm with reserved slots.
 *
 * Its state is one time, when the bucket would be full again. A caller reserves and is told when it may send; the
 * slot is then its own, so nobody wakes in vain and order is kept. In any window of length W at most burst + rate * W
 * requests are sent: with burst 50 and 50/s up to 100 in the first second, and of 372 that come at once the last is
 * sent after 6.44 s.
 *
 *	slot = limiter_reserve(&l, now);
 *	while ((due = limiter_due(&l, slot)) > now)
 *		… wait until due …
 *	… send; a 429 with Retry-After: limiter_hold(&l, now, now + retry_after) …
 *
 * A hold stops the limiter's own time for everybody: slots that were handed out already keep their order and their
 * distances, and are due later by as much. So who wakes asks again. Any thread may call anything; reserving is one
 * atomic word.
 */
#ifndef TENFOLD_SIM_LIMITER_H
#define TENFOLD_SIM_LIMITER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct limiter {
	int64_t interval_ns;  /* between two, in the long run; 0: no limit */
	int64_t tolerance_ns; /* (burst - 1) * interval */
	_Atomic int64_t full_at;
	_Atomic uint32_t holds; /* twice how many there were; odd while the next two are being written */
	_Atomic int64_t stood_ns, held_until_ns;
	pthread_mutex_t hold_lock; /* of who writes them */
};

struct slot {
	int64_t at; /* in the limiter's own time, which stands while a hold is on */
};

enum { LIMITER_BURST_MAX = 1000000 };

/* rate in requests a second, 0: no limit; burst from 1 to LIMITER_BURST_MAX. Times are of one monotonic clock. */
void limiter_init(struct limiter *l, double rate, uint32_t burst);
void limiter_destroy(struct limiter *l);
struct slot limiter_reserve(struct limiter *l, int64_t now_ns);
/* When that slot may be used as things are now; never earlier than it said before. */
int64_t limiter_due(const struct limiter *l, struct slot s);
/* Nobody sends before until_ns. A hold that ends before the one in force changes nothing. */
void limiter_hold(struct limiter *l, int64_t now_ns, int64_t until_ns);
int64_t limiter_held_until(const struct limiter *l); /* the clock's time; INT64_MIN: there was no hold */

#endif
