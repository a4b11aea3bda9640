/* Each fault strikes where its plan says, with the effect fault.h promises, and nowhere else. */
#include "store_kit.h"

#include "base/clock.h"
#include "base/log.h"

static int done(void **state)
{
	if (*state)
		kit_free(*state);
	*state = NULL;
	return 0;
}

static struct kit *with_plan(void **state, const char *plan)
{
	struct kit *k = kit_new(STORE_SQLITE, plan);

	kit_open(k);
	fault_arm(k->store);
	*state = k;
	return k;
}

/* Three calls: begin, insert, commit. */
static enum err transaction(struct kit *k, int64_t id)
{
	struct work_live_row row = kit_live(id);
	enum err e = db_begin(k->db);

	if (e == OK)
		e = kit_commit(k->db, q_work_live_insert(k->db, &row, 1));
	assert_false(db_in_transaction(k->db));
	return e;
}

/* What was really stored, seen past the faults: the kit's file through a store of its own. */
static size_t stored(struct kit *k)
{
	struct store *s = kit_store(k);
	struct db *db = kit_connect(s, DB_READ);
	size_t n = kit_live_count(db);

	db_close(&db);
	store_close(&s);
	return n;
}

static void plans_that_are_refused(void **state)
{
	static const char *const bad[] = {
		"fail",      "fail@",     "fail@0",    "fail@x",        "fail@-1",  "fail@1=5", "fail@1.2",
		"full@5..3", "full@5...", "explode@1", "slow@1",        "slow@1=",  "slow@1=x", "slow@1=-1",
		",",         "fail@c",    "fail@c0",   "fail@1,fail@x", "fail@1 2",
	};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(bad); i++) {
		struct kit *k = kit_new(STORE_SQLITE, NULL);
		struct problem p = {0};
		struct store *before = k->store;

		assert_int_equal(fault_wrap(&k->store, bad[i], &p), ERR_USAGE);
		assert_ptr_equal(k->store, before);
		kit_free(k);
	}
}

static void a_failed_call_loses_the_connection_and_leaves_nothing(void **state)
{
	struct kit *k = with_plan(state, "fail@5");

	assert_int_equal(transaction(k, 1), OK);
	assert_int_equal(transaction(k, 2), ERR_STORE_UNAVAILABLE); /* the insert */
	assert_true(db_lost(k->db));
	assert_int_equal(transaction(k, 3), ERR_STORE_UNAVAILABLE);
	assert_int_equal(db_reconnect(k->db, NULL), OK);
	assert_int_equal(transaction(k, 4), OK);
	assert_int_equal(stored(k), 2);
}

static void a_failed_commit_by_its_own_number(void **state)
{
	struct kit *k = with_plan(state, "fail@c2, busy@c3");

	assert_int_equal(transaction(k, 1), OK);
	assert_int_equal(transaction(k, 2), ERR_STORE_UNAVAILABLE);
	assert_int_equal(db_reconnect(k->db, NULL), OK);
	assert_int_equal(transaction(k, 2), ERR_STORE_BUSY);
	assert_int_equal(transaction(k, 2), OK);
	assert_int_equal(stored(k), 2);
}

static void busy_dooms_only_its_transaction(void **state)
{
	struct kit *k = with_plan(state, "busy@2");

	assert_int_equal(transaction(k, 1), ERR_STORE_BUSY);
	assert_false(db_lost(k->db));
	assert_int_equal(transaction(k, 1), OK);
	assert_int_equal(stored(k), 1);
}

static void busy_inside_a_savepoint_ends_with_it(void **state)
{
	struct kit *k = with_plan(state, "busy@3");
	struct work_live_row row = kit_live(1);

	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(db_savepoint(k->db), OK);
	assert_int_equal(q_work_live_insert(k->db, &row, 1), ERR_STORE_BUSY);
	assert_int_equal(db_savepoint_undo(k->db), OK);
	assert_int_equal(q_work_live_insert(k->db, &row, 1), OK);
	assert_int_equal(db_commit(k->db), OK);
	assert_int_equal(stored(k), 1);
}

static void full_for_a_range_of_calls(void **state)
{
	struct kit *k = with_plan(state, "full@2..3");

	assert_int_equal(transaction(k, 1), ERR_STORE_FULL); /* calls 1 and 2 */
	assert_int_equal(transaction(k, 1), ERR_STORE_FULL); /* call 3 */
	assert_int_equal(transaction(k, 1), OK);
	assert_int_equal(stored(k), 1);
}

