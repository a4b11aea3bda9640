/* The life of an execution: steps after steps, retries, waits, approvals, pauses, ends. */
#include "flow_kit/saga.h"

static const uint16_t FIRST[] = {0}, FIRST_TWO[] = {0, 1};

/* plan, build, test: each after the one before it. */
static struct flow_execution *three(struct saga *g, int64_t attempts)
{
	static const uint16_t second[] = {1};
	struct flow_step_spec steps[] = {a_step(g, "plan"), a_step_after(g, "build", FIRST, 1),
					 a_step_after(g, "test", second, 1)};

	return begin_tried(g, steps, 3, attempts);
}

static struct flow_execution *restarted(struct saga *g, const struct flow_execution *e)
{
	int64_t id = e->id;

	saga_restart(g);
	return flow_find(g->f, id);
}

static void steps_run_one_after_the_other(void **state)
{
	struct saga *g = saga_new();
	struct flow_execution *e = three(g, 1);
	int64_t id = e->id;
	struct item *item;

	(void)state;
	assert_stands(e, EXECUTION_QUEUED, "ready pending pending");
	assert_told(g, "execution_started task_status_updated status_update");
	saga_at(g, 1);
	item = take(g);
	assert_stands(e, EXECUTION_IN_PROGRESS, "running pending pending");
	give(g, item, OUTCOME_COMPLETED);
	assert_stands(e, EXECUTION_IN_PROGRESS, "completed ready pending");
	give(g, take(g), OUTCOME_COMPLETED);
	saga_at(g, 2);
	give(g, take(g), OUTCOME_COMPLETED);
	assert_stands(e, EXECUTION_COMPLETED, "completed completed completed");
	assert_told(g, "task_status_updated task_status_updated status_update completed");
	assert_null(take(g));
	assert_int_equal(flow_count(g->f), 0);
	saga_at(g, 3);
	assert_null(flow_find(g->f, id));
	saga_end(&g);
}

static void branches_run_at_the_same_time_and_join(void **state)
{
	struct saga *g = saga_new();
	struct flow_step_spec steps[] = {a_step(g, "left"), a_step(g, "right"),
					 a_step_after(g, "join", FIRST_TWO, 2)};
	struct flow_execution *e = begin(g, steps, 3);
	struct item *left = take(g), *right = take(g);

	(void)state;
	assert_non_null(right);
	assert_null(take(g));
	give(g, right, OUTCOME_COMPLETED);
	assert_stands(e, EXECUTION_IN_PROGRESS, "running completed pending");
	give(g, left, OUTCOME_COMPLETED);
	assert_stands(e, EXECUTION_IN_PROGRESS, "completed completed ready");
	saga_end(&g);
}

static void what_failed_begins_again_and_what_is_done_does_not(void **state)
{
	struct saga *g = saga_new();
	struct flow_execution *e = three(g, 2);

	(void)state;
	give(g, take(g), OUTCOME_COMPLETED);
	break_down(g, take(g));
	assert_stands(e, EXECUTION_RETRYING, "completed failed pending");
	assert_int_equal(flow_next_due_ms(g->f), T0 + 1000);
	saga_tick(g, 999);
	assert_int_equal(e->state, EXECUTION_RETRYING);
	saga_tick(g, 1000);
	assert_stands(e, EXECUTION_QUEUED, "completed ready pending");
	assert_int_equal(e->attempt, 2);
	give(g, take(g), OUTCOME_COMPLETED);
	break_down(g, take(g));
	assert_stands(e, EXECUTION_FAILED, "completed completed failed");
	saga_end(&g);
}

static void a_failure_without_attempts_left_cancels_the_rest(void **state)
{
	struct saga *g = saga_new();
	struct flow_step_spec steps[] = {a_step(g, "left"), a_step(g, "right"),
					 a_step_after(g, "join", FIRST_TWO, 2)};
	struct flow_execution *e = begin(g, steps, 3);
	struct item *left = take(g), *right = take(g);
	struct work_token token = work_token_of(right);
	struct item *out;

	(void)state;
	break_down(g, left);
	assert_stands(e, EXECUTION_FAILED, "failed cancelled cancelled");
	assert_int_equal(work_extend(g->s->w, TENANT, right->id, &token, 1000, -1, &out), ERR_CANCELLED);
	saga_end(&g);
}

static void what_needs_an_optional_step_goes_on_without_it(void **state)
{
	struct saga *g = saga_new();
	struct flow_step_spec steps[] = {a_step(g, "lint"), a_step_after(g, "build", FIRST, 1)};
	struct flow_execution *e;

	(void)state;
	steps[0].optional = true;
	e = begin(g, steps, 2);
	break_down(g, take(g));
	assert_stands(e, EXECUTION_IN_PROGRESS, "failed ready");
	give(g, take(g), OUTCOME_COMPLETED);
	assert_stands(e, EXECUTION_COMPLETED, "failed completed");
	saga_end(&g);
}

