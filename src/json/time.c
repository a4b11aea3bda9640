/*
 * Times as RFC 3339 writes them: 2026-11-21T03:04:05.678Z, or with an offset such as +01:00 instead of Z.
 *
 * Digits of a second beyond milliseconds are dropped. A leap second (23:59:60) is the second after it, as in POSIX.
 */
#include "json/json_priv.h"

#include "base/clock.h"

/* Takes exactly `count` digits and, after them, the character `then` unless that is '\0'. */
static bool take_digits(struct str *s, size_t count, char then, int64_t *out)
{
	size_t length = count + (then != '\0');

	if (s->n < length)
		return false;
	*out = 0;
	for (size_t i = 0; i < count; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		*out = *out * 10 + s->p[i] - '0';
	}
	if (then && s->p[count] != then && !(then == 'T' && s->p[count] == 't'))
		return false;
	*s = (struct str){s->p + length, s->n - length};
	return true;
}

/* ".678" and any further digits, if there; to milliseconds. */
static bool take_fraction(struct str *s, int64_t *ms)
{
	int64_t scale = 100;
	size_t i = 1;

	*ms = 0;
	if (s->n == 0 || s->p[0] != '.')
		return true;
	for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++, scale /= 10)
		*ms += scale * (s->p[i] - '0');
	if (i == 1)
		return false;
	*s = (struct str){s->p + i, s->n - i};
	return true;
}

/* Z, or +hh:mm or -hh:mm; must be the rest. */
static bool take_offset(struct str *s, int64_t *ms)
{
	int64_t hours, minutes, sign;

	*ms = 0;
	if (s->n == 1)
		return (s->p[0] | 0x20) == 'z';
	if (s->n != 6 || (s->p[0] != '+' && s->p[0] != '-'))
		return false;
	sign = s->p[0] == '-' ? -1 : 1;
	*s = (struct str){s->p + 1, s->n - 1};
	if (!take_digits(s, 2, ':', &hours) || !take_digits(s, 2, '\0', &minutes) || hours > 23 || minutes > 59)
		return false;
	*ms = sign * (hours * 60 + minutes) * 60000;
	return true;
}

static bool take_date(struct str *s, int64_t *days)
{
	int64_t year, month, day;

	if (!take_digits(s, 4, '-', &year) || !take_digits(s, 2, '-', &month) || !take_digits(s, 2, 'T', &day))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > clock_month_days(year, (int)month))
		return false;
	*days = clock_day(year, (int)month, (int)day);
	return true;
}

static bool take_time(struct str *s, int64_t *ms)
{
	int64_t hour, minute, second, fraction;

	if (!take_digits(s, 2, ':', &hour) || !take_digits(s, 2, ':', &minute) ||
	    !take_digits(s, 2, '\0', &second) || !take_fraction(s, &fraction))
		return false;
	*ms = ((hour * 60 + minute) * 60 + second) * 1000 + fraction;
	return hour <= 23 && minute <= 59 && second <= 60;
}

bool text_to_time(struct str s, int64_t *out_ms)
{
	int64_t days, ms, offset;

	if (!take_date(&s, &days) || !take_time(&s, &ms) || !take_offset(&s, &offset))
		return false;
	*out_ms = days * 86400000 + ms - offset;
	/* Only these can be written again: 0000-01-01 to 9999-12-31. */
	return *out_ms >= -62167219200000 && *out_ms <= 253402300799999;
}
