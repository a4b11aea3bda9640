/*
 * What only a server can do to us: connections that die at every point of a transaction, and servers that cannot be
 * reached. A second connection plays the administrator who kills the first one's backend.
 */
#include "store_kit.h"

#include "base/buf.h"
#include "base/log.h"
#include "store/store_priv.h"

#include <pthread.h>
#include <sqlite3.h>

static int ready(void **state)
{
	*state = kit_new(STORE_POSTGRES, NULL);
	kit_open(*state);
	return 0;
}

static int done(void **state)
{
	kit_free(*state);
	return 0;
}

/* ---- killing ---- */

struct pid_row {
	int64_t pid;
};

static const struct sql_field pid_fields[] = {{"pid", SQL_INT, false, offsetof(struct pid_row, pid)}};

static const struct query own_pid = {
	.name = "own_pid",
	.card = SQL_ONE,
	.postgres = "SELECT pg_backend_pid() AS pid",
	.out = pid_fields,
	.out_count = 1,
	.out_size = sizeof(struct pid_row),
};

/* Gives no rows, so it is queued; and takes a moment. */
static const struct query pause_a_moment = {
	.name = "pause",
	.card = SQL_EXEC,
	.postgres = "SELECT pg_sleep(0.2)",
};

static int64_t backend_of(struct kit *k)
{
	struct pid_row row;

	assert_int_equal(db_one(k->db, &own_pid, NULL, k->arena, &row), OK);
	return row.pid;
}

/* Waits until the backend has really gone. */
static void kill_backend(int64_t pid)
{
	char sql[160];

	snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%lld, 10000)", (long long)pid);
	kit_sql(kit_postgres(), sql);
}

static enum err insert_live(struct db *db, int64_t id)
{
	struct work_live_row row = kit_live(id);

	return q_work_live_insert(db, &row, 1);
}

/* After a loss: nothing works until a reconnect, then everything does, and `rows` were committed. */
static void assert_renewable(struct kit *k, size_t rows)
{
	struct problem p = {0};

	assert_true(db_lost(k->db));
	assert_false(db_in_transaction(k->db));
	assert_int_equal(insert_live(k->db, 99), ERR_STORE_UNAVAILABLE);
	assert_int_equal(db_begin(k->db), ERR_STORE_UNAVAILABLE);
	db_rollback(k->db);
	if (db_reconnect(k->db, &p) != OK)
		fail_msg("%s", p.detail);
	assert_false(db_lost(k->db));
	assert_int_equal(kit_live_count(k->db), rows);
	assert_int_equal(insert_live(k->db, 1000), OK);
}

static void killed_between_transactions(void **state)
{
	struct kit *k = *state;
	int64_t pid = backend_of(k);

	assert_false(db_lost(k->db));
	kill_backend(pid);
	assert_true(db_lost(k->db));           /* noticed before it is used */
	assert_int_equal(db_begin(k->db), OK); /* and if nobody looked: nothing was sent yet */
	assert_int_equal(kit_commit(k->db, insert_live(k->db, 1)), ERR_STORE_UNAVAILABLE);
	assert_renewable(k, 0);
}

static void killed_in_a_transaction(void **state)
{
	struct kit *k = *state;
	int64_t pid = backend_of(k);
	size_t n = 0;

	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(insert_live(k->db, 1), OK);
	assert_int_equal(q_work_live_all(k->db, db_count_row, &n), OK);
	kill_backend(pid);
	assert_int_equal(q_work_live_all(k->db, db_count_row, &n), ERR_STORE_UNAVAILABLE);
	assert_false(db_in_transaction(k->db));
	assert_int_equal(insert_live(k->db, 2), ERR_STORE_UNAVAILABLE);
	assert_int_equal(db_commit(k->db), ERR_STORE_UNAVAILABLE);
	assert_renewable(k, 0);
}

/* The loss shows when commit() takes the answers that are due: COMMIT was never sent, so nothing is unknown. */
static void killed_before_the_commit_is_sent(void **state)
{
	struct kit *k = *state;
	int64_t pid = backend_of(k);

	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(insert_live(k->db, 1), OK);
	kill_backend(pid);
	assert_int_equal(db_commit(k->db), ERR_STORE_UNAVAILABLE);
	assert_renewable(k, 0);
}

