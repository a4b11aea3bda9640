/*
 * What is to be done about the fires of a schedule, given the time: which are due, which were missed, whether one may
 * begin beside another. Pure: no clock, no rows.
 *
 * A fire has a time, by the cron line, and is due when its jitter has passed as well. The jitter of a fire is the same
 * whoever asks and whenever, and ends before the next fire's time. Fires are dealt with in order, each once.
 */
#ifndef TENFOLD_SCHEDULE_PLAN_H
#define TENFOLD_SCHEDULE_PLAN_H

#include "schedule/cron.h"
#include "spec/types.h"

enum { PLAN_FIRES_MAX = 64 };

struct plan_rule {
	const struct cron *cron;
	const struct zone *zone;
	int64_t id; /* of the schedule */
	int64_t jitter_ms;
	enum schedule_missed missed;
	int64_t missed_after_ms, missed_max;
};

struct plan_fire {
	int64_t at_ms;
	int64_t since_ms; /* it stands for the fires from then on; at_ms: for itself alone */
	bool is_missed;   /* only to be noted */
};

struct plan_todo {
	struct plan_fire fires[PLAN_FIRES_MAX];
	size_t count;
	int64_t next_ms; /* the time of the first fire that is not dealt with by these */
};

/* When the fire of a time is due. */
int64_t plan_due_ms(const struct plan_rule *r, int64_t at_ms);

/* All fires that are due, from one of a time on, or the first of them when they are too many: next_ms is due then. */
void plan_make(const struct plan_rule *r, int64_t from_ms, int64_t now_ms, struct plan_todo *out);

enum plan_start { PLAN_START, PLAN_WAIT, PLAN_LEAVE };

/* May one begin, when so many of those begun before are not finished? PLAN_WAIT: when they are. */
enum plan_start plan_overlap(enum schedule_overlap policy, unsigned unfinished);

#endif
