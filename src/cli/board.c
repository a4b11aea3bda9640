/* See board.h: what is known, and how events change it. */
#include "cli/board_priv.h"

#include <stdio.h>
#include <string.h>

enum { TEXTS_MAX = 64 << 20 };

/* ---- life ---- */

struct board *board_new(void)
{
	struct board *b = NEW(struct board);

	b->arena = arena_new(TEXTS_MAX);
	return b;
}

static void execution_free(struct board_execution *e)
{
	arena_destroy(&e->arena);
	VEC_FREE(&e->questions);
	free(e);
}

void board_destroy(struct board **pb)
{
	struct board *b = *pb;

	*pb = NULL;
	if (!b)
		return;
	for (size_t i = 0; i < b->all.n; i++)
		execution_free(b->all.v[i]);
	VEC_FREE(&b->all);
	VEC_FREE(&b->members);
	arena_destroy(&b->arena);
	free(b);
}

/* ---- finding ---- */

bool board_ended(const struct board_execution *e)
{
	return e->state == EXECUTION_COMPLETED || e->state == EXECUTION_FAILED || e->state == EXECUTION_CANCELLED;
}

/* Where it stands, or would. */
static size_t place_of(const struct board *b, int64_t id)
{
	size_t i = 0;

	while (i < b->all.n && b->all.v[i]->id > id)
		i++;
	return i;
}

struct board_execution *board_find(const struct board *b, int64_t id)
{
	size_t i = place_of(b, id);

	return i < b->all.n && b->all.v[i]->id == id ? b->all.v[i] : NULL;
}

struct str board_member(const struct board *b, int64_t id)
{
	for (size_t i = 0; i < b->members.n; i++)
		if (b->members.v[i].id == id)
			return b->members.v[i].name;
	return (struct str){0};
}

static struct board_step *find_step(const struct board_execution *e, int64_t id)
{
	for (size_t i = 0; e && i < e->steps_count; i++)
		if (e->steps[i].id == id)
			return &e->steps[i];
	return NULL;
}

struct str board_step_name(const struct board *b, int64_t execution, int64_t step)
{
	const struct board_step *s = find_step(board_find(b, execution), step);

	return s ? s->name : (struct str){0};
}

/* ---- room ---- */

static void take_out(struct board *b, size_t i)
{
	execution_free(b->all.v[i]);
	memmove(&b->all.v[i], &b->all.v[i + 1], (b->all.n - i - 1) * sizeof(*b->all.v));
	b->all.n--;
}

void board_forget(struct board *b, int64_t execution)
{
	if (board_find(b, execution))
		take_out(b, place_of(b, execution));
}

/* The one that ended longest ago; when none has, the oldest: it comes back with its next event. */
static size_t least(const struct board *b)
{
	size_t found = b->all.n - 1;

	for (size_t i = 0; i < b->all.n; i++) {
		const struct board_execution *e = b->all.v[i], *other = b->all.v[found];

		if (board_ended(e) && (!board_ended(other) || e->finished_ms < other->finished_ms))
			found = i;
	}
	return found;
}

static struct board_execution *find_or_add(struct board *b, int64_t id)
{
	struct board_execution *e = board_find(b, id);
	size_t i;

	if (e)
		return e;
	if (b->all.n == BOARD_EXECUTIONS)
		take_out(b, least(b));
	e = NEW(struct board_execution);
	e->id = id;
	i = place_of(b, id);
	(void)VEC_PUSH(&b->all);
	memmove(&b->all.v[i + 1], &b->all.v[i], (b->all.n - 1 - i) * sizeof(*b->all.v));
	b->all.v[i] = e;
	return e;
}

/* ---- what was read ---- */

void board_expect(struct board *b, int64_t execution)
{
	find_or_add(b, execution);
}

void board_take_squad(struct board *b, const struct squad *s)
{
	if (!str_eq(b->squad, s->name))
		b->squad = arena_str(b->arena, s->name);
	b->squad_status = s->status;
}

void board_take_member(struct board *b, const struct squad_member *m)
{
	if (!board_member(b, m->id).n)
		*VEC_PUSH(&b->members) = (struct board_member){m->id, arena_str(b->arena, m->name)};
}

static void take_head(struct board_execution *e, const struct execution *from)
{
	struct arena *before = e->arena;

	e->arena = arena_new(TEXTS_MAX);
	e->name = arena_str(e->arena, from->name);
	e->why = HAS(from, execution, why) ? arena_str(e->arena, from->why) : (struct str){0};
	e->state = from->state;
	e->block = HAS(from, execution, block) ? from->block : BLOCK_NONE;
	e->paused = from->paused;
	e->started_ms = HAS(from, execution, started_at) ? from->started_at : 0;
	e->finished_ms = HAS(from, execution, finished_at) ? from->finished_at : 0;
	e->last_event = from->last_event;
	e->must_read = false;
	e->questions_read = false;
	e->cost_due = e->cost_due || (!before && e->state != EXECUTION_PENDING && e->state != EXECUTION_QUEUED);
	e->steps = NULL;
	e->steps_count = 0;
	arena_destroy(&before);
}

