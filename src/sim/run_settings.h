/*
 * What a run is told on the command line, checked and reckoned: what the table of its flags cannot say.
 */
#ifndef TENFOLD_SIM_RUN_SETTINGS_H
#define TENFOLD_SIM_RUN_SETTINGS_H

#include "sim/engine.h"
#include "spec/types.h"

struct run_settings {
	const struct sim_run_args *given;
	uint64_t seed;
	struct str seed_text; /* of the arena */
	int64_t start_ms;     /* simulated; a whole hour */
	double time_scale;    /* 0: max */
	bool arrives;
	struct arrival_plan arrivals;
	enum engine_on_open on_open;
	int64_t cooldown_ms;
};

/* ERR_USAGE or ERR_INVALID names the flag. Draws a seed if none is given, and notes it among what is given. */
enum err run_settings_read(struct sim_run_args *given, struct arena *a, struct run_settings *out,
			   struct problem *p);

/* A resume: what was not given is as the run was begun with, `before`; ERR_CONFLICT names a flag that would make other
 * agents, or let them decide otherwise. */
enum err run_settings_take_over(struct sim_run_args *given, const struct sim_run_args *before, struct problem *p);

/* Fields that are not kept for a resume: they are of one process, or secret. */
uint64_t run_settings_of_process(void);

#endif
