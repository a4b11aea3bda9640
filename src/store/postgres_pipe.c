/*
 * The pipeline: libpq is in pipeline mode all the time, and `due` lists the answers still to come.
 *
 *   send ──► due[] ──► ... ──► sync ──► answers are taken one by one until due[] is empty
 *
 * After an error the server skips everything up to the next sync and answers PIPELINE_ABORTED for each, so the
 * first error is the one that counts. Outside a transaction what stands before a sync is one implicit transaction:
 * then, and once COMMIT is sent, `deciding` is set and a lost connection means ERR_OUTCOME_UNKNOWN.
 *
 * libpq writes in blocking mode; it reads what arrives while it cannot write, so both sides never wait for each
 * other. For an answer we wait longer than the server lets a statement run, and then give the connection up: a
 * server that stands still keeps its side of TCP alive all the same.
 */
#include "store/postgres_priv.h"

#include "base/log.h"
#include "base/magic.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

/* ---- errors ---- */

static bool in_class(const char *state, const char *class)
{
	return strncmp(state, class, strlen(class)) == 0;
}

/* SQLSTATEs, PostgreSQL manual, appendix A. */
static enum err translate(const char *state)
{
	static const struct {
		const char *class;
		enum err err;
	} meanings[] = {
		{"23505", ERR_ALREADY_EXISTS},    /* unique_violation */
		{"40003", ERR_OUTCOME_UNKNOWN},   /* statement_completion_unknown */
		{"40", ERR_STORE_BUSY},           /* serialization_failure, deadlock_detected */
		{"55P03", ERR_STORE_BUSY},        /* lock_not_available */
		{"57014", ERR_STORE_BUSY},        /* query_canceled: its time was up */
		{"53100", ERR_STORE_FULL},        /* disk_full */
		{"53", ERR_STORE_UNAVAILABLE},    /* out of memory, too many connections */
		{"58030", ERR_STORE_UNAVAILABLE}, /* io_error */
		{"22021", ERR_INVALID},           /* character_not_in_repertoire */
	};

	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (in_class(state, meanings[i].class))
			return meanings[i].err;
	return ERR_INTERNAL;
}

enum err pg_lost(struct postgres_db *pg)
{
	enum err e = pg->deciding ? ERR_OUTCOME_UNKNOWN : ERR_STORE_UNAVAILABLE;

	if (!pg->db.lost)
		LOG_W("store.lost", "store=%s detail=%s", pg->name, PQerrorMessage(pg->conn));
	pg->db.lost = true;
	pg->deciding = false;
	pg->due_count = 0;
	if (pg->db.transaction != TRANSACTION_NONE)
		pg->db.gone = true;
	return db_doom(&pg->db, e);
}

enum err pg_failed(struct postgres_db *pg, const struct pg_statement *s, PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	enum err e;

	/* Class 08 and 57P are those after which the server closes the connection. */
	if (!state || PQstatus(pg->conn) == CONNECTION_BAD || in_class(state, "08") || in_class(state, "57P"))
		return pg_lost(pg);
	e = translate(state);
	log_write(e == ERR_INTERNAL ? LOG_ERROR : LOG_DEBUG, "store.postgres", "query=%s state=%s detail=%s",
		  s ? s->query->name : "", state, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	return db_doom(&pg->db, e);
}

/* ---- sending ---- */

static void expect(struct postgres_db *pg, struct pg_answer a)
{
	CHECK(pg->due_count < PIPELINE_MAX);
	pg->due[(pg->due_first + pg->due_count++) % PIPELINE_MAX] = a;
}

/* Before anything is sent: room in due[] for it, its settings, its preparation and a sync. */
static enum err admit(struct postgres_db *pg)
{
	return pg->due_count + 4 <= PIPELINE_MAX ? OK : pg_settle(pg);
}

enum err pg_send_command(struct postgres_db *pg, const char *sql, enum pg_answer_kind kind)
{
	enum err e = admit(pg);

	if (e != OK)
		return e;
	if (!PQsendQueryParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, 1))
		return pg_lost(pg);
	expect(pg, (struct pg_answer){.kind = kind});
	return OK;
}

