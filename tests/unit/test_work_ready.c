/* What a claim gets, and who gets what becomes ready. */
#include "work_kit/story.h"

static struct item *add_for(struct story *s, const char *type, const char *team, int priority, const char *assignee)
{
	struct work_spec spec = a_spec(type);

	spec.team = str_of(team);
	spec.priority = priority;
	spec.assignee = str_of(assignee);
	return add(s, spec);
}

static void the_order_is_priority_then_first_ready_then_id(void **state)
{
	struct story *s = story_new();
	struct item *expected[6];

	(void)state;
	expected[4] = add_type(s, "build");
	expected[5] = add_type(s, "build");
	story_at(s, 1);
	expected[2] = add_for(s, "test", NULL, PRIORITY_HIGH, NULL);
	expected[3] = add_for(s, "build", "web", PRIORITY_HIGH, NULL);
	story_at(s, 2);
	expected[0] = add_for(s, "build", NULL, PRIORITY_CRITICAL, NULL);
	expected[1] = add_for(s, "build", NULL, PRIORITY_CRITICAL, NULL);
	if (expected[3]->id < expected[2]->id) { /* ids of one millisecond are ordered by slot */
		struct item *first = expected[3];

		expected[3] = expected[2];
		expected[2] = first;
	}
	for (int i = 0; i < 6; i++)
		assert_ptr_equal(claim(s, "grace", NULL), expected[i]);
	assert_null(claim(s, "grace", NULL));
	story_end(&s);
}

/* A long queue of one does not make the other wait for all of it; what is more urgent comes first all the same. */
static void teams_take_turns_where_a_claim_names_none(void **state)
{
	struct story *s = story_new();
	struct item *big[5], *small[2], *urgent;

	(void)state;
	for (int i = 0; i < 5; i++) {
		story_at(s, i);
		big[i] = add_for(s, "build", "big", PRIORITY_MEDIUM, NULL);
	}
	story_at(s, 5);
	small[0] = add_for(s, "build", "small", PRIORITY_MEDIUM, NULL);
	urgent = add_for(s, "build", "big", PRIORITY_HIGH, NULL);
	assert_ptr_equal(claim(s, "grace", "build"), urgent);
	assert_ptr_equal(claim(s, "grace", "build"), big[0]);
	assert_ptr_equal(claim(s, "grace", "build"), small[0]);
	assert_ptr_equal(claim(s, "grace", "build"), big[1]);
	assert_ptr_equal(claim(s, "grace", "build"), big[2]);
	story_at(s, 6);
	small[1] = add_for(s, "build", "small", PRIORITY_MEDIUM, NULL);
	assert_ptr_equal(claim(s, "grace", "build"), small[1]);
	assert_ptr_equal(claim(s, "grace", NULL), big[3]); /* those that name no type count for themselves */
	assert_ptr_equal(claim(s, "grace", NULL), big[4]);
	story_end(&s);
}

