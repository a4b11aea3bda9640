/*
 * Statements and rows of PostgreSQL, all in its binary format: integers and floats in network byte order, text and
 * bytes as they are. A batch is one statement whose parameters are arrays (`tools/sqlgen.py` writes it with
 * unnest):
 *
 *   dimensions int32 = 1 | has NULLs int32 | element type int32 | count int32 | lower bound int32 = 1
 *   then for each element: length int32, or -1 for NULL | bytes
 *
 * The rows of a large batch are sent in several statements, so that a parameter stays far below the gigabyte that
 * the server takes; they stand or fall together all the same.
 */
#include "store/postgres_priv.h"

#include "base/log.h"
#include "base/magic.h"
#include "store/queries.h"

#include <endian.h>
#include <string.h>

enum { ARRAY_HEADER = 20, CHUNK_BYTES = 16 << 20, CHUNK_ROWS = 10000, ARRAYS_KEPT = 1 << 20 };

static Oid element_type(enum sql_type type)
{
	switch (type) {
	case SQL_INT:
		return PG_INT8;
	case SQL_REAL:
		return PG_FLOAT8;
	case SQL_BOOL:
		return PG_BOOL;
	case SQL_TEXT:
		return PG_TEXT;
	case SQL_BYTES:
		return PG_BYTEA;
	}
	UNREACHABLE();
}

static Oid array_type(enum sql_type type)
{
	switch (type) {
	case SQL_INT:
		return PG_INT8_ARRAY;
	case SQL_REAL:
		return PG_FLOAT8_ARRAY;
	case SQL_BOOL:
		return PG_BOOL_ARRAY;
	case SQL_TEXT:
		return PG_TEXT_ARRAY;
	case SQL_BYTES:
		return PG_BYTEA_ARRAY;
	}
	UNREACHABLE();
}

Oid pg_parameter_type(const struct query *q, unsigned i)
{
	return q->card == SQL_BATCH ? array_type(q->in[i].type) : element_type(q->in[i].type);
}

/* ---- values out ---- */

/* A value in binary: where it is and how long, -1 for NULL. Numbers are put into *word. */
static int value_of(const struct sql_field *f, const void *member, uint64_t *word, const char **bytes)
{
	const struct str *text = member;
	uint64_t raw;

	*bytes = (const char *)word;
	switch (f->type) {
	case SQL_INT:
	case SQL_REAL:
		memcpy(&raw, member, sizeof(raw));
		*word = htobe64(raw);
		return sizeof(*word);
	case SQL_BOOL:
		*(char *)word = *(const bool *)member;
		return 1;
	case SQL_TEXT:
	case SQL_BYTES:
		*bytes = text->p ? text->p : "";
		return text->p || !f->nullable ? (int)text->n : -1;
	}
	UNREACHABLE();
}

static const void *member(const struct sql_field *f, const void *row)
{
	return (const char *)row + f->offset;
}

static void fill_parameters(const struct query *q, const void *in, struct pg_parameters *p)
{
	CHECK(q->in_count <= PARAMETERS_MAX);
	p->count = (int)q->in_count;
	for (unsigned i = 0; i < q->in_count; i++) {
		p->lengths[i] = value_of(&q->in[i], member(&q->in[i], in), &p->words[i], &p->values[i]);
		p->formats[i] = 1;
		if (p->lengths[i] < 0)
			p->values[i] = NULL;
	}
}

static size_t array_bytes(const struct query *q, unsigned i, const void *rows, size_t count)
{
	const struct sql_field *f = &q->in[i];
	size_t bytes = ARRAY_HEADER + count * sizeof(int32_t);

	if (f->type == SQL_INT || f->type == SQL_REAL)
		return bytes + count * sizeof(int64_t);
	if (f->type == SQL_BOOL)
		return bytes + count;
	for (size_t k = 0; k < count; k++)
		bytes += ((const struct str *)member(f, query_in(q, rows, k)))->n;
	return bytes;
}

static char *put_int32(char *at, int32_t value)
{
	uint32_t big = htobe32((uint32_t)value);

	memcpy(at, &big, sizeof(big));
	return at + sizeof(big);
}

static char *put_element(char *at, const struct sql_field *f, const void *value)
{
	const char *bytes;
	uint64_t word;
	int length = value_of(f, value, &word, &bytes);

	at = put_int32(at, length);
	if (length <= 0)
		return at;
	memcpy(at, bytes, (size_t)length);
	return at + length;
}

