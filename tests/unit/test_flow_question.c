/* Questions of steps: whom they reach and when, answers, what becomes of the step. */
#include "flow_kit/saga.h"

static const uint16_t FIRST[] = {0};

enum { WAIT = 300000, AGAIN = 120000 };

static struct flow_execution *build_and_test(struct saga *g)
{
	struct flow_step_spec steps[] = {a_step(g, "build"), a_step_after(g, "test", FIRST, 1)};

	steps[0].member = 7;
	return begin(g, steps, 2);
}

static void assert_asked(const struct flow_execution *e, unsigned level, unsigned times, int64_t due_ms)
{
	const struct flow_asking *a = &e->steps[0].asking;

	assert_non_null(a->question);
	assert_int_equal(a->level, level);
	assert_int_equal(a->times, times);
	assert_int_equal(a->due_ms, due_ms ? T0 + due_ms : 0);
}

/* A step that asked at 0. */
static struct flow_execution *asking(struct saga *g, size_t members, bool fails, int64_t *question)
{
	struct flow_execution *e = build_and_test(g);
	struct flow_question q = a_question(g, members, fails);

	assert_int_equal(ask(g, e, take(g), &q), OK);
	*question = q.id;
	return e;
}

static void who_asks_gives_its_place_up_and_goes_on_with_the_answer(void **state)
{
	struct saga *g = saga_new();
	struct flow_execution *e = build_and_test(g);
	struct flow_question q = a_question(g, 2, false);
	struct item *item = take(g);
	struct work_token token = work_token_of(item);
	int64_t first = item->id;

	(void)state;
	saga_at(g, 1);
	assert_int_equal(ask(g, e, item, &q), OK);
	assert_stands(e, EXECUTION_BLOCKED, "waiting pending");
	assert_int_equal(e->block, BLOCK_QUESTION);
	assert_told(g, "task_status_updated question_asked status_update");
	assert_null(take(g));
	assert_int_equal(settle(g->s, item, token, OUTCOME_COMPLETED), OK); /* as a command says that ends well */
	assert_stands(e, EXECUTION_BLOCKED, "waiting pending");
	saga_at(g, 2);
	assert_int_equal(answer(g, q.id, "main"), OK);
	assert_told(g, "question_answered task_status_updated task_status_updated status_update");
	item = take(g);
	assert_true(item && item->id != first);
	give(g, item, OUTCOME_COMPLETED);
	assert_stands(e, EXECUTION_IN_PROGRESS, "completed ready");
	saga_end(&g);
}

/* The original looked only at questions that had never gone up. */
static void an_escalated_question_times_out_again(void **state)
{
	struct saga *g = saga_new();
	int64_t id;
	struct flow_execution *e = asking(g, 2, false, &id);

	(void)state;
	assert_asked(e, 0, 1, WAIT);
	saga_tick(g, WAIT - 1);
	assert_asked(e, 0, 1, WAIT);
	saga_tick(g, WAIT);
	assert_asked(e, 0, 2, WAIT + AGAIN);
	assert_told(g, "question_asked_again");
	saga_tick(g, WAIT + AGAIN);
	assert_asked(e, 1, 1, 2 * WAIT + AGAIN);
	assert_told(g, "question_escalated");
	saga_tick(g, 2 * WAIT + AGAIN);
	assert_asked(e, 1, 2, 2 * (WAIT + AGAIN));
	saga_tick(g, 2 * (WAIT + AGAIN));
	assert_asked(e, 2, 1, 0);
	assert_int_equal(flow_next_due_ms(g->f), INT64_MAX); /* a person has no time */
	saga_tick(g, INT64_C(1) << 40);
	assert_asked(e, 2, 1, 0);
	assert_int_equal(answer(g, id, "main"), OK);
	assert_stands(e, EXECUTION_IN_PROGRESS, "ready pending");
	saga_end(&g);
}

static void where_no_person_is_the_last_the_step_fails(void **state)
{
	struct saga *g = saga_new();
	int64_t id;
	struct flow_execution *e = asking(g, 1, true, &id);

	(void)state;
	saga_tick(g, WAIT);
	saga_tick(g, WAIT + AGAIN);
	assert_stands(e, EXECUTION_FAILED, "failed cancelled");
	assert_told(g, "question_unanswered task_status_updated task_status_updated status_update error");
	assert_int_equal(answer(g, id, "main"), ERR_CONFLICT);
	saga_at(g, WAIT + AGAIN + 1);
	assert_int_equal(answer(g, id, "main"), ERR_NOT_FOUND);
	saga_end(&g);
}