static void killed_in_a_savepoint(void **state)
{
	struct kit *k = *state;
	int64_t pid = backend_of(k);

	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(db_savepoint(k->db), OK);
	assert_int_equal(insert_live(k->db, 1), OK);
	kill_backend(pid);
	assert_int_equal(db_savepoint_release(k->db), ERR_STORE_UNAVAILABLE);
	assert_int_equal(db_savepoint_undo(k->db), ERR_STORE_UNAVAILABLE);
	assert_int_equal(db_commit(k->db), ERR_STORE_UNAVAILABLE);
	assert_renewable(k, 0);
}

/* A write by itself may have been made before its answer was lost; a read has nothing to be unsure about. */
static void killed_outside_a_transaction(void **state)
{
	struct kit *k = *state;
	size_t n = 0;

	kill_backend(backend_of(k));
	assert_int_equal(insert_live(k->db, 1), ERR_OUTCOME_UNKNOWN);
	assert_renewable(k, 0);
	kill_backend(backend_of(k));
	assert_int_equal(q_work_live_all(k->db, db_count_row, &n), ERR_STORE_UNAVAILABLE);
	assert_int_equal(db_reconnect(k->db, NULL), OK);
}

struct killer {
	int64_t pid;
	const char *until; /* a condition on pg_stat_activity */
};

/* Kills the backend once it is seen doing what it should be killed in. */
static void *kill_when_seen(void *arg)
{
	struct killer *killer = arg;
	PGconn *conn = PQconnectdb(kit_postgres());
	char sql[512];
	bool killed = false;

	snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %lld AND %s",
		 (long long)killer->pid, killer->until);
	while (!killed) {
		PGresult *result = PQexec(conn, sql);

		killed = PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) > 0;
		PQclear(result);
	}
	PQfinish(conn);
	return NULL;
}

static void make_commits_slow(struct kit *k)
{
	struct problem p = {0};

	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(
		db_script(k->db,
			  "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS "
			  "$$ BEGIN PERFORM pg_sleep(30); RETURN NULL; END $$;"
			  "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON work_live DEFERRABLE INITIALLY DEFERRED "
			  "FOR EACH ROW EXECUTE FUNCTION dawdle()",
			  &p),
		OK);
	assert_int_equal(db_commit(k->db), OK);
}

/* A deferred trigger keeps COMMIT busy long enough to be killed in it. */
static void killed_during_the_commit(void **state)
{
	struct kit *k = *state;
	struct killer killer = {.until = "wait_event = 'PgSleep'"};
	struct problem p = {0};
	pthread_t thread;

	make_commits_slow(k);
	killer.pid = backend_of(k);
	assert_int_equal(pthread_create(&thread, NULL, kill_when_seen, &killer), 0);
	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(insert_live(k->db, 1), OK);
	assert_int_equal(db_commit(k->db), ERR_OUTCOME_UNKNOWN);
	pthread_join(thread, NULL);
	assert_true(db_lost(k->db));
	assert_int_equal(db_reconnect(k->db, &p), OK);
	assert_int_equal(kit_live_count(k->db), 0);
}

static void killed_in_the_middle_of_a_queue(void **state)
{
	struct kit *k = *state;
	struct killer killer = {.pid = backend_of(k), .until = "wait_event = 'PgSleep'"};
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, kill_when_seen, &killer), 0);
	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(insert_live(k->db, 1), OK);
	for (int i = 0; i < 20; i++)
		assert_int_equal(db_exec(k->db, &pause_a_moment, NULL), OK);
	assert_int_equal(db_commit(k->db), ERR_STORE_UNAVAILABLE);
	pthread_join(thread, NULL);
	assert_renewable(k, 0);
}

/* ---- serialization ---- */

static void settings(struct kit *k, const char *sql)
{
	struct problem p = {0};

	assert_int_equal(db_begin(k->db), OK);
	if (db_script(k->db, sql, &p) != OK)
		fail_msg("%s", p.detail);
	assert_int_equal(db_commit(k->db), OK);
}

