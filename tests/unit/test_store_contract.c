/*
 * What every store promises, over the program's own queries: run as "sqlite", "postgres", "pooler" (PostgreSQL behind
 * one that gives each transaction another session), and each of them wrapped by fault.c with an empty plan
 * ("sqlite-fault" and so on), which must make no difference.
 */
#include "store_kit.h"

#include "base/log.h"
#include "store/store_priv.h"

#include <pthread.h>

static enum store_kind kind;
static const char *url, *plan; /* of PostgreSQL; of faults */

static int empty_place(void **state)
{
	*state = kit_new_at(url, plan);
	return 0;
}

static int ready(void **state)
{
	struct kit *k = kit_new_at(url, plan);

	kit_open(k);
	*state = k;
	return 0;
}

static int done(void **state)
{
	kit_free(*state);
	return 0;
}

/* ---- the schema ---- */

static void migrating_again_changes_nothing(void **state)
{
	struct kit *k = *state;
	struct problem p = {0};

	assert_int_equal(q_work_live_insert(k->db, &(struct work_live_row){.id = 1}, 1), OK);
	assert_int_equal(store_migrate(k->store, &STORE_SCHEMA, &p), OK);
	assert_int_equal(kit_live_count(k->db), 1);
}

static void change(struct kit *k, const char *sql)
{
	struct problem p = {0};

	assert_int_equal(db_begin(k->db), OK);
	if (db_script(k->db, sql, &p) != OK)
		fail_msg("%s", p.detail);
	assert_int_equal(db_commit(k->db), OK);
}

static void a_newer_schema_is_refused(void **state)
{
	struct kit *k = *state;
	struct problem p = {0};
	char ours[32];

	change(k, "INSERT INTO schema_version (version, name, applied_ms) VALUES (99, 'later', 0)");
	assert_int_equal(store_migrate(k->store, &STORE_SCHEMA, &p), ERR_SCHEMA);
	assert_int_equal(p.err, ERR_SCHEMA);
	assert_non_null(strstr(p.detail, "has version 99"));
	snprintf(ours, sizeof(ours), "knows up to %d", STORE_SCHEMA.count);
	assert_non_null(strstr(p.detail, ours));
	assert_non_null(strstr(p.detail, "run a newer tenfold"));
	assert_int_equal(kit_live_count(k->db), 0); /* nothing was touched */
}

static void another_program_s_schema_is_refused(void **state)
{
	struct kit *k = *state;
	struct problem p = {0};

	change(k, "UPDATE schema_version SET name = 'garden' WHERE version = 1");
	assert_int_equal(store_migrate(k->store, &STORE_SCHEMA, &p), ERR_SCHEMA);
	assert_non_null(strstr(p.detail, "is \"garden\" and here it is"));
}

static void a_step_that_fails_is_undone_and_explained(void **state)
{
	struct kit *k = *state;
	struct problem p = {0};

	k->db = kit_connect(k->store, DB_WRITE);
	change(k, "CREATE TABLE keys (id BIGINT)"); /* stands in the way of the first step */
	assert_int_not_equal(store_migrate(k->store, &STORE_SCHEMA, &p), OK);
	assert_non_null(strstr(p.detail, "step 1 (foundation)"));
	assert_non_null(strstr(p.detail, "keys"));
	change(k, "DROP TABLE keys");
	assert_int_equal(store_migrate(k->store, &STORE_SCHEMA, &p), OK);
	assert_int_equal(kit_live_count(k->db), 0);
}

static void *migrate_from_thread(void *arg)
{
	struct store *s = kit_store(arg);
	enum err e = store_migrate(s, &STORE_SCHEMA, NULL);

	store_close(&s);
	return (void *)(uintptr_t)e;
}

static void several_may_migrate_at_once(void **state)
{
	struct kit *k = *state;
	pthread_t threads[4];
	void *result;

	for (unsigned i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, migrate_from_thread, k), 0);
	for (unsigned i = 0; i < COUNT_OF(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_int_equal((uintptr_t)result, OK);
	}
	k->db = kit_connect(k->store, DB_WRITE);
	assert_int_equal(kit_live_count(k->db), 0);
}

