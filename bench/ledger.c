/* The bits stand where the map keeps its pointer. */
#include "ledger.h"

static const uintptr_t ALL = (1 << STEP_COUNT) - 1;

bool ledger_mark(struct ledger *l, int64_t id, enum step step)
{
	uintptr_t bit = (uintptr_t)1 << step, steps = (uintptr_t)map_get(&l->items, (uint64_t)id);

	if (steps & bit)
		return false;
	l->steps[step]++;
	steps |= bit;
	if (steps == ALL)
		map_take(&l->items, (uint64_t)id);
	else
		map_put(&l->items, (uint64_t)id, (void *)steps);
	return true;
}

bool ledger_sound(const struct ledger *l)
{
	uint64_t waiting = 0, claimed = 0;
	void *steps;

	for (size_t i = 0; (steps = map_next(&l->items, &i));) {
		waiting += (uintptr_t)steps == 1 << STEP_ENQUEUE;
		claimed += (uintptr_t)steps == (1 << STEP_ENQUEUE | 1 << STEP_CLAIM);
	}
	return waiting + claimed == l->items.count && waiting == l->steps[STEP_ENQUEUE] - l->steps[STEP_CLAIM] &&
	       claimed == l->steps[STEP_CLAIM] - l->steps[STEP_SETTLE];
}
