/*
 * When a cron line fires.
 *
 *   minute   hour   day of month   month        day of week
 *   0-59     0-23   1-31           1-12, jan-   0-7, sun-; 0 and 7 are Sunday
 *
 * Each field is a list of *, N, A-B, and any of them with /STEP. Besides:
 *
 *   day of month   L the last day, L-3 the third before it, 15W the weekday nearest to the 15th, LW the last weekday
 *   day of week    5L or friL the last Friday of the month, 5#2 or fri#2 the second
 *   ?              in a field of days, the same as *
 *   @hourly @daily @midnight @weekly @monthly @yearly @annually
 *
 * When both fields of days say something a day needs to fit one of them; when one begins with * it needs to fit both.
 *
 * A line whose minute or hour begins with * speaks of a rhythm: it fires at each minute that fits as the clock shows
 * it, so in an hour that comes twice it does so twice, and in one that is left out not at all. Any other line speaks of
 * times of the day: such a time fires once when it comes twice, the first time, and those that are left out fire once,
 * together, right after the gap. (As Debian's cron does.)
 */
#ifndef TENFOLD_SCHEDULE_CRON_H
#define TENFOLD_SCHEDULE_CRON_H

#include "schedule/zone.h"

enum { CRON_TEXT_MAX = 256, CRON_NTH_MAX = 5 };

/* A set is a mask with a bit for each of its numbers; those of days of the week begin with Sunday, 0. */
struct cron {
	uint64_t minutes;
	uint32_t hours, days;
	uint32_t days_before_last; /* bit 0: the last day of the month */
	uint32_t nearest_weekdays; /* to these days of the month */
	uint16_t months;
	uint8_t weekdays, last_weekdays, nth_weekdays[CRON_NTH_MAX]; /* the first of the month at 0 */
	bool last_working_day;
	bool any_day, any_weekday; /* the field begins with * or is ? */
	bool is_rhythm;
};

/* ERR_INVALID, of the field `cron`, names the part that is wrong; also for a line that would never fire. */
enum err cron_parse(struct str line, struct cron *out, struct problem *p);

/* The first time after one at which the line fires. Milliseconds since 1970, UTC. */
int64_t cron_next_ms(const struct cron *c, const struct zone *z, int64_t after_ms);

#endif