static struct pg_statement *statement(struct postgres_db *pg, const struct query *q)
{
	uint64_t key = (uint64_t)(uintptr_t)q;
	struct pg_statement *s = map_get(&pg->statements, key);

	if (s)
		return s;
	s = NEW(struct pg_statement);
	s->query = q;
	if (!pg->target->pooled)
		snprintf(s->name, sizeof(s->name), "q%zu", pg->statements.count);
	map_put(&pg->statements, key, s);
	return s;
}

void pg_forget_statements(struct postgres_db *pg)
{
	struct pg_statement *s;

	for (size_t i = 0; (s = map_next(&pg->statements, &i));)
		free(s);
	map_free(&pg->statements);
}

static void fill_types(const struct query *q, Oid types[PARAMETERS_MAX])
{
	CHECK(q->in_count <= PARAMETERS_MAX);
	for (unsigned i = 0; i < q->in_count; i++)
		types[i] = pg_parameter_type(q, i);
}

static enum err send_preparation(struct postgres_db *pg, struct pg_statement *s, enum pg_answer_kind kind)
{
	Oid types[PARAMETERS_MAX];

	fill_types(s->query, types);
	if (!PQsendPrepare(pg->conn, s->name, s->query->postgres, (int)s->query->in_count, types))
		return pg_lost(pg);
	expect(pg, (struct pg_answer){.kind = kind, .statement = s});
	return OK;
}

/* A statement by itself is a transaction, which begins with its settings when it has no session to rely on. */
static enum err send_own_settings(struct postgres_db *pg)
{
	if (!pg->target->pooled || pg->db.transaction != TRANSACTION_NONE || pg->due_count)
		return OK;
	return pg_send_command(pg, pg->settings, ANSWER_PLAIN);
}

/* What goes before a statement. */
static enum err send_ahead(struct postgres_db *pg, const struct query *q, struct pg_statement **out)
{
	struct pg_statement *s = statement(pg, q);
	enum err e = admit(pg);

	*out = s;
	if (e == OK)
		e = send_own_settings(pg);
	if (e != OK || pg->target->pooled || s->state != STATEMENT_UNKNOWN)
		return e;
	e = send_preparation(pg, s, ANSWER_PREPARED);
	if (e == OK)
		s->state = STATEMENT_SENT;
	return e;
}

enum err pg_send_describe(struct postgres_db *pg, const struct query *q, struct pg_reader *r)
{
	struct pg_statement *s;
	enum err e = send_ahead(pg, q, &s);

	if (e == OK && pg->target->pooled)
		e = send_preparation(pg, s, ANSWER_PLAIN); /* the unnamed one lasts as long as this lot */
	if (e != OK)
		return e;
	if (!PQsendDescribePrepared(pg->conn, s->name))
		return pg_lost(pg);
	expect(pg, (struct pg_answer){.kind = ANSWER_PLAIN, .statement = s, .reader = r});
	return OK;
}

static int send_statement(struct postgres_db *pg, const struct pg_statement *s, const struct pg_parameters *p)
{
	Oid types[PARAMETERS_MAX];

	if (!pg->target->pooled)
		return PQsendQueryPrepared(pg->conn, s->name, p->count, p->values, p->lengths, p->formats, 1);
	fill_types(s->query, types);
	return PQsendQueryParams(pg->conn, s->query->postgres, p->count, types, p->values, p->lengths, p->formats,
				 1);
}

enum err pg_send(struct postgres_db *pg, const struct query *q, const struct pg_parameters *p, struct pg_reader *r,
		 size_t i)
{
	struct pg_statement *s;
	enum err e = send_ahead(pg, q, &s);
	enum pg_answer_kind kind = q->card == SQL_MUST ? ANSWER_MUST : ANSWER_PLAIN;

	if (e != OK)
		return e;
	if (!send_statement(pg, s, p))
		return pg_lost(pg);
	expect(pg, (struct pg_answer){.kind = kind, .statement = s, .reader = r, .i = i});
	return OK;
}

