/*
 * What shows only when all states are there: those that nothing leads to, and rings in which no time passes.
 *
 * A ring of states without a request and without thinking would go round until it is stopped; such a state alone is
 * welcome, as one that only decides.
 */
#include "sim/scenario_priv.h"

#include <string.h>

enum { STATES_MAX = 256 };

static bool takes_time(const struct plan_state *state)
{
	for (unsigned i = 0; i < state->step_count; i++) {
		const struct expr *think = state->steps[i].think;
		const struct value *v = think ? expr_is_constant(think) : NULL;

		if (state->steps[i].request || (think && !(v && v->kind == VALUE_NUMBER && v->number == 0)))
			return true;
	}
	return false;
}

static void reach(const struct scenario *s, bool *reached, unsigned from)
{
	unsigned waiting[STATES_MAX], count = 0;

	if (from == NOWHERE || reached[from])
		return;
	reached[from] = true;
	waiting[count++] = from;
	while (count) {
		const struct plan_state *state = &s->states[waiting[--count]];

		for (unsigned i = 0; i < state->edge_count + state->step_count; i++) {
			const struct plan_request *r =
				i < state->edge_count ? NULL : state->steps[i - state->edge_count].request;
			unsigned to = i < state->edge_count ? state->edges[i].to : r ? r->fail : NOWHERE;

			if (to == NOWHERE || reached[to])
				continue;
			reached[to] = true;
			waiting[count++] = to;
		}
	}
}

static void check_reached(struct compiler *c)
{
	const unsigned starts[] = {c->s->start, c->s->idle, c->s->cleanup, c->s->offer_state, c->s->on_fail};
	bool reached[STATES_MAX] = {false};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		reach(c->s, reached, starts[i]);
	for (unsigned i = 0; i < c->s->file.states_count; i++) {
		size_t back = path_into(c, "states[%u]", i);

		if (!reached[i])
			compile_fault(c, "name", "nothing leads to \"%.*s\"", STRF(c->s->states[i].name));
		path_back(c, back);
	}
}

/* States of which every way on, without time, was followed to its end are done; one met again on the way is a ring. */
enum mark { NEW, ON_THE_WAY, DONE };

struct walk {
	struct compiler *c;
	enum mark marks[STATES_MAX];
	unsigned way[STATES_MAX], next[STATES_MAX]; /* the states on the way, and the edge of each that is next */
	unsigned depth;
};

static void ring_fault(struct walk *w, unsigned state)
{
	struct compiler *c = w->c;
	size_t back = path_into(c, "states[%u]", state);

	compile_fault(c, "next",
		      "leads from \"%.*s\" back to it without a request and without thinking: no time would pass",
		      STRF(str_clip(c->s->states[state].name, 40)));
	path_back(c, back);
}

static void enter(struct walk *w, unsigned state)
{
	if (w->marks[state] == ON_THE_WAY)
		ring_fault(w, state);
	if (w->marks[state] != NEW)
		return;
	w->marks[state] = takes_time(&w->c->s->states[state]) ? DONE : ON_THE_WAY;
	if (w->marks[state] == DONE)
		return;
	w->way[w->depth] = state;
	w->next[w->depth++] = 0;
}

static void check_rings(struct compiler *c)
{
	struct walk w = {.c = c};

	for (unsigned i = 0; i < c->s->file.states_count; i++) {
		enter(&w, i);
		while (w.depth) {
			unsigned at = w.way[w.depth - 1];
			const struct plan_state *state = &c->s->states[at];

			if (w.next[w.depth - 1] < state->edge_count) {
				enter(&w, state->edges[w.next[w.depth - 1]++].to);
			} else {
				w.marks[at] = DONE;
				w.depth--;
			}
		}
	}
}

void check_ways(struct compiler *c)
{
	check_reached(c);
	check_rings(c);
}
