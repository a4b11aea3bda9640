/*
 * Sessions that were under way when a run was cut off: nothing of them is recorded, but the target may have a cart of
 * theirs. Before the cycle is run again, their agents clean up, as the scenario says. See run_priv.h.
 */
#include "sim/run_priv.h"

#include "base/magic.h"

/* The cycle that was under way. */
static uint32_t cut_cycle(const struct run *r)
{
	uint32_t after = run_first_cycle(r);

	return r->seen.whole + 1 > (int64_t)after ? (uint32_t)(r->seen.whole + 1) : after;
}

static void tell(struct run *r, uint32_t agent, uint32_t cycle)
{
	char room[POPULATION_ROOM];

	run_log(r,
		"%.*s may have been in a session when cycle %u was cut off: that is abandoned, and cleaned up "
		"behind",
		STRF(population_id(r->population, agent, room)), cycle);
}

/* Both are in order. */
static uint32_t leave_out_ended(struct run *r, uint32_t *agents, uint32_t count)
{
	uint32_t left = 0;
	size_t ended = 0;

	for (uint32_t i = 0; i < count; i++) {
		while (ended < r->seen.ended.n && r->seen.ended.v[ended] < agents[i])
			ended++;
		if (ended == r->seen.ended.n || r->seen.ended.v[ended] != agents[i])
			agents[left++] = agents[i];
	}
	return left;
}

void run_clean_up(struct run *r)
{
	uint32_t cycle = cut_cycle(r), count;

	if (!r->was_cut_off || !scenario_has_cleanup(r->scenario))
		return;
	if (r->args->cycles > 0 && cycle >= r->args->cycles)
		return; /* it was cut off behind its last cycle */
	r->orphans = must_alloc(population_count(r->population) * sizeof(r->orphans[0]));
	count = leave_out_ended(r, r->orphans, engine_active_in(r->engine, cycle, r->orphans));
	for (uint32_t i = 0; i < count; i++)
		tell(r, r->orphans[i], cycle);
	if (count > 0)
		run_say(r,
			"orphans   %u agents may have been in a session when cycle %u was cut off: they are in the "
			"log, and clean up first",
			count, cycle);
	engine_clean_up(r->engine, r->orphans, count);
}