void board_take_listed(struct board *b, const struct execution *from)
{
	struct board_execution *e = find_or_add(b, from->id);

	if (!e->arena)
		take_head(e, from);
	else if (from->last_event > e->last_event)
		e->must_read = true;
}

static void take_step(struct arena *a, const struct execution_step *from, struct board_step *to)
{
	*to = (struct board_step){.id = from->id,
				  .name = arena_str(a, from->name),
				  .agent = arena_str(a, from->agent),
				  .kind = from->kind,
				  .state = from->state,
				  .progress = from->progress,
				  .attempt = from->attempt,
				  .needs_count = from->needs_count};
	to->member = HAS(from, execution_step, member) ? from->member : 0;
	to->started_ms = HAS(from, execution_step, started_at) ? from->started_at : 0;
	to->finished_ms = HAS(from, execution_step, finished_at) ? from->finished_at : 0;
}

/* ---- steps as a tree ---- */

enum { NOWHERE = UINT16_MAX };

struct branch {
	uint16_t above, below, beside; /* positions of steps; NOWHERE: none */
	unsigned depth;
};

static size_t position_of(const struct execution *e, size_t before, struct str name)
{
	size_t i = 0;

	while (i < before && !str_eq(e->steps[i].name, name))
		i++;
	return i;
}

/* Of those that it needs the deepest. */
static void find_above(const struct execution *e, size_t i, struct branch *branches)
{
	struct branch *own = &branches[i];

	*own = (struct branch){NOWHERE, NOWHERE, NOWHERE, 0};
	for (size_t k = 0; k < e->steps[i].needs_count; k++) {
		size_t above = position_of(e, i, e->steps[i].needs[k]);

		if (above < i && branches[above].depth + 1 > own->depth) {
			own->above = (uint16_t)above;
			own->depth = branches[above].depth + 1;
		}
	}
}

/* Each into the list below the one above it, the first one first. */
static uint16_t link_branches(struct branch *branches, size_t count)
{
	uint16_t first = NOWHERE;

	for (size_t i = count; i-- > 0;) {
		uint16_t *list = branches[i].above == NOWHERE ? &first : &branches[branches[i].above].below;

		branches[i].beside = *list;
		*list = (uint16_t)i;
	}
	return first;
}

static uint16_t after(const struct branch *branches, uint16_t i)
{
	if (branches[i].below != NOWHERE)
		return branches[i].below;
	while (i != NOWHERE && branches[i].beside == NOWHERE)
		i = branches[i].above;
	return i == NOWHERE ? NOWHERE : branches[i].beside;
}

static uint64_t depth_bit(unsigned depth)
{
	return depth < 64 ? UINT64_C(1) << depth : 0;
}

static uint64_t more_below(const struct branch *branches, uint16_t i)
{
	uint64_t bits = 0;

	for (; i != NOWHERE; i = branches[i].above)
		if (branches[i].beside != NOWHERE)
			bits |= depth_bit(branches[i].depth);
	return bits;
}

static void take_steps(struct board_execution *e, const struct execution *from)
{
	size_t n = from->steps_count;
	struct branch *branches = ARENA_ARRAY(e->arena, struct branch, n + 1);

	e->steps = ARENA_ARRAY(e->arena, struct board_step, n + 1);
	if (!e->steps || !branches)
		return;
	for (size_t i = 0; i < n; i++)
		find_above(from, i, branches);
	for (uint16_t i = link_branches(branches, n); i != NOWHERE; i = after(branches, i)) {
		struct board_step *to = &e->steps[e->steps_count++];

		take_step(e->arena, &from->steps[i], to);
		to->depth = branches[i].depth;
		to->more_below = more_below(branches, i);
	}
}

void board_take(struct board *b, const struct execution *from)
{
	struct board_execution *e = find_or_add(b, from->id);

	if (e->has_steps && from->last_event < e->last_event)
		return;
	take_head(e, from);
	take_steps(e, from);
	e->has_steps = true;
}

/* ---- what is to be read ---- */

static bool is_stale(const struct board_execution *e, bool wanted)
{
	return e->must_read || !e->arena || e->last_event < e->heard ||
	       (!e->has_steps && (wanted || !board_ended(e)));
}

static bool lacks_question(const struct board_execution *e)
{
	for (size_t i = 0; i < e->steps_count; i++)
		if (board_asks(&e->steps[i]) && !board_question(e, &e->steps[i]))
			return true;
	return false;
}

static bool is_due(const struct board_execution *e, enum board_part part)
{
	return part == BOARD_COST ? e->cost_due : !e->questions_read && lacks_question(e);
}

static void set_due(struct board_execution *e, enum board_part part, bool due)
{
	if (part == BOARD_COST)
		e->cost_due = due;
	else
		e->questions_read = !due;
}

int64_t board_due(struct board *b, enum board_part part, int64_t wanted)
{
	struct board_execution *e = board_find(b, wanted);

	for (size_t i = 0; i < b->all.n && (!e || !is_due(e, part)); i++)
		e = b->all.v[i];
	if (!e || !is_due(e, part))
		return 0;
	set_due(e, part, false);
	return e->id;
}

