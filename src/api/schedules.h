/* Schedules: their calls, and what a fire does (schedule/firing.h). */
#ifndef TENFOLD_API_SCHEDULES_H
#define TENFOLD_API_SCHEDULES_H

#include "api/app.h"

/* Adds the jobs of schedules to app->jobs, which has not started. home: the tenant in which those that are built in
 * stand. exclusive: no other process is on this store. */
void schedules_add(struct app *app, int64_t home, bool exclusive);

/* What a fire of one that is built in does, on the queue's thread. Given by schedule_built_in.c. */
enum err schedule_run_built_in(struct app *app, const struct fire *fire, struct arena *a, int64_t now_ms,
			       struct fired *out);

/* For struct fire_action: what a fire does. Given by schedule_fire.c; ctx is the app. */
unsigned schedule_unfinished(void *ctx, const struct schedule_row *schedule, const struct schedule_new *given);
enum err schedule_start(void *ctx, const struct fire *fire, struct arena *a, int64_t now_ms, struct fired *out,
			struct problem *p);

#endif