static void an_approval_waits_for_its_person(void **state)
{
	struct saga *g = saga_new();
	struct flow_step_spec steps[] = {a_step(g, "merge?"), a_step_after(g, "merge", FIRST, 1)};
	struct flow_execution *e;
	int64_t id;

	(void)state;
	steps[0].kind = STEP_APPROVAL;
	id = steps[0].id;
	e = begin(g, steps, 2);
	assert_stands(e, EXECUTION_BLOCKED, "waiting pending");
	assert_int_equal(e->block, BLOCK_APPROVAL);
	assert_null(take(g));
	assert_int_equal(flow_approve(g->f, TENANT, e->id, steps[1].id, true, STR("eve"), STR(""), &e, &g->problem),
			 ERR_CONFLICT);
	assert_int_equal(flow_approve(g->f, TENANT, e->id, id, true, STR("eve"), STR("fine"), &e, &g->problem), OK);
	assert_stands(e, EXECUTION_QUEUED, "completed ready");
	assert_true(str_eqz(e->steps[0].ending->result, "fine"));
	assert_int_equal(flow_approve(g->f, TENANT, e->id, id, true, STR("eve"), STR("fine"), &e, &g->problem), OK);
	assert_int_equal(flow_approve(g->f, TENANT, e->id, id, false, STR("eve"), STR(""), &e, &g->problem),
			 ERR_CONFLICT);
	saga_end(&g);
}

static void a_refusal_is_final(void **state)
{
	struct saga *g = saga_new();
	struct flow_step_spec step = a_step(g, "merge?");
	struct flow_execution *e;

	(void)state;
	step.kind = STEP_APPROVAL;
	e = begin_tried(g, &step, 1, 5);
	assert_int_equal(flow_approve(g->f, TENANT, e->id, step.id, false, STR("eve"), STR("no"), &e, &g->problem),
			 OK);
	assert_stands(e, EXECUTION_FAILED, "failed");
	saga_end(&g);
}

static void nobody_approves_in_time(void **state)
{
	struct saga *g = saga_new();
	struct flow_step_spec step = a_step(g, "merge?");
	struct flow_execution *e;

	(void)state;
	step.kind = STEP_APPROVAL;
	step.until_ms = T0 + 500;
	e = begin(g, &step, 1);
	saga_tick(g, 499);
	assert_int_equal(e->state, EXECUTION_BLOCKED);
	saga_tick(g, 500);
	assert_stands(e, EXECUTION_FAILED, "failed");
	assert_true(str_eqz(e->steps[0].ending->error, "nobody approved in time"));
	saga_end(&g);
}

static void a_wait_ends_with_its_time_or_its_event(void **state)
{
	struct saga *g = saga_new();
	struct flow_step_spec steps[] = {a_step(g, "for long"), a_step(g, "for word"), a_step(g, "for either")};
	struct flow_execution *e;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		steps[i].kind = STEP_WAIT;
	steps[0].until_ms = T0 + 1000;
	steps[1].awaited = steps[2].awaited = STR("word");
	steps[2].until_ms = T0 + 9000;
	e = begin(g, steps, 3);
	assert_stands(e, EXECUTION_BLOCKED, "waiting waiting waiting");
	assert_int_equal(flow_signal(g->f, TENANT, e->id, STR("world"), STR(""), STR("eve"), &e, &g->problem),
			 ERR_CONFLICT);
	assert_int_equal(flow_signal(g->f, TENANT, e->id, STR("word"), STR("1"), STR("eve"), &e, &g->problem), OK);
	assert_stands(e, EXECUTION_BLOCKED, "waiting completed completed");
	assert_true(str_eqz(e->steps[2].ending->result, "1"));
	saga_tick(g, 1000);
	assert_stands(e, EXECUTION_COMPLETED, "completed completed completed");
	saga_end(&g);
}

static void an_event_that_came_before_its_wait_is_not_lost(void **state)
{
	struct saga *g = saga_new();
	struct flow_step_spec steps[] = {a_step(g, "build"), a_step_after(g, "for word", FIRST, 1)};
	struct flow_execution *e;

	(void)state;
	steps[1].kind = STEP_WAIT;
	steps[1].awaited = STR("word");
	e = begin(g, steps, 2);
	assert_int_equal(flow_signal(g->f, TENANT, e->id, STR("word"), STR("1"), STR("eve"), &e, &g->problem), OK);
	assert_int_equal(flow_signal(g->f, TENANT, e->id, STR("word"), STR("2"), STR("eve"), &e, &g->problem),
			 ERR_CONFLICT);
	e = restarted(g, e);
	give(g, take(g), OUTCOME_COMPLETED);
	assert_stands(e, EXECUTION_COMPLETED, "completed completed");
	saga_end(&g);
}