/* Two types, two teams and none: which of the six queues a claim reaches. */
static void a_claim_reaches_just_the_queues_it_names(void **state)
{
	static const struct str both[] = {{"build", 5}, {"test", 4}},
				unknown[] = {{"nobody", 6}, {"test", 4}, {"test", 4}}, empty[] = {{"", 0}};
	static const struct {
		const struct str *types;
		size_t types_count;
		struct str team;
		unsigned reached; /* bits: build, build/core, build/web, test, test/core, test/web */
	} cases[] = {
		{NULL, 0, {NULL, 0}, 077},    {NULL, 0, {"", 0}, 011},   {NULL, 0, {"core", 4}, 022},
		{NULL, 0, {"nobody", 6}, 0},  {both, 1, {NULL, 0}, 07},  {both, 2, {NULL, 0}, 077},
		{both, 1, {"", 0}, 01},       {both, 1, {"web", 3}, 04}, {both, 2, {"web", 3}, 044},
		{unknown, 3, {NULL, 0}, 070}, {empty, 1, {NULL, 0}, 0},
	};
	static const char *const types[] = {"build", "test"}, *const teams[] = {NULL, "core", "web"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (int assigned = 0; assigned < 2; assigned++) {
			struct story *s = story_new();
			struct work_claim c = a_claim("grace", cases[i].types, cases[i].types_count);
			struct item *items[6], *got[6];
			unsigned reached = 0;
			size_t n;

			for (int q = 0; q < 6; q++)
				items[q] = add_for(s, types[q / 3], teams[q % 3], PRIORITY_LOW,
						   assigned ? "grace" : NULL);
			c.team = cases[i].team;
			c.max = 6;
			n = work_claim(s->w, &c, got);
			for (size_t k = 0; k < n; k++)
				for (unsigned q = 0; q < 6; q++)
					reached |= got[k] == items[q] ? 1u << q : 0;
			assert_int_equal(reached, cases[i].reached);
			story_end(&s);
		}
}

static void an_assigned_item_is_for_its_agent_and_blocks_nobody(void **state)
{
	struct story *s = story_new();
	struct item *assigned = add_for(s, "build", NULL, PRIORITY_CRITICAL, "ada"), *free_one;

	(void)state;
	story_at(s, 1);
	free_one = add_type(s, "build");
	assert_ptr_equal(claim(s, "grace", "build"), free_one);
	assert_null(claim(s, "grace", "build"));
	assert_ptr_equal(claim(s, "ada", "build"), assigned);
	story_end(&s);
}

static void an_agent_takes_what_is_best_of_its_own_and_everybodys(void **state)
{
	struct story *s = story_new();
	struct work_claim c = a_claim("ada", NULL, 0);
	struct item *expected[5], *got[8];

	(void)state;
	expected[0] = add_for(s, "build", NULL, PRIORITY_HIGH, "ada");
	expected[3] = add_for(s, "test", NULL, PRIORITY_LOW, "ada");
	story_at(s, 1);
	expected[1] = add_for(s, "build", NULL, PRIORITY_HIGH, NULL);
	story_at(s, 2);
	expected[2] = add_for(s, "test", NULL, PRIORITY_HIGH, "ada");
	expected[4] = add_for(s, "build", NULL, PRIORITY_LOW, NULL);
	c.max = 8;
	assert_int_equal(work_claim(s->w, &c, got), 5);
	assert_memory_equal(got, expected, sizeof(expected));
	story_end(&s);
}

static void returned_items_stand_where_they_stood(void **state)
{
	enum { COUNT = 100 };
	struct story *s = story_new();
	struct item *items[COUNT], *got[COUNT];
	struct work_claim c = a_claim("grace", NULL, 0);

	(void)state;
	for (int i = 0; i < COUNT; i++)
		items[i] = add_type(s, "build");
	c.max = COUNT / 2;
	assert_int_equal(work_claim(s->w, &c, got), COUNT / 2);
	for (int i = 0; i < COUNT / 2; i++) { /* in another order: 7 and 50 have no common divisor */
		struct item *item = items[i * 7 % (COUNT / 2)];

		assert_int_equal(settle(s, item, work_token_of(item), OUTCOME_RELEASED), OK);
	}
	c.max = COUNT;
	assert_int_equal(work_claim(s->w, &c, got), COUNT);
	assert_memory_equal(got, items, sizeof(items));
	story_end(&s);
}

static void items_can_go_from_the_middle_of_a_queue(void **state)
{
	enum { COUNT = 1000 };
	struct story *s = story_new();
	struct item *items[COUNT], *got[COUNT];
	struct work_claim c = a_claim("grace", NULL, 0);

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		items[i] = add_type(s, "build");
		if (i % 3)
			cancel(s, items[i]);
	}
	c.max = COUNT;
	assert_int_equal(work_claim(s->w, &c, got), (COUNT + 2) / 3);
	for (int i = 0; i < (COUNT + 2) / 3; i++)
		assert_ptr_equal(got[i], items[3 * i]);
	story_end(&s);
}

/* ---- waiting ---- */

static void who_waits_longest_is_served_in_the_batch(void **state)
{
	struct story *s = story_new();
	struct str build[] = {STR("build")}, either[] = {STR("test"), STR("build")};
	struct work_claim narrow = a_claim("ada", build, 1), wide = a_claim("grace", either, 2),
			  any = a_claim("edsger", NULL, 0);
	struct item *item;
	int first, second, third;

	(void)state;
	wait_for(s, &wide, 1000, &first);
	story_at(s, 1);
	wait_for(s, &narrow, 1000, &second);
	wait_for(s, &any, 1000, &third);
	assert_int_equal(work_waiting(s->w), 3);
	assert_int_equal(work_waiting_tenant(s->w, 1), 3);
	assert_int_equal(work_waiting_tenant(s->w, 2), 0);
	item = add_type(s, "build");
	assert_int_equal(item->state, WORK_LEASED);
	assert_str(name_str(item->claimed_by), "grace");
	assert_happened(s, "enqueued claimed");
	add_type(s, "build");
	add_type(s, "build");
	assert_int_equal(add_type(s, "build")->state, WORK_READY);
	assert_int_equal(s->served_count, 3);
	assert_ptr_equal(s->served_who[0], &first);
	assert_int_equal(s->served_id[0], item->id);
	assert_ptr_equal(s->served_who[1], &second);
	assert_ptr_equal(s->served_who[2], &third);
	story_end(&s);
}

