/*
 * Counts of values by size, for percentiles of a great many measurements in fixed memory.
 *
 * Log-linear, as in HdrHistogram (Gil Tene): values below 256 have a bucket each, and every further power of two is
 * cut into 128 equal ones. A percentile is the top of its bucket, so it is never too low and at most 1/128 (0.8%)
 * too high. Any 64-bit value fits. One thread.
 */
#ifndef TENFOLD_BASE_HISTOGRAM_H
#define TENFOLD_BASE_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 128, HISTOGRAM_BUCKETS = (64 - 6) * HISTOGRAM_STEPS };

/* 58 KiB: on the heap. All zero is an empty one. */
struct histogram {
	uint64_t count, max;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t value);

/* The value that `percent` of those counted do not exceed, 0 < percent <= 100; 0 when nothing was counted. */
uint64_t histogram_at(const struct histogram *h, double percent);

/* Where a value is counted, and the highest value that is counted there. */
unsigned histogram_bucket(uint64_t value);
uint64_t histogram_bucket_top(unsigned bucket);

#endif