static void update_live(struct db *db, int64_t id, enum err wanted)
{
	struct work_change_row row = {.id = id, .state = 1};
	enum err e = q_work_live_update(db, &row, 1);

	assert_int_equal(kit_commit(db, e), wanted);
}

static void a_serialization_failure_asks_for_another_run(void **state)
{
	struct kit *k = *state;
	struct db *other = kit_connect(k->store, DB_WRITE);
	size_t n = 0;

	assert_int_equal(insert_live(k->db, 1), OK);
	settings(k, "SET default_transaction_isolation = 'repeatable read'");
	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(q_work_live_all(k->db, db_count_row, &n), OK);
	assert_int_equal(db_begin(other), OK);
	update_live(other, 1, OK);
	update_live(k->db, 1, ERR_STORE_BUSY);
	assert_int_equal(db_begin(k->db), OK);
	update_live(k->db, 1, OK);
	db_close(&other);
}

static void a_statement_that_takes_too_long_is_stopped(void **state)
{
	struct kit *k = *state;

	settings(k, "SET statement_timeout = '50ms'");
	assert_int_equal(db_exec(k->db, &pause_a_moment, NULL), ERR_STORE_BUSY);
	assert_int_equal(insert_live(k->db, 1), OK);
}

/* A statement whose preparation was skipped, because one before it failed, is prepared when it is used again. */
static void preparing_after_a_failure(void **state)
{
	struct kit *k = *state;

	assert_int_equal(insert_live(k->db, 1), OK);
	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(insert_live(k->db, 1), OK);
	assert_int_equal(q_work_live_delete(k->db, &(struct id_row){1}, 1), OK); /* skipped */
	assert_int_equal(db_commit(k->db), ERR_ALREADY_EXISTS);
	assert_int_equal(q_work_live_delete(k->db, &(struct id_row){1}, 1), OK);
	assert_int_equal(kit_live_count(k->db), 0);
}

/* ---- durability ---- */

static const struct query commit_setting = {
	.name = "commit_setting",
	.card = SQL_ONE,
	.postgres = "SELECT (current_setting('synchronous_commit') = 'on')::int AS pid",
	.out = pid_fields,
	.out_count = 1,
	.out_size = sizeof(struct pid_row),
};

/* Answered means on disk, whatever the database was set to for others. */
static void a_database_that_commits_in_its_sleep_is_woken(void **state)
{
	struct kit *k = *state;
	struct pid_row row;

	db_close(&k->db);
	store_close(&k->store);
	snprintf(k->url + strlen(k->url), sizeof(k->url) - strlen(k->url), "%%20-csynchronous_commit%%3Doff");
	k->store = kit_store(k);
	k->db = kit_connect(k->store, DB_WRITE);
	assert_int_equal(db_one(k->db, &commit_setting, NULL, k->arena, &row), OK);
	assert_int_equal(row.pid, 1);
}

/* ---- reaching the server ---- */

static void open_and_fail(const char *url, enum err wanted, const char *words)
{
	struct problem p = {0};
	struct store *s = NULL;
	struct db *db;
	enum err e = store_open(url, &s, &p);

	if (e == OK)
		e = store_connect(s, DB_WRITE, &db, &p);
	store_close(&s);
	assert_int_equal(e, wanted);
	if (!strstr(p.detail, words))
		fail_msg("%s", p.detail);
	assert_null(strstr(p.detail, "secret"));
	assert_null(strchr(p.detail, '\n'));
}

static void servers_that_cannot_be_reached(void **state)
{
	(void)state;
	open_and_fail("postgres://u:secret@127.0.0.1:1/x", ERR_STORE_UNAVAILABLE,
		      "PostgreSQL 127.0.0.1:1/x cannot be reached: connection to server at");
	open_and_fail("postgres://u:secret@/x?host=/nowhere", ERR_STORE_UNAVAILABLE,
		      "/nowhere/x cannot be reached");
	open_and_fail("postgres://u:secret@h:port/x", ERR_STORE_UNAVAILABLE, "invalid");
	open_and_fail("postgres://u:secret@h/x?colour=red", ERR_USAGE, "postgres://USER@HOST:PORT/DATABASE");
}

