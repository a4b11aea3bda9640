/*
 * Simulated time, and how eager each agent is at each hour of it.
 *
 * The clock advances by cycles of one simulated hour: cycle n is the hour that begins at start + n hours, whatever
 * the wall clock does, so a pause freezes it and no hour is ever skipped. Within a paced cycle simulated time runs
 * from the hour's beginning to just before its end, `scale` times as fast as real time.
 *
 * Sessions are a Poisson process of each agent with
 *   rate(t) = weekly * hour[hour of day] * weekday[day] * own part of day * own day * season(t) / norm, per week,
 * where norm makes the mean over a week of neutral season 1: an agent of 3.2 sessions a week has 3.2. Of a cycle the
 * probability of at least one is 1 - exp(-integral), which never passes 1 whatever the factors. Where a second one in
 * the same hour is not begun, an agent of 3.2 evenly spread has 3.17.
 */
#ifndef TENFOLD_SIM_CALENDAR_H
#define TENFOLD_SIM_CALENDAR_H

#include "base/str.h"

enum { CALENDAR_HOUR_MS = 3600 * 1000, CALENDAR_SEASONS_MAX = 32 };
enum day_part { PART_MORNING, PART_AFTERNOON, PART_EVENING, PART_COUNT }; /* 5-12, 12-17, 17-5 */
enum day_kind { DAY_WEEKDAY, DAY_SATURDAY, DAY_SUNDAY, DAY_COUNT };

struct season { /* days of the year, both ends in; one that ends before it begins goes over New Year */
	struct str name;
	uint8_t from_month, from_day, to_month, to_day; /* from 1 */
	double factor;                                  /* those of one day are multiplied */
};

/* What all agents have in common. */
struct calendar {
	int64_t start_ms;            /* UTC, a whole hour, 1970 or later */
	double hour[24], weekday[7]; /* Monday first; any scale, all 1 by default */
	struct season seasons[CALENDAR_SEASONS_MAX];
	unsigned season_count;
};

/* What is an agent's own; 28 bytes. */
struct eagerness {
	float weekly;           /* sessions a week; divided by norm already */
	float part[PART_COUNT]; /* factors */
	float day[DAY_COUNT];
};

struct moment { /* a cycle's hour, taken apart */
	int64_t ms;
	int hour, weekday; /* 0..23; 0 is Monday */
	int month, day;    /* from 1 */
	enum day_part part;
	enum day_kind kind;
	double common; /* hour * weekday * season / 168: what all agents' rates have in common, per cycle */
};

void calendar_moment(const struct calendar *c, uint32_t cycle, struct moment *out);
/* Divides weekly by the norm of this agent under this calendar; one that is eager at no hour never comes. */
void eagerness_normalise(const struct calendar *c, struct eagerness *e);
/* The integral of the agent's rate over the cycle: sessions to be expected in it. */
double eagerness_in(const struct eagerness *e, const struct moment *m);
double calendar_season(const struct calendar *c, int month, int day);

#endif
