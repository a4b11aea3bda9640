/*
 * Statements and rows of SQLite: binding from, and reading into, the structs that field tables describe.
 *
 * This is the hot path of the whole program: the write executor spends most of its time below sqlite_batch(). Each
 * statement is prepared once per connection. Text and bytes are bound where they lie (SQLITE_STATIC): every
 * parameter is bound again before the next step, so a pointer is never followed after its call. Each call leaves
 * its statement reset, so no read transaction outlives it.
 */
#include "store/sqlite_priv.h"

#include "base/log.h"
#include "base/magic.h"

#include <string.h>

static uint64_t statement_key(const struct query *q)
{
	return (uint64_t)(uintptr_t)q;
}

static enum err statement(struct sqlite_db *s, const struct query *q, sqlite3_stmt **out)
{
	int rc;

	*out = map_get(&s->statements, statement_key(q));
	if (*out)
		return OK;
	rc = sqlite3_prepare_v3(s->sql, q->sqlite, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
	if (rc != SQLITE_OK)
		return sqlite_failed(s, q, rc);
	CHECK(sqlite3_bind_parameter_count(*out) == (int)q->in_count);
	CHECK(sqlite3_column_count(*out) == (int)q->out_count);
	map_put(&s->statements, statement_key(q), *out);
	return OK;
}

void sqlite_forget_statements(struct sqlite_db *s)
{
	sqlite3_stmt *stmt;

	for (size_t i = 0; (stmt = map_next(&s->statements, &i));)
		sqlite3_finalize(stmt);
	map_free(&s->statements);
}

/* ---- parameters ---- */

static int bind_text(sqlite3_stmt *stmt, int i, const struct sql_field *f, const struct str *s)
{
	if (!s->p && f->nullable)
		return sqlite3_bind_null(stmt, i);
	return sqlite3_bind_text64(stmt, i, s->p ? s->p : "", s->n, SQLITE_STATIC, SQLITE_UTF8);
}

static int bind_bytes(sqlite3_stmt *stmt, int i, const struct sql_field *f, const struct str *s)
{
	if (!s->p && f->nullable)
		return sqlite3_bind_null(stmt, i);
	return sqlite3_bind_blob64(stmt, i, s->p ? s->p : "", s->n, SQLITE_STATIC);
}

static int bind_field(sqlite3_stmt *stmt, int i, const struct sql_field *f, const void *value)
{
	switch (f->type) {
	case SQL_INT:
		return sqlite3_bind_int64(stmt, i, *(const int64_t *)value);
	case SQL_REAL:
		return sqlite3_bind_double(stmt, i, *(const double *)value);
	case SQL_BOOL:
		return sqlite3_bind_int(stmt, i, *(const bool *)value);
	case SQL_TEXT:
		return bind_text(stmt, i, f, value);
	case SQL_BYTES:
		return bind_bytes(stmt, i, f, value);
	}
	UNREACHABLE();
}

static enum err bind_row(struct sqlite_db *s, sqlite3_stmt *stmt, const struct query *q, const void *in)
{
	if (!query_row_ok(q, in))
		return db_doom(&s->db, ERR_INVALID);
	for (unsigned i = 0; i < q->in_count; i++) {
		int rc = bind_field(stmt, (int)i + 1, &q->in[i], (const char *)in + q->in[i].offset);

		if (rc != SQLITE_OK)
			return sqlite_failed(s, q, rc);
	}
	return OK;
}

static enum err ready(struct sqlite_db *s, const struct query *q, const void *in, sqlite3_stmt **out)
{
	enum err e = statement(s, q, out);

	return e == OK ? bind_row(s, *out, q, in) : e;
}

/* ---- rows ---- */

static struct str column_bytes(sqlite3_stmt *stmt, int i, const void *p)
{
	/* SQLite gives NULL for an empty blob; ours is NULL only for NULL. */
	return (struct str){p ? p : "", (size_t)sqlite3_column_bytes(stmt, i)};
}

static bool read_null(const struct sql_field *f, void *value)
{
	if (f->nullable)
		*(struct str *)value = (struct str){0};
	return f->nullable;
}

static bool read_field(sqlite3_stmt *stmt, int i, const struct sql_field *f, void *value)
{
	if (sqlite3_column_type(stmt, i) == SQLITE_NULL)
		return read_null(f, value);
	switch (f->type) {
	case SQL_INT:
		*(int64_t *)value = sqlite3_column_int64(stmt, i);
		return true;
	case SQL_REAL:
		*(double *)value = sqlite3_column_double(stmt, i);
		return true;
	case SQL_BOOL:
		*(bool *)value = sqlite3_column_int64(stmt, i) != 0;
		return true;
	case SQL_TEXT:
		*(struct str *)value = column_bytes(stmt, i, sqlite3_column_text(stmt, i));
		return true;
	case SQL_BYTES:
		*(struct str *)value = column_bytes(stmt, i, sqlite3_column_blob(stmt, i));
		return true;
	}
	UNREACHABLE();
}

/* The row's text belongs to SQLite and is gone with the next step. */
static enum err read_row(struct sqlite_db *s, sqlite3_stmt *stmt, const struct query *q, void *row)
{
	CHECK(q->out_size <= ROW_MAX);
	for (unsigned i = 0; i < q->out_count; i++) {
		if (read_field(stmt, (int)i, &q->out[i], (char *)row + q->out[i].offset))
			continue;
		LOG_E("store.null", "query=%s column=%s", q->name, q->out[i].name);
		return db_doom(&s->db, ERR_INTERNAL);
	}
	return OK;
}

/* ---- statements ---- */

enum err sqlite_prepare(struct db *db, const struct query *q)
{
	sqlite3_stmt *stmt;

