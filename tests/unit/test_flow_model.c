/*
 * Random executions under random commands, workers, questions and answers, lapses, pauses, undone batches and restarts.
 * After every command
 * the invariants hold (flow_broken_invariant), after every commit the rows are what the events say, and a step that
 * was completed is never told of again (saga.c). In the end everything is brought to its end.
 */
#include "flow_kit/saga.h"

#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORLDS = 150, DEEDS = 400, HELD_MAX = 32, LIVE_MAX = 6 };

struct world {
	struct saga *g;
	struct rng rng;
	int64_t at_ms;
	char names[SAGA_STEPS][8];
	uint16_t needs[SAGA_STEPS][4];
};

static unsigned below(struct world *w, unsigned n)
{
	return (unsigned)rng_below(&w->rng, n);
}

static void assert_whole(struct world *w)
{
	const char *broken;

	flow_follow(w->g->f);
	broken = flow_broken_invariant(w->g->f);
	if (broken)
		fail_msg("%s", broken);
}

/* ---- executions ---- */

static struct flow_step_spec random_step(struct world *w, size_t position)
{
	struct flow_step_spec s;
	unsigned kind = below(w, 8);

	snprintf(w->names[position], sizeof(w->names[position]), "s%u", (unsigned)position % SAGA_STEPS);
	s = a_step(w->g, w->names[position]);
	s.optional = below(w, 5) == 0;
	s.attempts_max = 1 + below(w, 2);
	s.timeout_ms = below(w, 4) ? 0 : 1 + below(w, 5000);
	for (size_t i = 0; position > 0 && i < below(w, 3); i++) {
		uint16_t need = (uint16_t)below(w, (unsigned)position);

		if (s.needs_count == 0 || w->needs[position][0] != need)
			w->needs[position][s.needs_count++] = need;
	}
	s.needs = w->needs[position];
	if (kind == 0) {
		s.kind = STEP_APPROVAL;
		s.until_ms = below(w, 2) ? 0 : w->g->s->now_ms + below(w, 3000);
	} else if (kind == 1) {
		s.kind = STEP_WAIT;
		s.awaited = below(w, 3) ? STR("word") : (struct str){0};
		s.until_ms = s.awaited.n && below(w, 2) ? 0 : w->g->s->now_ms + 1 + below(w, 3000);
	}
	return s;
}

static void add_one(struct world *w)
{
	struct flow_step_spec steps[8];
	size_t count = 1 + below(w, 6);
	struct flow_spec spec = {.id = ++w->g->next_id,
				 .tenant = TENANT,
				 .squad = 1 + below(w, 2),
				 .priority = PRIORITY_MEDIUM,
				 .attempts_max = 1 + below(w, 3),
				 .backoff_ms = below(w, 1000),
				 .deadline_ms = below(w, 6) ? 0 : w->g->s->now_ms + 1 + below(w, 20000),
				 .steps = steps,
				 .steps_count = count};
	struct flow_execution *e;

	if (flow_count(w->g->f) >= LIVE_MAX)
		return;
	for (size_t i = 0; i < count; i++)
		steps[i] = random_step(w, i);
	assert_int_equal(flow_add(w->g->f, &spec, &e, &w->g->problem), OK);
	if (below(w, 4))
		assert_int_equal(flow_start(w->g->f, TENANT, e->id, STR("ada"), &e, &w->g->problem), OK);
}

/* Any that ever was. */
static int64_t any(struct world *w)
{
	return w->g->rows_count ? w->g->rows[below(w, (unsigned)w->g->rows_count)]->row.id : 1;
}

static void extend(struct world *w, int64_t id)
{
	struct flow_execution *e = flow_find(w->g->f, id);
	struct flow_step_spec step;

	if (!e || e->steps_count >= 12)
		return;
	step = random_step(w, e->steps_count);
	flow_extend(w->g->f, TENANT, id, &step, 1, STR("grace"), &e, &w->g->problem);
}

