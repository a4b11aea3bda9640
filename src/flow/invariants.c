/* What must hold between batches and after each command; for tests. */
#include "flow/flow_priv.h"

static const char *check_step(const struct flow *f, const struct flow_execution *e, const struct flow_step *s)
{
	bool queued = s->state == STEP_READY || s->state == STEP_RUNNING;
	const struct item *item = queued ? work_find(f->env.work, s->item) : NULL;

	if (s->unmet != step_unmet(e, s))
		return "a step counts wrongly what it still needs";
	if (s->unmet && s->state != STEP_PENDING && s->state != STEP_CANCELLED)
		return "a step began before what it needs was done";
	if (queued && !item)
		return "a step is in the queue, its item is not";
	if (s->state == STEP_READY && item && item->state == WORK_LEASED)
		return "a worker has the item, but the step is not running";
	if (s->state == STEP_RUNNING && item && item->state != WORK_LEASED)
		return "a step is running, but no worker has its item";
	if (queued && map_get(&f->by_item, (uint64_t)s->item) != e)
		return "an item does not lead to its execution";
	return question_broken_invariant(f, e, s);
}

static const char *check_counts(const struct flow_execution *e)
{
	uint16_t standing[STEP_CANCELLED + 1] = {0};

	for (size_t i = 0; i < e->steps_count; i++)
		standing[e->steps[i].state]++;
	for (size_t i = 0; i <= STEP_CANCELLED; i++)
		if (standing[i] != e->standing[i])
			return "steps are counted wrongly";
	return NULL;
}

static bool could_begin(const struct flow *f, const struct flow_execution *e)
{
	for (size_t i = 0; execution_may_run(f, e) && !e->full_ms && i < e->steps_count; i++)
		if (e->steps[i].state == STEP_PENDING && e->steps[i].unmet == 0)
			return true;
	return false;
}

static const char *check_execution(const struct flow *f, const struct flow_execution *e)
{
	const char *broken = check_counts(e);

	for (size_t i = 0; i < e->steps_count && !broken; i++)
		broken = check_step(f, e, &e->steps[i]);
	if (broken)
		return broken;
	if ((e->ended != 0) != (e->state >= EXECUTION_COMPLETED))
		return "an execution has ended and does not say so";
	if (could_begin(f, e))
		return "a step could begin and does not";
	if (!e->ended && e->due_ms != execution_due_ms(e))
		return "an execution is due at another time than it says";
	if ((e->timer_place != HEAP_NOWHERE) != (!e->ended && e->due_ms != NEVER_MS))
		return "the timers do not have what they should have";
	return NULL;
}

/* Live executions by squad are as many as are counted. */
static bool squads_are_counted(const struct flow *f)
{
	struct map counted = {0};
	struct idmap_cursor c;
	bool good = true;

	for (c = idmap_below(&f->by_id, INT64_MAX); idmap_next_down(&f->by_id, &c);) {
		const struct flow_execution *e = c.value;
		uintptr_t n = (uintptr_t)map_get(&counted, (uint64_t)e->squad);

		if (!e->ended)
			map_put(&counted, (uint64_t)e->squad, (void *)(n + 1));
	}
	for (c = idmap_below(&f->by_id, INT64_MAX); good && idmap_next_down(&f->by_id, &c);) {
		const struct flow_execution *e = c.value;

		good = map_get(&f->live_of, (uint64_t)e->squad) == map_get(&counted, (uint64_t)e->squad);
	}
	good = good && f->live_of.count == counted.count;
	map_free(&counted);
	return good;
}

const char *flow_broken_invariant(const struct flow *f)
{
	const char *broken = NULL;
	struct idmap_cursor c;
	uint64_t live = 0;
	size_t queued = 0, asking = 0;

	for (c = idmap_below(&f->by_id, INT64_MAX); !broken && idmap_next_down(&f->by_id, &c);) {
		const struct flow_execution *e = c.value;

		broken = check_execution(f, e);
		live += !e->ended;
		queued += (size_t)e->standing[STEP_READY] + e->standing[STEP_RUNNING];
		for (size_t i = 0; i < e->steps_count; i++)
			asking += e->steps[i].asking.question != NULL;
	}
	if (broken)
		return broken;
	if (live != f->live)
		return "live executions are counted wrongly";
	if (asking != f->questions.count - f->batch.over.n)
		return "there are questions of no step";
	if (!squads_are_counted(f))
		return "live executions of a squad are counted wrongly";
	return queued == f->by_item.count ? NULL : "there are items of no step";
}
