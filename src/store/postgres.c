/*
 * PostgreSQL: connections and transactions.
 *
 * Inside a transaction :exec and :batch are queued (postgres_pipe.c) and their answers taken with the next
 * statement that returns rows, or by commit(). commit() first takes every answer that is due and sends COMMIT only
 * when all were good: a :must that touched nothing is an error of ours, not of the server, and would not stop a
 * COMMIT that is already under way. The question where the log stands now goes with the COMMIT: the server asks it of
 * itself when it is done with that.
 *
 * A connection belongs to one thread. To one server process as well, unless the url says that a pooler stands
 * between (postgres_url.c): then each transaction, also one of a single statement, begins with its settings.
 */
#include "store/postgres_priv.h"

#include "base/log.h"
#include "base/magic.h"

#include <poll.h>
#include <string.h>

enum {
	SERVER_VERSION_MIN = 150000,
	ARRAYS_MAX = 1 << 30,
	ANSWER_MS = 90000, /* longer than the server lets a statement run */
	REPLICA_MS = 2000, /* of a server that others can stand in for */
	CHECK_MS = 5000,
};

/* No driver of ours takes any other: "tenfold" in ASCII, so that other users of advisory locks are not met. */
#define LOCK_SCHEMA "SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(x'74656e666f6c64'::bigint)"

struct postgres_store {
	struct store store;
	struct pg_target target;
};

/* ---- connections ---- */

static void log_notice(void *ctx, const char *message)
{
	const struct postgres_db *pg = ctx;

	LOG_D("store.notice", "store=%s detail=%s", pg->name, message);
}

/* What libpq says, on one line. */
static enum err refused(const struct postgres_db *pg, struct problem *p)
{
	struct buf text = BUF_INIT(1024);
	struct str rest = str_trim(str_of(PQerrorMessage(pg->conn))), line;

	while ((line = str_cut(rest, '\n', &rest)).n || rest.p) {
		if (text.n)
			buf_c(&text, ' ');
		buf_str_add(&text, str_trim(line));
	}
	problem_set(p, ERR_STORE_UNAVAILABLE, "PostgreSQL %s cannot be reached: %s", pg->name, buf_cstr(&text));
	buf_free(&text);
	return ERR_STORE_UNAVAILABLE;
}

static enum err check_server(const struct postgres_db *pg, struct problem *p)
{
	const char *encoding = PQparameterStatus(pg->conn, "server_encoding");
	int version = PQserverVersion(pg->conn);

	if (version < SERVER_VERSION_MIN)
		return problem_set(p, ERR_STORE_UNAVAILABLE, "%s runs PostgreSQL %d and 15 or newer is needed",
				   pg->name, version / 10000);
	if (!encoding || strcmp(encoding, "UTF8") != 0)
		return problem_set(p, ERR_STORE_UNAVAILABLE, "database %s has encoding %s and must have UTF8",
				   pg->name, encoding ? encoding : "unknown");
	return OK;
}

/* Behind a pooler this has no effect, and shows what is wrong with the settings and the way to the server. */
static enum err set_up(struct postgres_db *pg, enum db_mode mode, struct problem *p)
{
	PGresult *result;
	bool good;

	pg->settings = pg->target->settings[mode];
	result = PQexec(pg->conn, pg->settings);
	good = PQresultStatus(result) == PGRES_TUPLES_OK;
	PQclear(result);
	if (!good || !PQenterPipelineMode(pg->conn))
		return refused(pg, p);
	return OK;
}

static void be_patient(struct postgres_db *pg, enum db_mode mode)
{
	pg->patience_ms = mode == DB_REPLICA ? REPLICA_MS : ANSWER_MS;
}

static enum err start(struct postgres_db *pg, enum db_mode mode, struct problem *p)
{
	enum err e;