/* Returns the end of the array. */
static char *put_array(char *at, const struct query *q, unsigned i, const void *rows, size_t count)
{
	const struct sql_field *f = &q->in[i];

	at = put_int32(at, 1);
	at = put_int32(at, f->nullable);
	at = put_int32(at, (int32_t)element_type(f->type));
	at = put_int32(at, (int32_t)count);
	at = put_int32(at, 1);
	for (size_t k = 0; k < count; k++)
		at = put_element(at, f, member(f, query_in(q, rows, k)));
	return at;
}

static void fill_arrays(struct postgres_db *pg, const struct query *q, const void *rows, size_t count,
			struct pg_parameters *p)
{
	size_t bytes = 0;
	char *at;

	CHECK(q->in_count <= PARAMETERS_MAX);
	for (unsigned i = 0; i < q->in_count; i++)
		bytes += array_bytes(q, i, rows, count);
	buf_reset(&pg->arrays);
	at = buf_room(&pg->arrays, bytes);
	CHECK(at != NULL);
	p->count = (int)q->in_count;
	for (unsigned i = 0; i < q->in_count; i++) {
		char *end = put_array(at, q, i, rows, count);

		p->values[i] = at;
		p->lengths[i] = (int)(end - at);
		p->formats[i] = 1;
		at = end;
	}
}

/* ---- rows in ---- */

static bool type_fits(const struct sql_field *f, Oid type)
{
	switch (f->type) {
	case SQL_INT:
		return type == PG_INT8 || type == PG_INT4 || type == PG_INT2;
	case SQL_REAL:
		return type == PG_FLOAT8;
	case SQL_BOOL:
		return type == PG_BOOL;
	case SQL_TEXT:
		return type == PG_TEXT || type == PG_VARCHAR;
	case SQL_BYTES:
		return type == PG_BYTEA;
	}
	UNREACHABLE();
}

static bool columns_fit(const struct query *q, PGresult *result)
{
	if (PQnfields(result) != (int)q->out_count) {
		LOG_E("store.columns", "query=%s columns=%d expected=%u", q->name, PQnfields(result), q->out_count);
		return false;
	}
	for (unsigned i = 0; i < q->out_count; i++) {
		const struct sql_field *f = &q->out[i];
		const char *name = PQfname(result, (int)i);
		Oid type = PQftype(result, (int)i);

		if (strcmp(name, f->name) == 0 && type_fits(f, type))
			continue;
		LOG_E("store.columns", "query=%s column=%s type=%u expected=%s", q->name, name, type, f->name);
		return false;
	}
	return true;
}

static int64_t big_endian(const char *bytes, size_t n)
{
	uint64_t value = (signed char)bytes[0] < 0 ? UINT64_MAX : 0;

	if (n == sizeof(value)) {
		memcpy(&value, bytes, sizeof(value));
		return (int64_t)be64toh(value);
	}
	for (size_t i = 0; i < n; i++)
		value = value << 8 | (unsigned char)bytes[i];
	return (int64_t)value;
}

static bool read_null(const struct sql_field *f, void *value)
{
	if (f->nullable)
		*(struct str *)value = (struct str){0};
	return f->nullable;
}

static bool read_field(PGresult *result, int row, int column, const struct sql_field *f, void *value)
{
	const char *bytes = PQgetvalue(result, row, column);
	size_t n = (size_t)PQgetlength(result, row, column);
	int64_t word;

	if (PQgetisnull(result, row, column))
		return read_null(f, value);
	switch (f->type) {
	case SQL_INT:
	case SQL_REAL:
		word = big_endian(bytes, n);
		memcpy(value, &word, sizeof(word));
		return true;
	case SQL_BOOL:
		*(bool *)value = bytes[0] != 0;
		return true;
	case SQL_TEXT:
	case SQL_BYTES:
		*(struct str *)value = (struct str){bytes, n};
		return true;
	}
	UNREACHABLE();
}

/* The row's text lies in the result. */
static enum err read_row(struct postgres_db *pg, const struct query *q, PGresult *result, int row, void *out)
{
	for (unsigned i = 0; i < q->out_count; i++) {
		if (read_field(result, row, (int)i, &q->out[i], (char *)out + q->out[i].offset))
			continue;
		LOG_E("store.null", "query=%s column=%s", q->name, q->out[i].name);
		return db_doom(&pg->db, ERR_INTERNAL);
	}
	return OK;
}

