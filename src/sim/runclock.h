/*
 * Run time: how long a run has been going, in ns, without the spans in which it stood. Pacing, thinking, arrivals and
 * the limiter all go by it, so that nothing falls due while the run stands, and there is no burst afterwards. What
 * the target takes to answer is measured by the clock itself.
 *
 * Any thread reads; stopping and going on is for one at a time.
 */
#ifndef TENFOLD_SIM_RUNCLOCK_H
#define TENFOLD_SIM_RUNCLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct runclock {
	int64_t (*now_ns)(void *clock); /* monotonic */
	void *clock;
	_Atomic int64_t stood_at; /* run time at which it stands; RUNCLOCK_GOES while it does not */
	_Atomic int64_t behind;   /* what it is behind the clock, while it goes */
};

enum { RUNCLOCK_GOES = -1 };

static inline void runclock_init(struct runclock *r, int64_t (*now_ns)(void *clock), void *clock)
{
	r->now_ns = now_ns;
	r->clock = clock;
	atomic_init(&r->stood_at, RUNCLOCK_GOES);
	atomic_init(&r->behind, now_ns(clock));
}

static inline bool runclock_stands(struct runclock *r)
{
	return atomic_load(&r->stood_at) != RUNCLOCK_GOES;
}

static inline int64_t runclock_now(struct runclock *r)
{
	int64_t stood_at = atomic_load(&r->stood_at);

	return stood_at != RUNCLOCK_GOES ? stood_at : r->now_ns(r->clock) - atomic_load(&r->behind);
}

static inline void runclock_stop(struct runclock *r)
{
	atomic_store(&r->stood_at, runclock_now(r));
}

static inline void runclock_go(struct runclock *r)
{
	if (!runclock_stands(r))
		return;
	atomic_store(&r->behind, r->now_ns(r->clock) - atomic_load(&r->stood_at));
	atomic_store(&r->stood_at, RUNCLOCK_GOES);
}

#endif
