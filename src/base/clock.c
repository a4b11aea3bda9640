/*
 * Our time is an anchor plus the boot time that has passed since. After each whole 100 ms the anchor moves up, and
 * may take one millisecond of the way to the wall clock with it: that is the 1%, without fractions. Within those
 * 100 ms our time runs exactly with boot time; where a step back at the anchor would show, it stands still instead.
 */
#include "base/clock.h"

#include "base/log.h"
#include "base/magic.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

enum { SLEW_DIVISOR = 100, WALL_SET_MS = 500 };

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
	return v < low ? low : v > high ? high : v;
}

/* Uses up the whole steps since the anchor. */
static void move_anchor(struct clock_slew *s, int64_t boot_ms, int64_t wall_ms)
{
	int64_t passed_ms = boot_ms - s->anchor_boot_ms, steps = passed_ms / SLEW_DIVISOR;
	int64_t behind_ms = wall_ms - (s->anchor_ms + passed_ms);

	s->anchor_boot_ms += steps * SLEW_DIVISOR;
	s->anchor_ms += steps * SLEW_DIVISOR + clamp(behind_ms, -steps, steps);
}

int64_t clock_slew_now(struct clock_slew *s, int64_t boot_ms, int64_t wall_ms)
{
	int64_t now;

	if (s->anchor_ms == 0)
		*s = (struct clock_slew){.anchor_boot_ms = boot_ms,
					 .anchor_ms = wall_ms,
					 .last_ms = wall_ms,
					 .wall_minus_boot_ms = wall_ms - boot_ms};
	/* A disciplined wall clock drifts slowly; a jump between two readings is somebody setting it. */
	s->wall_was_set = llabs(wall_ms - boot_ms - s->wall_minus_boot_ms) >= WALL_SET_MS;
	s->wall_minus_boot_ms = wall_ms - boot_ms;
	move_anchor(s, boot_ms, wall_ms);
	now = s->anchor_ms + (boot_ms - s->anchor_boot_ms);
	s->offset_ms = wall_ms - now;
	if (now > s->last_ms)
		s->last_ms = now;
	return s->last_ms;
}

enum { SYSTEM_MAGIC = 0x5c10c4a1 };

struct clock_system {
	unsigned magic;
	struct clock clock;
	pthread_mutex_t mutex; /* guards what follows */
	struct clock_slew slew;
};

static int64_t read_ms(clockid_t id)
{
	struct timespec t;

	CHECK(clock_gettime(id, &t) == 0);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_now_ms(struct clock *clock)
{
	struct clock_system *c = CONTAINER_OF(clock, struct clock_system, clock);
	struct clock_slew slew;

	CHECK_OBJ(c, SYSTEM_MAGIC);
	pthread_mutex_lock(&c->mutex);
	clock_slew_now(&c->slew, read_ms(CLOCK_BOOTTIME), read_ms(CLOCK_REALTIME));
	slew = c->slew;
	pthread_mutex_unlock(&c->mutex);
	if (slew.wall_was_set)
		LOG_W("clock.set", "behind_ms=%lld takes_s=%lld", (long long)slew.offset_ms,
		      llabs(slew.offset_ms) * SLEW_DIVISOR / 1000);
	return slew.last_ms;
}

struct clock *clock_system_new(void)
{
	struct clock_system *c = NEW(struct clock_system);

	c->magic = SYSTEM_MAGIC;
	c->clock.now_ms = system_now_ms;
	CHECK(pthread_mutex_init(&c->mutex, NULL) == 0);
	return &c->clock;
}

void clock_system_destroy(struct clock **clock)
{
	struct clock_system *c;

	if (!*clock)
		return;
	c = CONTAINER_OF(*clock, struct clock_system, clock);
	CHECK_OBJ(c, SYSTEM_MAGIC);
	pthread_mutex_destroy(&c->mutex);
	c->magic = 0;
	free(c);
	*clock = NULL;
}

static int64_t virtual_now_ms(struct clock *clock)
{
	return CONTAINER_OF(clock, struct clock_virtual, clock)->ms;
}

void clock_virtual_init(struct clock_virtual *v, int64_t ms)
{
	*v = (struct clock_virtual){.clock.now_ms = virtual_now_ms, .ms = ms};
}

int64_t clock_mono_ns(void)
{
	struct timespec t;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

enum { DAY_MS = 86400000 };

/* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days: years begin in March, so that the
 * leap day is the last; an era is the 400 years after which the calendar repeats. */
static struct clock_date date_of_day(int64_t days_since_1970)
{
	int64_t days = days_since_1970 + 719468; /* since 0000-03-01 */
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t of_era = days - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153; /* from March */
	int64_t day = of_year - (153 * month + 2) / 5 + 1;

	return (struct clock_date){year + era * 400 + (month >= 10), (int)(month < 10 ? month + 3 : month - 9),
				   (int)day};
}

/* The same, days_from_civil. */
int64_t clock_day(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int clock_month_days(int64_t year, int month)
{
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	if (month == 2)
		return leap ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static int64_t ms_of_day(int64_t ms)
{
	return (ms % DAY_MS + DAY_MS) % DAY_MS;
}

struct clock_date clock_date(int64_t ms)
{
	return date_of_day((ms - ms_of_day(ms)) / DAY_MS);
}

/* Writes v right-aligned, as many digits as there are. */
static void digits(char *out, int count, int64_t v)
{
	while (count-- > 0) {
		out[count] = (char)('0' + v % 10);
		v /= 10;
	}
}

void clock_format(int64_t ms, char out[CLOCK_TEXT])
{
	/* Four digits hold no other years: 0000-01-01 to 9999-12-31. */
	int64_t t = clamp(ms, -62167219200000, 253402300799999);
	int64_t of_day = ms_of_day(t);
	struct clock_date d = clock_date(t);

	memcpy(out, "0000-00-00T00:00:00.000Z", CLOCK_TEXT);
	digits(out, 4, d.year);
	digits(out + 5, 2, d.month);
	digits(out + 8, 2, d.day);
	digits(out + 11, 2, of_day / 3600000);
	digits(out + 14, 2, of_day / 60000 % 60);
	digits(out + 17, 2, of_day / 1000 % 60);
	digits(out + 20, 3, of_day % 1000);
}
