/*
 * The rule by which a zone's clock goes on for ever: "CET-1CEST,M3.5.0,M10.5.0/3". POSIX TZ, where hours of a rule
 * may be -167 to 167 and daylight-saving time may lie behind standard time.
 */
#include "schedule/zone_priv.h"

#include "base/clock.h"

enum { LAST_YEAR = 2500, HOUR_S = 3600, DAY_S = 86400, RULE_HOUR_MAX = 167, OFFSET_HOUR_MAX = 24, LAST_WEEK = 5 };

enum form { BY_WEEK, BY_DAY, BY_DAY_WITHOUT_LEAP };

/* A day of each year, and the time on it by the clock that is about to change. */
struct rule {
	enum form form;
	int month, week, weekday; /* BY_WEEK; Sunday is 0 */
	int day;                  /* from 0; BY_DAY_WITHOUT_LEAP from 1 */
	int64_t time_s;
};

static bool take_char(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = (struct str){s->p + 1, s->n - 1};
	return true;
}

static bool take_number(struct str *s, int max, int *out)
{
	size_t n = 0;
	*out = 0;
	while (n < s->n && n < 4 && s->p[n] >= '0' && s->p[n] <= '9')
		*out = *out * 10 + s->p[n++] - '0';
	*s = (struct str){s->p + n, s->n - n};
	return n > 0 && *out <= max;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "CET" or "<+03>"; nobody asks for it. */
static bool take_name(struct str *s)
{
	size_t n = 0;
	if (take_char(s, '<')) {
		str_cut(*s, '>', s);
		return s->p != NULL;
	}
	while (n < s->n && is_letter(s->p[n]))
		n++;
	*s = (struct str){s->p + n, s->n - n};
	return n >= 3;
}

/* [+-]h[h[h]][:mm[:ss]] */
static bool take_time(struct str *s, int hour_max, int64_t *out_s)
{
	int hours, minutes = 0, seconds = 0;
	bool negative = take_char(s, '-');
	if (!negative)
		take_char(s, '+');
	if (!take_number(s, hour_max, &hours))
		return false;
	if (take_char(s, ':') && !take_number(s, 59, &minutes))
		return false;
	if (take_char(s, ':') && !take_number(s, 59, &seconds))
		return false;
	*out_s = (int64_t)hours * HOUR_S + minutes * 60 + seconds;
	if (negative)
		*out_s = -*out_s;
	return true;
}

/* The sign of POSIX is that of longitude: west is positive. */
static bool take_offset(struct str *s, int32_t *out_s)
{
	int64_t west_s;
	if (!take_time(s, OFFSET_HOUR_MAX, &west_s))
		return false;
	*out_s = (int32_t)-west_s;
	return true;
}

static bool take_day(struct str *s, struct rule *r)
{
	if (take_char(s, 'J')) {
		r->form = BY_DAY_WITHOUT_LEAP;
		return take_number(s, 365, &r->day) && r->day >= 1;
	}
	if (!take_char(s, 'M')) {
		r->form = BY_DAY;
		return take_number(s, 365, &r->day);
	}
	r->form = BY_WEEK;
	return take_number(s, 12, &r->month) && r->month >= 1 && take_char(s, '.') &&
	       take_number(s, LAST_WEEK, &r->week) && r->week >= 1 && take_char(s, '.') &&
	       take_number(s, 6, &r->weekday);
}

static bool take_rule(struct str *s, struct rule *r)
{
	*r = (struct rule){.time_s = 2 * HOUR_S};
	if (!take_char(s, ',') || !take_day(s, r))
		return false;
	return !take_char(s, '/') || take_time(s, RULE_HOUR_MAX, &r->time_s);
}

/* ---- carrying it out ---- */

static int64_t day_by_week(const struct rule *r, int64_t year)
{
	int64_t first = clock_day(year, r->month, 1);
	int64_t weekday = (first % 7 + 11) % 7; /* 1970-01-01 was a Thursday, 4 */
	int64_t day = (r->weekday - weekday + 7) % 7 + (r->week - 1) * 7;
	while (day >= clock_month_days(year, r->month))
		day -= 7;
	return first + day;
}

static int64_t day_of(const struct rule *r, int64_t year)
{
	int64_t new_year = clock_day(year, 1, 1);
	bool leap = clock_month_days(year, 2) == 29;
	switch (r->form) {
	case BY_WEEK:
		return day_by_week(r, year);
	case BY_DAY:
		return new_year + r->day;
	case BY_DAY_WITHOUT_LEAP:
		return new_year + r->day - 1 + (leap && r->day >= 60);
	}
	UNREACHABLE();
}

static int64_t time_of(const struct rule *r, int64_t year, int32_t offset_s)
{
	return day_of(r, year) * DAY_S + r->time_s - offset_s;
}

/* Two changes, in the order of their times; none that lies before what is there. */
static void add_both(struct zone *z, int64_t after_s, struct zone_change a, struct zone_change b)
{
	const struct zone_change both[2] = {a.at_s <= b.at_s ? a : b, a.at_s <= b.at_s ? b : a};
	for (int i = 0; i < 2; i++) {
		int64_t last_s = z->changes.n ? z->changes.v[z->changes.n - 1].at_s : INT64_MIN;
		if (both[i].at_s > after_s && both[i].at_s >= last_s)
			zone_add(z, both[i].at_s, both[i].offset_s);
	}
}

/* Of the year in which the rule takes over. */
static int64_t first_year(int64_t after_s)
{
	static const int64_t year_1_s = -62135596800;
	return clock_date((after_s > year_1_s ? after_s : year_1_s) * 1000).year;
}

static void carry_out(struct zone *z, const struct rule *begins, const struct rule *ends, int32_t standard_s,
		      int32_t summer_s)
{
	int64_t after_s = z->changes.n ? z->changes.v[z->changes.n - 1].at_s : 0;
	for (int64_t year = first_year(after_s); year <= LAST_YEAR; year++)
		add_both(z, after_s, (struct zone_change){time_of(begins, year, standard_s), summer_s},
			 (struct zone_change){time_of(ends, year, summer_s), standard_s});
}

bool zone_follow_rule(struct zone *z, struct str s)
{
	int32_t standard_s, summer_s;
	struct rule begins, ends;
	if (!take_name(&s) || !take_offset(&s, &standard_s))
		return false;
	if (s.n == 0)
		return true; /* as it was after the last change */
	if (!take_name(&s))
		return false;
	summer_s = standard_s + HOUR_S;
	if (s.n && s.p[0] != ',' && !take_offset(&s, &summer_s))
		return false;
	if (!take_rule(&s, &begins) || !take_rule(&s, &ends) || s.n)
		return false;
	carry_out(z, &begins, &ends, standard_s, summer_s);
	return true;
}
