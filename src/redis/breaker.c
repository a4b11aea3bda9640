/* See breaker.h. */
#include "redis/breaker.h"

#include "base/magic.h"

bool breaker_is_closed(const struct breaker *b)
{
	return b->state == BREAKER_CLOSED;
}

bool breaker_try(struct breaker *b, int64_t now_ms)
{
	if (b->state == BREAKER_OPEN && now_ms >= b->until_ms) {
		b->state = BREAKER_HALF_OPEN;
		return true;
	}
	return b->state == BREAKER_CLOSED;
}

int64_t breaker_next_ms(const struct breaker *b, int64_t now_ms)
{
	switch (b->state) {
	case BREAKER_CLOSED:
		return now_ms;
	case BREAKER_OPEN:
		return b->until_ms;
	case BREAKER_HALF_OPEN:
		return INT64_MAX;
	}
	UNREACHABLE();
}

void breaker_succeeded(struct breaker *b)
{
	b->state = BREAKER_CLOSED;
	b->failures = b->rests = 0;
}

static void rest(struct breaker *b, int64_t now_ms)
{
	b->state = BREAKER_OPEN;
	b->until_ms = now_ms + (b->rest_ms << b->rests);
	b->failures = 0;
	if (b->rests < BREAKER_DOUBLINGS)
		b->rests++;
}

void breaker_failed(struct breaker *b, int64_t now_ms)
{
	if (b->state == BREAKER_OPEN) /* one that began before the rest did */
		return;
	if (b->state == BREAKER_HALF_OPEN || ++b->failures >= b->failures_max)
		rest(b, now_ms);
}
