/* What becomes of items becomes of their steps. The queue's own happenings are read, in order, so whatever moved an
 * item (a worker, a timer, an operator) is heard the same way. */
#include "flow/flow_priv.h"

static struct flow_ending ending_of(const struct flow *f, int64_t item)
{
	struct work_change change;

	if (!work_finished_now(f->env.work, item, &change))
		return (struct flow_ending){0};
	return (struct flow_ending){.result = change.result, .error = change.error, .used = change.used};
}

/* Back in the queue; where nothing may run, out of it. */
static void is_back(struct flow *f, struct flow_execution *e, struct flow_step *s, const struct cause *why)
{
	if (s->state == STEP_RUNNING)
		step_moves(f, e, s, STEP_READY, why);
	if (!e->paused && !flow_squad_is_paused(f, e->squad))
		return;
	step_leaves_queue(f, e, s, STR("the execution is paused"));
	step_moves(f, e, s, STEP_PENDING, &(struct cause){0});
}

static void progressed(struct flow *f, struct flow_execution *e, struct flow_step *s,
		       const struct work_happening *h)
{
	s->progress = h->progress;
	s->touched = true;
	flow_tell(f, e,
		  &(struct flow_event){.kind = FLOW_STEP_PROGRESS,
				       .from = -1,
				       .to = -1,
				       .step = s->id,
				       .member = s->member,
				       .attempt = h->attempt,
				       .progress = h->progress,
				       .agent = name_str(h->agent)});
}

static void is_taken(struct flow *f, struct flow_execution *e, struct flow_step *s, const struct cause *why)
{
	e->claimed = true;
	step_moves(f, e, s, STEP_RUNNING, why);
}

static void apply(struct flow *f, struct flow_execution *e, struct flow_step *s, const struct work_happening *h)
{
	struct cause why = {.agent = name_str(h->agent), .attempt = h->attempt};

	switch ((enum work_event_kind)h->kind) {
	case EVENT_CLAIMED:
		is_taken(f, e, s, &why);
		return;
	case EVENT_PROGRESS:
		progressed(f, e, s, h);
		return;
	case EVENT_RETRYING:
	case EVENT_LAPSED:
	case EVENT_RELEASED:
		is_back(f, e, s, &why);
		return;
	case EVENT_COMPLETED:
		why.ending = ending_of(f, h->id);
		step_ends(f, e, s, STEP_COMPLETED, &why);
		return;
	case EVENT_FAILED:
	case EVENT_CANCELLED:
		why.ending = ending_of(f, h->id);
		step_ends(f, e, s, STEP_FAILED, &why);
		return;
	case EVENT_ENQUEUED:
	case EVENT_READY:
	case EVENT_REVIVED:
		return;
	}
	UNREACHABLE();
}

static void hear(struct flow *f, const struct work_happening *h)
{
	struct flow_execution *e = map_get(&f->by_item, (uint64_t)h->id);
	struct flow_step *s = e ? step_of_item(e, h->id) : NULL;

	if (!s)
		return;
	execution_touch(f, e);
	apply(f, e, s, h);
	execution_advance(f, e);
	execution_arrange(f, e);
}

void flow_follow(struct flow *f)
{
	const struct work_happening *all;
	size_t count;

	CHECK(f->batch.open);
	for (all = work_happenings(f->env.work, &count); f->batch.told < count;
	     all = work_happenings(f->env.work, &count)) {
		struct work_happening h = all[f->batch.told++]; /* what follows from it may move the others */

		if (f->by_item.count > 0)
			hear(f, &h);
	}
}