static void approve(struct world *w, int64_t id)
{
	struct flow_execution *e = flow_find(w->g->f, id);

	for (size_t i = 0; e && i < e->steps_count; i++)
		if (e->steps[i].state == STEP_WAITING && e->steps[i].kind == STEP_APPROVAL) {
			assert_int_equal(flow_approve(w->g->f, TENANT, id, e->steps[i].id, below(w, 4) > 0,
						      STR("eve"), STR("so"), &e, &w->g->problem),
					 OK);
			return;
		}
}

static void revive(struct world *w, int64_t id)
{
	const struct saga_rows *r;
	struct flow_execution *e;

	if (w->g->rows_count == 0 || flow_count(w->g->f) >= LIVE_MAX)
		return;
	r = saga_row(w->g, id);
	flow_revive(w->g->f, &r->row, r->steps, r->steps_count, STR("eve"), &e, &w->g->problem);
}

static void pause_squad(struct world *w)
{
	int64_t squad = 1 + below(w, 2);

	flow_pause_squad(w->g->f, squad, !flow_squad_is_paused(w->g->f, squad));
}

/* ---- workers ---- */

static size_t held(struct world *w, struct item **out)
{
	const struct work_filter f = {.tenant = TENANT, .state = WORK_LEASED, .priority = -1};
	int64_t stopped;

	return work_list(w->g->s->w, &f, INT64_MAX, 1000, HELD_MAX, out, &stopped);
}

/* The execution of a step that a worker holds; NULL: it has ended. */
static struct flow_execution *execution_of(struct world *w, const struct item *item, int64_t *step)
{
	for (size_t i = 0; i < w->g->rows_count; i++) {
		struct flow_execution *e = flow_find(w->g->f, w->g->rows[i]->row.id);

		for (size_t k = 0; e && !e->ended && k < e->steps_count; k++)
			if (e->steps[k].item == item->id && e->steps[k].state == STEP_RUNNING) {
				*step = e->steps[k].id;
				return e;
			}
	}
	return NULL;
}

static void ask_one(struct world *w, const struct item *item)
{
	struct flow_question q = a_question(w->g, below(w, 4), below(w, 2));
	struct work_token token = work_token_of(item);
	int64_t step = 0;
	struct flow_execution *e = execution_of(w, item, &step);
	const struct flow_step *s;
	enum err err;

	if (!e || q.levels_count == 0)
		return;
	q.wait_ms = 1 + below(w, 3000);
	q.again_ms = 1 + below(w, 3000);
	token.random += below(w, 5) == 0; /* a worker that lost its lease */
	err = flow_ask(w->g->f, TENANT, e->id, step, &token, &q, STR("Which?"), &e, &w->g->problem);
	if (token.random != work_token_of(item).random)
		assert_int_equal(err, ERR_STALE_TOKEN);
	for (size_t i = 0; !err && i < e->steps_count; i++) {
		s = &e->steps[i];
		if (s->id == step)
			assert_true(s->state == STEP_WAITING && s->asking.question->id == q.id);
	}
}

/* Of one that waits; 0: none does. */
static int64_t open_question(struct world *w, int64_t id)
{
	const struct flow_execution *e = flow_find(w->g->f, id);

	for (size_t i = 0; e && i < e->steps_count; i++)
		if (e->steps[i].asking.question)
			return e->steps[i].asking.question->id;
	return 0;
}

static void talk(struct world *w, int64_t id)
{
	int64_t question = open_question(w, id);
	struct flow_execution *e;
	enum err err;

	if (question == 0) {
		assert_int_equal(answer(w->g, 77, "?"), ERR_NOT_FOUND);
	} else if (below(w, 2)) {
		assert_int_equal(answer(w->g, question, "main"), OK);
		assert_int_equal(answer(w->g, question, "no, other"), ERR_CONFLICT);
	} else {
		err = flow_escalate(w->g->f, TENANT, question, 0, STR("eve"), STR("no idea"), &e, &w->g->problem);
		assert_true(err == OK || err == ERR_CONFLICT);
	}
}

