/*
 * When to try again: after the n-th failure in a row somewhere in the upper half of 200 ms * 2^(n-1), at most 15 s,
 * so that a thousand workers whose server comes back do not come back at once.
 */
#ifndef TENFOLD_CLI_BACKOFF_H
#define TENFOLD_CLI_BACKOFF_H

#include "base/rng.h"

struct backoff {
	unsigned failures; /* in a row */
	int64_t until_ms;  /* not before this; 0: at once */
};

enum { BACKOFF_FIRST_MS = 200, BACKOFF_LONGEST_MS = 15000 };

/* retry_after_s: what the server asked for, 0 for nothing. */
static inline void backoff_failed(struct backoff *b, struct rng *rng, int64_t now_ms, int retry_after_s)
{
	int64_t wait = BACKOFF_LONGEST_MS;

	if (b->failures < 7)
		wait = (int64_t)BACKOFF_FIRST_MS << b->failures;
	if (wait > BACKOFF_LONGEST_MS)
		wait = BACKOFF_LONGEST_MS;
	b->failures++;
	b->until_ms =
		now_ms + wait / 2 + (int64_t)rng_below(rng, (uint64_t)wait / 2) + (int64_t)retry_after_s * 1000;
}

static inline void backoff_worked(struct backoff *b)
{
	*b = (struct backoff){0};
}

#endif
