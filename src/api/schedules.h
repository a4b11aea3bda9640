/* Schedules: their calls, and what a fire does (schedule/firing.h). */
#ifndef TENFOLD_API_SCHEDULES_H
#define TENFOLD_API_SCHEDULES_H

#include "api/app.h"

/* Adds the jobs of schedules to app->jobs, which has not started. exclusive: no other process is on this store. */
void schedules_add(struct app *app, bool exclusive);

/* For struct fire_action: what a fire does. Given by schedule_fire.c; ctx is the app. */
unsigned schedule_unfinished(void *ctx, const struct schedule_row *schedule, const struct schedule_new *given);
enum err schedule_start(void *ctx, const struct fire *fire, struct arena *a, int64_t now_ms, struct fired *out,
			struct problem *p);

#endif