static void a_name_without_secrets(void **state)
{
	struct store *s;

	(void)state;
	assert_int_equal(store_open("postgresql://me:secret@db.example:5433/work?sslmode=require", &s, NULL), OK);
	assert_string_equal(store_name(s), "db.example:5433/work");
	assert_int_equal(store_kind(s), STORE_POSTGRES);
	store_close(&s);
}

/* ---- both engines have the same tables ---- */

/* "table.column TYPE" of every column, in SQLite's words, with ! where it cannot be NULL. */
static const char postgres_columns[] =
	"SELECT line FROM (SELECT format('%s.%s %s%s', relname, attname, CASE atttypid WHEN 'bool'::regtype THEN "
	"'INTEGER' "
	"WHEN 'int8'::regtype THEN 'INTEGER' WHEN 'text'::regtype THEN 'TEXT' WHEN 'bytea'::regtype THEN 'BLOB' "
	"WHEN 'float8'::regtype THEN 'REAL' END, CASE WHEN attnotnull THEN '!' END) AS line "
	"FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE attnum > 0 AND relkind = 'r' "
	"AND relnamespace = current_schema()::text::regnamespace AND relname <> 'schema_version') AS columns "
	"ORDER BY line COLLATE \"C\"";
static const char sqlite_columns[] =
	"SELECT m.name || '.' || c.name || ' ' || c.type || iif(c.\"notnull\" OR c.pk, '!', '') "
	"FROM sqlite_schema m, pragma_table_info(m.name) c "
	"WHERE m.type = 'table' AND m.name <> 'schema_version' ORDER BY 1";

static struct buf catalogue_of_postgres(const struct kit *k)
{
	struct buf b = BUF_INIT(0);
	PGconn *conn = PQconnectdb(k->url);
	PGresult *result = PQexec(conn, postgres_columns);

	for (int i = 0; i < PQntuples(result); i++)
		buf_fmt(&b, "%s\n", PQgetvalue(result, i, 0));
	PQclear(result);
	PQfinish(conn);
	return b;
}

static int add_line(void *ctx, int columns, char **values, char **names)
{
	(void)columns, (void)names;
	buf_fmt(ctx, "%s\n", values[0]);
	return 0;
}

static struct buf catalogue_of_sqlite(const struct kit *k)
{
	struct buf b = BUF_INIT(0);
	sqlite3 *sql;

	assert_int_equal(sqlite3_open(k->url + strlen("sqlite:"), &sql), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sql, sqlite_columns, add_line, &b, NULL), SQLITE_OK);
	sqlite3_close(sql);
	return b;
}

static void the_catalogues_agree(void **state)
{
	struct kit *k = *state, *file = kit_new(STORE_SQLITE, NULL);
	struct buf here, there;

	kit_open(file);
	here = catalogue_of_postgres(k);
	there = catalogue_of_sqlite(file);
	assert_true(here.n > 100);
	assert_string_equal(buf_cstr(&here), buf_cstr(&there));
	buf_free(&here);
	buf_free(&there);
	kit_free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(killed_between_transactions, ready, done),
		cmocka_unit_test_setup_teardown(killed_in_a_transaction, ready, done),
		cmocka_unit_test_setup_teardown(killed_before_the_commit_is_sent, ready, done),
		cmocka_unit_test_setup_teardown(killed_in_a_savepoint, ready, done),
		cmocka_unit_test_setup_teardown(killed_outside_a_transaction, ready, done),
		cmocka_unit_test_setup_teardown(killed_during_the_commit, ready, done),
		cmocka_unit_test_setup_teardown(killed_in_the_middle_of_a_queue, ready, done),
		cmocka_unit_test_setup_teardown(a_serialization_failure_asks_for_another_run, ready, done),
		cmocka_unit_test_setup_teardown(a_statement_that_takes_too_long_is_stopped, ready, done),
		cmocka_unit_test_setup_teardown(preparing_after_a_failure, ready, done),
		cmocka_unit_test_setup_teardown(a_database_that_commits_in_its_sleep_is_woken, ready, done),
		cmocka_unit_test(servers_that_cannot_be_reached),
		cmocka_unit_test(a_name_without_secrets),
		cmocka_unit_test_setup_teardown(the_catalogues_agree, ready, done),
	};

	kit_need_postgres();
	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests_name("store_postgres", tests, NULL, NULL);
}
