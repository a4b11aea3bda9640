/*
 * When a delivery that failed is tried again: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h after the attempt
 * before, as Standard Webhooks proposes, each up to a fifth sooner or later, so that what failed together is not tried
 * together. The tenth attempt is the last, three days after the first.
 */
#ifndef TENFOLD_WEBHOOKS_RETRY_H
#define TENFOLD_WEBHOOKS_RETRY_H

#include "base/rng.h"
#include "base/str.h"

#include <stdbool.h>

enum { RETRY_ATTEMPTS = 10 };

/* After so many attempts, how long to wait for the next; -1: that was the last. retry_after_ms: what the receiver asked
 * for, at most a day of it is given; 0: nothing. */
int64_t retry_wait_ms(int64_t attempts, int64_t retry_after_ms, struct rng *r);

/* What a header Retry-After asks for; 0 when it is not a number of seconds. */
int64_t retry_asked_ms(struct str value);

/* Has the receiver taken it? */
static inline bool retry_is_taken(int status)
{
	return status >= 200 && status < 300;
}

#endif
