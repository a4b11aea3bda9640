/*
 * See cron.h. Two steps: which minute fits as the clock on the wall counts them, which needs no zone; and when that
 * is, stretch by stretch of one offset.
 */
#include "schedule/cron_priv.h"

#include "base/clock.h"
#include "base/magic.h"

enum { DAY_MINUTES = 1440, MONTHS_SEARCHED = 401 * 12, DAY_MS = 86400000, SATURDAY = 6, WEEK = 7 };

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t ceil_div(int64_t a, int64_t b)
{
	return a / b + (a % b > 0);
}

/* ---- days of a month ---- */

struct month {
	int64_t year;
	int month, days;
	int64_t first; /* its first day, since 1970 */
	int weekday;   /* of that day */
};

static struct month month_of(int64_t year, int month)
{
	int64_t first = clock_day(year, month, 1);
	return (struct month){.year = year,
			      .month = month,
			      .days = clock_month_days(year, month),
			      .first = first,
			      .weekday = (int)((first % WEEK + WEEK + 4) % WEEK)}; /* 1970 began on a Thursday */
}

static struct month month_after(const struct month *m)
{
	return m->month == 12 ? month_of(m->year + 1, 1) : month_of(m->year, m->month + 1);
}

static int weekday_of(const struct month *m, int day)
{
	return (m->weekday + day - 1) % WEEK;
}

/* The day from Monday to Friday that is nearest to one, in the same month. */
static int nearest_weekday(const struct month *m, int day)
{
	int weekday = weekday_of(m, day);
	if (weekday == SATURDAY)
		return day > 1 ? day - 1 : day + 2;
	if (weekday == 0)
		return day < m->days ? day + 1 : day - 2;
	return day;
}

static bool fits_day(const struct cron *c, const struct month *m, int day)
{
	int before_last = m->days - day;
	return (c->days >> day & 1) || (c->days_before_last >> before_last & 1) ||
	       (c->last_working_day && day == nearest_weekday(m, m->days));
}

static bool fits_weekday(const struct cron *c, const struct month *m, int day)
{
	int weekday = weekday_of(m, day);
	return (c->weekdays >> weekday & 1) || (c->nth_weekdays[(day - 1) / WEEK] >> weekday & 1) ||
	       ((c->last_weekdays >> weekday & 1) && day + WEEK > m->days);
}

/* Bit n for day n. */
static uint32_t days_of(const struct cron *c, const struct month *m)
{
	uint32_t by_date = 0, by_weekday = 0;
	for (int day = 1; day <= m->days; day++) {
		by_date |= (uint32_t)fits_day(c, m, day) << day;
		by_weekday |= (uint32_t)fits_weekday(c, m, day) << day;
		if (c->nearest_weekdays >> day & 1)
			by_date |= UINT32_C(1) << nearest_weekday(m, day);
	}
	return c->any_day || c->any_weekday ? by_date & by_weekday : by_date | by_weekday;
}

/* ---- minutes on the wall ---- */

/* Of the day, at or after one; -1: no more that day. */
static int minute_of_day(const struct cron *c, int from)
{
	int hour = from / 60;
	uint64_t minutes = (c->hours >> hour & 1) ? c->minutes >> from % 60 : 0;
	if (minutes)
		return from + __builtin_ctzll(minutes);
	uint32_t hours = c->hours >> hour >> 1;
	return hours ? (hour + 1 + __builtin_ctz(hours)) * 60 + __builtin_ctzll(c->minutes) : -1;
}

/* In a month, at or after a minute of a day of it; -1: no more that month. */
static int64_t minute_of_month(const struct cron *c, const struct month *m, int day, int from)
{
	uint32_t days = (c->months >> m->month & 1) ? days_of(c, m) & ~UINT32_C(0) << day : 0;
	while (days) {
		int next = __builtin_ctz(days);
		int minute = minute_of_day(c, next == day ? from : 0);
		if (minute >= 0)
			return (m->first + next - 1) * DAY_MINUTES + minute;
		days &= days - 1;
	}
	return -1;
}

int64_t cron_wall_minute(const struct cron *c, int64_t from)
{
	int64_t day = floor_div(from, DAY_MINUTES);
	struct clock_date date = clock_date(day * DAY_MS);
	struct month m = month_of(date.year, date.month);
	int64_t found = minute_of_month(c, &m, date.day, (int)(from - day * DAY_MINUTES));
	for (int i = 0; found == -1 && i < MONTHS_SEARCHED; i++) {
		m = month_after(&m);
		found = minute_of_month(c, &m, 1, 0);
	}
	return found == -1 ? INT64_MAX : found;
}

/* ---- times ---- */

/* The first minute of a span that counts: a line of times of the day does not count what was there before it. */
static int64_t first_minute(const struct cron *c, const struct zone_span *s)
{
	int32_t shown_s = !c->is_rhythm && s->before_s > s->offset_s ? s->before_s : s->offset_s;
	return ceil_div(s->from_s + shown_s, 60);
}

int64_t cron_next_ms(const struct cron *c, const struct zone *z, int64_t after_ms)
{
	int64_t after_s = floor_div(after_ms, 1000);
	struct zone_span span = zone_span_at(z, after_s);
	int64_t minute = floor_div(after_s + span.offset_s, 60) + 1;
	if (span.from_s != INT64_MIN && first_minute(c, &span) > minute)
		minute = first_minute(c, &span);
	for (;;) {
		int64_t found = cron_wall_minute(c, minute);
		CHECK(found != INT64_MAX); /* cron_parse() refuses a line that never fires */
		int64_t at_s = found * 60 - span.offset_s;
		if (at_s < span.until_s)
			return at_s * 1000;
		struct zone_span next = zone_span_at(z, span.until_s);
		if (!c->is_rhythm && found * 60 < next.from_s + next.offset_s)
			return next.from_s * 1000; /* it was left out */
		span = next;
		minute = first_minute(c, &span);
	}
}