static void one_who_cannot_answer_passes_it_on(void **state)
{
	struct saga *g = saga_new();
	int64_t id;
	struct flow_execution *e = asking(g, 1, false, &id), *out;

	(void)state;
	saga_at(g, 10);
	assert_int_equal(flow_escalate(g->f, TENANT, id, 101, STR("grace"), STR("no idea"), &out, &g->problem), OK);
	assert_asked(e, 1, 1, 0);
	assert_int_equal(flow_escalate(g->f, TENANT, id, 0, STR("eve"), STR(""), &out, &g->problem), ERR_CONFLICT);
	assert_int_equal(flow_escalate(g->f, 2, id, 0, STR("eve"), STR(""), &out, &g->problem), ERR_NOT_FOUND);
	saga_end(&g);
}

static void who_asked_cannot_answer(void **state)
{
	struct saga *g = saga_new();
	int64_t id;
	struct flow_execution *e = asking(g, 1, false, &id);

	(void)state;
	assert_int_equal(flow_answer(g->f, TENANT, id, 7, STR("ada"), STR("main"), &e, &g->problem), ERR_INVALID);
	assert_int_equal(flow_answer(g->f, 2, id, 0, STR("ada"), STR("main"), &e, &g->problem), ERR_NOT_FOUND);
	assert_int_equal(flow_answer(g->f, TENANT, id, 8, STR("bob"), STR("main"), &e, &g->problem), OK);
	saga_end(&g);
}

static void a_lease_that_ended_asks_nothing(void **state)
{
	struct saga *g = saga_new();
	struct flow_execution *e = build_and_test(g);
	struct flow_question q = a_question(g, 1, false);
	struct item *item = take(g);
	struct work_token token = work_token_of(item);

	(void)state;
	token.random++;
	assert_int_equal(flow_ask(g->f, TENANT, e->id, e->steps[0].id, &token, &q, STR("?"), &e, &g->problem),
			 ERR_STALE_TOKEN);
	assert_stands(e, EXECUTION_IN_PROGRESS, "running pending");
	assert_int_equal(flow_ask(g->f, TENANT, e->id, e->steps[1].id, &token, &q, STR("?"), &e, &g->problem),
			 ERR_STALE_TOKEN);
	assert_int_equal(flow_ask(g->f, TENANT, e->id, 1, &token, &q, STR("?"), &e, &g->problem), ERR_INVALID);
	assert_int_equal(ask(g, e, item, &q), OK);
	q.id++;
	assert_int_equal(ask(g, e, item, &q), ERR_STALE_TOKEN); /* it waits already */
	saga_end(&g);
}

static void a_step_asks_only_so_often(void **state)
{
	struct saga *g = saga_new();
	struct flow_execution *e = build_and_test(g);

	(void)state;
	for (int i = 0; i < FLOW_QUESTIONS_MAX; i++) {
		struct flow_question q = a_question(g, 1, false);

		assert_int_equal(ask(g, e, take(g), &q), OK);
		saga_at(g, i);
		assert_int_equal(answer(g, q.id, "main"), OK);
	}
	struct flow_question q = a_question(g, 1, false);
	assert_int_equal(ask(g, e, take(g), &q), ERR_CONFLICT);
	assert_stands(e, EXECUTION_IN_PROGRESS, "running pending");
	saga_end(&g);
}

static void an_execution_that_ends_takes_its_questions_along(void **state)
{
	struct saga *g = saga_new();
	int64_t id;
	struct flow_execution *e = asking(g, 1, false, &id);

	(void)state;
	saga_at(g, 1);
	assert_int_equal(flow_cancel(g->f, TENANT, e->id, STR("eve"), STR("no"), &e, &g->problem), OK);
	assert_stands(e, EXECUTION_CANCELLED, "cancelled cancelled");
	assert_told(g, "question_cancelled task_status_updated task_status_updated status_update cancelled");
	saga_end(&g);
}

static void an_answer_within_a_pause_waits_for_its_end(void **state)
{
	struct saga *g = saga_new();
	int64_t id;
	struct flow_execution *e = asking(g, 1, false, &id);

	(void)state;
	assert_int_equal(flow_pause(g->f, TENANT, e->id, STR("eve"), &e, &g->problem), OK);
	assert_int_equal(answer(g, id, "main"), OK);
	assert_stands(e, EXECUTION_BLOCKED, "pending pending");
	assert_int_equal(e->block, BLOCK_PAUSE);
	assert_int_equal(flow_resume(g->f, TENANT, e->id, STR("eve"), &e, &g->problem), OK);
	assert_stands(e, EXECUTION_IN_PROGRESS, "ready pending");
	saga_end(&g);
}

