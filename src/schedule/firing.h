/*
 * The job that fires schedules, each fire once.
 *
 * It runs on the queue's thread of the process that owns the queue, so that the row of a fire, where its schedule
 * stands, and the item it enqueued are one transaction: all of it is durable or nothing is, and a process that was
 * deposed commits nothing. A schedule's fires are dealt with in the order of their times, and `last_ms` never goes
 * back, so a clock that was set back, or one that goes behind in another process, fires nothing again.
 *
 * An item that waits for the one before it depends on it in the queue. An execution cannot, so such a fire is noted as
 * waiting and begun when the one before it has ended: `waits` asks to be woken then.
 *
 * Between fires the job rests until the next is due. What changes schedules wakes it (jobs_wake); where another process
 * may have changed one it looks every few seconds.
 */
#ifndef TENFOLD_SCHEDULE_FIRING_H
#define TENFOLD_SCHEDULE_FIRING_H

#include "jobs/jobs.h"
#include "schedule/rows.h"

struct fire {
	const struct schedule_row *schedule;
	const struct schedule_new *given;
	int64_t at_ms;
	int64_t after_item; /* it waits until this is finished; 0: for nothing */
};

/* What a fire brought forth; texts in the arena. */
struct fired {
	int64_t item, execution; /* 0: none */
	bool left_out;           /* it was not to be done now; detail says why */
	struct str detail;
};

/* What a fire does. On the queue's thread, inside a batch; what is given lives until the batch ends. */
struct fire_action {
	/* How many of what the schedule began are not finished, as far as overlapping goes: 0, 1, or 2. */
	unsigned (*unfinished)(void *ctx, const struct schedule_row *schedule, const struct schedule_new *given);
	/* An error has changed nothing; p says why. */
	enum err (*start)(void *ctx, const struct fire *fire, struct arena *a, int64_t now_ms, struct fired *out,
			  struct problem *p);
	void *ctx;
};

struct firing {
	struct zones *zones;
	struct fire_action action;
	struct schedule_home home;
	bool is_complete; /* those that are built in are there */
	bool waits;       /* a fire waits for the end of an execution; on the queue's thread */
};

/* Adds the jobs, which must not have started: the one that fires, and one that clears away what was fired long ago.
 * *f must live as long as they. look_ms: how often it is looked whether somebody else changed a schedule. */
void firing_add(struct firing *f, struct jobs *jobs, int64_t look_ms);

#endif
