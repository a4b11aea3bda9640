/*
 * The SQLite driver's two halves: sqlite.c has connections and transactions, sqlite_rows.c statements and rows.
 */
#ifndef TENFOLD_STORE_SQLITE_PRIV_H
#define TENFOLD_STORE_SQLITE_PRIV_H

#include "base/map.h"
#include "store/checkpointer.h"
#include "store/store_priv.h"

#include <sqlite3.h>

struct sqlite_db {
	struct db db;
	sqlite3 *sql;                      /* NULL while not connected */
	const char *path;                  /* the store's */
	struct map statements;             /* const struct query * -> sqlite3_stmt, prepared once per connection */
	int wal_pages;                     /* as of this connection's last commit */
	int checkpoint_pages;              /* past this many db_maintain() does not wait for an idle moment */
	bool checkpoint_wanted;            /* something was committed since the last complete one */
	struct checkpointer *checkpointer; /* NULL of a connection that only reads */
};

/* Translates and logs what SQLite answered; q may be NULL. */
enum err sqlite_failed(struct sqlite_db *s, const struct query *q, int rc);

enum err sqlite_prepare(struct db *db, const struct query *q);
enum err sqlite_exec(struct db *db, const struct query *q, const void *in);
enum err sqlite_one(struct db *db, const struct query *q, const void *in, struct arena *a, void *out);
enum err sqlite_many(struct db *db, const struct query *q, const void *in, db_row_fn *each, void *ctx);
enum err sqlite_batch(struct db *db, const struct query *q, const void *rows, size_t count);
enum err sqlite_each(struct db *db, const struct query *q, const void *ins, size_t count, db_each_fn *each,
		     void *ctx);
void sqlite_forget_statements(struct sqlite_db *s);

/* A statement of the driver's own: no parameters, no rows. */
enum err sqlite_run(struct sqlite_db *s, const struct query *q);
extern const struct query sqlite_begin, sqlite_commit, sqlite_rollback;

#endif
