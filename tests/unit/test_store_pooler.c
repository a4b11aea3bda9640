/*
 * PostgreSQL behind a pooler that gives each transaction one of very few sessions: nothing of ours stays in one, and
 * nothing we need is missing from the next. The contract of stores runs there as well (test_store_contract.c).
 */
#include "store_kit.h"

#include "base/log.h"
#include "store/postgres_priv.h"

enum { CONNECTIONS = 12, SESSIONS_MAX = 3, ROUNDS = 10 };

static int ready(void **state)
{
	struct kit *k = kit_new_at(kit_pooler(), NULL);

	kit_open(k);
	*state = k;
	return 0;
}

static int done(void **state)
{
	kit_free(*state);
	return 0;
}

/* ---- urls ---- */

static void its_word_is_ours_and_not_libpq_s(void **state)
{
	static const char *const urls[] = {
		"postgres://u@h:6432/d?pooler=transaction",
		"postgres://u@h:6432/d?pooler=transaction&sslmode=require",
		"postgres://u@h:6432/d?sslmode=require&pooler=transaction&connect_timeout=3",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		struct pg_target t;
		struct problem p = {0};
		char *name;

		if (pg_target_new(urls[i], &t, &p) != OK)
			fail_msg("%s: %s", urls[i], p.detail);
		assert_row(urls[i], t.pooled);
		name = pg_target_name(&t);
		assert_string_equal(name, "h:6432/d");
		free(name);
		pg_target_free(&t);
	}
}

static void settings_are_of_the_session_or_of_the_transaction(void **state)
{
	struct pg_target t;

	(void)state;
	assert_int_equal(pg_target_new("postgres://h/d?options=-cwork_mem%3D1MB", &t, NULL), OK);
	assert_false(t.pooled);
	assert_non_null(strstr(t.settings[DB_READ], "set_config(E'default_transaction_read_only', E'on', false)"));
	assert_null(strstr(t.settings[DB_READ], "true"));
	assert_null(strstr(t.settings[DB_READ], "work_mem")); /* libpq sends it */
	pg_target_free(&t);
	assert_int_equal(pg_target_new("postgres://h/d?pooler=transaction", &t, NULL), OK);
	assert_non_null(strstr(t.settings[DB_READ], "set_config(E'transaction_read_only', E'on', true)"));
	assert_non_null(strstr(t.settings[DB_WRITE], "set_config(E'enable_seqscan', E'off', true)"));
	assert_null(strstr(t.settings[DB_WRITE], "read_only"));
	assert_null(strstr(t.settings[DB_WRITE], "false"));
	pg_target_free(&t);
}

