/*
 * The PostgreSQL driver's four parts: postgres_url.c says where to connect and what sessions are set to, postgres.c
 * has connections and transactions, postgres_pipe.c the pipeline of statements sent and answers due, postgres_rows.c
 * turns structs into parameters and results into structs.
 */
#ifndef TENFOLD_STORE_POSTGRES_PRIV_H
#define TENFOLD_STORE_POSTGRES_PRIV_H

#include "base/buf.h"
#include "base/map.h"
#include "store/store_priv.h"

#include <libpq-fe.h>

/* The types we speak, by their fixed numbers in pg_type. */
enum pg_type {
	PG_BOOL = 16,
	PG_BYTEA = 17,
	PG_INT8 = 20,
	PG_INT2 = 21,
	PG_INT4 = 23,
	PG_TEXT = 25,
	PG_FLOAT8 = 701,
	PG_VARCHAR = 1043,
	PG_BOOL_ARRAY = 1000,
	PG_BYTEA_ARRAY = 1001,
	PG_TEXT_ARRAY = 1009,
	PG_INT8_ARRAY = 1016,
	PG_FLOAT8_ARRAY = 1022,
};

enum { PARAMETERS_MAX = 64, PIPELINE_MAX = 1024 };

/* A statement as this connection knows it. When pooled it has no name and stays UNKNOWN to the server. */
struct pg_statement {
	const struct query *query;
	char name[16];
	enum { STATEMENT_UNKNOWN, STATEMENT_SENT, STATEMENT_READY } state; /* SENT: its answer is due */
	bool columns_checked;
};

/* Parameters of one execution, all binary. The values point into `words`, the rows or the connection's buffer. */
struct pg_parameters {
	int count;
	const char *values[PARAMETERS_MAX];
	int lengths[PARAMETERS_MAX];
	int formats[PARAMETERS_MAX];
	uint64_t words[PARAMETERS_MAX];
};

struct postgres_db;

enum pg_answer_kind { ANSWER_PLAIN, ANSWER_MUST, ANSWER_COMMIT, ANSWER_PREPARED, ANSWER_SYNC };

/* An answer that is due. Answers come in the order of what was sent. */
struct pg_answer {
	enum pg_answer_kind kind;
	struct pg_statement *statement; /* NULL for the driver's own commands */
	struct pg_reader *reader;       /* or NULL */
	size_t i;                       /* for the reader */
};

/* Who wants the rows of an answer; lives on the caller's stack until the pipeline is settled. */
struct pg_reader {
	void (*read)(struct pg_reader *r, struct postgres_db *pg, const struct pg_answer *a, PGresult *result);
	bool row_by_row;  /* read() is called for each row, rather than once */
	enum err outcome; /* what the reader made of the rows; a failed statement is not its business */
};

/* What a store's url says. */
struct pg_target {
	PQconninfoOption *options;
	bool pooled;              /* each transaction may meet another session */
	char *settings[DB_MODES]; /* by mode: one statement, for the session or when pooled for the transaction */
};

struct postgres_db {
	struct db db;
	PGconn *conn;
	const char *name;               /* the store's */
	const struct pg_target *target; /* likewise */
	const char *settings;           /* of the target, for our mode */
	struct map statements;          /* const struct query * -> struct pg_statement */
	int patience_ms;                /* how long an answer is waited for */
	bool deciding;                  /* what was sent since the last sync may have been committed */
	bool committed;                 /* the server has said so of the COMMIT sent last */
	struct buf arrays;              /* parameters of a batch */
	struct pg_answer due[PIPELINE_MAX];
	size_t due_first, due_count;
};

/* ---- postgres_url.c ---- */

enum err pg_target_new(const char *url, struct pg_target *out, struct problem *p);
void pg_target_free(struct pg_target *t);
char *pg_target_name(const struct pg_target *t); /* host:port/database, as much as the url says; to be freed */
PGconn *pg_target_dial(const struct pg_target *t, enum db_mode mode);

/* ---- postgres_pipe.c ---- */

/* All of these send without waiting; what fails shows when the pipeline is settled, except a lost connection. */
enum err pg_send_command(struct postgres_db *pg, const char *sql, enum pg_answer_kind kind);
enum err pg_send(struct postgres_db *pg, const struct query *q, const struct pg_parameters *p, struct pg_reader *r,
		 size_t i);
enum err pg_send_describe(struct postgres_db *pg, const struct query *q, struct pg_reader *r);

/* Asks for every answer that is due and takes them all: the first error, or OK. */
enum err pg_settle(struct postgres_db *pg);
/* Likewise, when answers that are due no longer matter. */
void pg_settle_quietly(struct postgres_db *pg);
void pg_forget_statements(struct postgres_db *pg);

/* What a failed result means; logs it. */
enum err pg_failed(struct postgres_db *pg, const struct pg_statement *s, PGresult *result);
enum err pg_lost(struct postgres_db *pg);

/* ---- postgres_rows.c ---- */

/* Asks where the log stands; the answer becomes the connection's `place`, unless it is an error. */
enum err pg_send_place(struct postgres_db *pg, struct pg_reader *r);

enum err postgres_prepare(struct db *db, const struct query *q);
enum err postgres_exec(struct db *db, const struct query *q, const void *in);
enum err postgres_one(struct db *db, const struct query *q, const void *in, struct arena *a, void *out);
enum err postgres_many(struct db *db, const struct query *q, const void *in, db_row_fn *each, void *ctx);
enum err postgres_batch(struct db *db, const struct query *q, const void *rows, size_t count);
enum err postgres_each(struct db *db, const struct query *q, const void *ins, size_t count, db_each_fn *each,
		       void *ctx);

Oid pg_parameter_type(const struct query *q, unsigned i);

#endif
