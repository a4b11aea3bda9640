/*
 * What time it is: an object, so that a test can hold the hands.
 *
 * The system clock is wall time anchored at start and advanced by CLOCK_BOOTTIME; it never goes back. When the
 * wall clock was set, it is followed by running at most 1% faster or slower, and that is logged once per change.
 */
#ifndef TENFOLD_BASE_CLOCK_H
#define TENFOLD_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock {
	int64_t (*now_ms)(struct clock *); /* UTC, milliseconds since 1970 */
};

static inline int64_t clock_now_ms(struct clock *c)
{
	return c->now_ms(c);
}

/* Thread-safe, shared by the process; create and destroy with the app. */
struct clock *clock_system_new(void);
void clock_system_destroy(struct clock **c);

/* The rule of the system clock as plain data, for tests: given boot time and wall time, what is now? One that is
 * all zero is anchored by its first reading. */
struct clock_slew {
	int64_t anchor_boot_ms, anchor_ms, last_ms;
	int64_t offset_ms; /* wall - ours that is still to be made up */
	int64_t wall_minus_boot_ms;
	bool wall_was_set; /* between the last two readings, by half a second or more */
};
int64_t clock_slew_now(struct clock_slew *s, int64_t boot_ms, int64_t wall_ms);

/* A clock that stands still until told. */
struct clock_virtual {
	struct clock clock;
	int64_t ms;
};
void clock_virtual_init(struct clock_virtual *v, int64_t ms);

int64_t clock_mono_ns(void); /* for measuring durations only */

struct clock_date { /* Gregorian, also before its time */
	int64_t year;
	int month, day; /* from 1 */
};
struct clock_date clock_date(int64_t ms);            /* UTC */
int64_t clock_day(int64_t year, int month, int day); /* days since 1970-01-01 of a date that exists */
int clock_month_days(int64_t year, int month);

/* RFC 3339 UTC with milliseconds, 24 characters and a NUL: 2026-11-21T03:04:05.678Z. */
enum { CLOCK_TEXT = 25 };
void clock_format(int64_t ms, char out[CLOCK_TEXT]);
#endif
