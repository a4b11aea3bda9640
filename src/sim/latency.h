/*
 * Durations counted by size, to three significant digits, in as little memory as they need: HdrHistogram's layout
 * (Gil Tene) from 1 microsecond to an hour. Below 2,048 us each has a bucket, and every further power of two is cut
 * into 1,024 equal ones; the 4 KiB of a power are taken when the first value falls there.
 *
 * Percentile rule: the smallest value v such that at least ceil(percent / 100 * count) of those counted are <= v. What
 * is given is the top of v's bucket: never too low, at most 0.1 % too high. Durations are rounded up to microseconds.
 */
#ifndef TENFOLD_SIM_LATENCY_H
#define TENFOLD_SIM_LATENCY_H

#include "base/buf.h"

enum { LATENCY_STEPS = 1024, LATENCY_POWERS = 23 };

struct latency { /* all zero is an empty one */
	uint64_t count, max_us, sum_us;
	uint32_t *buckets[LATENCY_POWERS]; /* LATENCY_STEPS each; NULL: nothing counted there */
};

void latency_add(struct latency *l, int64_t ns); /* negative counts as 0; past an hour as an hour */
void latency_merge(struct latency *into, const struct latency *from);
void latency_clear(struct latency *l); /* keeps the memory */
void latency_free(struct latency *l);
int64_t latency_at_us(const struct latency *l, double percent); /* 0 < percent <= 100; 0 when nothing was counted */
uint64_t latency_count_to(const struct latency *l, uint64_t us); /* of how many it is known that they are <= us */
double latency_mean_us(const struct latency *l);
uint64_t latency_bytes(const struct latency *l); /* for tests: memory held, its own struct not counted */

/* As text for checkpoints: greatest and sum, then for each bucket that is not empty the distance to the one before and
 * its count: "1500 2900 1400 1 100 1". Reading replaces what *l, which is empty or another, held; false, and it is
 * empty, when the text is none such. */
void latency_write(const struct latency *l, struct buf *b);
bool latency_read(struct latency *l, struct str text);

#endif