static void every_query_is_understood(void **state)
{
	struct kit *k = *state;

	for (unsigned i = 0; i < STORE_QUERY_COUNT; i++)
		if (db_prepare(k->db, STORE_QUERIES[i]) != OK)
			fail_msg("%s", STORE_QUERIES[i]->name);
}

static void a_wrong_query_is_an_error(void **state)
{
	struct kit *k = *state;
	struct query q = Q_WORK_HIGHEST;

	q.sqlite = q.postgres = "SELECT wings FROM work_live";
	assert_int_equal(db_prepare(k->db, &q), ERR_INTERNAL);
	assert_int_equal(db_prepare(k->db, &Q_WORK_HIGHEST), OK); /* and it goes on */
}

/* ---- values ---- */

static struct str filled(struct kit *k, size_t n, char c)
{
	char *p = arena_alloc(k->arena, n);

	assert_non_null(p);
	memset(p, c, n);
	return (struct str){p, n};
}

static void assert_same_text(struct str a, struct str b)
{
	assert_true(str_eq(a, b));
	assert_int_equal(a.p == NULL, b.p == NULL);
}

static void round_trip(struct kit *k, const struct work_live_row *in)
{
	struct work_live_row out;

	assert_int_equal(q_work_live_insert(k->db, in, 1), OK);
	assert_int_equal(q_work_live_get(k->db, &(struct id_row){in->id}, k->arena, &out), OK);
	for (unsigned i = 0; i < Q_WORK_LIVE_INSERT.in_count; i++) {
		const struct sql_field *f = &Q_WORK_LIVE_INSERT.in[i];
		const char *a = (const char *)in + f->offset, *b = (const char *)&out + f->offset;

		if (f->type == SQL_INT)
			assert_int_equal(*(const int64_t *)(const void *)a, *(const int64_t *)(const void *)b);
		else
			assert_same_text(*(const struct str *)(const void *)a,
					 *(const struct str *)(const void *)b);
	}
}

static void integers_keep_their_sign_and_size(void **state)
{
	static const int64_t values[] = {0, -1, 1, 127, -128, 255, 65535, -65536, INT64_MAX, INT64_MIN, INT32_MIN};

	for (unsigned i = 0; i < COUNT_OF(values); i++) {
		struct work_live_row row = kit_live(i + 1);

		row.tenant = row.token_random = row.run_at_ms = values[i];
		round_trip(*state, &row);
	}
}

static void null_is_not_empty(void **state)
{
	struct work_live_row nothing = kit_live(1), empty = kit_live(2), full = kit_live(3);

	round_trip(*state, &nothing);
	empty.note = empty.assignee = empty.depends = empty.history = STR("");
	round_trip(*state, &empty);
	full.note = STR("n");
	full.depends = STR("d");
	round_trip(*state, &full);
}

