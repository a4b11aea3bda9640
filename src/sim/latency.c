/*
 * Buckets are numbered through. A value below LATENCY_STEPS is its own bucket; above, its highest eleven bits, of which
 * the first is a one, choose one of the 1,024 of its power of two, which continue without a gap.
 */
#include "sim/latency.h"

#include "base/magic.h"

#include <math.h>
#include <string.h>

enum { NS_PER_US = 1000, STEP_BITS = 10 };
static const uint64_t hour_us = 3600000000;

static unsigned bucket_of(uint64_t us)
{
	unsigned bits = 64 - (unsigned)__builtin_clzll(us | 1);
	unsigned shift = bits > STEP_BITS + 1 ? bits - (STEP_BITS + 1) : 0;

	return shift * LATENCY_STEPS + (unsigned)(us >> shift);
}

static uint64_t top_of(unsigned bucket)
{
	unsigned shift = bucket < 2 * LATENCY_STEPS ? 0 : bucket / LATENCY_STEPS - 1;
	uint64_t high = bucket - shift * LATENCY_STEPS;

	return (high << shift) + ((UINT64_C(1) << shift) - 1);
}

static uint32_t count_in(const struct latency *l, unsigned bucket)
{
	const uint32_t *power = l->buckets[bucket / LATENCY_STEPS];

	return power ? power[bucket % LATENCY_STEPS] : 0;
}

/* A bucket that is full at four billion stays so. */
static void count(struct latency *l, unsigned bucket, uint32_t times)
{
	uint32_t **power = &l->buckets[bucket / LATENCY_STEPS], *place;

	if (*power == NULL)
		*power = must_alloc(LATENCY_STEPS * sizeof(**power));
	place = &(*power)[bucket % LATENCY_STEPS];
	if (__builtin_add_overflow(*place, times, place))
		*place = UINT32_MAX;
}

void latency_add(struct latency *l, int64_t ns)
{
	uint64_t us = ns > 0 ? ((uint64_t)ns + NS_PER_US - 1) / NS_PER_US : 0;

	us = us < hour_us ? us : hour_us;
	count(l, bucket_of(us), 1);
	l->count++;
	l->sum_us += us;
	if (us > l->max_us)
		l->max_us = us;
}

void latency_merge(struct latency *into, const struct latency *from)
{
	for (unsigned i = 0; i < LATENCY_POWERS; i++)
		for (unsigned j = 0; from->buckets[i] && j < LATENCY_STEPS; j++)
			if (from->buckets[i][j])
				count(into, i * LATENCY_STEPS + j, from->buckets[i][j]);
	into->count += from->count;
	into->sum_us += from->sum_us;
	if (from->max_us > into->max_us)
		into->max_us = from->max_us;
}

void latency_clear(struct latency *l)
{
	for (unsigned i = 0; i < LATENCY_POWERS; i++)
		if (l->buckets[i])
			memset(l->buckets[i], 0, LATENCY_STEPS * sizeof(*l->buckets[i]));
	l->count = l->max_us = l->sum_us = 0;
}

void latency_free(struct latency *l)
{
	for (unsigned i = 0; i < LATENCY_POWERS; i++)
		free(l->buckets[i]);
	*l = (struct latency){0};
}

/* The bucket in which the `wanted`th stands, counted from the least; past the last one when there are not so many. */
static unsigned bucket_at(const struct latency *l, uint64_t wanted)
{
	uint64_t seen = 0;
	unsigned bucket = 0;

	while (bucket < LATENCY_POWERS * LATENCY_STEPS && (seen += count_in(l, bucket)) < wanted)
		bucket += l->buckets[bucket / LATENCY_STEPS] ? 1 : LATENCY_STEPS;
	return bucket;
}

int64_t latency_at_us(const struct latency *l, double percent)
{
	const double rounding = 1e-6; /* 99.9 % of 1,000 is 999, though not in binary */
	uint64_t wanted, top;

	CHECK(percent > 0 && percent <= 100);
	if (l->count == 0)
		return 0;
	wanted = (uint64_t)fmax(ceil((double)l->count * percent / 100 - rounding), 1);
	top = top_of(bucket_at(l, wanted));
	return (int64_t)(top < l->max_us ? top : l->max_us);
}

uint64_t latency_count_to(const struct latency *l, uint64_t us)
{
	uint64_t seen = 0;
	unsigned bucket = 0;

	while (bucket < LATENCY_POWERS * LATENCY_STEPS && top_of(bucket) <= us) {
		seen += count_in(l, bucket);
		bucket += l->buckets[bucket / LATENCY_STEPS] ? 1 : LATENCY_STEPS - bucket % LATENCY_STEPS;
	}
	return seen;
}

double latency_mean_us(const struct latency *l)
{
	return l->count ? (double)l->sum_us / (double)l->count : 0;
}

uint64_t latency_bytes(const struct latency *l)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < LATENCY_POWERS; i++)
		bytes += l->buckets[i] ? LATENCY_STEPS * sizeof(*l->buckets[i]) : 0;
	return bytes;
}

void latency_write(const struct latency *l, struct buf *b)
{
	unsigned last = 0;

	buf_fmt(b, "%llu %llu", (unsigned long long)l->max_us, (unsigned long long)l->sum_us);
	for (unsigned i = 0; i < LATENCY_POWERS * LATENCY_STEPS; i++) {
		uint32_t times = count_in(l, i);

		if (times == 0)
			continue;
		buf_fmt(b, " %u %u", i - last, times);
		last = i;
	}
}

static bool take_number(struct str *rest, int64_t max, int64_t *out)
{
	return str_to_i64(str_cut(*rest, ' ', rest), out) && *out >= 0 && *out <= max;
}

static bool read_buckets(struct latency *l, struct str rest)
{
	int64_t bucket = 0, gap, times;

	while (rest.n > 0) {
		if (!take_number(&rest, LATENCY_POWERS * LATENCY_STEPS, &gap) ||
		    !take_number(&rest, UINT32_MAX, &times) || times == 0 || (gap == 0 && l->count > 0))
			return false;
		bucket += gap;
		if (bucket > bucket_of(l->max_us))
			return false;
		count(l, (unsigned)bucket, (uint32_t)times);
		l->count += (uint64_t)times;
	}
	return l->count == 0 ? l->max_us == 0 : bucket == bucket_of(l->max_us);
}

bool latency_read(struct latency *l, struct str text)
{
	int64_t max, sum;

	latency_free(l);
	if (!take_number(&text, (int64_t)hour_us, &max) || !take_number(&text, INT64_MAX, &sum))
		return false;
	l->max_us = (uint64_t)max;
	l->sum_us = (uint64_t)sum;
	if (read_buckets(l, text))
		return true;
	latency_free(l);
	return false;
}