static void a_wait_takes_only_what_fits_it(void **state)
{
	struct story *s = story_new();
	struct str build[] = {STR("build")};
	struct work_claim core = a_claim("ada", build, 1), foreign = a_claim("ada", NULL, 0);
	int who, other;

	(void)state;
	core.team = STR("core");
	foreign.tenant = 2;
	wait_for(s, &core, 1000, &who);
	wait_for(s, &foreign, 1000, &other);
	assert_int_equal(add_type(s, "build")->state, WORK_READY);
	assert_int_equal(add_for(s, "test", "core", PRIORITY_LOW, NULL)->state, WORK_READY);
	assert_int_equal(add_for(s, "build", "core", PRIORITY_LOW, "grace")->state, WORK_READY);
	assert_int_equal(s->served_count, 0);
	assert_int_equal(add_for(s, "build", "core", PRIORITY_LOW, "ada")->state, WORK_LEASED);
	assert_ptr_equal(s->served_who[0], &who);
	story_end(&s);
}

static void an_assigned_item_passes_over_who_came_before(void **state)
{
	struct story *s = story_new();
	struct str test[] = {STR("test")};
	struct work_claim grace = a_claim("grace", NULL, 0), busy = a_claim("ada", test, 1),
			  ada = a_claim("ada", NULL, 0);
	int first, unfit, second;

	(void)state;
	wait_for(s, &grace, 1000, &first);
	wait_for(s, &busy, 1000, &unfit);
	wait_for(s, &ada, 1000, &second);
	add_for(s, "build", NULL, PRIORITY_LOW, "ada");
	assert_int_equal(s->served_count, 1);
	assert_ptr_equal(s->served_who[0], &second);
	story_end(&s);
}

/* Whatever makes an item ready serves a wait: one case each. */
static void every_way_to_ready_serves_a_wait(void **state)
{
	(void)state;
	for (int way = 0; way < 5; way++) {
		struct story *s = story_new();
		struct str build[] = {STR("build")};
		struct work_claim c = a_claim("ada", build, 1);
		struct work_spec spec = a_spec("build");
		struct item *dependency = add_type(s, "other"), *item;
		struct work_token t;
		int who;

		claim(s, "grace", "other");
		spec.run_at_ms = way == 0 ? T0 + 10 : 0;
		item = way == 1 ? add_after(s, "build", dependency, ON_FAILURE_FAIL) : add(s, spec);
		if (way >= 2)
			claim(s, "grace", "build");
		t = work_token_of(item);
		wait_for(s, &c, 100000, &who);
		story_at(s, 10);
		if (way == 0)
			work_tick(s->w, 10);
		else if (way == 1)
			complete(s, dependency);
		else if (way == 2)
			settle(s, item, t, OUTCOME_RELEASED);
		else if (way == 3)
			work_unclaim(s->w, item->id, &t);
		else
			settle(s, item, t, OUTCOME_FAILED);
		if (way == 4)
			story_tick(s, 1010);
		assert_int_equal(item->state, WORK_LEASED);
		assert_str(name_str(item->claimed_by), "ada");
		assert_ptr_equal(s->served_who[0], &who);
		story_end(&s);
	}
}

static void a_wait_ends_with_nothing_when_its_time_is_over(void **state)
{
	struct story *s = story_new();
	struct work_claim c = a_claim("ada", NULL, 0);
	int late, early;

	(void)state;
	wait_for(s, &c, 200, &late);
	wait_for(s, &c, 100, &early);
	assert_int_equal(work_next_due_ms(s->w), T0 + 100);
	story_tick(s, 99);
	assert_int_equal(s->served_count, 0);
	story_tick(s, 100);
	assert_int_equal(s->served_count, 1);
	assert_ptr_equal(s->served_who[0], &early);
	assert_int_equal(s->served_id[0], 0);
	story_tick(s, 200);
	assert_ptr_equal(s->served_who[1], &late);
	assert_int_equal(work_waiting(s->w), 0);
	story_end(&s);
}