static void bytes_may_be_anything(void **state)
{
	struct work_live_row row = kit_live(1);
	char all[256];

	for (unsigned i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	row.depends = (struct str){all, sizeof(all)};
	row.history = STR("\0");
	round_trip(*state, &row);
}

static void text_keeps_every_character(void **state)
{
	struct work_live_row row = kit_live(1);

	row.note =
		STR("'; DROP TABLE work_live; -- \\ \" $1 ?1 \t\r\n \x01\x7f \u00e4\u20ac\U0001f600 {\"a\":[1,2]}");
	round_trip(*state, &row);
}

static void reals_and_payloads_of_256_KiB(void **state)
{
	struct kit *k = *state;
	struct work_body_row in = {.id = 1, .tenant = 1, .points = -0.1, .payload = filled(k, 256 << 10, 'x')}, out;

	assert_int_equal(q_work_body_insert(k->db, &in, 1), OK);
	assert_int_equal(q_work_body_get(k->db, &(struct id_row){1}, k->arena, &out), OK);
	assert_true(out.points == -0.1);
	assert_same_text(out.payload, in.payload);
	assert_null(out.title.p);
	in = (struct work_body_row){.id = 2, .points = 1.7976931348623157e308};
	assert_int_equal(q_work_body_insert(k->db, &in, 1), OK);
	assert_int_equal(q_work_body_get(k->db, &(struct id_row){2}, k->arena, &out), OK);
	assert_true(out.points == in.points);
}

/* The program's tables have no bool, and the word exists. */
struct flag_row {
	int64_t id;
	bool flag;
};

static const struct sql_field flag_fields[] = {
	{"id", SQL_INT, false, offsetof(struct flag_row, id)},
	{"flag", SQL_BOOL, false, offsetof(struct flag_row, flag)},
};

static const struct query flag_insert = {
	.name = "flag_insert",
	.card = SQL_BATCH,
	.writes = true,
	.sqlite = "INSERT INTO flags (id, flag) VALUES (?1, ?2)",
	.postgres = "INSERT INTO flags (id, flag) SELECT * FROM unnest($1::bigint[], $2::boolean[])",
	.in = flag_fields,
	.in_count = 2,
	.in_size = sizeof(struct flag_row),
};

static const struct query flag_find = {
	.name = "flag_find",
	.card = SQL_MANY,
	.sqlite = "SELECT id, flag FROM flags WHERE flag = ?1",
	.postgres = "SELECT id, flag FROM flags WHERE flag = $1",
	.in = &flag_fields[1],
	.in_count = 1,
	.in_size = sizeof(struct flag_row),
	.out = flag_fields,
	.out_count = 2,
	.out_size = sizeof(struct flag_row),
};

static enum err copy_flag(void *ctx, const void *row)
{
	*(struct flag_row *)ctx = *(const struct flag_row *)row;
	return OK;
}

static void bools(void **state)
{
	struct kit *k = *state;
	struct flag_row rows[] = {{1, true}, {2, false}}, found = {0};

	change(k, "CREATE TABLE flags (id BIGINT NOT NULL, flag BOOLEAN NOT NULL)");
	assert_int_equal(db_batch(k->db, &flag_insert, rows, 2), OK);
	assert_int_equal(db_many(k->db, &flag_find, &rows[0], copy_flag, &found), OK);
	assert_true(found.id == 1 && found.flag);
	assert_int_equal(db_many(k->db, &flag_find, &rows[1], copy_flag, &found), OK);
	assert_true(found.id == 2 && !found.flag);
}

static void a_null_where_none_belongs_is_an_error(void **state)
{
	struct kit *k = *state;
	struct flag_row found = {0};

	change(k, "CREATE TABLE flags (id BIGINT, flag BOOLEAN); INSERT INTO flags VALUES (NULL, true)");
	assert_int_equal(db_many(k->db, &flag_find, &(struct flag_row){0, true}, copy_flag, &found), ERR_INTERNAL);
}

static void text_that_one_store_would_refuse_is_refused_by_both(void **state)
{
	const struct str bad[] = {STR("a\0b"), STR("\0"), STR("\xff"), STR("caf\xc3"), STR("\xed\xa0\x80")};
	struct kit *k = *state;

	for (unsigned i = 0; i < COUNT_OF(bad); i++) {
		struct work_live_row rows[] = {kit_live(1), kit_live(2)};
		struct owner_enter_in owner = {.id = 1, .url = bad[i]};
		struct owner_enter_out out;

		rows[1].note = bad[i];
		assert_int_equal(q_work_live_insert(k->db, rows, 2), ERR_INVALID);
		assert_int_equal(q_owner_enter(k->db, &owner, k->arena, &out), ERR_INVALID);
	}
	assert_int_equal(kit_live_count(k->db), 0);
}

static void a_row_too_large_for_its_arena_is_an_error(void **state)
{
	struct kit *k = *state;
	struct arena *small = arena_new(100);
	struct work_live_row in = kit_live(1), out;

	in.note = filled(k, 200, 'n');
	assert_int_equal(q_work_live_insert(k->db, &in, 1), OK);
	assert_int_equal(q_work_live_get(k->db, &(struct id_row){1}, small, &out), ERR_INTERNAL);
	arena_destroy(&small);
}

/* ---- transactions ---- */

static void a_commit_is_seen_by_others_and_nothing_before_it(void **state)
{
	struct kit *k = *state;
	struct db *other = kit_connect(k->store, DB_READ);
	struct work_live_row row = kit_live(1);

	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(q_work_live_insert(k->db, &row, 1), OK);
	assert_int_equal(kit_live_count(k->db), 1); /* one's own is seen at once */
	assert_int_equal(kit_live_count(other), 0);
	assert_int_equal(db_commit(k->db), OK);
	assert_int_equal(kit_live_count(other), 1);
	db_close(&other);
}

static void a_rollback_leaves_nothing(void **state)
{
	struct kit *k = *state;
	struct work_live_row row = kit_live(1);

	db_rollback(k->db); /* safe when there is none */
	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(q_work_live_insert(k->db, &row, 1), OK);
	db_rollback(k->db);
	assert_int_equal(kit_live_count(k->db), 0);
	assert_int_equal(db_begin(k->db), OK);
	db_rollback(k->db);
	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(db_commit(k->db), OK);
}

static void it_says_whether_it_is_in_a_transaction(void **state)
{
	struct kit *k = *state;

	assert_false(db_in_transaction(k->db));
	assert_int_equal(db_begin(k->db), OK);
	assert_true(db_in_transaction(k->db));
	assert_int_equal(db_savepoint(k->db), OK);
	assert_true(db_in_transaction(k->db));
	assert_int_equal(db_savepoint_undo(k->db), OK);
	assert_true(db_in_transaction(k->db));
	assert_int_equal(db_commit(k->db), OK);
	assert_false(db_in_transaction(k->db));
}

static enum err insert_live(struct db *db, int64_t id)
{
	struct work_live_row row = kit_live(id);

	return q_work_live_insert(db, &row, 1);
}

static void a_savepoint_undoes_what_came_after_it(void **state)
{
	struct kit *k = *state;

	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(insert_live(k->db, 1), OK);
	assert_int_equal(db_savepoint(k->db), OK);
	assert_int_equal(insert_live(k->db, 2), OK);
	assert_int_equal(db_savepoint_undo(k->db), OK);
	assert_int_equal(db_savepoint(k->db), OK);
	assert_int_equal(insert_live(k->db, 3), OK);
	assert_int_equal(db_savepoint_release(k->db), OK);
	assert_int_equal(db_commit(k->db), OK);
	assert_int_equal(kit_live_count(k->db), 2);
	assert_int_equal(q_work_live_get(k->db, &(struct id_row){2}, k->arena, &(struct work_live_row){0}),
			 ERR_NOT_FOUND);
}

static void a_failure_inside_a_savepoint_ends_with_it(void **state)
{
	struct kit *k = *state;
	enum err e;

	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(insert_live(k->db, 1), OK);
	assert_int_equal(db_savepoint(k->db), OK);
	e = insert_live(k->db, 1);
	if (e == OK)
		e = db_savepoint_release(k->db);
	assert_int_equal(e, ERR_ALREADY_EXISTS);
	assert_int_equal(db_savepoint_undo(k->db), OK);
	assert_int_equal(insert_live(k->db, 2), OK);
	assert_int_equal(db_commit(k->db), OK);
	assert_int_equal(kit_live_count(k->db), 2);
}

static void a_failure_before_a_savepoint_is_not_undone_by_it(void **state)
{
	struct kit *k = *state;
	enum err e;

	assert_int_equal(insert_live(k->db, 1), OK);
	assert_int_equal(db_begin(k->db), OK);
	e = insert_live(k->db, 1);
	if (e == OK)
		e = db_savepoint(k->db);
	assert_int_equal(e, ERR_ALREADY_EXISTS);
	assert_int_equal(db_commit(k->db), ERR_ALREADY_EXISTS);
}

static void a_failed_statement_dooms_its_transaction(void **state)
{
	struct kit *k = *state;
	size_t n = 0;

	assert_int_equal(insert_live(k->db, 1), OK);
	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(insert_live(k->db, 2), OK);
	insert_live(k->db, 1); /* tells now, or with the next rows */
	assert_int_equal(q_work_live_all(k->db, db_count_row, &n), ERR_ALREADY_EXISTS);
	assert_int_equal(insert_live(k->db, 3), ERR_ALREADY_EXISTS);
	assert_int_equal(db_commit(k->db), ERR_ALREADY_EXISTS);
	assert_false(db_in_transaction(k->db));
	assert_int_equal(kit_live_count(k->db), 1);
}

static void a_row_that_is_not_there_dooms_nothing(void **state)
{
	struct kit *k = *state;
	struct work_live_row out;

	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(q_work_live_get(k->db, &(struct id_row){7}, k->arena, &out), ERR_NOT_FOUND);
	assert_int_equal(insert_live(k->db, 7), OK);
	assert_int_equal(q_work_live_get(k->db, &(struct id_row){7}, k->arena, &out), OK);
	assert_int_equal(db_commit(k->db), OK);
	assert_int_equal(kit_live_count(k->db), 1);
}

/* ---- ownership: :must ---- */

static int64_t enter(struct kit *k, int64_t id)
{
	struct owner_enter_in in = {.id = id, .url = STR("http://here"), .lease_ms = 1000};
	struct owner_enter_out out;

	assert_int_equal(q_owner_enter(k->db, &in, k->arena, &out), OK);
	return out.epoch;
}

static void a_must_without_a_row_fails_the_commit(void **state)
{
	struct kit *k = *state;
	struct owner_batch_in guard = {.id = 1, .epoch = enter(k, 1), .batch = 1, .lease_ms = 1000};
	enum err e;

	assert_int_equal(enter(k, 1), guard.epoch + 1); /* another process took over */
	assert_int_equal(db_begin(k->db), OK);
	e = q_owner_batch(k->db, &guard);
	if (e == OK)
		e = insert_live(k->db, 1);
	assert_int_equal(kit_commit(k->db, e), ERR_NOT_FOUND);
	assert_false(db_in_transaction(k->db));
	assert_int_equal(kit_live_count(k->db), 0);
}

static void a_must_without_a_row_shows_with_the_next_rows(void **state)
{
	struct kit *k = *state;
	struct owner_batch_in guard = {.id = 9, .epoch = 1, .batch = 1};
	struct work_highest_out out;
	enum err e;

	assert_int_equal(db_begin(k->db), OK);
	e = q_owner_batch(k->db, &guard);
	if (e == OK)
		e = q_work_highest(k->db, k->arena, &out);
	assert_int_equal(e, ERR_NOT_FOUND);
	assert_int_equal(db_commit(k->db), ERR_NOT_FOUND);
}

static void a_must_with_its_row_lets_the_batch_through(void **state)
{
	struct kit *k = *state;
	struct owner_batch_in guard = {.id = 1, .epoch = enter(k, 1), .batch = 1, .lease_ms = 1000};
	struct owner_row out;

	for (guard.batch = 1; guard.batch <= 3; guard.batch++) {
		assert_int_equal(db_begin(k->db), OK);
		assert_int_equal(q_owner_batch(k->db, &guard), OK);
		assert_int_equal(insert_live(k->db, guard.batch), OK);
		assert_int_equal(db_commit(k->db), OK);
	}
	assert_int_equal(kit_live_count(k->db), 3);
	assert_int_equal(q_owner_get(k->db, &(struct owner_get_in){1}, k->arena, &out), OK);
	assert_int_equal(out.batch, 3);
	assert_str(out.url, "http://here");
	assert_true(out.lease_until_ms > 1700000000000); /* by the store's clock */
}

static void a_must_by_itself_answers_at_once(void **state)
{
	struct kit *k = *state;
	struct owner_batch_in guard = {.id = 1, .epoch = 5};

	assert_int_equal(q_owner_batch(k->db, &guard), ERR_NOT_FOUND);
	guard.epoch = enter(k, 1);
	assert_int_equal(q_owner_batch(k->db, &guard), OK);
}

/* ---- many rows ---- */

static struct work_live_row *rows_from(struct kit *k, int64_t first, size_t count)
{
	struct work_live_row *rows = ARENA_ARRAY(k->arena, struct work_live_row, count);

	for (size_t i = 0; i < count; i++) {
		rows[i] = kit_live(first + (int64_t)i);
		if (i % 3)
			rows[i].note = arena_fmt(k->arena, "note %zu", i);
	}
	return rows;
}

static void batches_of_any_size(void **state)
{
	static const size_t sizes[] = {0, 1, 2, 1000, 12001};
	struct kit *k = *state;
	size_t total = 0;

	for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
		assert_int_equal(q_work_live_insert(k->db, rows_from(k, (int64_t)total + 1, sizes[i]), sizes[i]),
				 OK);
		total += sizes[i];
		assert_int_equal(kit_live_count(k->db), total);
	}
}