/* ---- statements ---- */

/* Outside a transaction the statement decides by itself. */
static void note_deciding(struct postgres_db *pg, const struct query *q)
{
	pg->deciding = pg->db.transaction == TRANSACTION_NONE && q->writes;
}

static enum err send_row(struct postgres_db *pg, const struct query *q, const void *in, struct pg_reader *r,
			 size_t i)
{
	struct pg_parameters p;

	if (!query_row_ok(q, in))
		return db_doom(&pg->db, ERR_INVALID);
	note_deciding(pg, q);
	fill_parameters(q, in, &p);
	return pg_send(pg, q, &p, r, i);
}

/* Inside a transaction what gives no rows is left to be settled later. */
static enum err settle_outside(struct postgres_db *pg)
{
	return pg->db.transaction == TRANSACTION_NONE ? pg_settle(pg) : OK;
}

enum err postgres_exec(struct db *db, const struct query *q, const void *in)
{
	struct postgres_db *pg = CONTAINER_OF(db, struct postgres_db, db);
	enum err e = send_row(pg, q, in, NULL, 0);

	return e == OK ? settle_outside(pg) : e;
}

static size_t row_bytes(const struct query *q, const void *row)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < q->in_count; i++)
		if (q->in[i].type == SQL_TEXT || q->in[i].type == SQL_BYTES)
			bytes += ((const struct str *)member(&q->in[i], row))->n;
	return bytes;
}

/* How many of the rows make up the next statement. */
static size_t chunk(const struct query *q, const void *rows, size_t count)
{
	size_t bytes = 0, i = 0;

	while (i < count && i < CHUNK_ROWS && bytes < CHUNK_BYTES)
		bytes += row_bytes(q, query_in(q, rows, i++));
	return i;
}

enum err postgres_batch(struct db *db, const struct query *q, const void *rows, size_t count)
{
	struct postgres_db *pg = CONTAINER_OF(db, struct postgres_db, db);
	struct pg_parameters p;
	enum err e = OK;

	for (size_t i = 0; i < count; i++)
		if (!query_row_ok(q, query_in(q, rows, i)))
			return db_doom(db, ERR_INVALID);
	note_deciding(pg, q);
	for (size_t done = 0, n; e == OK && done < count; done += n) {
		const void *next = query_in(q, rows, done);

		n = chunk(q, next, count - done);
		fill_arrays(pg, q, next, n, &p);
		e = pg_send(pg, q, &p, NULL, 0);
	}
	if (pg->arrays.cap > ARRAYS_KEPT)
		buf_free(&pg->arrays);
	return e == OK ? settle_outside(pg) : e;
}

/* ---- readers ---- */

/* A statement's columns are looked at once per connection. */
static enum err check_columns(struct postgres_db *pg, const struct pg_answer *a, PGresult *result)
{
	struct pg_statement *s = a->statement;

	if (!s->columns_checked)
		s->columns_checked = columns_fit(s->query, result);
	return s->columns_checked ? OK : db_doom(&pg->db, ERR_INTERNAL);
}

static void read_columns(struct pg_reader *r, struct postgres_db *pg, const struct pg_answer *a, PGresult *result)
{
	r->outcome = check_columns(pg, a, result);
}

enum err postgres_prepare(struct db *db, const struct query *q)
{
	struct postgres_db *pg = CONTAINER_OF(db, struct postgres_db, db);
	struct pg_reader r = {.read = read_columns};
	enum err e = pg_send_describe(pg, q, &r);

	if (e == OK)
		e = pg_settle(pg);
	return e == OK ? r.outcome : e;
}

static enum err fetch(struct postgres_db *pg, const struct pg_answer *a, PGresult *result, int row, void *out)
{
	enum err e = check_columns(pg, a, result);

	return e == OK ? read_row(pg, a->statement->query, result, row, out) : e;
}

/* Of a :one; *found is false when there is none. */
static enum err fetch_only(struct postgres_db *pg, const struct pg_answer *a, PGresult *result, void *out,
			   bool *found)
{
	*found = PQntuples(result) == 1;
	if (*found)
		return fetch(pg, a, result, 0, out);
	if (PQntuples(result) == 0)
		return OK;
	LOG_E("store.second_row", "query=%s", a->statement->query->name);
	return db_doom(&pg->db, ERR_INTERNAL);
}

