/*
 * The store: SQLite in a file or PostgreSQL, behind one set of calls. SQL text stands in sql/, never in C.
 *
 * tools/sqlgen.py turns sql/queries/<module>.sql into store/queries.h: one struct per row type, one
 * `extern const struct query Q_NAME` and one typed inline wrapper per query. Callers use the wrappers.
 *
 * A struct db is one connection and belongs to one thread at a time. Inside a transaction, statements that return
 * nothing (:exec, :batch) may be sent ahead and answered later (PostgreSQL pipelines them): a failure shows at the
 * next statement that returns rows or at db_commit(), and the transaction is then rolled back. On both stores a
 * failed statement dooms its transaction: each later call answers the same error until db_rollback(), db_commit()
 * (which rolls back) or db_savepoint_undo(). A :one without a row and a callback that stops doom nothing. Errors:
 *   ERR_NOT_FOUND          :one without a row; :must that touched no row
 *   ERR_ALREADY_EXISTS     a unique constraint
 *   ERR_STORE_BUSY         serialization failure, deadlock: run the transaction again
 *   ERR_STORE_FULL         no room on the disk (SQLITE_FULL, an I/O error with ENOSPC, class 53100)
 *   ERR_STORE_UNAVAILABLE  the connection is gone; the transaction had no effect
 *   ERR_OUTCOME_UNKNOWN    the connection was lost while COMMIT was under way
 *   ERR_INVALID            text that holds a NUL byte or is not UTF-8, or is over 256 MiB; refused before sent
 *   ERR_INTERNAL           anything else; logged with the driver's words
 * Text and bytes in out rows live in the arena given; NULL text is a struct str with p == NULL.
 */
#ifndef TENFOLD_STORE_STORE_H
#define TENFOLD_STORE_STORE_H

#include "base/arena.h"
#include "base/problem.h"

#include <stddef.h>
#include <stdint.h>

struct store;
struct db;

enum store_kind { STORE_SQLITE, STORE_POSTGRES };

/* Opens by url: "sqlite:PATH" or "postgres://…" / "postgresql://…" (anything libpq takes). Does not touch the
 * schema. The url must outlive nothing: it is copied. */
enum err store_open(const char *url, struct store **out, struct problem *p);
void store_close(struct store **s); /* all its connections must be closed */
enum store_kind store_kind(const struct store *s);
const char *store_name(const struct store *s); /* for people: the path, or host/database without secrets */

/* One step of a schema from version - 1 to version; sql is indexed by enum store_kind. */
struct migration {
	int64_t version;
	const char *name;
	const char *sql[2];
};

/* Steps in order: the last one's version is this program's. tools/sqlgen.py makes them, a MODULE/schema.h each. */
struct schema {
	const struct migration *steps;
	int count;
};

/* Brings the store to that schema, one transaction per step; concurrent callers wait for each other. One that is newer
 * than the program, or was begun with other steps: ERR_SCHEMA, saying so, nothing touched. */
enum err store_migrate(struct store *s, const struct schema *schema, struct problem *p);

/* DB_READ refuses writes. So does DB_REPLICA, which is for calls that others can answer as well: it gives a server up
 * that says nothing for two seconds. */
enum db_mode { DB_READ, DB_WRITE, DB_REPLICA, DB_MODES };

enum err store_connect(struct store *s, enum db_mode mode, struct db **out, struct problem *p);
void db_close(struct db **db);
/* After ERR_STORE_UNAVAILABLE or ERR_OUTCOME_UNKNOWN: connects anew, once. */
enum err db_reconnect(struct db *db, struct problem *p);
/* Whether that is needed: a connection may be lost while nobody uses it, too. */
bool db_lost(const struct db *db);
/* Outside a transaction: asks the other side for a sign of life and waits a few seconds for it, no longer. Without
 * one the connection is lost. */
enum err db_check(struct db *db);
uint64_t db_statements(const struct db *db); /* asked on this connection so far */
/* Why a statement failed for the store's sake, the latest since this was last asked: ERR_STORE_BUSY, _FULL or
 * _UNAVAILABLE; OK when none did. For who must not write what somebody decided without that answer. */
enum err db_take_failure(struct db *db);

enum err db_begin(struct db *db);
enum err db_commit(struct db *db);
void db_rollback(struct db *db); /* safe in every state */
bool db_in_transaction(const struct db *db);

/* Nested, one level: for handlers that share a transaction. */
enum err db_savepoint(struct db *db);
enum err db_savepoint_release(struct db *db);
enum err db_savepoint_undo(struct db *db);

/* A place in the log of a PostgreSQL server. Whoever has replayed the log so far shows all that was committed before.
 * Each fail-over begins another timeline. */
struct log_place {
	int64_t timeline; /* 0: it is not known */
	int64_t lsn;      /* bytes */
};

/* Have commits on connections that are opened from now on say where the log stood behind them. */
void store_note_places(struct store *s);
/* Behind the last commit of this connection, or later; outside a transaction. Asks when the commit did not say, which
 * is so after an outcome that was unknown. */
struct log_place db_place(struct db *db);

/* Truncates or checkpoints what the driver keeps beside the data. SQLite: a WAL checkpoint when `idle` or when the
 * WAL is past 64 MiB; PostgreSQL: nothing. */
void db_maintain(struct db *db, bool idle);
int64_t db_wal_bytes(struct db *db); /* 0 on PostgreSQL */

/* ---- what the generated wrappers call ---- */

enum sql_type { SQL_INT, SQL_REAL, SQL_BOOL, SQL_TEXT, SQL_BYTES }; /* int64_t, double, bool, struct str x2 */

struct sql_field {
	const char *name;
	enum sql_type type;
	bool nullable; /* text and bytes only */
	uint32_t offset;
};

enum sql_card { SQL_EXEC, SQL_MUST, SQL_ONE, SQL_MANY, SQL_BATCH };

struct query {
	const char *name;
	enum sql_card card;
	bool writes;
	const char *sqlite;   /* parameters ?1 … */
	const char *postgres; /* parameters $1 …; for SQL_BATCH they are arrays */
	const struct sql_field *in;
	unsigned in_count;
	uint32_t in_size;
	const struct sql_field *out;
	unsigned out_count;
	uint32_t out_size;
};

/* A row of :many, valid during the call; its text lives until the callback returns. Anything but OK stops. */
typedef enum err db_row_fn(void *ctx, const void *row);
/* For db_each: the row found for ins[i], or NULL. */
typedef enum err db_each_fn(void *ctx, size_t i, const void *row);

/* Has the engine look at the statement without running it, and compares what it gives with `out`. Not needed before
 * use; inside a transaction it costs a round trip. */
enum err db_prepare(struct db *db, const struct query *q);

enum err db_exec(struct db *db, const struct query *q, const void *in); /* :exec and :must */
/* a may be NULL when no member of the row is text or bytes. */
enum err db_one(struct db *db, const struct query *q, const void *in, struct arena *a, void *out);
enum err db_many(struct db *db, const struct query *q, const void *in, db_row_fn *each, void *ctx);
/* A db_row_fn for who wants to know how many rows there were; ctx is a size_t. */
enum err db_count_row(void *ctx, const void *row);
/* All rows or none. An UPDATE or DELETE names each key once. */
enum err db_batch(struct db *db, const struct query *q, const void *rows, size_t count);
/* Runs a :one query for each of `count` inputs (an array of the in struct), in one round trip where there is one.
 */
enum err db_each(struct db *db, const struct query *q, const void *ins, size_t count, db_each_fn *each, void *ctx);

#endif
