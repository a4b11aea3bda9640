/*
 * What both engines have in common: urls, and the states of a transaction (drawn in store_priv.h). A driver below
 * sees only calls that are right in the state its connection is in.
 */
#include "store/store_priv.h"

#include "base/log.h"
#include "base/magic.h"

#include <string.h>

enum { VALUE_MAX = 256 << 20 }; /* bytes of one text: well within what both engines take */

static bool starts(const char *url, const char *scheme)
{
	return strncmp(url, scheme, strlen(scheme)) == 0;
}

enum err store_open(const char *url, struct store **out, struct problem *p)
{
	*out = NULL;
	if (starts(url, "sqlite:"))
		return sqlite_store_open(url + strlen("sqlite:"), out, p);
	if (starts(url, "postgres://") || starts(url, "postgresql://"))
		return postgres_store_open(url, out, p);
	return problem_set(p, ERR_USAGE, "a store is \"sqlite:PATH\" or \"postgres://HOST/DATABASE\"");
}

char *store_copy(const char *z)
{
	size_t size = strlen(z) + 1;

	return memcpy(must_alloc(size), z, size);
}

void store_close(struct store **s)
{
	struct store *closing = *s;
	char *name;

	if (!closing)
		return;
	CHECK_OBJ(closing, STORE_MAGIC);
	name = closing->name;
	closing->magic = 0;
	closing->driver->close(closing);
	free(name);
	*s = NULL;
}

enum store_kind store_kind(const struct store *s)
{
	CHECK_OBJ(s, STORE_MAGIC);
	return s->kind;
}

const char *store_name(const struct store *s)
{
	CHECK_OBJ(s, STORE_MAGIC);
	return s->name;
}

enum err store_connect(struct store *s, enum db_mode mode, struct db **out, struct problem *p)
{
	enum err e;

	CHECK_OBJ(s, STORE_MAGIC);
	*out = NULL;
	e = s->driver->connect(s, mode, out, p);
	if (e != OK)
		return e;
	(*out)->magic = DB_MAGIC;
	(*out)->driver = s->driver;
	(*out)->kind = s->kind;
	(*out)->mode = mode;
	(*out)->notes_places = s->notes_places;
	return OK;
}

void store_note_places(struct store *s)
{
	CHECK_OBJ(s, STORE_MAGIC);
	s->notes_places = true;
}

void db_close(struct db **db)
{
	if (!*db)
		return;
	db_rollback(*db);
	(*db)->magic = 0;
	(*db)->driver->disconnect(*db);
	*db = NULL;
}

static void end_transaction(struct db *db)
{
	db->transaction = TRANSACTION_NONE;
	db->doom = OK;
	db->gone = false;
}

enum err db_reconnect(struct db *db, struct problem *p)
{
	enum err e;

	db_rollback(db);
	e = db->driver->reconnect(db, p);
	db->lost = e != OK;
	db->place = (struct log_place){0};
	return e;
}

bool db_lost(const struct db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	return db->lost || (db->transaction == TRANSACTION_NONE && db->driver->hung_up(db));
}

enum err db_check(struct db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	CHECK(db->transaction == TRANSACTION_NONE && !db->in_row);
	return db->lost ? ERR_STORE_UNAVAILABLE : db->driver->check(db);
}

bool db_in_transaction(const struct db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	return db->transaction != TRANSACTION_NONE && !db->gone;
}

enum err db_begin(struct db *db)
{
	enum err e;

	CHECK_OBJ(db, DB_MAGIC);
	CHECK(db->transaction == TRANSACTION_NONE && !db->in_row);
	e = db->lost ? ERR_STORE_UNAVAILABLE : db->driver->begin(db);
	if (e == OK)
		db->transaction = TRANSACTION_OPEN;
	return e;
}

enum err db_commit(struct db *db)
{
	enum err e;

	CHECK_OBJ(db, DB_MAGIC);
	CHECK(db->transaction == TRANSACTION_OPEN && !db->in_row);
	if (db->doom != OK) {
		e = db->doom;
		db_rollback(db);
		return e;
	}
	db->place = (struct log_place){0};
	e = db->driver->commit(db);
	end_transaction(db);
	return e;
}

struct log_place db_place(struct db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	CHECK(db->transaction == TRANSACTION_NONE && !db->in_row);
	if (db->place.timeline || db->lost || !db->driver->place)
		return db->place;
	if (db->driver->place(db, &db->place) != OK)
		db->place = (struct log_place){0};
	return db->place;
}

void db_rollback(struct db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	CHECK(!db->in_row);
	if (db->transaction != TRANSACTION_NONE && !db->lost)
		db->driver->rollback(db);
	end_transaction(db);
}

enum err db_savepoint(struct db *db)
{
	enum err e;

	CHECK_OBJ(db, DB_MAGIC);
	CHECK(db->transaction == TRANSACTION_OPEN && !db->in_row);
	e = db->doom == OK ? db->driver->savepoint(db) : db->doom;
	if (e == OK)
		db->transaction = TRANSACTION_NESTED;
	return e;
}

enum err db_savepoint_release(struct db *db)
{
	enum err e;

	CHECK_OBJ(db, DB_MAGIC);
	CHECK(db->transaction == TRANSACTION_NESTED && !db->in_row);
	e = db->doom == OK ? db->driver->release(db) : db->doom;
	if (e == OK)
		db->transaction = TRANSACTION_OPEN;
	return e;
}

enum err db_savepoint_undo(struct db *db)
{
	enum err e;

	CHECK_OBJ(db, DB_MAGIC);
	CHECK(db->transaction == TRANSACTION_NESTED && !db->in_row);
	e = db->gone ? db->doom : db->driver->undo(db);
	db->transaction = TRANSACTION_OPEN;
	if (e == OK)
		db->doom = OK;
	return e;
}

