/*
 * A sink that counts behaviour on the way to another: of a run without records (--mock-db), whose realism nobody could
 * look up later. It knows what this process has seen; a run that is resumed begins anew with it.
 */
#ifndef TENFOLD_SIM_BEHAVIOUR_SINK_H
#define TENFOLD_SIM_BEHAVIOUR_SINK_H

#include "base/arena.h"
#include "sim/behaviour.h"
#include "sim/ports.h"

struct behaviour_sink;
struct sim_realism;

/* NULL: the scenario names no profile that there is. `first_ms` is the simulated time of its first cycle. What `to` and
 * `s` point to stays longer than it. */
struct behaviour_sink *behaviour_sink_new(const struct scenario *s, uint32_t agents, int64_t first_ms,
					  struct sink to);
void behaviour_sink_free(struct behaviour_sink **b);

struct sink behaviour_sink_port(struct behaviour_sink *b);

/* Up to now; all of the arena, and of the sink. Any thread. */
void behaviour_sink_judge(struct behaviour_sink *b, struct arena *a, struct sim_realism *out);

#endif
