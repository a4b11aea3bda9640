/* What is older than its time goes, in steps that keep up with writing. Argument: the store. */
#include "store_kit.h"

#include "base/log.h"
#include "work/forget.h"

enum { A_FEW = 128 };

static enum store_kind kind;

static int ready(void **state)
{
	struct kit *k = kit_new(kind, NULL);

	kit_open(k);
	*state = k;
	return 0;
}

static int done(void **state)
{
	kit_free(*state);
	return 0;
}

/* Events of `count` batches whose numbers begin with `first` and are `apart` from each other, all of one time. */
static void put_events(struct kit *k, int64_t first, int64_t apart, size_t count, int64_t at_ms)
{
	struct event_row *rows = must_alloc(count * sizeof(*rows));

	for (size_t i = 0; i < count; i++)
		rows[i] = (struct event_row){first + (int64_t)i * apart, at_ms, STR("x")};
	assert_int_equal(q_event_insert(k->db, rows, count), OK);
	free(rows);
}

static void put_keys(struct kit *k, int64_t first, size_t count, int64_t created_ms)
{
	struct idempotency_row *rows = must_alloc(count * sizeof(*rows));

	for (size_t i = 0; i < count; i++)
		rows[i] = (struct idempotency_row){.id = first + (int64_t)i,
						   .tenant = 1,
						   .route = STR("work_add"),
						   .key = STR("k"),
						   .body_hash = STR("h"),
						   .response = STR("{}"),
						   .created_ms = created_ms};
	assert_int_equal(q_idempotency_insert(k->db, rows, count), OK);
	free(rows);
}

/* How many of the answers with these ids are kept. */
static size_t keys_kept(struct kit *k, int64_t first, int64_t last)
{
	struct idempotency_row row;
	size_t n = 0;

	for (int64_t id = first; id <= last; id++)
		n += q_idempotency_get(k->db, &(struct id_row){id}, k->arena, &row) == OK;
	return n;
}

/* In a transaction, as with a batch. What is from before 1000 has had its time. */
static void step(struct kit *k, struct forget *f, bool commits)
{
	const struct forget_before before = {.events_ms = 1000, .keys_ms = 1000};

	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(forget_step(f, k->db, k->arena, 5000, &before), OK);
	if (commits)
		assert_int_equal(db_commit(k->db), OK);
	else
		db_rollback(k->db);
}

static void a_step_is_due_in_time_and_by_what_was_written(void **state)
{
	struct forget f = {.stepped_ms = 10000};

	(void)state;
	for (int i = 0; i < 63; i++)
		assert_false(forget_is_due(&f, 10000, 0));
	assert_true(forget_is_due(&f, 10000, 0));
	f = (struct forget){.stepped_ms = 10000};
	assert_false(forget_is_due(&f, 10999, 255));
	assert_true(forget_is_due(&f, 10999, 1));
	f = (struct forget){.stepped_ms = 10000};
	assert_true(forget_is_due(&f, 11000, 0));
}

static void nothing_is_forgotten_where_there_is_nothing(void **state)
{
	struct forget f = {0};

	step(*state, &f, true);
	step(*state, &f, true);
}

static void what_is_young_stays(void **state)
{
	struct kit *k = *state;
	struct forget f = {0};

	put_events(k, 1, 1, 10, 999);
	put_events(k, 11, 1, 10, 1000);
	put_keys(k, 1, 10, 999);
	put_keys(k, 11, 10, 1000);
	step(k, &f, true);
	step(k, &f, true);
	assert_int_equal(kit_event_count(k->db), 10);
	assert_int_equal(keys_kept(k, 1, 10), 0);
	assert_int_equal(keys_kept(k, 11, 20), 10);
}

/* 64 batches at a time write as many rows, of the past like those that are there: nothing may pile up. */
static void a_backlog_is_worked_off_under_load_in_small_steps(void **state)
{
	struct kit *k = *state;
	struct forget f = {0};
	size_t left = 5000, steps = 0;

	put_events(k, 1, 1, 5000, 10);
	for (int64_t next = 5001; left > 0 && steps < 100; next += 64, steps++) {
		put_events(k, next, 1, 64, 20);
		for (int i = 0; i < 64; i++)
			forget_is_due(&f, 5000, 0);
		step(k, &f, true);
		assert_in_range(left + 64 - kit_event_count(k->db), 64, 2 * 64 + A_FEW);
		left = kit_event_count(k->db);
	}
	assert_in_range(steps, 1, 5000 / (64 + A_FEW) + 1);
}

static void answers_go_in_small_steps_too(void **state)
{
	struct kit *k = *state;
	struct forget f = {0};

	put_keys(k, 1, 1000, 10);
	step(k, &f, true);
	assert_int_equal(keys_kept(k, 1, 1000), 1000 - A_FEW);
	forget_is_due(&f, 5000, 300);
	step(k, &f, true);
	assert_int_equal(keys_kept(k, 1, 1000), 1000 - 2 * A_FEW - 2 * 300);
	step(k, &f, true);
	step(k, &f, true);
	assert_int_equal(keys_kept(k, 1, 1000), 0);
}

/* Batches without events leave gaps between the numbers. */
static void gaps_hold_nothing_up(void **state)
{
	struct kit *k = *state;
	struct forget f = {0};

	put_events(k, 1, 1000000, 5, 10);
	for (size_t left = 5; left > 0; left--) {
		assert_int_equal(kit_event_count(k->db), left);
		step(k, &f, true);
	}
	assert_int_equal(kit_event_count(k->db), 0);
}

static void a_step_whose_batch_failed_is_made_up_for(void **state)
{
	struct kit *k = *state;
	struct forget f = {0};

	put_events(k, 1, 1, 10, 10);
	put_keys(k, 1, 10, 10);
	step(k, &f, false);
	assert_int_equal(kit_event_count(k->db), 10);
	step(k, &f, true);
	assert_int_equal(kit_event_count(k->db), 0);
	assert_int_equal(keys_kept(k, 1, 10), 0);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, ready, done)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_is_due_in_time_and_by_what_was_written),
		ON(nothing_is_forgotten_where_there_is_nothing),
		ON(what_is_young_stays),
		ON(a_backlog_is_worked_off_under_load_in_small_steps),
		ON(answers_go_in_small_steps_too),
		ON(gaps_hold_nothing_up),
		ON(a_step_whose_batch_failed_is_made_up_for),
	};

	log_set_level(LOG_ERROR);
	kind = argc > 1 && strcmp(argv[1], "postgres") == 0 ? STORE_POSTGRES : STORE_SQLITE;
	if (kind == STORE_POSTGRES)
		kit_need_postgres();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
