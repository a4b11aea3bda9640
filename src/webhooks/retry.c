/* See retry.h. */
#include "webhooks/retry.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static const int32_t waits_ms[] = {5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR,
				   10 * HOUR,  14 * HOUR,  20 * HOUR,   24 * HOUR};

_Static_assert(sizeof waits_ms / sizeof *waits_ms == RETRY_ATTEMPTS - 1, "a wait between two attempts");

int64_t retry_wait_ms(int64_t attempts, int64_t retry_after_ms, struct rng *r)
{
	if (attempts < 1 || attempts >= RETRY_ATTEMPTS)
		return -1;
	int64_t wait_ms = waits_ms[attempts - 1], fifth = wait_ms / 5;
	wait_ms += (int64_t)rng_below(r, (uint64_t)(2 * fifth + 1)) - fifth;
	if (retry_after_ms > DAY)
		retry_after_ms = DAY;
	return wait_ms > retry_after_ms ? wait_ms : retry_after_ms;
}

int64_t retry_asked_ms(struct str value)
{
	int64_t seconds;
	if (!str_to_i64(str_trim(value), &seconds) || seconds < 0)
		return 0;
	return seconds > DAY / SECOND ? DAY : seconds * SECOND;
}