/* ---- taking answers ---- */

/* "UPDATE 0": the statement touched no row. */
static bool touched_none(PGresult *result)
{
	return strcmp(PQcmdTuples(result), "0") == 0;
}

/* COMMIT of a transaction that had failed unnoticed is answered with ROLLBACK. */
static bool rolled_back(PGresult *result)
{
	return strcmp(PQcmdStatus(result), "COMMIT") != 0;
}

static enum err take_good(struct postgres_db *pg, const struct pg_answer *a, PGresult *result)
{
	if (a->reader)
		a->reader->read(a->reader, pg, a, result);
	if (a->kind == ANSWER_MUST && touched_none(result))
		return db_doom(&pg->db, ERR_NOT_FOUND);
	if (a->kind == ANSWER_COMMIT && rolled_back(result))
		return db_doom(&pg->db, ERR_INTERNAL);
	if (a->kind == ANSWER_COMMIT)
		pg->committed = true;
	if (a->kind == ANSWER_PREPARED)
		a->statement->state = STATEMENT_READY;
	return OK;
}

static enum err take_result(struct postgres_db *pg, const struct pg_answer *a, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE)
		return take_good(pg, a, result);
	if (a->kind == ANSWER_PREPARED)
		a->statement->state = STATEMENT_UNKNOWN;
	if (status == PGRES_PIPELINE_ABORTED)
		return OK; /* because of an error that was seen before */
	return pg_failed(pg, a->statement, result);
}

/* The next result, NULL at the end of an answer. */
static enum err next_result(struct postgres_db *pg, PGresult **out)
{
	struct pollfd fd = {.fd = PQsocket(pg->conn), .events = POLLIN};

	*out = NULL;
	while (PQisBusy(pg->conn)) {
		if (poll(&fd, 1, pg->patience_ms) == 0) {
			LOG_W("store.silent", "store=%s ms=%d", pg->name, pg->patience_ms);
			return pg_lost(pg);
		}
		if (!PQconsumeInput(pg->conn))
			break; /* the result says why */
	}
	*out = PQgetResult(pg->conn);
	return OK;
}

static enum err take_sync(struct postgres_db *pg)
{
	PGresult *result;
	enum err e = next_result(pg, &result);

	if (e == OK && PQresultStatus(result) != PGRES_PIPELINE_SYNC)
		e = pg_lost(pg);
	PQclear(result);
	return e;
}

/* An answer is one or more results and then a NULL. */
static enum err take_answer(struct postgres_db *pg, const struct pg_answer *a)
{
	PGresult *result;
	enum err e = OK, took;
	bool more;

	if (a->kind == ANSWER_SYNC)
		return take_sync(pg);
	if (a->reader && a->reader->row_by_row)
		PQsetSingleRowMode(pg->conn);
	do {
		took = next_result(pg, &result);
		if (took == OK && result)
			took = take_result(pg, a, result);
		e = e == OK ? took : e;
		more = result && !pg->db.lost;
		PQclear(result);
	} while (more);
	return e;
}

static enum err take_all(struct postgres_db *pg)
{
	enum err e = OK;

	while (pg->due_count) {
		struct pg_answer a = pg->due[pg->due_first];
		enum err took;

		pg->due_first = (pg->due_first + 1) % PIPELINE_MAX;
		pg->due_count--;
		took = take_answer(pg, &a);
		e = e == OK ? took : e;
	}
	return e;
}

enum err pg_settle(struct postgres_db *pg)
{
	enum err e;

	if (!PQpipelineSync(pg->conn))
		return pg_lost(pg);
	expect(pg, (struct pg_answer){.kind = ANSWER_SYNC});
	e = take_all(pg);
	pg->deciding = false;
	return e;
}

void pg_settle_quietly(struct postgres_db *pg)
{
	if (pg->due_count)
		pg_settle(pg);
}