static void options_of_the_url_become_settings(void **state)
{
	static const struct {
		const char *options, *wanted; /* NULL: refused */
	} cases[] = {
		{"-c%20search_path%3Da,b", "SELECT set_config(E'search_path', E'a,b', true), set_config("},
		{"-csearch_path%3Da", "SELECT set_config(E'search_path', E'a', true), set_config("},
		{"%20--work-mem%3D1MB%20", "SELECT set_config(E'work_mem', E'1MB', true), set_config("},
		{"-cx.y%3Dit's%20-cz.z%3D",
		 "SELECT set_config(E'x.y', E'it''s', true), set_config(E'z.z', E'', true)"},
		{"-cx.y%3Da%5C%20b%5C%5C", "SELECT set_config(E'x.y', E'a b\\\\', true)"},
		{"%20", "SELECT set_config(E'statement_timeout'"},
		{"-c", NULL},
		{"-cwork_mem", NULL},
		{"-c%20%3D1", NULL},
		{"-B%20100", NULL},
		{"work_mem%3D1MB", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct problem p = {0};
		struct pg_target t;
		char url[256];

		snprintf(url, sizeof(url), "postgres://h/d?options=%s&pooler=transaction", cases[i].options);
		assert_row(url, (pg_target_new(url, &t, &p) == OK) == (cases[i].wanted != NULL));
		if (!cases[i].wanted) {
			assert_row(url, p.err == ERR_USAGE && strstr(p.detail, "-c NAME=VALUE"));
			continue;
		}
		if (strncmp(t.settings[DB_READ], cases[i].wanted, strlen(cases[i].wanted)) != 0)
			fail_msg("%s: %s", url, t.settings[DB_READ]);
		pg_target_free(&t);
	}
}

static void another_kind_of_pooler_is_refused(void **state)
{
	struct problem p = {0};
	struct pg_target t;

	(void)state;
	assert_int_equal(pg_target_new("postgres://u:secret@h/d?pooler=statement", &t, &p), ERR_USAGE);
	assert_non_null(strstr(p.detail, "can only be \"transaction\""));
	assert_null(strstr(p.detail, "secret"));
	assert_int_equal(pg_target_new("postgres://h/d?pooler=", &t, &p), ERR_USAGE);
}

static void a_setting_the_server_does_not_know_is_told_at_once(void **state)
{
	struct problem p = {0};
	struct store *s;
	struct db *db;
	char url[512];

	(void)state;
	snprintf(url, sizeof(url), "%s&options=-cwings%%3Don", kit_pooler());
	assert_int_equal(store_open(url, &s, &p), OK);
	assert_int_equal(store_connect(s, DB_READ, &db, &p), ERR_STORE_UNAVAILABLE);
	assert_non_null(strstr(p.detail, "\"wings\""));
	store_close(&s);
}

/* ---- sessions ---- */

struct session_row {
	int64_t pid;
	struct str timeout, seqscan, read_only, path;
};

static const struct sql_field session_fields[] = {
	{"pid", SQL_INT, false, offsetof(struct session_row, pid)},
	{"timeout", SQL_TEXT, false, offsetof(struct session_row, timeout)},
	{"seqscan", SQL_TEXT, false, offsetof(struct session_row, seqscan)},
	{"read_only", SQL_TEXT, false, offsetof(struct session_row, read_only)},
	{"path", SQL_TEXT, false, offsetof(struct session_row, path)},
};

#define SESSION                                                                                   \
	"SELECT pg_backend_pid() AS pid, current_setting('statement_timeout') AS timeout, "       \
	"current_setting('enable_seqscan') AS seqscan, current_setting('transaction_read_only') " \
	"AS read_only, current_setting('search_path') AS path"

static const struct query session = {
	.name = "session",
	.card = SQL_ONE,
	.postgres = SESSION,
	.out = session_fields,
	.out_count = COUNT_OF(session_fields),
	.out_size = sizeof(struct session_row),
};

static int64_t assert_set(struct kit *k, struct db *db, enum db_mode mode)
{
	struct session_row row;

	assert_int_equal(db_one(db, &session, NULL, k->arena, &row), OK);
	assert_str(row.timeout, "1min");
	assert_true(str_eqz(row.seqscan, mode == DB_WRITE ? "off" : "on"));
	assert_true(str_eqz(row.read_only, mode == DB_WRITE ? "off" : "on"));
	assert_true(str_eqz(row.path, k->schema));
	return row.pid;
}

/* What somebody else finds in the sessions. */
static void assert_nothing_left(void)
{
	struct pg_target t;
	PGconn *conn;
	PGresult *result;

	assert_int_equal(pg_target_new(kit_pooler(), &t, NULL), OK);
	conn = pg_target_dial(&t, DB_READ);
	for (int i = 0; i < ROUNDS; i++) {
		result = PQexec(conn, SESSION ", (SELECT count(*) FROM pg_prepared_statements), "
					      "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')");
		assert_int_equal(PQntuples(result), 1);
		assert_string_equal(PQgetvalue(result, 0, 1), "0");
		assert_string_equal(PQgetvalue(result, 0, 2), "on");
		assert_string_equal(PQgetvalue(result, 0, 3), "off");
		assert_string_equal(PQgetvalue(result, 0, 4), "\"$user\", public");
		assert_string_equal(PQgetvalue(result, 0, 5), "0");
		assert_string_equal(PQgetvalue(result, 0, 6), "0");
		PQclear(result);
	}
	PQfinish(conn);
	pg_target_free(&t);
}

struct pids {
	int64_t seen[SESSIONS_MAX + 1];
	size_t count;
};

static void note_pid(struct pids *pids, int64_t pid)
{
	for (size_t i = 0; i < pids->count; i++)
		if (pids->seen[i] == pid)
			return;
	assert_true(pids->count < SESSIONS_MAX);
	pids->seen[pids->count++] = pid;
}

static void use(struct kit *k, struct db *db, enum db_mode mode, int64_t id, struct pids *pids)
{
	struct work_live_row row = kit_live(id);

	note_pid(pids, assert_set(k, db, mode)); /* a statement by itself */
	assert_int_equal(db_begin(db), OK);
	note_pid(pids, assert_set(k, db, mode));
	if (mode == DB_WRITE)
		assert_int_equal(q_work_live_insert(db, &row, 1), OK);
	assert_set(k, db, mode);
	assert_int_equal(db_commit(db), OK);
}

static void many_connections_share_few_sessions(void **state)
{
	struct kit *k = *state;
	struct pids pids = {0};
	struct db *db[CONNECTIONS];

	for (int i = 0; i < CONNECTIONS; i++)
		db[i] = kit_connect(k->store, i % 2 ? DB_WRITE : DB_READ);
	for (int i = 0; i < CONNECTIONS * ROUNDS; i++)
		use(k, db[i % CONNECTIONS], i % 2 ? DB_WRITE : DB_READ, i + 1, &pids);
	assert_int_equal(kit_live_count(k->db), CONNECTIONS * ROUNDS / 2);
	assert_nothing_left();
	for (int i = 0; i < CONNECTIONS; i++)
		db_close(&db[i]);
}

static enum err count_found(void *ctx, size_t i, const void *row)
{
	(void)i;
	*(size_t *)ctx += row != NULL;
	return OK;
}

/* Lots are settled in between when they get long; each begins with its settings. */
static void a_long_lot_by_itself_keeps_its_settings(void **state)
{
	enum { MANY = PIPELINE_MAX * 3 };
	struct kit *k = *state;
	struct id_row *ids = must_alloc(MANY * sizeof(*ids));
	size_t found = 0;

	for (int i = 0; i < MANY; i++)
		ids[i].id = i;
	assert_int_equal(q_work_live_insert(k->db, &(struct work_live_row){.id = MANY - 1}, 1), OK);
	assert_int_equal(q_work_live_get_each(k->db, ids, MANY, count_found, &found), OK);
	assert_int_equal(found, 1);
	assert_nothing_left();
	free(ids);
}

static void failures_leave_nothing_either(void **state)
{
	struct kit *k = *state;
	struct work_live_row row = kit_live(1);

	assert_int_equal(q_work_live_insert(k->db, &row, 1), OK);
	assert_int_equal(q_work_live_insert(k->db, &row, 1), ERR_ALREADY_EXISTS);
	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(kit_commit(k->db, q_work_live_insert(k->db, &row, 1)), ERR_ALREADY_EXISTS);
	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(q_work_live_insert(k->db, &row, 1), OK);
	db_rollback(k->db);
	assert_set(k, k->db, DB_WRITE);
	assert_nothing_left();
}

/* ---- losses ---- */

static void a_check_reaches_the_server(void **state)
{
	struct kit *k = *state;

	assert_int_equal(db_check(k->db), OK);
	assert_false(db_lost(k->db));
	assert_set(k, k->db, DB_WRITE);
}

static void kill_session(int64_t pid)
{
	char sql[80];

	snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%lld, 10000)", (long long)pid);
	kit_sql(kit_postgres(), sql);
}