static void batches_update_and_delete(void **state)
{
	enum { COUNT = 1000 };
	struct kit *k = *state;
	struct work_change_row *changes = ARENA_ARRAY(k->arena, struct work_change_row, COUNT);
	struct id_row *ids = ARENA_ARRAY(k->arena, struct id_row, COUNT);
	struct work_live_row out;

	for (size_t i = 0; i < COUNT; i++) {
		ids[i].id = (int64_t)i + 1;
		changes[i] = (struct work_change_row){
			.id = ids[i].id, .state = 3, .attempt = (int64_t)i, .note = STR("new")};
	}
	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(q_work_live_insert(k->db, rows_from(k, 1, COUNT), COUNT), OK);
	assert_int_equal(q_work_live_update(k->db, changes, COUNT), OK);
	assert_int_equal(q_work_live_delete(k->db, ids, COUNT / 2), OK);
	assert_int_equal(db_commit(k->db), OK);
	assert_int_equal(kit_live_count(k->db), COUNT / 2);
	assert_int_equal(q_work_live_get(k->db, &ids[COUNT - 1], k->arena, &out), OK);
	assert_int_equal(out.attempt, COUNT - 1);
	assert_int_equal(out.state, 3);
	assert_int_equal(out.created_ms, 1000 + COUNT); /* not part of the update */
	assert_str(out.note, "new");
}