static void settle_one(struct world *w)
{
	struct item *items[HELD_MAX];
	size_t count = held(w, items);
	struct item *item;
	unsigned how = below(w, 13);

	if (count == 0)
		return;
	item = items[below(w, (unsigned)count)];
	if (how < 6)
		settle(w->g->s, item, work_token_of(item), OUTCOME_COMPLETED);
	else if (how < 8)
		settle(w->g->s, item, work_token_of(item), OUTCOME_FAILED);
	else if (how < 9)
		fail_for_good(w->g->s, item, "broken");
	else if (how < 10)
		settle(w->g->s, item, work_token_of(item), OUTCOME_RELEASED);
	else
		ask_one(w, item);
}

/* ---- deeds ---- */

static void command(struct world *w)
{
	struct saga *g = w->g;
	struct flow_execution *e;
	int64_t id = any(w);

	switch (below(w, 10)) {
	case 0:
		flow_cancel(g->f, TENANT, id, STR("eve"), STR("no"), &e, &g->problem);
		return;
	case 1:
		flow_pause(g->f, TENANT, id, STR("eve"), &e, &g->problem);
		return;
	case 2:
		flow_resume(g->f, TENANT, id, STR("eve"), &e, &g->problem);
		return;
	case 3:
		flow_start(g->f, TENANT, id, STR("eve"), &e, &g->problem);
		return;
	case 4:
		flow_signal(g->f, TENANT, id, STR("word"), STR("1"), STR("eve"), &e, &g->problem);
		return;
	case 5:
		extend(w, id);
		return;
	case 6:
		approve(w, id);
		return;
	case 7:
	case 8:
		talk(w, id);
		return;
	default:
		revive(w, id);
		return;
	}
}

static void deed(struct world *w)
{
	unsigned what = below(w, 100);

	if (what < 12)
		add_one(w);
	else if (what < 35)
		take(w->g);
	else if (what < 60)
		settle_one(w);
	else if (what < 75)
		command(w);
	else if (what < 77)
		pause_squad(w);
	else if (what < 79)
		w->g->is_full = !w->g->is_full;
	else if (what < 90)
		saga_tick(w->g, w->at_ms += below(w, 2000));
	else if (what < 92)
		saga_tick(w->g, w->at_ms += 60000); /* leases lapse */
	else if (what < 96)
		saga_undo(w->g);
	else
		saga_restart(w->g);
	assert_whole(w);
}

/* ---- to the end ---- */

static void bring_on(struct world *w)
{
	struct item *item = take(w->g);

	for (size_t i = 0; i < w->g->rows_count; i++) {
		int64_t id = w->g->rows[i]->row.id;
		struct flow_execution *e;

		flow_resume(w->g->f, TENANT, id, STR("eve"), &e, &w->g->problem);
		flow_start(w->g->f, TENANT, id, STR("eve"), &e, &w->g->problem);
		flow_signal(w->g->f, TENANT, id, STR("word"), STR("1"), STR("eve"), &e, &w->g->problem);
		approve(w, id);
		if (open_question(w, id))
			answer(w->g, open_question(w, id), "main");
	}
	if (item && item->state == WORK_LEASED)
		give(w->g, item, OUTCOME_COMPLETED);
	saga_tick(w->g, w->at_ms += 61000);
	assert_whole(w);
}

static void finish(struct world *w)
{
	w->g->is_full = false;
	for (int64_t squad = 0; squad < SAGA_SQUADS; squad++)
		flow_pause_squad(w->g->f, squad, false);
	saga_at(w->g, w->at_ms);
	for (int i = 0; i < 2000 && flow_count(w->g->f) > 0; i++)
		bring_on(w);
	assert_int_equal(flow_count(w->g->f), 0);
	assert_null(take(w->g)); /* and nothing is left in the queue */
}

static void whatever_happens_it_stays_whole(void **state)
{
	struct rng dice = test_seed();

	(void)state;
	for (int n = 0; n < WORLDS; n++) {
		struct world w = {.g = saga_new()};

		rng_seeded_init(&w.rng, rng_u64(&dice));
		for (int i = 0; i < DEEDS; i++)
			deed(&w);
		finish(&w);
		saga_end(&w.g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_happens_it_stays_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
