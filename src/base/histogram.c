/*
 * A value below 256 is its own bucket. Above, its highest eight bits (the first of them is a one, so 128 patterns)
 * choose the bucket within its power of two:
 *
 *   value   1xxx xxxx yyyy   shift = number of y     bucket = shift * 128 + 1xxxxxxx
 *
 * which continues the small ones without a gap, because 1xxxxxxx is at least 128.
 */
#include "base/histogram.h"

#include "base/magic.h"

#include <math.h>

enum { TOP_BITS = 8 };

unsigned histogram_bucket(uint64_t value)
{
	unsigned bits = value ? 64 - (unsigned)__builtin_clzll(value) : 0;
	unsigned shift = bits > TOP_BITS ? bits - TOP_BITS : 0;

	return shift * HISTOGRAM_STEPS + (unsigned)(value >> shift);
}

uint64_t histogram_bucket_top(unsigned bucket)
{
	unsigned shift = bucket < 2 * HISTOGRAM_STEPS ? 0 : bucket / HISTOGRAM_STEPS - 1;
	uint64_t high = bucket - shift * HISTOGRAM_STEPS;

	CHECK(bucket < HISTOGRAM_BUCKETS);
	return (high << shift) + (((uint64_t)1 << shift) - 1);
}

void histogram_add(struct histogram *h, uint64_t value)
{
	h->buckets[histogram_bucket(value)]++;
	h->count++;
	if (value > h->max)
		h->max = value;
}

uint64_t histogram_at(const struct histogram *h, double percent)
{
	uint64_t wanted, seen = 0;
	unsigned bucket = 0;

	CHECK(percent > 0 && percent <= 100);
	if (h->count == 0)
		return 0;
	wanted = (uint64_t)ceil((double)h->count * percent / 100);
	while (bucket < HISTOGRAM_BUCKETS && (seen += h->buckets[bucket]) < wanted)
		bucket++;
	if (bucket == HISTOGRAM_BUCKETS || histogram_bucket_top(bucket) > h->max)
		return h->max;
	return histogram_bucket_top(bucket);
}