static void a_wait_can_be_given_up(void **state)
{
	struct story *s = story_new();
	struct work_claim c = a_claim("ada", NULL, 0);
	struct work_waiter *waiter;
	int who;

	(void)state;
	waiter = wait_for(s, &c, 200, &who);
	work_unwait(s->w, &waiter);
	assert_null(waiter);
	work_unwait(s->w, &waiter);
	assert_int_equal(add_type(s, "build")->state, WORK_READY);
	story_tick(s, 300);
	assert_int_equal(s->served_count, 0);
	story_end(&s);
}

static void too_many_waits_are_refused(void **state)
{
	struct story *s = story_limited(10, 2, 10);
	struct work_claim c = a_claim("ada", NULL, 0);
	struct work_waiter *waiter;
	int who;

	(void)state;
	wait_for(s, &c, 200, &who);
	wait_for(s, &c, 200, &who);
	assert_int_equal(work_wait(s->w, &c, T0 + 200, &who, &waiter), ERR_TOO_MANY);
	story_end(&s);
}

static void wait_though_there_is_work(void *arg)
{
	struct story *s = arg;
	struct work_claim c = a_claim("ada", NULL, 0);
	struct work_waiter *waiter;

	work_wait(s->w, &c, T0 + 200, NULL, &waiter);
}

static void nobody_may_wait_while_there_is_something(void **state)
{
	struct story *s = story_new();

	(void)state;
	add_type(s, "build");
	assert_true(dies(wait_though_there_is_work, s));
	story_end(&s);
}

static void an_undone_batch_ends_the_waits_that_began_in_it(void **state)
{
	struct story *s = story_new();
	struct work_claim c = a_claim("ada", NULL, 0);
	int before, inside;
	struct item *item;

	(void)state;
	wait_for(s, &c, 1000, &before);
	story_at(s, 1);
	wait_for(s, &c, 1000, &inside);
	item = add_type(s, "build"); /* for `before`, whose answer is then lost with the batch */
	assert_int_equal(item->state, WORK_LEASED);
	story_undo(s);
	assert_int_equal(s->served_count, 2);
	assert_ptr_equal(s->served_who[1], &inside);
	assert_int_equal(s->served_id[1], 0);
	assert_int_equal(work_waiting(s->w), 0);
	story_end(&s);
}

static void the_age_of_the_oldest_ready_item_is_known(void **state)
{
	struct story *s = story_new();

	(void)state;
	assert_int_equal(work_oldest_ready_ms(s->w, 0), 0);
	add_for(s, "build", NULL, PRIORITY_LOW, "ada");
	story_at(s, 5);
	add_for(s, "build", NULL, PRIORITY_CRITICAL, NULL);
	assert_int_equal(work_oldest_ready_ms(s->w, 0), T0);
	assert_int_equal(work_oldest_ready_ms(s->w, 1), T0);
	assert_int_equal(work_oldest_ready_ms(s->w, 2), 0);
	claim(s, "ada", NULL);
	claim(s, "ada", NULL);
	assert_int_equal(work_oldest_ready_ms(s->w, 0), 0);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_is_priority_then_first_ready_then_id),
		cmocka_unit_test(teams_take_turns_where_a_claim_names_none),
		cmocka_unit_test(a_claim_reaches_just_the_queues_it_names),
		cmocka_unit_test(an_assigned_item_is_for_its_agent_and_blocks_nobody),
		cmocka_unit_test(an_agent_takes_what_is_best_of_its_own_and_everybodys),
		cmocka_unit_test(returned_items_stand_where_they_stood),
		cmocka_unit_test(items_can_go_from_the_middle_of_a_queue),
		cmocka_unit_test(who_waits_longest_is_served_in_the_batch),
		cmocka_unit_test(a_wait_takes_only_what_fits_it),
		cmocka_unit_test(an_assigned_item_passes_over_who_came_before),
		cmocka_unit_test(every_way_to_ready_serves_a_wait),
		cmocka_unit_test(a_wait_ends_with_nothing_when_its_time_is_over),
		cmocka_unit_test(a_wait_can_be_given_up),
		cmocka_unit_test(too_many_waits_are_refused),
		cmocka_unit_test(nobody_may_wait_while_there_is_something),
		cmocka_unit_test(an_undone_batch_ends_the_waits_that_began_in_it),
		cmocka_unit_test(the_age_of_the_oldest_ready_item_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
