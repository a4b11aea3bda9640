/* Items that wait for others: how they go on, and how they fall. */
#include "work_kit/story.h"

static struct item *add_after_all(struct story *s, const char *type, struct work_spec_dependency *depends,
				  size_t count)
{
	struct work_spec spec = a_spec(type);

	spec.depends = depends;
	spec.depends_count = count;
	return add(s, spec);
}

static struct item *hold(struct story *s, const char *type)
{
	struct item *item = add_type(s, type);

	assert_ptr_equal(claim(s, "grace", type), item);
	return item;
}

static void it_is_ready_when_the_last_one_is_done(void **state)
{
	struct story *s = story_new();
	struct item *one = hold(s, "one"), *other = hold(s, "other"), *item;
	struct work_spec_dependency d[] = {{one->id, ON_FAILURE_FAIL, 0}, {other->id, ON_FAILURE_FAIL, 0}};

	(void)state;
	item = add_after_all(s, "build", d, 2);
	assert_int_equal(item->state, WORK_BLOCKED);
	assert_int_equal(item->ready_ms, 0);
	assert_null(claim(s, "ada", "build"));
	story_at(s, 10);
	complete(s, other);
	assert_int_equal(item->state, WORK_BLOCKED);
	assert_true(is_changed(s, item->id)); /* it waits for less: its row says so */
	assert_happened(s, "completed");
	story_at(s, 20);
	complete(s, one);
	assert_int_equal(item->state, WORK_READY);
	assert_int_equal(item->ready_ms, T0 + 20);
	assert_null(item->depends);
	assert_happened(s, "completed ready");
	story_end(&s);
}

static void it_still_waits_for_its_time(void **state)
{
	struct story *s = story_new();
	struct item *first = hold(s, "first"), *item;
	struct work_spec_dependency d = {first->id, ON_FAILURE_FAIL, 0};
	struct work_spec spec = a_spec("build");

	(void)state;
	spec.run_at_ms = T0 + 100;
	spec.depends = &d;
	spec.depends_count = 1;
	item = add(s, spec);
	assert_int_equal(item->state, WORK_BLOCKED);
	complete(s, first);
	assert_int_equal(item->state, WORK_SCHEDULED);
	story_tick(s, 100);
	assert_int_equal(item->state, WORK_READY);
	story_end(&s);
}