	return statement(CONTAINER_OF(db, struct sqlite_db, db), q, &stmt);
}

enum err sqlite_run(struct sqlite_db *s, const struct query *q)
{
	sqlite3_stmt *stmt;
	enum err e = statement(s, q, &stmt);
	int rc;

	if (e != OK)
		return e;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_DONE)
		e = sqlite_failed(s, q, rc);
	sqlite3_reset(stmt);
	return e;
}

/* Runs a bound statement that gives no rows. */
static enum err finish(struct sqlite_db *s, sqlite3_stmt *stmt, const struct query *q)
{
	int rc = sqlite3_step(stmt);
	enum err e = rc == SQLITE_DONE ? OK : sqlite_failed(s, q, rc);

	sqlite3_reset(stmt);
	return e;
}

enum err sqlite_exec(struct db *db, const struct query *q, const void *in)
{
	struct sqlite_db *s = CONTAINER_OF(db, struct sqlite_db, db);
	sqlite3_stmt *stmt;
	enum err e = ready(s, q, in, &stmt);

	if (e == OK)
		e = finish(s, stmt, q);
	if (e == OK && q->card == SQL_MUST && sqlite3_changes64(s->sql) == 0)
		e = db_doom(db, ERR_NOT_FOUND);
	return e;
}

static enum err insert_all(struct sqlite_db *s, const struct query *q, const void *rows, size_t count)
{
	sqlite3_stmt *stmt;
	enum err e = statement(s, q, &stmt);

	for (size_t i = 0; e == OK && i < count; i++) {
		e = bind_row(s, stmt, q, query_in(q, rows, i));
		if (e == OK)
			e = finish(s, stmt, q);
	}
	return e;
}

enum err sqlite_batch(struct db *db, const struct query *q, const void *rows, size_t count)
{
	struct sqlite_db *s = CONTAINER_OF(db, struct sqlite_db, db);
	enum err e;

	if (db->transaction != TRANSACTION_NONE)
		return insert_all(s, q, rows, count);
	e = sqlite_run(s, &sqlite_begin);
	if (e != OK)
		return e;
	e = insert_all(s, q, rows, count);
	if (e == OK)
		e = sqlite_run(s, &sqlite_commit);
	if (!sqlite3_get_autocommit(s->sql))
		sqlite_run(s, &sqlite_rollback);
	return e;
}

/* The next row of a bound statement into `row`; *found is false when there is none. */
static enum err next_row(struct sqlite_db *s, sqlite3_stmt *stmt, const struct query *q, void *row, bool *found)
{
	int rc = sqlite3_step(stmt);

	*found = rc == SQLITE_ROW;
	if (*found)
		return read_row(s, stmt, q, row);
	return rc == SQLITE_DONE ? OK : sqlite_failed(s, q, rc);
}

/* A second step ends the statement, and must find nothing. */
static enum err expect_end(struct sqlite_db *s, sqlite3_stmt *stmt, const struct query *q)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_DONE)
		return OK;
	if (rc != SQLITE_ROW)
		return sqlite_failed(s, q, rc);
	LOG_E("store.second_row", "query=%s", q->name);
	return db_doom(&s->db, ERR_INTERNAL);
}

enum err sqlite_one(struct db *db, const struct query *q, const void *in, struct arena *a, void *out)
{
	struct sqlite_db *s = CONTAINER_OF(db, struct sqlite_db, db);
	sqlite3_stmt *stmt;
	bool found = false;
	enum err e = ready(s, q, in, &stmt);

	if (e != OK)
		return e;
	e = next_row(s, stmt, q, out, &found);
	if (e == OK && found)
		e = db_keep_row(db, q, a, out);
	if (e == OK && found)
		e = expect_end(s, stmt, q);
	sqlite3_reset(stmt);
	return e == OK && !found ? ERR_NOT_FOUND : e;
}

enum err sqlite_many(struct db *db, const struct query *q, const void *in, db_row_fn *each, void *ctx)
{
	struct sqlite_db *s = CONTAINER_OF(db, struct sqlite_db, db);
	struct row_space row;
	sqlite3_stmt *stmt;
	bool found = true;
	enum err e = ready(s, q, in, &stmt);

	if (e != OK)
		return e;
	while (e == OK && found) {
		e = next_row(s, stmt, q, row.bytes, &found);
		if (e == OK && found)
			e = db_row(db, each, ctx, row.bytes);
	}
	sqlite3_reset(stmt);
	return e;
}

enum err sqlite_each(struct db *db, const struct query *q, const void *ins, size_t count, db_each_fn *each,
		     void *ctx)
{
	struct sqlite_db *s = CONTAINER_OF(db, struct sqlite_db, db);
	struct row_space row;
	sqlite3_stmt *stmt;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < count; i++) {
		bool found = false;

		e = ready(s, q, query_in(q, ins, i), &stmt);
		if (e != OK)
			return e;
		e = next_row(s, stmt, q, row.bytes, &found);
		if (e == OK)
			e = db_each_row(db, each, ctx, i, found ? row.bytes : NULL);
		sqlite3_reset(stmt);
	}
	return e;
}
