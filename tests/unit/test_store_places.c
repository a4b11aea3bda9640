/*
 * Where the log stands behind a commit: known with its answer, asked for when the answer was lost, and no reason to
 * take a commit for failed.
 */
#include "store_kit.h"

#include <inttypes.h>

static struct kit *kit_with_places(enum store_kind kind, const char *url, const char *fault_plan)
{
	struct kit *k = kind == STORE_SQLITE ? kit_new(kind, fault_plan) : kit_new_at(url, fault_plan);

	store_note_places(k->store);
	kit_open(k);
	return k;
}

static enum err commit_row(struct kit *k, int64_t id)
{
	struct work_live_row row = kit_live(id);

	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(q_work_live_insert(k->db, &row, 1), OK);
	return db_commit(k->db);
}

static struct log_place place_now(struct kit *k)
{
	struct primary_stand_out stand;

	assert_int_equal(q_primary_stand(k->db, NULL, &stand), OK);
	return (struct log_place){stand.timeline, stand.lsn};
}

static void assert_said_in_order(struct kit *k)
{
	struct log_place before = place_now(k), last = before;

	for (int64_t id = 1; id <= 5; id++) {
		struct log_place place;

		assert_int_equal(commit_row(k, id), OK);
		place = db_place(k->db);
		assert_int_equal(place.timeline, before.timeline);
		assert_true(place.timeline > 0 && place.lsn > last.lsn && place.lsn <= place_now(k).lsn);
		last = place;
	}
	kit_free(k);
}

static void a_commit_says_where_the_log_stands(void **state)
{
	(void)state;
	assert_said_in_order(kit_with_places(STORE_POSTGRES, kit_postgres(), NULL));
	assert_said_in_order(kit_with_places(STORE_POSTGRES, kit_postgres(), "slow@*=0"));
	if (kit_pooler())
		assert_said_in_order(kit_with_places(STORE_POSTGRES, kit_pooler(), NULL));
}

static void it_is_asked_for_when_the_answer_was_lost(void **state)
{
	struct kit *k = kit_with_places(STORE_POSTGRES, kit_postgres(), "unknown@c2");
	struct problem p = {0};
	struct log_place first;

	(void)state;
	fault_arm(k->store);
	assert_int_equal(commit_row(k, 1), OK);
	first = db_place(k->db);
	assert_int_equal(commit_row(k, 2), ERR_OUTCOME_UNKNOWN);
	assert_int_equal(db_place(k->db).timeline, 0);
	assert_int_equal(db_reconnect(k->db, &p), OK);
	assert_int_equal(db_place(k->db).timeline, first.timeline);
	assert_true(db_place(k->db).lsn > first.lsn);
	kit_free(k);
}

struct text_row {
	struct str text;
};

static const struct sql_field text_fields[] = {{"text", SQL_TEXT, false, offsetof(struct text_row, text)}};

static const struct query own_functions_first = {
	.name = "own_functions_first",
	.card = SQL_ONE,
	.postgres = "SELECT set_config('search_path', current_schema() || ', pg_catalog', false) AS text",
	.out = text_fields,
	.out_count = 1,
	.out_size = sizeof(struct text_row),
};

static void a_commit_is_one_also_when_that_cannot_be_said(void **state)
{
	struct kit *k = kit_with_places(STORE_POSTGRES, kit_postgres(), NULL);
	struct text_row path;

	(void)state;
	kit_sql(k->url, "CREATE FUNCTION pg_walfile_name(pg_lsn) RETURNS text LANGUAGE plpgsql AS "
			"$$BEGIN RAISE EXCEPTION 'not today'; END$$");
	assert_int_equal(db_one(k->db, &own_functions_first, NULL, k->arena, &path), OK);
	assert_int_equal(commit_row(k, 1), OK);
	assert_int_equal(db_place(k->db).timeline, 0);
	assert_int_equal(kit_count_rows(k->db, q_work_live_all, db_count_row), 1);
	assert_int_equal(commit_row(k, 2), OK);
	kit_free(k);
}

static void a_file_has_no_places(void **state)
{
	struct kit *k = kit_with_places(STORE_SQLITE, NULL, NULL);

	(void)state;
	assert_int_equal(commit_row(k, 1), OK);
	assert_int_equal(db_place(k->db).timeline, 0);
	kit_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_commit_says_where_the_log_stands),
		cmocka_unit_test(it_is_asked_for_when_the_answer_was_lost),
		cmocka_unit_test(a_commit_is_one_also_when_that_cannot_be_said),
		cmocka_unit_test(a_file_has_no_places),
	};

	kit_need_postgres();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