enum err db_doom(struct db *db, enum err e)
{
	if (db->transaction != TRANSACTION_NONE && db->doom == OK)
		db->doom = e;
	return e;
}

/* Whether a statement may go to the driver now. */
static enum err admit(struct db *db, const struct query *q)
{
	CHECK_OBJ(db, DB_MAGIC);
	CHECK(!db->in_row);
	db->statements++;
	if (db->doom != OK)
		return db->doom;
	if (db->lost)
		return ERR_STORE_UNAVAILABLE;
	if (q->writes && db->mode != DB_WRITE) {
		LOG_E("store.read_only", "query=%s", q->name);
		return db_doom(db, ERR_INTERNAL);
	}
	return OK;
}

uint64_t db_statements(const struct db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	return db->statements;
}

static enum err note_failure(struct db *db, enum err e)
{
	if (e == ERR_STORE_BUSY || e == ERR_STORE_FULL || e == ERR_STORE_UNAVAILABLE)
		db->failure = e;
	return e;
}

enum err db_take_failure(struct db *db)
{
	enum err e = db->failure;

	CHECK_OBJ(db, DB_MAGIC);
	db->failure = OK;
	return e;
}

enum err db_prepare(struct db *db, const struct query *q)
{
	enum err e = admit(db, q);

	return e == OK ? db->driver->prepare(db, q) : e;
}

enum err db_exec(struct db *db, const struct query *q, const void *in)
{
	enum err e = admit(db, q);

	CHECK(q->card == SQL_EXEC || q->card == SQL_MUST);
	return note_failure(db, e == OK ? db->driver->exec(db, q, in) : e);
}

enum err db_one(struct db *db, const struct query *q, const void *in, struct arena *a, void *out)
{
	enum err e = admit(db, q);

	CHECK(q->card == SQL_ONE);
	return note_failure(db, e == OK ? db->driver->one(db, q, in, a, out) : e);
}

enum err db_many(struct db *db, const struct query *q, const void *in, db_row_fn *each, void *ctx)
{
	enum err e = admit(db, q);

	CHECK(q->card == SQL_MANY);
	return note_failure(db, e == OK ? db->driver->many(db, q, in, each, ctx) : e);
}

enum err db_count_row(void *ctx, const void *row)
{
	(void)row;
	++*(size_t *)ctx;
	return OK;
}

enum err db_batch(struct db *db, const struct query *q, const void *rows, size_t count)
{
	enum err e = admit(db, q);

	CHECK(q->card == SQL_BATCH);
	return note_failure(db, e == OK && count ? db->driver->batch(db, q, rows, count) : e);
}

enum err db_each(struct db *db, const struct query *q, const void *ins, size_t count, db_each_fn *each, void *ctx)
{
	enum err e = admit(db, q);

	CHECK(q->card == SQL_ONE && q->in_count);
	return note_failure(db, e == OK && count ? db->driver->each(db, q, ins, count, each, ctx) : e);
}

enum err db_row(struct db *db, db_row_fn *each, void *ctx, const void *row)
{
	enum err e;

	db->in_row = true;
	e = each(ctx, row);
	db->in_row = false;
	return e;
}

enum err db_each_row(struct db *db, db_each_fn *each, void *ctx, size_t i, const void *row)
{
	enum err e;

	db->in_row = true;
	e = each(ctx, i, row);
	db->in_row = false;
	return e;
}

enum err db_lock_schema(struct db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	CHECK(db->transaction == TRANSACTION_OPEN);
	return db->doom == OK ? db->driver->lock_schema(db) : db->doom;
}

enum err db_script(struct db *db, const char *sql, struct problem *p)
{
	CHECK_OBJ(db, DB_MAGIC);
	CHECK(db->transaction == TRANSACTION_OPEN);
	return db->doom == OK ? db->driver->script(db, sql, p) : db->doom;
}

void db_maintain(struct db *db, bool idle)
{
	CHECK_OBJ(db, DB_MAGIC);
	CHECK(db->transaction == TRANSACTION_NONE && !db->in_row);
	if (!db->lost)
		db->driver->maintain(db, idle);
}

int64_t db_wal_bytes(struct db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	return db->lost ? 0 : db->driver->wal_bytes(db);
}

/* PostgreSQL takes neither a NUL byte nor what is not UTF-8, SQLite both: what one refuses, both do. */
static bool storable(const struct sql_field *f, struct str s)
{
	if (s.n > VALUE_MAX)
		return false;
	return f->type == SQL_BYTES || s.n == 0 || (!memchr(s.p, '\0', s.n) && str_is_utf8(s));
}

bool query_row_ok(const struct query *q, const void *in)
{
	for (unsigned i = 0; i < q->in_count; i++) {
		const struct sql_field *f = &q->in[i];
		const struct str *s = (const void *)((const char *)in + f->offset);

		if ((f->type != SQL_TEXT && f->type != SQL_BYTES) || storable(f, *s))
			continue;
		LOG_W("store.text", "query=%s field=%s", q->name, f->name);
		return false;
	}
	return true;
}

enum err db_keep_row(struct db *db, const struct query *q, struct arena *a, void *row)
{
	for (unsigned i = 0; i < q->out_count; i++) {
		struct str *s = (void *)((char *)row + q->out[i].offset);

		if ((q->out[i].type == SQL_TEXT || q->out[i].type == SQL_BYTES) && s->p) {
			CHECK(a);
			*s = arena_str(a, *s);
		}
	}
	if (!a || !arena_overflowed(a))
		return OK;
	LOG_E("store.arena", "query=%s bytes=%zu", q->name, arena_used(a));
	return db_doom(db, ERR_INTERNAL);
}
