/*
 * Brings a store to a schema of this program, a step at a time, each in a transaction of its own.
 *
 * Table schema_version holds one row per step taken; the highest is the store's version. Each transaction first
 * takes the store's migration lock and then reads the version again, so that several processes may start at once:
 * one takes the step, the others find it taken. The statements on schema_version stand here and not in sql/
 * because they must run before any migration has.
 */
#include "store/store_priv.h"

#include "base/log.h"
#include "base/magic.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LOCK_TRIES = 12 }; /* of the driver's own patience each */

struct step_row {
	int64_t version;
	struct str name;
};

static const struct sql_field step_fields[] = {
	{"version", SQL_INT, false, offsetof(struct step_row, version)},
	{"name", SQL_TEXT, false, offsetof(struct step_row, name)},
};

#define CREATE_VERSIONS                              \
	"CREATE TABLE IF NOT EXISTS schema_version " \
	"(version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_ms BIGINT NOT NULL)"
#define SELECT_VERSIONS "SELECT version, name FROM schema_version ORDER BY version"

static const struct query versions_all = {
	.name = "schema_version_all",
	.card = SQL_MANY,
	.sqlite = SELECT_VERSIONS,
	.postgres = SELECT_VERSIONS,
	.out = step_fields,
	.out_count = 2,
	.out_size = sizeof(struct step_row),
};

static const struct query version_insert = {
	.name = "schema_version_insert",
	.card = SQL_EXEC,
	.writes = true,
	.sqlite = "INSERT INTO schema_version (version, name, applied_ms) "
		  "VALUES (?1, ?2, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))",
	.postgres = "INSERT INTO schema_version (version, name, applied_ms) "
		    "VALUES ($1, $2, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)",
	.in = step_fields,
	.in_count = 2,
	.in_size = sizeof(struct step_row),
};

/* What is found in schema_version. */
struct found {
	const struct schema *schema;
	int64_t version;
	int64_t stranger; /* a version whose step has another name here; 0 for none */
	char stranger_name[64];
};

static enum err note_step(void *ctx, const void *row)
{
	const struct step_row *step = row;
	struct found *f = ctx;

	f->version = step->version;
	if (step->version < 1 || step->version > f->schema->count || f->stranger)
		return OK;
	if (!str_eqz(step->name, f->schema->steps[step->version - 1].name)) {
		f->stranger = step->version;
		snprintf(f->stranger_name, sizeof(f->stranger_name), "%.*s", STRF(step->name));
	}
	return OK;
}

static enum err check_fit(const struct found *f, const char *name, struct problem *p)
{
	if (f->stranger)
		return problem_set(p, ERR_SCHEMA,
				   "step %" PRId64 " of the schema of %s is \"%s\" and here it is \"%s\": "
				   "the store was made by another program, or for another use; name another store",
				   f->stranger, name, f->stranger_name, f->schema->steps[f->stranger - 1].name);
	if (f->version > f->schema->count)
		return problem_set(p, ERR_SCHEMA,
				   "the schema of %s has version %" PRId64 " and this program knows up to %d: "
				   "run a newer tenfold, or restore a backup made by this one",
				   name, f->version, f->schema->count);
	return OK;
}

/* Inside the locked transaction: takes the next step, if there is one to take. */
static enum err take_step(struct store *s, struct db *db, const struct schema *schema, bool *complete,
			  struct problem *p)
{
	struct found f = {.schema = schema};
	const struct migration *m;
	struct problem why = {0};
	enum err e = db_script(db, CREATE_VERSIONS, p);

	if (e == OK)
		e = db_many(db, &versions_all, NULL, note_step, &f);
	if (e == OK)
		e = check_fit(&f, store_name(s), p);
	*complete = f.version == schema->count;
	if (e != OK || *complete)
		return e;
	m = &schema->steps[f.version];
	e = db_script(db, m->sql[store_kind(s)], &why);
	if (e != OK)
		return problem_set(p, e, "step %" PRId64 " (%s) of the schema of %s failed and was undone: %s",
				   m->version, m->name, store_name(s), why.detail);
	LOG_I("store.migrate", "store=%s version=%" PRId64 " name=%s", store_name(s), m->version, m->name);
	return db_exec(db, &version_insert, &(struct step_row){m->version, str_of(m->name)});
}

static enum err begin_locked(struct db *db)
{
	enum err e = ERR_STORE_BUSY;

	for (unsigned i = 0; i < LOCK_TRIES && e == ERR_STORE_BUSY; i++)
		e = db_begin(db);
	return e == OK ? db_lock_schema(db) : e;
}

static enum err step(struct store *s, struct db *db, const struct schema *schema, bool *complete, struct problem *p)
{
	enum err e = begin_locked(db);

	if (e == OK)
		e = take_step(s, db, schema, complete, p);
	if (e == OK)
		e = db_commit(db);
	else
		db_rollback(db);
	return e;
}

enum err store_migrate(struct store *s, const struct schema *schema, struct problem *p)
{
	struct db *db;
	struct problem why = {0};
	bool complete = false;
	enum err e = store_connect(s, DB_WRITE, &db, p);

	if (e != OK)
		return e;
	while (e == OK && !complete)
		e = step(s, db, schema, &complete, &why);
	db_close(&db);
	if (e != OK && p)
		*p = why;
	if (e != OK && !why.detail[0])
		problem_set(p, e, "the schema of %s could not be brought up to date: %s", store_name(s),
			    err_info(e)->title);
	return e;
}
