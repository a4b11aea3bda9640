/* The steps of an execution as they are given: checked, and taken in. A step needs only steps before it, so there
 * are no rings, and one pass from front to back begins all that can begin. */
#include "flow/flow_priv.h"

#include <stdio.h>
#include <string.h>

enum { ATTEMPTS_MAX = 100, NAME_MAX_BYTES = 64 };

/* ---- checking ---- */

static enum err fault(struct problem *p, size_t i, const char *field, const char *what)
{
	char path[64];

	snprintf(path, sizeof(path), "steps[%zu].%s", i, field);
	return problem_field(p, ERR_INVALID, path, "%s", what);
}

static bool is_taken(const struct flow *f, const struct flow_execution *e, const struct flow_step_spec *steps,
		     size_t i)
{
	const struct name *known = name_find(&f->names, steps[i].name);

	for (size_t k = 0; known && k < e->steps_count; k++)
		if (e->steps[k].name == known)
			return true;
	for (size_t k = 0; k < i; k++)
		if (str_eq(steps[k].name, steps[i].name))
			return true;
	return false;
}

static enum err check_needs(const struct flow_step_spec *s, size_t i, size_t position, struct problem *p)
{
	char field[32];

	if (s->needs_count > FLOW_NEEDS_MAX)
		return fault(p, i, "needs", "at most 100 steps may be needed");
	for (size_t k = 0; k < s->needs_count; k++) {
		snprintf(field, sizeof(field), "needs[%zu]", k);
		if (s->needs[k] >= position)
			return fault(p, i, field, "must be a step before this one");
		for (size_t j = 0; j < k; j++)
			if (s->needs[j] == s->needs[k])
				return fault(p, i, field, "is named twice");
	}
	return OK;
}

static enum err check_wait(const struct flow_step_spec *s, size_t i, struct problem *p)
{
	if (s->kind == STEP_WAIT && !s->until_ms && !s->awaited.n)
		return fault(p, i, "until", "a wait needs a time, an event, or both");
	if (s->kind != STEP_WAIT && s->awaited.n)
		return fault(p, i, "event", "only a wait takes an event");
	if (s->kind != STEP_WAIT && s->kind != STEP_APPROVAL && s->until_ms)
		return fault(p, i, "until", "only a wait and an approval take a time");
	return OK;
}

static enum err check_step(const struct flow *f, const struct flow_execution *e, const struct flow_step_spec *steps,
			   size_t i, struct problem *p)
{
	const struct flow_step_spec *s = &steps[i];
	enum err err;

	if (s->name.n == 0 || s->name.n > NAME_MAX_BYTES)
		return fault(p, i, "name", "must have 1 to 64 bytes");
	if (is_taken(f, e, steps, i))
		return fault(p, i, "name", "another step is called so");
	if (s->attempts_max < 1 || s->attempts_max > ATTEMPTS_MAX)
		return fault(p, i, "max_attempts", "must be between 1 and 100");
	err = check_wait(s, i, p);
	return err ? err : check_needs(s, i, e->steps_count + i, p);
}

enum err graph_check(const struct flow *f, const struct flow_execution *e, const struct flow_step_spec *steps,
		     size_t count, struct problem *p)
{
	enum err err = OK;

	if (count == 0)
		return problem_field(p, ERR_INVALID, "steps", "must not be empty");
	if (count > (size_t)FLOW_STEPS_MAX - e->steps_count)
		return problem_field(p, ERR_INVALID, "steps", "an execution has at most %d steps", FLOW_STEPS_MAX);
	for (size_t i = 0; i < count && !err; i++)
		err = check_step(f, e, steps, i, p);
	return err;
}

/* ---- taking in ---- */

static void make_room(struct flow_execution *e)
{
	uint16_t room = e->steps_room ? (uint16_t)(2 * e->steps_room) : 4;

	if (e->steps_count < e->steps_room)
		return;
	e->steps = must_realloc(e->steps, room * sizeof(*e->steps));
	e->steps_room = room;
}

static uint16_t *copy_of_needs(const struct flow_step_spec *spec)
{
	uint16_t *copy = NULL;

	if (spec->needs_count == 0)
		return NULL;
	copy = must_realloc(NULL, spec->needs_count * sizeof(*copy));
	memcpy(copy, spec->needs, spec->needs_count * sizeof(*copy));
	return copy;
}

bool step_is_met(const struct flow_step *s)
{
	return s->state == STEP_COMPLETED || (s->state == STEP_FAILED && s->optional);
}

uint16_t step_unmet(const struct flow_execution *e, const struct flow_step *s)
{
	uint16_t unmet = 0;

	for (size_t i = 0; i < s->needs_count; i++)
		if (!step_is_met(&e->steps[s->needs[i]]))
			unmet++;
	return unmet;
}

void graph_add(struct flow *f, struct flow_execution *e, const struct flow_step_spec *spec)
{
	struct flow_step *s;

	make_room(e);
	s = &e->steps[e->steps_count++];
	*s = (struct flow_step){.id = spec->id,
				.member = spec->member,
				.until_ms = spec->until_ms,
				.timeout_ms = spec->timeout_ms,
				.name = name_get(&f->names, spec->name),
				.awaited = name_get(&f->names, spec->awaited),
				.needs = copy_of_needs(spec),
				.needs_count = (uint16_t)spec->needs_count,
				.attempts_max = (uint16_t)spec->attempts_max,
				.kind = (uint8_t)spec->kind,
				.phase = (uint8_t)spec->phase,
				.optional = spec->optional,
				.touched = true};
	s->unmet = step_unmet(e, s);
	e->standing[STEP_PENDING]++;
}