struct one_reader {
	struct pg_reader reader;
	struct arena *arena;
	void *out;
	bool found;
};

static void read_one(struct pg_reader *reader, struct postgres_db *pg, const struct pg_answer *a, PGresult *result)
{
	struct one_reader *r = CONTAINER_OF(reader, struct one_reader, reader);

	reader->outcome = fetch_only(pg, a, result, r->out, &r->found);
	if (reader->outcome == OK && r->found)
		reader->outcome = db_keep_row(&pg->db, a->statement->query, r->arena, r->out);
}

enum err postgres_one(struct db *db, const struct query *q, const void *in, struct arena *a, void *out)
{
	struct postgres_db *pg = CONTAINER_OF(db, struct postgres_db, db);
	struct one_reader r = {.reader.read = read_one, .arena = a, .out = out};
	enum err e = send_row(pg, q, in, &r.reader, 0);

	if (e == OK)
		e = pg_settle(pg);
	if (e == OK)
		e = r.reader.outcome;
	return e == OK && !r.found ? ERR_NOT_FOUND : e;
}

struct many_reader {
	struct pg_reader reader;
	db_row_fn *each;
	void *ctx;
	struct row_space row;
};

/* What comes after a stop is read and dropped: a statement under way is not worth a second connection to cancel. */
static void read_many(struct pg_reader *reader, struct postgres_db *pg, const struct pg_answer *a, PGresult *result)
{
	struct many_reader *r = CONTAINER_OF(reader, struct many_reader, reader);

	for (int row = 0; reader->outcome == OK && row < PQntuples(result); row++) {
		reader->outcome = fetch(pg, a, result, row, r->row.bytes);
		if (reader->outcome == OK)
			reader->outcome = db_row(&pg->db, r->each, r->ctx, r->row.bytes);
	}
}

enum err postgres_many(struct db *db, const struct query *q, const void *in, db_row_fn *each, void *ctx)
{
	struct postgres_db *pg = CONTAINER_OF(db, struct postgres_db, db);
	struct many_reader r = {.reader = {.read = read_many, .row_by_row = true}, .each = each, .ctx = ctx};
	enum err e = send_row(pg, q, in, &r.reader, 0);

	if (e == OK)
		e = pg_settle(pg);
	return e == OK ? r.reader.outcome : e;
}

struct each_reader {
	struct pg_reader reader;
	db_each_fn *each;
	void *ctx;
	struct row_space row;
};

static void read_each(struct pg_reader *reader, struct postgres_db *pg, const struct pg_answer *a, PGresult *result)
{
	struct each_reader *r = CONTAINER_OF(reader, struct each_reader, reader);
	bool found;

	if (reader->outcome != OK)
		return;
	reader->outcome = fetch_only(pg, a, result, r->row.bytes, &found);
	if (reader->outcome == OK)
		reader->outcome = db_each_row(&pg->db, r->each, r->ctx, a->i, found ? r->row.bytes : NULL);
}

enum err postgres_each(struct db *db, const struct query *q, const void *ins, size_t count, db_each_fn *each,
		       void *ctx)
{
	struct postgres_db *pg = CONTAINER_OF(db, struct postgres_db, db);
	struct each_reader r = {.reader.read = read_each, .each = each, .ctx = ctx};
	enum err e = OK;

	for (size_t i = 0; e == OK && r.reader.outcome == OK && i < count; i++)
		e = send_row(pg, q, query_in(q, ins, i), &r.reader, i);
	if (e == OK)
		e = pg_settle(pg);
	return e == OK ? r.reader.outcome : e;
}

/* ---- where the log stands ---- */

static void read_place(struct pg_reader *reader, struct postgres_db *pg, const struct pg_answer *a,
		       PGresult *result)
{
	struct log_place_out row;
	bool found;

	reader->outcome = fetch_only(pg, a, result, &row, &found);
	if (reader->outcome == OK && found)
		pg->db.place = (struct log_place){row.timeline, row.lsn};
}

enum err pg_send_place(struct postgres_db *pg, struct pg_reader *r)
{
	struct pg_parameters none = {0};

	*r = (struct pg_reader){.read = read_place};
	return pg_send(pg, &Q_LOG_PLACE, &none, r, 0);
}
