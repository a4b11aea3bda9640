/*
 * The life of one step. Every change of state is a move of this table; any other is a bug and stops the program.
 *
 *            what it needs is met                  claimed                   completed
 *   PENDING ───────────────────────► READY ───────────────────► RUNNING ───────────────► COMPLETED
 *      ▲ │  in the queue               ▲ └─ held, cancelled ─►     │ │ failed for good
 *      │ └──────► WAITING              └── released, lapsed, ──────┘ └──────────────────► FAILED
 *      │   wait,     │ came, approved ► COMPLETED   retrying                                │
 *      │   approval  │ lapsed, refused ► FAILED                                             │
 *      └── held ◄────┴─────────────────────────────── the execution tries again ◄───────────┘
 *          answered  ▲
 *                    └── RUNNING, which asked a question; nobody answered ► FAILED
 *
 *   from each state but the three ends: the execution ended ──► CANCELLED
 */
#include "flow/flow_priv.h"

#include "base/id.h"

#define TO(state) (1u << (state))

static const uint8_t may_become[] = {
	[STEP_PENDING] =
		TO(STEP_READY) | TO(STEP_WAITING) | TO(STEP_COMPLETED) | TO(STEP_FAILED) | TO(STEP_CANCELLED),
	[STEP_READY] =
		TO(STEP_RUNNING) | TO(STEP_PENDING) | TO(STEP_COMPLETED) | TO(STEP_FAILED) | TO(STEP_CANCELLED),
	[STEP_RUNNING] = TO(STEP_READY) | TO(STEP_PENDING) | TO(STEP_WAITING) | TO(STEP_COMPLETED) |
			 TO(STEP_FAILED) | TO(STEP_CANCELLED),
	[STEP_WAITING] = TO(STEP_PENDING) | TO(STEP_COMPLETED) | TO(STEP_FAILED) | TO(STEP_CANCELLED),
	[STEP_COMPLETED] = 0,
	[STEP_FAILED] = TO(STEP_PENDING),
	[STEP_CANCELLED] = TO(STEP_PENDING),
};

/* ---- finding ---- */

struct flow_step *step_find(const struct flow_execution *e, int64_t id)
{
	for (size_t i = 0; i < e->steps_count; i++)
		if (e->steps[i].id == id)
			return &e->steps[i];
	return NULL;
}

struct flow_step *step_of_item(const struct flow_execution *e, int64_t item)
{
	for (size_t i = 0; i < e->steps_count; i++) {
		struct flow_step *s = &e->steps[i];

		if (s->item == item && (s->state == STEP_READY || s->state == STEP_RUNNING))
			return s;
	}
	return NULL;
}

/* ---- moving ---- */

void step_moves(struct flow *f, struct flow_execution *e, struct flow_step *s, enum step_state to,
		const struct cause *why)
{
	enum step_state from = s->state;

	CHECK(may_become[from] & TO(to));
	e->standing[from]--;
	e->standing[to]++;
	s->state = (uint8_t)to;
	s->touched = true;
	if (to != STEP_RUNNING)
		s->progress = to == STEP_COMPLETED ? 100 : 0;
	flow_tell(f, e,
		  &(struct flow_event){.kind = FLOW_STEP_STATUS,
				       .from = (int)from,
				       .to = (int)to,
				       .step = s->id,
				       .member = s->member,
				       .attempt = why->attempt,
				       .progress = s->progress,
				       .agent = why->agent,
				       .text = why->ending.error});
}

void step_keeps(struct flow *f, struct flow_step *s, const struct flow_ending *ending)
{
	struct flow_ending *copy = ARENA_NEW(f->batch.arena, struct flow_ending);

	*copy = (struct flow_ending){.result = arena_str(f->batch.arena, ending->result),
				     .error = arena_str(f->batch.arena, ending->error),
				     .used = arena_str(f->batch.arena, ending->used)};
	s->ending = copy;
}

/* Those that need it need one step less. */
static void tell_dependents(struct flow_execution *e, const struct flow_step *s)
{
	uint16_t position = (uint16_t)(s - e->steps);

	for (size_t i = position + 1u; i < e->steps_count; i++)
		for (size_t k = 0; k < e->steps[i].needs_count; k++)
			if (e->steps[i].needs[k] == position)
				e->steps[i].unmet--;
}

void step_ends(struct flow *f, struct flow_execution *e, struct flow_step *s, enum step_state to,
	       const struct cause *why)
{
	if (!s->signalled) /* else it has what came with its event */
		step_keeps(f, s, &why->ending);
	step_moves(f, e, s, to, why);
	if (step_is_met(s))
		tell_dependents(e, s);
}

void step_leaves_queue(struct flow *f, struct flow_execution *e, struct flow_step *s, struct str why)
{
	struct item *item;
	bool queued = s->state == STEP_READY || s->state == STEP_RUNNING;

	/* Nobody hears of it as of an end: by then the step is pending or cancelled. */
	if (queued)
		(void)work_cancel(f->env.work, e->tenant, s->item, STR("tenfold"), why, &item);
}

/* ---- beginning ---- */

static enum err enqueue(struct flow *f, struct flow_execution *e, struct flow_step *s, struct problem *p)
{
	char squad[ID_TEXT];
	struct item *item;
	enum err err;

	id_format(squad, "sq_", e->squad);
	err = f->env.enqueue(f->env.ctx, e, s,
			     &(struct work_spec){.tenant = e->tenant,
						 .type = STR(FLOW_ITEM_TYPE),
						 .team = str_of(squad),
						 .priority = e->priority,
						 .deadline_ms = s->timeout_ms ? f->batch.now_ms + s->timeout_ms : 0,
						 .max_attempts = s->attempts_max,
						 .lease_ms = FLOW_LEASE_MS,
						 .backoff_kind = BACKOFF_EXPONENTIAL,
						 .backoff_base_ms = FLOW_BACKOFF_BASE_MS,
						 .backoff_max_ms = FLOW_BACKOFF_MAX_MS,
						 .created_by = STR("tenfold")},
			     &item, p);
	if (!err)
		s->item = item->id;
	return err;
}

static void begin_item(struct flow *f, struct flow_execution *e, struct flow_step *s)
{
	struct problem p;
	enum err err;

	problem_clear(&p);
	err = enqueue(f, e, s, &p);
	if (!err)
		step_moves(f, e, s, STEP_READY, &(struct cause){0});
	else if (err == ERR_TOO_MANY)
		e->full_ms = f->batch.now_ms + FLOW_FULL_MS;
	else
		step_ends(f, e, s, STEP_FAILED,
			  &(struct cause){.ending.error = arena_fmt(f->batch.arena, "%s", p.detail)});
}

void step_begins(struct flow *f, struct flow_execution *e, struct flow_step *s)
{
	bool is_over = s->signalled || (s->until_ms && s->until_ms <= f->batch.now_ms);

	if (s->kind != STEP_WAIT && s->kind != STEP_APPROVAL)
		begin_item(f, e, s);
	else if (s->kind == STEP_WAIT && is_over)
		step_ends(f, e, s, STEP_COMPLETED, &(struct cause){0});
	else
		step_moves(f, e, s, STEP_WAITING, &(struct cause){0});
}