static void a_batch_is_all_or_nothing(void **state)
{
	struct kit *k = *state;
	struct work_live_row *rows = rows_from(k, 1, 100);

	rows[99].id = 1;
	assert_int_equal(q_work_live_insert(k->db, rows, 100), ERR_ALREADY_EXISTS);
	assert_false(db_in_transaction(k->db));
	assert_int_equal(kit_live_count(k->db), 0);
	rows = rows_from(k, 1, 10001); /* two statements on PostgreSQL */
	rows[10000].id = 1;
	assert_int_equal(q_work_live_insert(k->db, rows, 10001), ERR_ALREADY_EXISTS);
	assert_int_equal(kit_live_count(k->db), 0);
}

static void unique_columns_other_than_the_key(void **state)
{
	struct kit *k = *state;
	struct tenant_insert_in tenant = {.id = 1, .name = STR("default")};
	struct queue_row queues[] = {kit_queue(1, STR("a")), kit_queue(2, STR("b")), kit_queue(3, STR("a"))};
	struct tenant_insert_out out;

	assert_int_equal(q_tenant_insert(k->db, &tenant, k->arena, &out), OK);
	tenant.id = 2;
	assert_int_equal(q_tenant_insert(k->db, &tenant, k->arena, &out), ERR_ALREADY_EXISTS);
	assert_int_equal(q_queue_insert(k->db, queues, 2), OK);
	assert_int_equal(q_queue_insert(k->db, &queues[2], 1), ERR_ALREADY_EXISTS);
	queues[2].tenant = 5; /* there is no such tenant */
	assert_int_equal(q_queue_insert(k->db, &queues[2], 1), ERR_INTERNAL);
}

