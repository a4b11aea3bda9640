/*
 * The shop's own simulated clock, for callers that do not say what time it is. Any thread.
 *
 *   REAL ──start──► RUNNING ◄──start── STOPPED        advance: in each, puts it forward; a REAL one stands from then on
 *                      └──────stop───────►
 */
#ifndef TENFOLD_SHOP_SHOP_TIME_H
#define TENFOLD_SHOP_SHOP_TIME_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct clock;

struct shop_time {
	struct clock *clock; /* the real time; not owned */
	pthread_mutex_t lock;
	bool simulated, running;
	double scale;      /* simulated seconds in a real one */
	int64_t then_ms;   /* what it said … */
	int64_t anchor_ms; /* … when the real time was this */
};

struct shop_moment {
	int64_t ms; /* UTC */
	double scale;
	bool simulated, running;
};

void shop_time_init(struct shop_time *t, struct clock *clock);
void shop_time_free(struct shop_time *t);
struct shop_moment shop_time_now(struct shop_time *t);
void shop_time_start(struct shop_time *t, const int64_t *from_ms,
		     double scale); /* from_ms NULL: from what it says */
void shop_time_stop(struct shop_time *t);
void shop_time_advance(struct shop_time *t, int64_t by_ms);
void shop_time_reset(struct shop_time *t);

#endif