static void a_pause_takes_what_nobody_has_out_of_the_queue(void **state)
{
	struct saga *g = saga_new();
	struct flow_step_spec steps[] = {a_step(g, "left"), a_step(g, "right"),
					 a_step_after(g, "join", FIRST_TWO, 2)};
	struct flow_execution *e = begin(g, steps, 3);
	struct item *left = take(g);

	(void)state;
	saga_at(g, 1);
	assert_int_equal(flow_pause(g->f, TENANT, e->id, STR("eve"), &e, &g->problem), OK);
	assert_stands(e, EXECUTION_IN_PROGRESS, "running pending pending");
	assert_null(take(g));
	give(g, left, OUTCOME_RELEASED);
	assert_stands(e, EXECUTION_BLOCKED, "pending pending pending");
	assert_int_equal(e->block, BLOCK_PAUSE);
	assert_null(take(g));
	saga_at(g, 2);
	assert_int_equal(flow_resume(g->f, TENANT, e->id, STR("eve"), &e, &g->problem), OK);
	assert_stands(e, EXECUTION_IN_PROGRESS, "ready ready pending");
	saga_end(&g);
}

static void a_squad_that_is_paused_begins_nothing(void **state)
{
	struct saga *g = saga_new();
	struct flow_execution *e = three(g, 1);

	(void)state;
	saga_at(g, 1);
	flow_pause_squad(g->f, 1, true);
	assert_stands(e, EXECUTION_BLOCKED, "pending pending pending");
	e = restarted(g, e);
	assert_null(take(g));
	flow_pause_squad(g->f, 1, false);
	assert_stands(e, EXECUTION_QUEUED, "ready pending pending");
	saga_end(&g);
}

static void a_full_queue_is_tried_again(void **state)
{
	struct saga *g = saga_new();
	struct flow_execution *e;

	(void)state;
	g->is_full = true;
	e = three(g, 1);
	assert_stands(e, EXECUTION_QUEUED, "pending pending pending");
	saga_tick(g, 999);
	g->is_full = false;
	assert_null(take(g));
	saga_tick(g, 1000);
	assert_stands(e, EXECUTION_QUEUED, "ready pending pending");
	saga_end(&g);
}

static void an_agent_adds_steps_while_it_works(void **state)
{
	struct saga *g = saga_new();
	struct flow_step_spec plan = a_step(g, "plan");
	struct flow_execution *e = begin(g, &plan, 1);
	struct item *item = take(g);
	struct flow_step_spec more[] = {a_step_after(g, "build", FIRST, 1), a_step_after(g, "test", FIRST_TWO, 2)};

	(void)state;
	saga_at(g, 1);
	assert_int_equal(flow_extend(g->f, TENANT, e->id, more, 2, STR("grace"), &e, &g->problem), OK);
	saga_undo(g);
	assert_int_equal(e->steps_count, 1);
	assert_int_equal(flow_extend(g->f, TENANT, e->id, more, 2, STR("grace"), &e, &g->problem), OK);
	give(g, item, OUTCOME_COMPLETED);
	assert_stands(e, EXECUTION_IN_PROGRESS, "completed ready pending");
	e = restarted(g, e);
	assert_stands(e, EXECUTION_IN_PROGRESS, "completed ready pending");
	saga_end(&g);
}

static void a_deadline_ends_it(void **state)
{
	struct saga *g = saga_new();
	struct flow_step_spec step = a_step(g, "plan");
	struct flow_spec spec = {.id = 1,
				 .tenant = TENANT,
				 .squad = 1,
				 .attempts_max = 9,
				 .deadline_ms = T0 + 50,
				 .steps = &step,
				 .steps_count = 1};
	struct flow_execution *e;

	(void)state;
	assert_int_equal(flow_add(g->f, &spec, &e, &g->problem), OK);
	assert_stands(e, EXECUTION_PENDING, "pending");
	saga_tick(g, 50);
	assert_stands(e, EXECUTION_FAILED, "cancelled");
	assert_told(g, "task_status_updated status_update error");
	saga_end(&g);
}