struct walk {
	int64_t last;
	size_t seen, stop_at;
};

static enum err in_order(void *ctx, const void *row)
{
	const struct work_live_row *r = row;
	struct walk *w = ctx;

	assert_true(r->id > w->last);
	assert_int_equal(r->created_ms, 1000 + r->id);
	w->last = r->id;
	return ++w->seen == w->stop_at ? ERR_CANCELLED : OK;
}

static void a_walk_over_many_rows(void **state)
{
	struct kit *k = *state;
	struct walk all = {0}, some = {.stop_at = 10};

	assert_int_equal(q_work_live_all(k->db, in_order, &all), OK);
	assert_int_equal(all.seen, 0);
	assert_int_equal(q_work_live_insert(k->db, rows_from(k, 1, 3000), 3000), OK);
	assert_int_equal(q_work_live_all(k->db, in_order, &all), OK);
	assert_int_equal(all.seen, 3000);
	assert_int_equal(q_work_live_all(k->db, in_order, &some), ERR_CANCELLED); /* what the callback said */
	assert_int_equal(some.seen, 10);
	assert_int_equal(kit_live_count(k->db), 3000);
}

static void a_walk_that_stops_dooms_nothing(void **state)
{
	struct kit *k = *state;
	struct walk some = {.stop_at = 1};

	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(q_work_live_insert(k->db, rows_from(k, 1, 10), 10), OK);
	assert_int_equal(q_work_live_all(k->db, in_order, &some), ERR_CANCELLED);
	assert_int_equal(insert_live(k->db, 100), OK);
	assert_int_equal(db_commit(k->db), OK);
	assert_int_equal(kit_live_count(k->db), 11);
}

