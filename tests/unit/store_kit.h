/*
 * A store of its own for each test: a file in a fresh directory, or a schema of its own in the PostgreSQL that
 * TENFOLD_TEST_PG names (tools/with-postgres runs one), reached directly or through the pooler that TENFOLD_TEST_POOLER
 * names. Without one the program says so and is skipped.
 */
#ifndef TENFOLD_TESTS_STORE_KIT_H
#define TENFOLD_TESTS_STORE_KIT_H

#include "harness.h"

#include "base/magic.h"
#include "store/fault.h"
#include "store/queries.h"
#include "store/schema.h"

#include <libpq-fe.h>

struct kit {
	char dir[64], schema[32], url[1024];
	struct store *store;
	struct db *db; /* a writing connection to it, migrated */
	struct arena *arena;
};

static inline const char *kit_postgres(void)
{
	return getenv("TENFOLD_TEST_PG");
}

static inline const char *kit_pooler(void)
{
	return getenv("TENFOLD_TEST_POOLER");
}

/* Ends the program as skipped when there is no such server to test. */
static inline void kit_need(const char *there, const char *skip)
{
	const char *why = getenv(skip);

	if (there)
		return;
	printf("1..0 # SKIP %s\n", why ? why : "the test runs under tools/with-postgres");
	exit(0);
}

static inline void kit_need_postgres(void)
{
	kit_need(kit_postgres(), "TENFOLD_TEST_PG_SKIP");
}

static inline void kit_need_pooler(void)
{
	kit_need(kit_pooler(), "TENFOLD_TEST_POOLER_SKIP");
}

/* Where a test goes that is told "sqlite" (NULL), "postgres" or "pooler", perhaps with more words behind. */
static inline const char *kit_url_of(const char *which)
{
	if (strstr(which, "postgres")) {
		kit_need_postgres();
		return kit_postgres();
	}
	if (strstr(which, "pooler")) {
		kit_need_pooler();
		return kit_pooler();
	}
	return NULL;
}

static inline void kit_sql(const char *url, const char *sql)
{
	PGconn *conn = PQconnectdb(url);
	PGresult *result;
	ExecStatusType status;

	PQclear(PQexec(conn, "SET client_min_messages = warning"));
	result = PQexec(conn, sql);
	status = PQresultStatus(result);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(conn));
	PQclear(result);
	PQfinish(conn);
}

static inline void kit_place_file(struct kit *k)
{
	snprintf(k->dir, sizeof(k->dir), "/tmp/tenfold-store-XXXXXX");
	assert_non_null(mkdtemp(k->dir));
	snprintf(k->url, sizeof(k->url), "sqlite:%s/store.db", k->dir);
}

static inline void kit_place_schema(struct kit *k, const char *url)
{
	static unsigned made;
	char sql[64];

	snprintf(k->schema, sizeof(k->schema), "t%d_%u", (int)getpid(), ++made);
	snprintf(sql, sizeof(sql), "CREATE SCHEMA %s", k->schema);
	kit_sql(kit_postgres(), sql);
	snprintf(k->url, sizeof(k->url), "%s%coptions=-csearch_path%%3D%s", url, strchr(url, '?') ? '&' : '?',
		 k->schema);
}

static inline struct db *kit_connect(struct store *s, enum db_mode mode)
{
	struct problem p = {0};
	struct db *db;

	if (store_connect(s, mode, &db, &p) != OK)
		fail_msg("%s", p.detail);
	return db;
}

static inline struct store *kit_store(const struct kit *k)
{
	struct problem p = {0};
	struct store *s;

	if (store_open(k->url, &s, &p) != OK)
		fail_msg("%s", p.detail);
	return s;
}

/* A place without a schema, and its store. `url`: of the PostgreSQL it is reached by; NULL for SQLite. */
static inline struct kit *kit_new_at(const char *url, const char *fault_plan)
{
	struct kit *k = NEW(struct kit);

	if (url)
		kit_place_schema(k, url);
	else
		kit_place_file(k);
	k->store = kit_store(k);
	if (fault_plan)
		assert_int_equal(fault_wrap(&k->store, fault_plan, NULL), OK);
	k->arena = arena_new(8 << 20);
	return k;
}

static inline struct kit *kit_new(enum store_kind kind, const char *fault_plan)
{
	return kit_new_at(kind == STORE_POSTGRES ? kit_postgres() : NULL, fault_plan);
}

static inline void kit_open_as(struct kit *k, const struct schema *schema)
{
	struct problem p = {0};

	if (store_migrate(k->store, schema, &p) != OK)
		fail_msg("%s", p.detail);
	k->db = kit_connect(k->store, DB_WRITE);
}

static inline void kit_open(struct kit *k)
{
	kit_open_as(k, &STORE_SCHEMA);
}

static inline void kit_remove_file(const struct kit *k, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", k->dir, name);
	unlink(path);
}

static inline void kit_free(struct kit *k)
{
	char sql[64];

	db_close(&k->db);
	store_close(&k->store);
	arena_destroy(&k->arena);
	if (k->dir[0]) {
		kit_remove_file(k, "store.db");
		kit_remove_file(k, "store.db-wal");
		kit_remove_file(k, "store.db-shm");
		rmdir(k->dir);
	} else {
		snprintf(sql, sizeof(sql), "DROP SCHEMA %s CASCADE", k->schema);
		kit_sql(kit_postgres(), sql);
	}
	free(k);
}

/* ---- rows to play with ---- */

static inline struct queue_row kit_queue(int64_t id, struct str type)
{
	return (struct queue_row){.id = id, .tenant = 1, .type = type, .team = STR("")};
}

/* Every text that can be NULL is. */
static inline struct work_live_row kit_live(int64_t id)
{
	return (struct work_live_row){.id = id, .tenant = 1, .queue = 1, .created_ms = 1000 + id};
}

static inline size_t kit_count_rows(struct db *db, enum err (*all)(struct db *, db_row_fn *, void *),
				    db_row_fn *count)
{
	size_t n = 0;

	assert_int_equal(all(db, count, &n), OK);
	return n;
}

static inline size_t kit_live_count(struct db *db)
{
	return kit_count_rows(db, q_work_live_all, db_count_row);
}

static inline size_t kit_event_count(struct db *db)
{
	size_t n = 0;

	assert_int_equal(q_event_from(db, &(struct event_from_in){0, INT64_MAX}, db_count_row, &n), OK);
	return n;
}

/* In one call: what was sent ahead may fail only here. */
static inline enum err kit_commit(struct db *db, enum err so_far)
{
	if (so_far == OK)
		return db_commit(db);
	db_rollback(db);
	return so_far;
}

#endif