static void a_session_that_dies_in_a_transaction_takes_it_along(void **state)
{
	struct kit *k = *state;
	struct work_live_row row = kit_live(1);
	struct problem p = {0};

	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(q_work_live_insert(k->db, &row, 1), OK);
	kill_session(assert_set(k, k->db, DB_WRITE));
	row.id = 2;
	assert_int_equal(q_work_live_insert(k->db, &row, 1), OK); /* sent with the commit, and answered before it */
	assert_int_equal(db_commit(k->db), ERR_STORE_UNAVAILABLE);
	assert_true(db_lost(k->db));
	if (db_reconnect(k->db, &p) != OK)
		fail_msg("%s", p.detail);
	assert_int_equal(kit_live_count(k->db), 0);
}

/* Nobody notices, because the pooler has others. */
static void a_session_that_dies_at_rest_is_not_missed(void **state)
{
	struct kit *k = *state;
	struct work_live_row row = kit_live(1);

	kill_session(assert_set(k, k->db, DB_WRITE));
	assert_false(db_lost(k->db));
	assert_int_equal(q_work_live_insert(k->db, &row, 1), OK);
	assert_int_equal(kit_live_count(k->db), 1);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, ready, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_word_is_ours_and_not_libpq_s),
		cmocka_unit_test(settings_are_of_the_session_or_of_the_transaction),
		cmocka_unit_test(options_of_the_url_become_settings),
		cmocka_unit_test(another_kind_of_pooler_is_refused),
		cmocka_unit_test(a_setting_the_server_does_not_know_is_told_at_once),
		STORY(many_connections_share_few_sessions),
		STORY(a_long_lot_by_itself_keeps_its_settings),
		STORY(failures_leave_nothing_either),
		STORY(a_check_reaches_the_server),
		STORY(a_session_that_dies_in_a_transaction_takes_it_along),
		STORY(a_session_that_dies_at_rest_is_not_missed),
	};

	kit_need_pooler();
	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests_name("store_pooler", tests, NULL, NULL);
}