void board_is_due(struct board *b, enum board_part part, int64_t execution)
{
	struct board_execution *e = board_find(b, execution);

	if (e)
		set_due(e, part, true);
}

int64_t board_stale(const struct board *b, int64_t wanted)
{
	const struct board_execution *first = board_find(b, wanted);

	if (first && is_stale(first, true))
		return wanted;
	for (size_t i = 0; i < b->all.n; i++)
		if (is_stale(b->all.v[i], false))
			return b->all.v[i]->id;
	return 0;
}

void board_missed(struct board *b)
{
	for (size_t i = 0; i < b->all.n; i++)
		b->all.v[i]->must_read = b->all.v[i]->cost_due = true;
}

/* ---- what it costs ---- */

static void take_cost(char *to, const struct cost_sum *from)
{
	bool is_known = HAS(from, cost_sum, micro_usd), is_nothing = is_known && !from->micro_usd && !from->unknown;

	snprintf(to, BOARD_COST_BYTES, "%s%.*s", is_known ? "" : "cost ", STRF(is_nothing ? STR("") : from->cost));
}

void board_take_cost(struct board *b, int64_t execution, const struct cost_sum *cost)
{
	struct board_execution *e = board_find(b, execution);

	if (e)
		take_cost(e->cost, cost);
}

void board_take_squad_cost(struct board *b, const struct cost_sum *cost)
{
	take_cost(b->cost, cost);
}

bool board_has_spent(struct board *b)
{
	bool has = b->has_spent;

	b->has_spent = false;
	return has;
}

/* ---- what happened ---- */

static void change_step(struct board_execution *e, const struct execution_event_shown *ev)
{
	struct board_step *s = find_step(e, ev->step);
	int state = json_enum_by_text(&enum_step_state, ev->new_status);

	if (!s || state < 0) {
		e->must_read = true;
		return;
	}
	s->state = state;
	if (state == STEP_RUNNING) {
		s->started_ms = ev->at;
		s->finished_ms = 0;
		s->progress = 0;
		s->attempt = HAS(ev, execution_event_shown, attempt) ? ev->attempt : s->attempt;
		s->agent = arena_str(e->arena, ev->agent);
	} else if (state == STEP_COMPLETED || state == STEP_FAILED || state == STEP_CANCELLED) {
		s->finished_ms = ev->at;
	}
}

/* What it waits for stands in no event. */
static void change_state(struct board_execution *e, const struct execution_event_shown *ev)
{
	int state = json_enum_by_text(&enum_execution_state, ev->new_status);

	if (state < 0 || state == EXECUTION_BLOCKED)
		e->must_read = true;
	if (state >= 0)
		e->state = state;
	if (state != EXECUTION_BLOCKED)
		e->block = BLOCK_NONE;
}

static void end_with(struct board_execution *e, const struct execution_event_shown *ev, int state)
{
	e->state = state;
	e->block = BLOCK_NONE;
	e->finished_ms = ev->at;
	if (HAS(ev, execution_event_shown, message))
		e->why = arena_str(e->arena, ev->message);
}

/* Kinds that are not here change nothing that is seen but the log. */
static void change(struct board_execution *e, const struct execution_event_shown *ev)
{
	struct board_step *s = find_step(e, ev->step);

	switch (ev->kind) {
	case FLOW_STARTED:
		e->started_ms = ev->at;
		break;
	case FLOW_PAUSED:
	case FLOW_RESUMED:
		e->paused = ev->kind == FLOW_PAUSED;
		break;
	case FLOW_STATUS:
		change_state(e, ev);
		break;
	case FLOW_STEP_STATUS:
		change_step(e, ev);
		break;
	case FLOW_STEP_PROGRESS:
		if (s)
			s->progress = HAS(ev, execution_event_shown, progress) ? ev->progress : 0;
		break;
	case FLOW_STEP_ADDED:
		e->must_read = true;
		break;
	case FLOW_COMPLETED:
		end_with(e, ev, EXECUTION_COMPLETED);
		break;
	case FLOW_ERROR:
		end_with(e, ev, EXECUTION_FAILED);
		break;
	case FLOW_CANCELLED:
		end_with(e, ev, EXECUTION_CANCELLED);
		break;
	}
}

/* An attempt at a step ends: it is settled, or asks. */
static bool ends_attempt(const struct execution_event_shown *ev)
{
	return ev->kind == FLOW_STEP_STATUS && str_eqz(ev->old_status, enum_step_state.values[STEP_RUNNING].text);
}

bool board_hear(struct board *b, const struct execution_event_shown *ev)
{
	struct board_execution *e = find_or_add(b, ev->execution);

	if (ev->number <= e->heard)
		return false;
	e->heard = ev->number;
	board_log(b, ev);
	board_hear_question(e, ev);
	if (ends_attempt(ev))
		e->cost_due = b->has_spent = true;
	if (e->has_steps && ev->number == e->last_event + 1) {
		change(e, ev);
		e->last_event = ev->number;
	}
	return true;
}