struct found {
	size_t calls, rows, stop_at;
};

/* Row i was asked for with id i + 1; only odd ids exist. */
static enum err odd_ids(void *ctx, size_t i, const void *row)
{
	const struct work_live_row *r = row;
	struct found *f = ctx;

	assert_int_equal(i, f->calls++);
	assert_int_equal(r == NULL, i % 2);
	if (r) {
		assert_int_equal(r->id, i + 1);
		f->rows++;
	}
	return f->calls == f->stop_at ? ERR_CANCELLED : OK;
}

static void each_of_several_rows_by_key(void **state)
{
	enum { COUNT = 3000 }; /* more than fit into one round trip */
	struct kit *k = *state;
	struct id_row *ids = ARENA_ARRAY(k->arena, struct id_row, COUNT);
	struct found all = {0}, some = {.stop_at = 7};

	for (size_t i = 0; i < COUNT; i++)
		ids[i].id = (int64_t)i + 1;
	assert_int_equal(db_begin(k->db), OK);
	for (size_t i = 0; i < COUNT; i += 2)
		assert_int_equal(insert_live(k->db, ids[i].id), OK);
	assert_int_equal(q_work_live_get_each(k->db, ids, COUNT, odd_ids, &all), OK); /* sees what was queued */
	assert_int_equal(db_commit(k->db), OK);
	assert_int_equal(all.calls, COUNT);
	assert_int_equal(all.rows, COUNT / 2);
	assert_int_equal(q_work_live_get_each(k->db, ids, COUNT, odd_ids, &some), ERR_CANCELLED);
	assert_int_equal(some.calls, 7);
	assert_int_equal(q_work_live_get_each(k->db, ids, 0, odd_ids, &all), OK);
	assert_int_equal(kit_live_count(k->db), COUNT / 2);
}

static void two_rows_where_one_belongs_are_an_error(void **state)
{
	struct kit *k = *state;
	struct query q = Q_WORK_LIVE_ALL;
	struct work_live_row out;

	q.card = SQL_ONE;
	assert_int_equal(insert_live(k->db, 1), OK);
	assert_int_equal(db_one(k->db, &q, NULL, k->arena, &out), OK);
	assert_int_equal(insert_live(k->db, 2), OK);
	assert_int_equal(db_one(k->db, &q, NULL, k->arena, &out), ERR_INTERNAL);
}

/* More answers due than a pipeline holds. */
static void a_transaction_of_thousands_of_statements(void **state)
{
	enum { COUNT = 5000 };
	struct kit *k = *state;

	assert_int_equal(db_begin(k->db), OK);
	for (int64_t i = 1; i <= COUNT; i++)
		assert_int_equal(insert_live(k->db, i), OK);
	assert_int_equal(db_commit(k->db), OK);
	assert_int_equal(kit_live_count(k->db), COUNT);
}

/* ---- connections ---- */

static void a_reading_connection_refuses_to_write(void **state)
{
	struct kit *k = *state;
	struct db *reader = kit_connect(k->store, DB_READ);
	struct query sly = Q_WORK_LIVE_INSERT;

	assert_int_equal(insert_live(reader, 1), ERR_INTERNAL);
	sly.writes = false; /* the engine refuses as well */
	assert_int_equal(db_batch(reader, &sly, rows_from(k, 1, 1), 1), ERR_INTERNAL);
	assert_int_equal(db_begin(reader), OK);
	assert_int_equal(kit_live_count(reader), 0);
	assert_int_equal(db_commit(reader), OK);
	db_close(&reader);
}

static void a_reading_transaction_sees_one_state(void **state)
{
	struct kit *k = *state;
	struct db *reader = kit_connect(k->store, DB_READ);

	assert_int_equal(db_begin(reader), OK);
	assert_int_equal(kit_live_count(reader), 0);
	assert_int_equal(insert_live(k->db, 1), OK);
	if (kind == STORE_SQLITE)
		assert_int_equal(kit_live_count(reader), 0);
	assert_int_equal(db_commit(reader), OK);
	assert_int_equal(kit_live_count(reader), 1);
	db_close(&reader);
}

