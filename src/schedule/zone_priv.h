/* What zone.c and zone_rule.c share. */
#ifndef TENFOLD_SCHEDULE_ZONE_PRIV_H
#define TENFOLD_SCHEDULE_ZONE_PRIV_H

#include "base/vec.h"
#include "schedule/zone.h"

struct zone_change {
	int64_t at_s;
	int32_t offset_s; /* from then on */
};

struct zone {
	int32_t first_s;                 /* the offset before the first change */
	VEC(struct zone_change) changes; /* ascending, each to another offset than before */
};

/* Appends a change, unless it changes nothing; one at the time of the last takes its place. */
void zone_add(struct zone *z, int64_t at_s, int32_t offset_s);

/* Carries out the rule of a file's last line (POSIX TZ with the extensions of RFC 9636), after the last change. */
bool zone_follow_rule(struct zone *z, struct str rule);

#endif