	be_patient(pg, mode);
	pg->conn = pg_target_dial(pg->target, mode);
	pg->deciding = false;
	if (PQstatus(pg->conn) != CONNECTION_OK)
		return refused(pg, p);
	PQsetNoticeProcessor(pg->conn, log_notice, pg);
	e = check_server(pg, p);
	return e == OK ? set_up(pg, mode, p) : e;
}

static void stop(struct postgres_db *pg)
{
	pg_forget_statements(pg);
	PQfinish(pg->conn);
	pg->conn = NULL;
	pg->due_count = 0;
}

static void disconnect(struct db *db)
{
	struct postgres_db *pg = CONTAINER_OF(db, struct postgres_db, db);

	stop(pg);
	buf_free(&pg->arrays);
	free(pg);
}

static enum err connect_to(struct store *store, enum db_mode mode, struct db **out, struct problem *p)
{
	struct postgres_db *pg = NEW(struct postgres_db);
	enum err e;

	pg->name = store->name;
	pg->target = &CONTAINER_OF(store, struct postgres_store, store)->target;
	pg->arrays = BUF_INIT(ARRAYS_MAX);
	e = start(pg, mode, p);
	if (e == OK)
		*out = &pg->db;
	else
		disconnect(&pg->db);
	return e;
}

static enum err reconnect(struct db *db, struct problem *p)
{
	struct postgres_db *pg = CONTAINER_OF(db, struct postgres_db, db);
	enum err e;

	stop(pg);
	e = start(pg, db->mode, p);
	if (e != OK)
		stop(pg);
	return e;
}

/* The server's side closed: noticed here rather than by the next statement. */
static bool hung_up(const struct db *db)
{
	const struct postgres_db *pg = (const void *)db;
	struct pollfd fd = {.fd = PQsocket(pg->conn), .events = POLLRDHUP};

	return poll(&fd, 1, 0) > 0;
}

/* A sync by itself: the server answers it without running anything. */
static enum err check(struct db *db)
{
	struct postgres_db *pg = CONTAINER_OF(db, struct postgres_db, db);
	enum err e;

	if (db->mode != DB_REPLICA)
		pg->patience_ms = CHECK_MS;
	e = pg_settle(pg);
	be_patient(pg, db->mode);
	return e;
}

/* ---- transactions ---- */

static enum err settle_due(struct postgres_db *pg)
{
	return pg->due_count ? pg_settle(pg) : OK;
}

static enum err begin(struct db *db)
{
	struct postgres_db *pg = CONTAINER_OF(db, struct postgres_db, db);
	enum err e = pg_send_command(pg, "BEGIN", ANSWER_PLAIN);

	return e == OK && pg->target->pooled ? pg_send_command(pg, pg->settings, ANSWER_PLAIN) : e;
}

static void rollback(struct db *db)
{
	struct postgres_db *pg = CONTAINER_OF(db, struct postgres_db, db);

	pg_settle_quietly(pg);
	if (db->lost || PQtransactionStatus(pg->conn) == PQTRANS_IDLE)
		return;
	if (pg_send_command(pg, "ROLLBACK", ANSWER_PLAIN) == OK)
		pg_settle_quietly(pg);
}

static enum err send_commit(struct postgres_db *pg, struct pg_reader *r)
{
	enum err e;

	pg->deciding = true;
	e = pg_send_command(pg, "COMMIT", ANSWER_COMMIT);
	return e == OK && pg->db.notes_places ? pg_send_place(pg, r) : e;
}

static enum err commit(struct db *db)
{
	struct postgres_db *pg = CONTAINER_OF(db, struct postgres_db, db);
	struct pg_reader r;
	enum err e = settle_due(pg);

	pg->committed = false;
	if (e == OK)
		e = send_commit(pg, &r);
	if (e == OK)
		e = pg_settle(pg);
	if (pg->committed)
		return OK; /* what came after it is no matter */
	if (e != OK && !db->lost)
		rollback(db);
	return e;
}