static void full_for_ever(void **state)
{
	struct kit *k = with_plan(state, "full@4..");

	assert_int_equal(transaction(k, 1), OK);
	for (int i = 0; i < 10; i++)
		assert_int_equal(transaction(k, 2), ERR_STORE_FULL);
	assert_int_equal(stored(k), 1);
}

static void every_call(void **state)
{
	struct kit *k = with_plan(state, "busy@*");

	for (int i = 0; i < 10; i++)
		assert_int_equal(transaction(k, 1), ERR_STORE_BUSY);
	assert_int_equal(fault_calls(k->store), 10);
}

static void an_unknown_commit_was_made(void **state)
{
	struct kit *k = with_plan(state, "unknown@c1");

	assert_int_equal(transaction(k, 1), ERR_OUTCOME_UNKNOWN);
	assert_true(db_lost(k->db));
	assert_int_equal(db_reconnect(k->db, NULL), OK);
	assert_int_equal(stored(k), 1);
	assert_int_equal(transaction(k, 2), OK);
}

static void a_lost_commit_was_not(void **state)
{
	struct kit *k = with_plan(state, "lost@c1");

	assert_int_equal(transaction(k, 1), ERR_OUTCOME_UNKNOWN);
	assert_true(db_lost(k->db));
	assert_int_equal(db_reconnect(k->db, NULL), OK);
	assert_int_equal(stored(k), 0);
	assert_int_equal(transaction(k, 1), OK);
}

static void unknown_and_lost_are_of_commits_alone(void **state)
{
	struct kit *k = with_plan(state, "unknown@1, lost@2, unknown@3");

	assert_int_equal(transaction(k, 1), ERR_OUTCOME_UNKNOWN);
	assert_int_equal(stored(k), 1);
}

static void slow_calls(void **state)
{
	struct kit *k = with_plan(state, "slow@2=80,slow@3=40");
	int64_t start_ns = clock_mono_ns();

	assert_int_equal(transaction(k, 1), OK);
	assert_true(clock_mono_ns() - start_ns >= 120 * 1000000LL);
	assert_int_equal(stored(k), 1);
}

static void a_reconnect_can_fail_as_well(void **state)
{
	struct kit *k = with_plan(state, "fail@2..4");
	struct problem p = {0};

	assert_int_equal(transaction(k, 1), ERR_STORE_UNAVAILABLE); /* calls 1 and 2 */
	assert_int_equal(db_reconnect(k->db, &p), ERR_STORE_UNAVAILABLE);
	assert_true(strlen(p.detail) > 0);
	assert_true(db_lost(k->db));
	assert_int_equal(db_reconnect(k->db, &p), ERR_STORE_UNAVAILABLE);
	assert_int_equal(db_reconnect(k->db, &p), OK);
	assert_int_equal(transaction(k, 1), OK);
	assert_int_equal(stored(k), 1);
}

static void counting_begins_when_armed(void **state)
{
	struct kit *k = kit_new(STORE_SQLITE, "fail@1");

	*state = k;
	kit_open(k);
	assert_int_equal(transaction(k, 1), OK);
	assert_int_equal(fault_calls(k->store), 0);
	fault_arm(k->store);
	assert_int_equal(transaction(k, 2), ERR_STORE_UNAVAILABLE);
	assert_int_equal(fault_calls(k->store), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_that_are_refused),
		cmocka_unit_test_teardown(a_failed_call_loses_the_connection_and_leaves_nothing, done),
		cmocka_unit_test_teardown(a_failed_commit_by_its_own_number, done),
		cmocka_unit_test_teardown(busy_dooms_only_its_transaction, done),
		cmocka_unit_test_teardown(busy_inside_a_savepoint_ends_with_it, done),
		cmocka_unit_test_teardown(full_for_a_range_of_calls, done),
		cmocka_unit_test_teardown(full_for_ever, done),
		cmocka_unit_test_teardown(every_call, done),
		cmocka_unit_test_teardown(an_unknown_commit_was_made, done),
		cmocka_unit_test_teardown(a_lost_commit_was_not, done),
		cmocka_unit_test_teardown(unknown_and_lost_are_of_commits_alone, done),
		cmocka_unit_test_teardown(slow_calls, done),
		cmocka_unit_test_teardown(a_reconnect_can_fail_as_well, done),
		cmocka_unit_test_teardown(counting_begins_when_armed, done),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests_name("store_fault", tests, NULL, NULL);
}
