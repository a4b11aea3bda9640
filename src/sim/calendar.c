/* See calendar.h. */
#include "sim/calendar.h"

#include "base/clock.h"
#include "base/magic.h"

enum { HOURS = 24, DAYS = 7, HOURS_OF_WEEK = HOURS * DAYS, WEEKDAY_OF_1970 = 3 };

static enum day_part part_of(int hour)
{
	if (hour < 5 || hour >= 17)
		return PART_EVENING;
	return hour < 12 ? PART_MORNING : PART_AFTERNOON;
}

static enum day_kind kind_of(int weekday)
{
	enum { SATURDAY = 5 };

	if (weekday < SATURDAY)
		return DAY_WEEKDAY;
	return weekday == SATURDAY ? DAY_SATURDAY : DAY_SUNDAY;
}

static int day_of_year(int month, int day) /* in order, with gaps */
{
	return month * 32 + day;
}

static bool is_in(const struct season *s, int month, int day)
{
	int from = day_of_year(s->from_month, s->from_day), to = day_of_year(s->to_month, s->to_day);
	int today = day_of_year(month, day);

	return from <= to ? today >= from && today <= to : today >= from || today <= to;
}

double calendar_season(const struct calendar *c, int month, int day)
{
	double factor = 1;

	for (unsigned i = 0; i < c->season_count; i++)
		if (is_in(&c->seasons[i], month, day))
			factor *= c->seasons[i].factor;
	return factor;
}

void calendar_moment(const struct calendar *c, uint32_t cycle, struct moment *out)
{
	int64_t ms = c->start_ms + (int64_t)cycle * CALENDAR_HOUR_MS, hours = ms / CALENDAR_HOUR_MS;
	struct clock_date date = clock_date(ms);

	CHECK(ms >= 0);
	*out = (struct moment){
		.ms = ms,
		.hour = (int)(hours % HOURS),
		.weekday = (int)((hours / HOURS + WEEKDAY_OF_1970) % DAYS),
		.month = date.month,
		.day = date.day,
	};
	out->part = part_of(out->hour);
	out->kind = kind_of(out->weekday);
	out->common = c->hour[out->hour] * c->weekday[out->weekday] * calendar_season(c, date.month, date.day) /
		      HOURS_OF_WEEK;
}

/* The mean of hour * part * weekday * day over a week is the product of two means, for hours and days do not know of
 * each other. */
void eagerness_normalise(const struct calendar *c, struct eagerness *e)
{
	double hours = 0, days = 0, norm;

	for (int h = 0; h < HOURS; h++)
		hours += c->hour[h] * (double)e->part[part_of(h)];
	for (int d = 0; d < DAYS; d++)
		days += c->weekday[d] * (double)e->day[kind_of(d)];
	norm = hours * days / HOURS_OF_WEEK;
	e->weekly = norm > 0 ? (float)((double)e->weekly / norm) : 0;
}

double eagerness_in(const struct eagerness *e, const struct moment *m)
{
	return (double)e->weekly * (double)e->part[m->part] * (double)e->day[m->kind] * m->common;
}