static enum err place(struct db *db, struct log_place *out)
{
	struct postgres_db *pg = CONTAINER_OF(db, struct postgres_db, db);
	struct pg_reader r;
	enum err e = pg_send_place(pg, &r);

	if (e == OK)
		e = pg_settle(pg);
	*out = db->place;
	return e == OK ? r.outcome : e;
}

/* What was queued before is settled first, so that its failure is not taken for one inside the savepoint. */
static enum err savepoint(struct db *db)
{
	struct postgres_db *pg = CONTAINER_OF(db, struct postgres_db, db);
	enum err e = settle_due(pg);

	return e == OK ? pg_send_command(pg, "SAVEPOINT handler", ANSWER_PLAIN) : e;
}

static enum err release(struct db *db)
{
	struct postgres_db *pg = CONTAINER_OF(db, struct postgres_db, db);
	enum err e = settle_due(pg);

	return e == OK ? pg_send_command(pg, "RELEASE SAVEPOINT handler", ANSWER_PLAIN) : e;
}

static enum err undo(struct db *db)
{
	struct postgres_db *pg = CONTAINER_OF(db, struct postgres_db, db);
	enum err e;

	pg_settle_quietly(pg);
	if (db->lost)
		return db->doom;
	e = pg_send_command(pg, "ROLLBACK TO SAVEPOINT handler", ANSWER_PLAIN);
	if (e == OK)
		e = pg_send_command(pg, "RELEASE SAVEPOINT handler", ANSWER_PLAIN);
	return e == OK ? pg_settle(pg) : e;
}

/* ---- migrations ---- */

/* Several statements at once exist only outside pipeline mode. */
static enum err script(struct db *db, const char *sql, struct problem *p)
{
	struct postgres_db *pg = CONTAINER_OF(db, struct postgres_db, db);
	enum err e = settle_due(pg);
	PGresult *result;

	if (e != OK)
		return e;
	CHECK(PQexitPipelineMode(pg->conn));
	result = PQexec(pg->conn, sql);
	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
		const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

		e = pg_failed(pg, NULL, result);
		problem_set(p, e, "%s", words ? words : err_info(e)->title);
	}
	PQclear(result);
	if (!db->lost)
		CHECK(PQenterPipelineMode(pg->conn));
	return e;
}

static enum err lock_schema(struct db *db)
{
	return script(db, LOCK_SCHEMA, NULL);
}

/* ---- the store ---- */

static void maintain(struct db *db, bool idle)
{
	(void)db, (void)idle; /* the server does */
}

static int64_t wal_bytes(struct db *db)
{
	(void)db;
	return 0;
}

static void close_store(struct store *s)
{
	struct postgres_store *store = CONTAINER_OF(s, struct postgres_store, store);

	pg_target_free(&store->target);
	free(store);
}

static const struct store_driver driver = {
	.close = close_store,
	.connect = connect_to,
	.disconnect = disconnect,
	.reconnect = reconnect,
	.hung_up = hung_up,
	.check = check,
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.savepoint = savepoint,
	.release = release,
	.undo = undo,
	.prepare = postgres_prepare,
	.exec = postgres_exec,
	.one = postgres_one,
	.many = postgres_many,
	.batch = postgres_batch,
	.each = postgres_each,
	.lock_schema = lock_schema,
	.script = script,
	.maintain = maintain,
	.wal_bytes = wal_bytes,
	.place = place,
};

enum err postgres_store_open(const char *url, struct store **out, struct problem *p)
{
	struct postgres_store *s = NEW(struct postgres_store);
	enum err e = pg_target_new(url, &s->target, p);

	if (e != OK) {
		free(s);
		return e;
	}
	s->store = (struct store){.magic = STORE_MAGIC, .driver = &driver, .kind = STORE_POSTGRES};
	s->store.name = pg_target_name(&s->target);
	CHECK(s->store.name != NULL);
	*out = &s->store;
	return OK;
}
