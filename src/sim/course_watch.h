/* Who keeps course.json (sim/course.h) while a run goes, as something that hangs on it. */
#ifndef TENFOLD_SIM_COURSE_WATCH_H
#define TENFOLD_SIM_COURSE_WATCH_H

#include "base/clock.h"
#include "sim/behaviour_sink.h"
#include "sim/thresholds.h"
#include "sim/watcher.h"

/* All that is pointed at stays as long as the run. */
struct course_config {
	const struct run_facts *facts;
	const struct engine_config *engine;
	struct str population, program; /* where the agents are from; the version */
	const struct threshold *thresholds;
	size_t threshold_count;
	struct behaviour_sink *behaviour; /* NULL: it is to be read from the records */
	struct clock *wall;
	/* A line when the file cannot be written. The run goes on, and it is tried again. */
	void (*trouble)(void *ctx, const char *line);
	void *ctx;
};

/* Goes on with the file of the run that is resumed; one that cannot be read is begun anew, and `trouble` is told. */
void course_watch(const struct course_config *config, struct watcher *out);

#endif
