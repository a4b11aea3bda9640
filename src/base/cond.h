/* Conditions that are waited for by the clock that never goes back: that of clock_mono_ns(). */
#ifndef TENFOLD_BASE_COND_H
#define TENFOLD_BASE_COND_H

#include <pthread.h>
#include <time.h>

static inline void cond_mono_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

#endif
