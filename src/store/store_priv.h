/*
 * For those who implement a store: what a driver provides, and what store.c keeps for it.
 *
 * store.c is the only caller of a driver, and answers for the states below, so that both engines behave alike:
 *
 *          begin            savepoint
 *   NONE ─────────► OPEN ─────────────► NESTED          A failed statement sets `doom`; from then on nothing but
 *     ▲              │ ▲                  │             undo (from NESTED) and rollback reaches the driver.
 *     └──────────────┘ └──────────────────┘             `gone`: the engine itself has ended the transaction (a full
 *    commit, rollback     release, undo                 disk, a lost connection), so undo is refused as well.
 *
 * A driver's struct begins with struct store or struct db.
 */
#ifndef TENFOLD_STORE_PRIV_H
#define TENFOLD_STORE_PRIV_H

#include "store/store.h"

struct store {
	unsigned magic;
	const struct store_driver *driver;
	enum store_kind kind;
	char *name; /* for people */
	bool notes_places;
};

enum transaction { TRANSACTION_NONE, TRANSACTION_OPEN, TRANSACTION_NESTED };

struct db {
	unsigned magic;
	const struct store_driver *driver;
	enum store_kind kind;
	enum db_mode mode;
	enum transaction transaction;
	enum err doom; /* why the transaction can only be undone; OK while it is sound */
	bool gone;
	bool lost;              /* the connection: nothing but a reconnect reaches the driver */
	bool in_row;            /* a row's callback is running: no other statement may */
	uint64_t statements;    /* so far */
	enum err failure;       /* see db_take_failure() */
	bool notes_places;      /* of the store */
	struct log_place place; /* behind the last commit; set by a driver's commit() */
};

struct store_driver {
	void (*close)(struct store *s); /* frees s, but not its name */
	enum err (*connect)(struct store *s, enum db_mode mode, struct db **out, struct problem *p);

	void (*disconnect)(struct db *db); /* frees db */
	enum err (*reconnect)(struct db *db, struct problem *p);
	bool (*hung_up)(const struct db *db); /* outside a transaction: has the other side gone? */
	enum err (*check)(struct db *db);     /* likewise, by a round trip */

	enum err (*begin)(struct db *db);
	enum err (*commit)(struct db *db); /* whatever it answers, the transaction has ended */
	void (*rollback)(struct db *db);   /* likewise */
	enum err (*savepoint)(struct db *db);
	enum err (*release)(struct db *db);
	enum err (*undo)(struct db *db); /* back to the savepoint, which is then gone as well */

	enum err (*prepare)(struct db *db, const struct query *q);
	enum err (*exec)(struct db *db, const struct query *q, const void *in);
	enum err (*one)(struct db *db, const struct query *q, const void *in, struct arena *a, void *out);
	enum err (*many)(struct db *db, const struct query *q, const void *in, db_row_fn *each, void *ctx);
	enum err (*batch)(struct db *db, const struct query *q, const void *rows, size_t count); /* count > 0 */
	enum err (*each)(struct db *db, const struct query *q, const void *ins, size_t count, db_each_fn *each,
			 void *ctx);

	/* For migrations, inside a transaction: keeps other migrating processes out until it ends; and runs several
	 * statements at once, with the engine's words in p when they fail. */
	enum err (*lock_schema)(struct db *db);
	enum err (*script)(struct db *db, const char *sql, struct problem *p);

	void (*maintain)(struct db *db, bool idle);
	int64_t (*wal_bytes)(struct db *db);
	/* Now, outside a transaction. NULL: there are no places. */
	enum err (*place)(struct db *db, struct log_place *out);
};

enum { STORE_MAGIC = 0x53544f52, DB_MAGIC = 0x44424442 };

/* Where a driver puts the row it hands to a callback. */
enum { ROW_MAX = 2048 };
struct row_space {
	_Alignas(max_align_t) char bytes[ROW_MAX];
};

/* `where` is the url without its scheme ("sqlite:"), or all of it. */
enum err sqlite_store_open(const char *where, struct store **out, struct problem *p);
enum err postgres_store_open(const char *where, struct store **out, struct problem *p);

char *store_copy(const char *z); /* for the caller to free */

/* For drivers: a statement has failed with e. Dooms the transaction there is, and returns e. */
enum err db_doom(struct db *db, enum err e);

/* Whether a row's texts and bytes can be stored by both engines; logs the field when not. */
bool query_row_ok(const struct query *q, const void *in);

/* Copies the texts and bytes of an out row into the arena. */
enum err db_keep_row(struct db *db, const struct query *q, struct arena *a, void *row);

/* Runs a row's callback. */
enum err db_row(struct db *db, db_row_fn *each, void *ctx, const void *row);
enum err db_each_row(struct db *db, db_each_fn *each, void *ctx, size_t i, const void *row);

enum err db_lock_schema(struct db *db);
enum err db_script(struct db *db, const char *sql, struct problem *p);

static inline const void *query_in(const struct query *q, const void *ins, size_t i)
{
	return (const char *)ins + i * q->in_size;
}

#endif
