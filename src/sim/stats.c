/*
 * Adding up.
 */
#include "sim/stats.h"

#include <stdlib.h>

void latencies_merge(struct latencies *into, const struct latencies *from, unsigned endpoints)
{
	for (unsigned i = 0; i < endpoints; i++) {
		latency_merge(&into[i].service, &from[i].service);
		latency_merge(&into[i].response, &from[i].response);
		latency_merge(&into[i].throttle, &from[i].throttle);
	}
}

void latencies_clear(struct latencies *l, unsigned endpoints)
{
	for (unsigned i = 0; i < endpoints; i++) {
		latency_clear(&l[i].service);
		latency_clear(&l[i].response);
		latency_clear(&l[i].throttle);
	}
}

void latencies_free(struct latencies **l, unsigned endpoints)
{
	for (unsigned i = 0; *l && i < endpoints; i++) {
		latency_free(&(*l)[i].service);
		latency_free(&(*l)[i].response);
		latency_free(&(*l)[i].throttle);
	}
	free(*l);
	*l = NULL;
}

void counts_add(struct counts *into, const struct counts *from)
{
#define COUNT(name, doc) into->name += from->name;
	COUNTS(COUNT)
#undef COUNT
	for (unsigned i = 0; i < STATS_OUTCOMES_MAX; i++)
		into->by_outcome[i] += from->by_outcome[i];
	for (unsigned i = 0; i < RECORD_KEPT_MAX; i++) {
		into->kept_sum[i] += from->kept_sum[i];
		into->kept_count[i] += from->kept_count[i];
	}
}