/* How one ends, and what that makes of one that depends on it. */
static void an_end_is_passed_on(void **state)
{
	static const struct {
		enum work_state ends;
		int on_failure;
		enum work_state becomes;
		const char *error;
	} cases[] = {
		{WORK_COMPLETED, ON_FAILURE_FAIL, WORK_READY, NULL},
		{WORK_COMPLETED, ON_FAILURE_IGNORE, WORK_READY, NULL},
		{WORK_FAILED, ON_FAILURE_FAIL, WORK_FAILED, "failed"},
		{WORK_FAILED, ON_FAILURE_IGNORE, WORK_READY, NULL},
		{WORK_CANCELLED, ON_FAILURE_FAIL, WORK_FAILED, "was cancelled"},
		{WORK_CANCELLED, ON_FAILURE_IGNORE, WORK_READY, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct story *s = story_new();
		struct item *first = hold(s, "first"), *item = add_after(s, "build", first, cases[i].on_failure);
		struct work_change c;

		story_at(s, 1);
		if (cases[i].ends == WORK_COMPLETED)
			complete(s, first);
		else if (cases[i].ends == WORK_FAILED)
			fail_for_good(s, first, "broken");
		else
			cancel(s, first);
		assert_int_equal(item->state, cases[i].becomes);
		c = change_of(s, first->id);
		assert_int_equal(c.felled_count, cases[i].error != NULL);
		if (cases[i].error) {
			assert_int_equal(c.felled[0], item->id);
			c = change_of(s, item->id);
			assert_int_equal(c.cause, first->id);
			assert_non_null(strstr(c.error.p, cases[i].error));
			assert_int_equal(item->failures, 0);
			assert_non_null(item->depends); /* to be revived with */
		}
		story_end(&s);
	}
}

/* A finished dependency counts at once, as the caller found it or as this batch left it. */
static void what_is_finished_already_counts_at_once(void **state)
{
	static const struct {
		int standing, on_failure;
		enum work_state becomes;
	} cases[] = {
		{DEPENDENCY_MET, ON_FAILURE_FAIL, WORK_READY},
		{DEPENDENCY_MET, ON_FAILURE_IGNORE, WORK_READY},
		{DEPENDENCY_BROKEN, ON_FAILURE_IGNORE, WORK_READY},
		{DEPENDENCY_BROKEN, ON_FAILURE_FAIL, WORK_FAILED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (int now = 0; now < 2; now++) {
			struct story *s = story_new();
			struct item *first = hold(s, "first"), *item;
			struct work_spec_dependency d = {first->id, cases[i].on_failure,
							 now ? DEPENDENCY_LIVE : cases[i].standing};
			struct work_change c;

			if (cases[i].standing == DEPENDENCY_MET)
				complete(s, first);
			else
				fail_for_good(s, first, "broken");
			if (!now)
				story_at(s, 1);
			item = add_after_all(s, "build", &d, 1);
			assert_int_equal(item->state, cases[i].becomes);
			c = change_of(s, item->id);
			assert_int_equal(c.is_live, cases[i].becomes == WORK_READY);
			if (!c.is_live)
				assert_int_equal(c.cause, d.id);
			if (now)
				assert_int_equal(change_of(s, first->id).felled_count, !c.is_live);
			story_end(&s);
		}
}

static void an_unknown_dependency_is_refused(void **state)
{
	struct story *s = story_new();
	struct item *first = add_type(s, "first");
	struct work_spec_dependency d[] = {{first->id, 0, DEPENDENCY_LIVE}, {777, 0, DEPENDENCY_LIVE}};
	struct work_spec spec = a_spec("build");

	(void)state;
	spec.depends = d;
	spec.depends_count = 2;
	assert_int_equal(refuse_add(s, spec), ERR_INVALID);
	assert_string_equal(s->problem.fields[0].field, "depends_on[1]");
	assert_int_equal(work_count(s->w, WORK_BLOCKED), 0);
	story_end(&s);
}

static void named_twice_the_stricter_counts(void **state)
{
	struct story *s = story_new();
	struct item *first = hold(s, "first"), *item;
	struct work_spec_dependency d[] = {{first->id, ON_FAILURE_IGNORE, 0},
					   {first->id, ON_FAILURE_FAIL, 0},
					   {first->id, ON_FAILURE_IGNORE, 0}};

	(void)state;
	item = add_after_all(s, "build", d, 3);
	cancel(s, first);
	assert_int_equal(item->state, WORK_FAILED);
	story_end(&s);
}

/* Deeper than any stack of calls would be. */
static void a_long_chain_falls(void **state)
{
	enum { DEPTH = 100000 };
	struct story *s = story_new();
	struct item *first = hold(s, "first"), *last = first;
	int64_t id = first->id;
	struct work_change c;

	(void)state;
	for (int i = 0; i < DEPTH; i++)
		last = add_after(s, "build", last, ON_FAILURE_FAIL);
	work_commit(s->w);
	work_begin(s->w, s->now_ms);
	cancel(s, first);
	assert_int_equal(work_count(s->w, WORK_BLOCKED), 0);
	assert_int_equal(last->state, WORK_FAILED);
	for (size_t i = 0; work_next_change(s->w, &i, &c);) {
		assert_int_equal(c.cause, i == 1 ? 0 : id); /* each by the one before it */
		id = c.item->id;
	}
	work_undo(s->w);
	assert_int_equal(work_count(s->w, WORK_BLOCKED), DEPTH);
	work_begin(s->w, s->now_ms);
	story_end(&s);
}

static void a_wide_fan_falls_and_is_remembered(void **state)
{
	enum { WIDTH = 1000 };
	struct story *s = story_new();
	struct item *hub = hold(s, "hub"), *other = hold(s, "other");
	struct work_spec_dependency d[] = {{hub->id, ON_FAILURE_FAIL, 0}, {other->id, ON_FAILURE_FAIL, 0}};
	struct work_change c;

	(void)state;
	for (int i = 0; i < WIDTH; i++)
		add_after_all(s, "build", d, 2);
	story_at(s, 1);
	fail_for_good(s, hub, "broken");
	c = change_of(s, hub->id);
	assert_int_equal(c.felled_count, WIDTH);
	for (size_t i = 1; i < c.felled_count; i++)
		assert_true(c.felled[i - 1] < c.felled[i]);
	story_undo(s);
	complete(s, other);
	assert_int_equal(work_count(s->w, WORK_BLOCKED), WIDTH);
	complete(s, hub);
	assert_int_equal(work_count(s->w, WORK_READY), WIDTH);
	story_end(&s);
}

static void a_diamond_falls_once(void **state)
{
	struct story *s = story_new();
	struct item *top = hold(s, "top"), *left = add_after(s, "left", top, ON_FAILURE_FAIL);
	struct item *right = add_after(s, "right", top, ON_FAILURE_FAIL), *bottom;
	struct work_spec_dependency d[] = {{right->id, ON_FAILURE_FAIL, 0}, {left->id, ON_FAILURE_FAIL, 0}};

	(void)state;
	bottom = add_after_all(s, "bottom", d, 2);
	story_at(s, 1);
	fail_for_good(s, top, "broken");
	assert_happened(s, "failed failed failed failed");
	assert_int_equal(change_of(s, bottom->id).cause, left->id < right->id ? left->id : right->id);
	story_end(&s);
}

static void a_cancelled_dependent_lets_go(void **state)
{
	struct story *s = story_new();
	struct item *first = hold(s, "first"), *item = add_after(s, "build", first, ON_FAILURE_FAIL);

	(void)state;
	cancel(s, item);
	story_at(s, 1);
	fail_for_good(s, first, "broken");
	assert_int_equal(change_of(s, first->id).felled_count, 0);
	story_end(&s);
}

static struct work_loading row_of(const struct item *item)
{
	return (struct work_loading){.id = item->id,
				     .tenant = 1,
				     .queue = item->queue->id,
				     .created_ms = T0,
				     .lease_ms = 60000,
				     .max_attempts = 5,
				     .state = item->state,
				     .priority = PRIORITY_MEDIUM};
}

static void the_fallen_rise_after_their_cause(void **state)
{
	struct story *s = story_new();
	struct item *first = hold(s, "first"), *item = add_after(s, "build", first, ON_FAILURE_FAIL), *out;
	struct work_loading first_row, row;
	struct work_spec_dependency d = {first->id, ON_FAILURE_FAIL, DEPENDENCY_BROKEN};

	(void)state;
	fail_for_good(s, first, "broken");
	first_row = row_of(first);
	row = row_of(item);
	story_at(s, 1);
	assert_int_equal(work_revive(s->w, &row, &d, 1, STR("boss"), &out, &s->problem), ERR_CONFLICT);
	assert_non_null(strstr(s->problem.detail, "retry that one first"));
	assert_int_equal(work_revive(s->w, &first_row, NULL, 0, STR("boss"), &first, &s->problem), OK);
	assert_int_equal(work_revive(s->w, &row, &d, 1, STR("boss"), &item, &s->problem), OK);
	assert_int_equal(item->state, WORK_BLOCKED);
	claim(s, "grace", "first");
	complete(s, first);
	assert_int_equal(item->state, WORK_READY);
	story_end(&s);
}

/* ---- the order of a batch ---- */

enum { NODES = 6, EDGES_MAX = 9 };

struct order {
	struct arena *arena;
	struct work_batch_node nodes[NODES];
	uint64_t needs[NODES][EDGES_MAX]; /* all may leave one node */
	size_t order[NODES];
	enum err faults[NODES];
	struct problem problems[NODES];
};

static char node_names[NODES][2] = {"a", "b", "c", "d", "e", "f"};

/* "ab bc": a needs b, b needs c. */
static void order_of(struct order *o, size_t count, const char *edges)
{
	*o = (struct order){.arena = arena_new(1 << 20)};
	for (size_t i = 0; i < count; i++)
		o->nodes[i] = (struct work_batch_node){
			.key_hash = i + 1, .needs = o->needs[i], .name = str_of(node_names[i])};
	for (; *edges; edges += edges[2] ? 3 : 2) {
		struct work_batch_node *n = &o->nodes[edges[0] - 'a'];

		o->needs[edges[0] - 'a'][n->needs_count++] = (uint64_t)(edges[1] - 'a' + 1);
	}
	work_batch_order(o->nodes, count, o->arena, o->order, o->faults, o->problems);
	arena_destroy(&o->arena);
}

static void a_batch_is_put_in_order(void **state)
{
	static const struct {
		const char *edges, *order;
	} cases[] = {
		{"", "abcd"}, {"ab", "bacd"}, {"ac cb", "bcad"}, {"ab ac ad", "bcda"}, {"az", "abcd"},
	};
	struct order o;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		order_of(&o, 4, cases[i].edges);
		for (size_t k = 0; k < 4; k++) {
			assert_int_equal(o.order[k], cases[i].order[k] - 'a');
			assert_int_equal(o.faults[k], OK);
		}
	}
}

static void a_cycle_is_named(void **state)
{
	struct order o;

	(void)state;
	order_of(&o, 6, "aa bc cd db ed");
	assert_int_equal(o.faults[0], ERR_CYCLE);
	assert_string_equal(o.problems[0].detail, "the dependencies form a cycle: a → a");
	for (int i = 1; i <= 3; i++)
		assert_int_equal(o.faults[i], ERR_CYCLE);
	assert_string_equal(o.problems[1].detail, "the dependencies form a cycle: b → c → d → b");
	assert_string_equal(o.problems[2].detail, "the dependencies form a cycle: c → d → b → c");
	assert_int_equal(o.faults[4], OK); /* depends on one, but is on none */
	assert_int_equal(o.faults[5], OK);
}

static void a_long_cycle_is_shortened(void **state)
{
	enum { LENGTH = 1000 };
	static struct work_batch_node nodes[LENGTH];
	static uint64_t needs[LENGTH];
	static size_t order[LENGTH];
	static enum err faults[LENGTH];
	static struct problem problems[LENGTH];
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < LENGTH; i++) {
		needs[i] = (i + 1) % LENGTH + 1;
		nodes[i] = (struct work_batch_node){
			.key_hash = i + 1, .needs = &needs[i], .needs_count = 1, .name = STR("a name")};
	}
	work_batch_order(nodes, LENGTH, a, order, faults, problems);
	assert_int_equal(faults[17], ERR_CYCLE);
	assert_non_null(strstr(problems[17].detail, "… 994 more …"));
	nodes[LENGTH - 1].needs_count = 0;
	work_batch_order(nodes, LENGTH, a, order, faults, problems);
	for (size_t i = 0; i < LENGTH; i++) {
		assert_int_equal(faults[i], OK);
		assert_int_equal(order[i], LENGTH - 1 - i);
	}
	arena_destroy(&a);
	a = arena_new(1000);
	work_batch_order(nodes, LENGTH, a, order, faults, problems);
	assert_int_equal(faults[0], ERR_TOO_LARGE);
	arena_destroy(&a);
}

/* Random graphs: who needs nobody on a cycle stands behind all it needs, and the rest can reach itself. */
static bool reaches(const struct order *o, size_t from, size_t to, unsigned seen)
{
	for (size_t k = 0; k < o->nodes[from].needs_count; k++) {
		size_t next = (size_t)o->nodes[from].needs[k] - 1;

		if (next == to || (!(seen >> next & 1) && reaches(o, next, to, seen | 1u << next)))
			return true;
	}
	return false;
}

static void random_batches_are_put_in_order(void **state)
{
	struct rng r = test_seed();
	struct order o;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t place[NODES];
		char edges[64] = "";
		uint64_t n = rng_below(&r, EDGES_MAX + 1);

		for (uint64_t k = 0; k < n; k++)
			snprintf(edges + strlen(edges), 4, "%c%c ", 'a' + (char)rng_below(&r, NODES),
				 'a' + (char)rng_below(&r, NODES));
		order_of(&o, NODES, edges);
		for (size_t i = 0; i < NODES; i++)
			place[o.order[i]] = i;
		for (size_t i = 0; i < NODES; i++) {
			assert_int_equal(o.faults[i] == ERR_CYCLE, reaches(&o, i, i, 0));
			for (size_t k = 0; k < o.nodes[i].needs_count; k++) {
				size_t need = (size_t)o.needs[i][k] - 1;

				assert_true(place[need] < place[i] || reaches(&o, need, i, 0));
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_ready_when_the_last_one_is_done),
		cmocka_unit_test(it_still_waits_for_its_time),
		cmocka_unit_test(an_end_is_passed_on),
		cmocka_unit_test(what_is_finished_already_counts_at_once),
		cmocka_unit_test(an_unknown_dependency_is_refused),
		cmocka_unit_test(named_twice_the_stricter_counts),
		cmocka_unit_test(a_long_chain_falls),
		cmocka_unit_test(a_wide_fan_falls_and_is_remembered),
		cmocka_unit_test(a_diamond_falls_once),
		cmocka_unit_test(a_cancelled_dependent_lets_go),
		cmocka_unit_test(the_fallen_rise_after_their_cause),
		cmocka_unit_test(a_batch_is_put_in_order),
		cmocka_unit_test(a_cycle_is_named),
		cmocka_unit_test(a_long_cycle_is_shortened),
		cmocka_unit_test(random_batches_are_put_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