static void what_was_cancelled_can_be_tried_again(void **state)
{
	struct saga *g = saga_new();
	struct flow_execution *e = three(g, 1);
	int64_t id = e->id;
	const struct saga_rows *r;

	(void)state;
	give(g, take(g), OUTCOME_COMPLETED);
	assert_int_equal(flow_cancel(g->f, TENANT, id, STR("eve"), STR("not now"), &e, &g->problem), OK);
	assert_stands(e, EXECUTION_CANCELLED, "completed cancelled cancelled");
	assert_int_equal(flow_cancel(g->f, TENANT, id, STR("eve"), STR("not now"), &e, &g->problem), OK);
	assert_int_equal(flow_start(g->f, TENANT, id, STR("eve"), &e, &g->problem), ERR_CONFLICT);
	saga_at(g, 1);
	r = saga_row(g, id);
	assert_int_equal(flow_revive(g->f, &r->row, r->steps, 3, STR("eve"), &e, &g->problem), OK);
	assert_stands(e, EXECUTION_QUEUED, "completed ready pending");
	saga_undo(g);
	assert_null(flow_find(g->f, id));
	assert_int_equal(flow_revive(g->f, &r->row, r->steps, 3, STR("eve"), &e, &g->problem), OK);
	assert_int_equal(flow_revive(g->f, &r->row, r->steps, 3, STR("eve"), &e, &g->problem), ERR_CONFLICT);
	saga_end(&g);
}

static void assert_refused(struct saga *g, struct flow_step_spec *steps, size_t count, const char *field)
{
	struct flow_spec spec = {
		.id = 1, .tenant = TENANT, .attempts_max = 1, .steps = steps, .steps_count = count};
	struct flow_execution *e;

	problem_clear(&g->problem);
	assert_int_equal(flow_add(g->f, &spec, &e, &g->problem), ERR_INVALID);
	assert_string_equal(g->problem.fields[0].field, field);
	assert_int_equal(flow_count(g->f), 0);
}

static void what_is_no_graph_is_refused_by_its_field(void **state)
{
	static const uint16_t itself[] = {1}, twice[] = {0, 0};
	struct saga *g = saga_new();
	struct flow_step_spec two[] = {a_step(g, "a"), a_step(g, "b")};

	(void)state;
	assert_refused(g, two, 0, "steps");
	two[1].needs = itself, two[1].needs_count = 1;
	assert_refused(g, two, 2, "steps[1].needs[0]");
	two[1].needs = twice, two[1].needs_count = 2;
	assert_refused(g, two, 2, "steps[1].needs[1]");
	two[1] = a_step(g, "a");
	assert_refused(g, two, 2, "steps[1].name");
	two[1] = a_step(g, "");
	assert_refused(g, two, 2, "steps[1].name");
	two[1] = a_step(g, "b");
	two[1].kind = STEP_WAIT;
	assert_refused(g, two, 2, "steps[1].until");
	two[1].kind = STEP_COMMAND, two[1].awaited = STR("word");
	assert_refused(g, two, 2, "steps[1].event");
	two[1] = a_step(g, "b"), two[1].attempts_max = 0;
	assert_refused(g, two, 2, "steps[1].max_attempts");
	saga_end(&g);
}

static void another_tenants_is_none(void **state)
{
	struct saga *g = saga_new();
	struct flow_execution *e = three(g, 1), *out;

	(void)state;
	assert_int_equal(flow_cancel(g->f, 2, e->id, STR("eve"), STR(""), &out, &g->problem), ERR_NOT_FOUND);
	assert_int_equal(flow_pause(g->f, 2, e->id, STR("eve"), &out, &g->problem), ERR_NOT_FOUND);
	saga_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_run_one_after_the_other),
		cmocka_unit_test(branches_run_at_the_same_time_and_join),
		cmocka_unit_test(what_failed_begins_again_and_what_is_done_does_not),
		cmocka_unit_test(a_failure_without_attempts_left_cancels_the_rest),
		cmocka_unit_test(what_needs_an_optional_step_goes_on_without_it),
		cmocka_unit_test(an_approval_waits_for_its_person),
		cmocka_unit_test(a_refusal_is_final),
		cmocka_unit_test(nobody_approves_in_time),
		cmocka_unit_test(a_wait_ends_with_its_time_or_its_event),
		cmocka_unit_test(an_event_that_came_before_its_wait_is_not_lost),
		cmocka_unit_test(a_pause_takes_what_nobody_has_out_of_the_queue),
		cmocka_unit_test(a_squad_that_is_paused_begins_nothing),
		cmocka_unit_test(a_full_queue_is_tried_again),
		cmocka_unit_test(an_agent_adds_steps_while_it_works),
		cmocka_unit_test(a_deadline_ends_it),
		cmocka_unit_test(what_was_cancelled_can_be_tried_again),
		cmocka_unit_test(what_is_no_graph_is_refused_by_its_field),
		cmocka_unit_test(another_tenants_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