static void questions_live_through_a_restart(void **state)
{
	struct saga *g = saga_new();
	int64_t id, execution;
	struct flow_execution *e = asking(g, 2, false, &id);

	(void)state;
	execution = e->id;
	saga_tick(g, WAIT);
	saga_restart(g);
	e = flow_find(g->f, execution);
	assert_asked(e, 0, 2, WAIT + AGAIN);
	assert_int_equal(e->steps[0].questions, 1);
	saga_tick(g, 10 * WAIT); /* one level, however late it is */
	assert_asked(e, 1, 1, 11 * WAIT);
	assert_int_equal(answer(g, id, "main"), OK);
	saga_restart(g);
	e = flow_find(g->f, execution);
	assert_stands(e, EXECUTION_IN_PROGRESS, "ready pending");
	assert_null(flow_find_question(g->f, id));
	saga_end(&g);
}

static void an_undone_batch_asked_and_answered_nothing(void **state)
{
	struct saga *g = saga_new();
	struct flow_execution *e = build_and_test(g);
	struct flow_question q = a_question(g, 2, false), other = a_question(g, 1, false);
	int64_t id = e->id;

	(void)state;
	saga_at(g, 1);
	take(g);
	saga_at(g, 2);
	assert_int_equal(ask(g, e, work_find(g->s->w, e->steps[0].item), &q), OK);
	assert_int_equal(answer(g, q.id, "main"), OK);
	assert_int_equal(ask(g, e, take(g), &other), OK);
	saga_undo(g);
	e = flow_find(g->f, id);
	assert_stands(e, EXECUTION_IN_PROGRESS, "running pending");
	assert_null(flow_find_question(g->f, q.id));
	assert_int_equal(ask(g, e, work_find(g->s->w, e->steps[0].item), &q), OK);
	saga_at(g, 3);
	assert_int_equal(answer(g, q.id, "main"), OK);
	saga_undo(g);
	e = flow_find(g->f, id);
	assert_asked(e, 0, 1, 2 + WAIT);
	assert_int_equal(answer(g, q.id, "other"), OK);
	saga_end(&g);
}

static void an_approval_blocks_before_a_question_does(void **state)
{
	struct saga *g = saga_new();
	struct flow_step_spec steps[] = {a_step(g, "build"), a_step(g, "wait"), a_step(g, "ok?")};
	struct flow_question q = a_question(g, 1, false);
	struct flow_execution *e;

	(void)state;
	steps[1].kind = STEP_WAIT, steps[1].awaited = STR("word");
	steps[2].kind = STEP_APPROVAL;
	e = begin(g, steps, 3);
	assert_int_equal(ask(g, e, take(g), &q), OK);
	assert_int_equal(e->block, BLOCK_APPROVAL);
	assert_int_equal(flow_approve(g->f, TENANT, e->id, steps[2].id, true, STR("eve"), STR(""), &e, &g->problem),
			 OK);
	assert_int_equal(e->block, BLOCK_QUESTION);
	assert_int_equal(answer(g, q.id, "main"), OK);
	give(g, take(g), OUTCOME_COMPLETED);
	assert_int_equal(e->block, BLOCK_EVENT);
	saga_end(&g);
}

static enum err say(struct saga *g, struct flow_execution *e)
{
	struct flow_event what = {.kind = FLOW_MESSAGE, .from = -1, .to = -1, .text = STR("{}")};

	return flow_note(g->f, TENANT, e->id, &what, &e, &g->problem);
}

static void messages_are_limited_by_the_minute(void **state)
{
	struct saga *g = saga_new();
	struct flow_execution *e = build_and_test(g);
	struct flow_event token = {.kind = FLOW_TOKENS, .from = -1, .to = -1, .text = STR("\"x\"")};

	(void)state;
	for (int i = 0; i < FLOW_MESSAGES_A_MINUTE; i++)
		assert_int_equal(say(g, e), OK);
	assert_int_equal(say(g, e), ERR_RATE_LIMITED);
	assert_int_equal(g->problem.retry_after_s, 60);
	assert_int_equal(flow_note(g->f, TENANT, e->id, &token, &e, &g->problem), OK);
	saga_at(g, 59999);
	assert_int_equal(say(g, e), ERR_RATE_LIMITED);
	saga_at(g, 60000);
	assert_int_equal(say(g, e), OK);
	saga_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_asks_gives_its_place_up_and_goes_on_with_the_answer),
		cmocka_unit_test(an_escalated_question_times_out_again),
		cmocka_unit_test(where_no_person_is_the_last_the_step_fails),
		cmocka_unit_test(one_who_cannot_answer_passes_it_on),
		cmocka_unit_test(who_asked_cannot_answer),
		cmocka_unit_test(a_lease_that_ended_asks_nothing),
		cmocka_unit_test(a_step_asks_only_so_often),
		cmocka_unit_test(an_execution_that_ends_takes_its_questions_along),
		cmocka_unit_test(an_answer_within_a_pause_waits_for_its_end),
		cmocka_unit_test(questions_live_through_a_restart),
		cmocka_unit_test(an_undone_batch_asked_and_answered_nothing),
		cmocka_unit_test(an_approval_blocks_before_a_question_does),
		cmocka_unit_test(messages_are_limited_by_the_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