static void connections_can_be_made_anew(void **state)
{
	struct kit *k = *state;
	struct problem p = {0};

	assert_false(db_lost(k->db));
	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(insert_live(k->db, 1), OK);
	assert_int_equal(db_reconnect(k->db, &p), OK);
	assert_false(db_in_transaction(k->db));
	assert_int_equal(kit_live_count(k->db), 0);
	assert_int_equal(insert_live(k->db, 1), OK);
}

static void upkeep_does_no_harm(void **state)
{
	struct kit *k = *state;

	assert_int_equal(q_work_live_insert(k->db, rows_from(k, 1, 1000), 1000), OK);
	db_maintain(k->db, false);
	assert_true(db_wal_bytes(k->db) >= 0);
	db_maintain(k->db, true);
	db_maintain(k->db, true);
	assert_int_equal(kit_live_count(k->db), 1000);
}

static void kinds_and_names(void **state)
{
	struct kit *k = *state;

	assert_int_equal(store_kind(k->store), kind);
	assert_true(strlen(store_name(k->store)) > 0);
}

#define ON(test, set_up)                        \
	{                                       \
#test, test, set_up, done, NULL \
	}

static const struct CMUnitTest tests[] = {
	ON(migrating_again_changes_nothing, ready),
	ON(a_newer_schema_is_refused, ready),
	ON(another_program_s_schema_is_refused, ready),
	ON(a_step_that_fails_is_undone_and_explained, empty_place),
	ON(several_may_migrate_at_once, empty_place),
	ON(every_query_is_understood, ready),
	ON(a_wrong_query_is_an_error, ready),
	ON(integers_keep_their_sign_and_size, ready),
	ON(null_is_not_empty, ready),
	ON(bytes_may_be_anything, ready),
	ON(text_keeps_every_character, ready),
	ON(reals_and_payloads_of_256_KiB, ready),
	ON(bools, ready),
	ON(a_null_where_none_belongs_is_an_error, ready),
	ON(text_that_one_store_would_refuse_is_refused_by_both, ready),
	ON(a_row_too_large_for_its_arena_is_an_error, ready),
	ON(a_commit_is_seen_by_others_and_nothing_before_it, ready),
	ON(a_rollback_leaves_nothing, ready),
	ON(it_says_whether_it_is_in_a_transaction, ready),
	ON(a_savepoint_undoes_what_came_after_it, ready),
	ON(a_failure_inside_a_savepoint_ends_with_it, ready),
	ON(a_failure_before_a_savepoint_is_not_undone_by_it, ready),
	ON(a_failed_statement_dooms_its_transaction, ready),
	ON(a_row_that_is_not_there_dooms_nothing, ready),
	ON(a_must_without_a_row_fails_the_commit, ready),
	ON(a_must_without_a_row_shows_with_the_next_rows, ready),
	ON(a_must_with_its_row_lets_the_batch_through, ready),
	ON(a_must_by_itself_answers_at_once, ready),
	ON(batches_of_any_size, ready),
	ON(batches_update_and_delete, ready),
	ON(a_batch_is_all_or_nothing, ready),
	ON(unique_columns_other_than_the_key, ready),
	ON(a_walk_over_many_rows, ready),
	ON(a_walk_that_stops_dooms_nothing, ready),
	ON(each_of_several_rows_by_key, ready),
	ON(two_rows_where_one_belongs_are_an_error, ready),
	ON(a_transaction_of_thousands_of_statements, ready),
	ON(a_reading_connection_refuses_to_write, ready),
	ON(a_reading_transaction_sees_one_state, ready),
	ON(connections_can_be_made_anew, ready),
	ON(upkeep_does_no_harm, ready),
	ON(kinds_and_names, ready),
};

int main(int argc, char **argv)
{
	const char *which = argc > 1 ? argv[1] : "sqlite";

	log_set_level(LOG_ERROR);
	plan = strstr(which, "-fault") ? "" : NULL;
	url = kit_url_of(which);
	kind = url ? STORE_POSTGRES : STORE_SQLITE;
	return cmocka_run_group_tests_name(which, tests, NULL, NULL);
}
