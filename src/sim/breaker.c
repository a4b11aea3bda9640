/* See breaker.h. */
#include "sim/breaker.h"

#include "base/magic.h"

#include <math.h>

void sim_breaker_init(struct sim_breaker *b, double percent, uint32_t min_failures, uint32_t down_after)
{
	CHECK(percent >= 0 && percent <= 100);
	*b = (struct sim_breaker){.percent = percent, .min_failures = min_failures, .down_after = down_after};
}

void sim_breaker_cycle(struct sim_breaker *b, uint32_t agents)
{
	b->agents = agents;
	b->failures = 0;
}

uint32_t sim_breaker_borne(const struct sim_breaker *b)
{
	const double rounding = 1e-9; /* 0.57 % of 10,000 is 57, though not in binary */
	uint32_t share = (uint32_t)floor(b->percent * b->agents / 100 + rounding);

	return b->min_failures > share ? b->min_failures - 1 : share;
}

static bool open_if(struct sim_breaker *b, bool condition, enum sim_breaker_cause cause)
{
	if (!condition || sim_breaker_is_open(b))
		return false;
	b->cause = cause;
	b->trips++;
	return true;
}

bool sim_breaker_failed(struct sim_breaker *b)
{
	b->failures++;
	return open_if(b, b->failures > sim_breaker_borne(b), SIM_BREAKER_FAILURES);
}

bool sim_breaker_nobody(struct sim_breaker *b)
{
	b->down_in_a_row++;
	return open_if(b, b->down_after > 0 && b->down_in_a_row >= b->down_after, SIM_BREAKER_TARGET_DOWN);
}

void sim_breaker_answered(struct sim_breaker *b)
{
	b->down_in_a_row = 0;
}

void sim_breaker_resume(struct sim_breaker *b)
{
	b->cause = SIM_BREAKER_CLOSED;
	b->failures = b->down_in_a_row = 0;
}
