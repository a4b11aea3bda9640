/*
 * SQLite: connections, transactions, the write-ahead log and errors.
 *
 * The file is in WAL mode with synchronous=FULL: a commit has reached the disk when it is answered. Checkpoints are
 * made by db_maintain() alone, so that no commit pays for one unexpectedly: at idle moments, and when the log has
 * grown long by the checkpointer beside the writer, which then copies the little that is left and begins the log
 * anew. A writing connection takes the write lock when it begins (BEGIN IMMEDIATE), so that it is never refused in
 * the middle; a reading one is read-only by pragma rather than by how the file is opened, since in WAL mode even a
 * reader writes to the shared memory file. Several processes may open the same file; that only one serves it is the
 * data directory's lock, not ours.
 */
#include "store/sqlite_priv.h"

#include "base/log.h"
#include "base/magic.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum {
	BUSY_MS = 5000,
	BUSY_TRIES = 50, /* for what SQLite refuses without waiting */
	BUSY_STEP_MS = 20,
	WAL_PAGE_BYTES = 4096 + 24,
	WAL_LIMIT_PAGES = (8 << 20) / WAL_PAGE_BYTES,
	WAL_STEP_PAGES = (16 << 20) / WAL_PAGE_BYTES, /* how much more may come: beside the checkpointer, and
						       * between tries while readers hold an old WAL */
};

const struct query sqlite_begin = {.name = "begin", .sqlite = "BEGIN IMMEDIATE"};
const struct query sqlite_commit = {.name = "commit", .sqlite = "COMMIT"};
const struct query sqlite_rollback = {.name = "rollback", .sqlite = "ROLLBACK"};
static const struct query begin_reading = {.name = "begin", .sqlite = "BEGIN"};
static const struct query savepoint = {.name = "savepoint", .sqlite = "SAVEPOINT handler"};
static const struct query release_savepoint = {.name = "release", .sqlite = "RELEASE handler"};
static const struct query undo_savepoint = {.name = "undo", .sqlite = "ROLLBACK TO handler"};
static const struct query script = {.name = "migration"}; /* for the log */

/* ---- errors ---- */

static bool is_no_room(int system)
{
	return system == ENOSPC || system == EDQUOT || system == EFBIG;
}

/* SQLite says SQLITE_FULL when a write meets ENOSPC, and an I/O error in all other cases; then the file, or the
 * WAL, remembers which. Where the shared memory cannot grow nothing remembers, and that means a full disk. */
static bool no_room(sqlite3 *sql)
{
	sqlite3_file *wal = NULL;
	int of_file = 0, of_wal = 0;

	sqlite3_file_control(sql, "main", SQLITE_FCNTL_LAST_ERRNO, &of_file);
	sqlite3_file_control(sql, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
	if (wal && wal->pMethods)
		wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &of_wal);
	return is_no_room(of_file) || is_no_room(of_wal) || sqlite3_extended_errcode(sql) == SQLITE_IOERR_SHMSIZE;
}

static enum err constraint(int extended)
{
	switch (extended) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return ERR_ALREADY_EXISTS;
	}
	return ERR_INTERNAL;
}

static enum err translate(sqlite3 *sql, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_CONSTRAINT:
		return constraint(sqlite3_extended_errcode(sql));
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_STORE_BUSY;
	case SQLITE_FULL:
		return ERR_STORE_FULL;
	case SQLITE_IOERR:
		return no_room(sql) ? ERR_STORE_FULL : ERR_INTERNAL;
	}
	return ERR_INTERNAL;
}

enum err sqlite_failed(struct sqlite_db *s, const struct query *q, int rc)
{
	enum err e = translate(s->sql, rc);
	enum log_level level = e == ERR_INTERNAL ? LOG_ERROR : LOG_DEBUG;

	log_write(level, "store.sqlite", "query=%s code=%d detail=%s", q->name, sqlite3_extended_errcode(s->sql),
		  sqlite3_errmsg(s->sql));
	if (s->db.transaction != TRANSACTION_NONE)
		s->db.gone = sqlite3_get_autocommit(s->sql) != 0;
	return db_doom(&s->db, e);
}

static enum err cannot_open(const struct sqlite_db *s, int rc, struct problem *p)
{
	int system = sqlite3_system_errno(s->sql);

	switch (rc & 0xff) {
	case SQLITE_NOTADB:
		return problem_set(p, ERR_SCHEMA, "%s is not an SQLite database; name another file", s->path);
	case SQLITE_CORRUPT:
		return problem_set(p, ERR_INTERNAL, "%s is damaged (%s); restore it from a backup", s->path,
				   sqlite3_errmsg(s->sql));
	case SQLITE_READONLY:
		return problem_set(p, ERR_STORE_UNAVAILABLE,
				   "%s cannot be written; give this user write access to it and to its directory",
				   s->path);
	case SQLITE_FULL:
		return problem_set(p, ERR_STORE_FULL, "there is no room on the disk of %s", s->path);
	case SQLITE_CANTOPEN:
		return problem_set(p, ERR_STORE_UNAVAILABLE,
				   "%s cannot be opened: %s; its directory must exist and "
				   "be writable",
				   s->path, system ? strerror(system) : sqlite3_errmsg(s->sql));
	}
	return problem_set(p, translate(s->sql, rc), "%s cannot be opened: %s", s->path, sqlite3_errmsg(s->sql));
}

/* ---- connections ---- */

static int on_commit(void *ctx, sqlite3 *sql, const char *schema, int pages)
{
	struct sqlite_db *s = ctx;

	(void)sql, (void)schema;
	if (pages < s->wal_pages)
		s->checkpoint_pages = WAL_LIMIT_PAGES; /* it was begun anew */
	s->wal_pages = pages;
	s->checkpoint_wanted = true;
	return SQLITE_OK;
}

static int note_wal(void *ctx, int columns, char **values, char **names)
{
	bool *wal = ctx;

	(void)names;
	*wal = columns == 1 && values[0] && strcmp(values[0], "wal") == 0;
	return 0;
}

/* The change to WAL mode is refused at once, whatever the busy timeout, while another connection makes it. */
static int enter_wal(struct sqlite_db *s, bool *wal)
{
	int rc = SQLITE_BUSY;

	for (unsigned i = 0; i < BUSY_TRIES && (rc & 0xff) == SQLITE_BUSY; i++) {
		if (i)
			sqlite3_sleep(BUSY_STEP_MS);
		rc = sqlite3_exec(s->sql, "PRAGMA journal_mode=WAL", note_wal, wal, NULL);
	}
	return rc;
}

static enum err set_up_writing(struct sqlite_db *s, struct problem *p)
{
	bool wal = false;
	int rc;

	if (sqlite3_db_readonly(s->sql, "main") == 1)
		return cannot_open(s, SQLITE_READONLY, p);
	rc = enter_wal(s, &wal);
	if (rc != SQLITE_OK)
		return cannot_open(s, rc, p);
	if (!wal)
		return problem_set(
			p, ERR_STORE_UNAVAILABLE,
			"%s lies on a file system without shared memory, which SQLite needs; use a local disk",
			s->path);
	rc = sqlite3_exec(s->sql,
			  "PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF; PRAGMA foreign_keys=ON;"
			  "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384; PRAGMA journal_size_limit=67108864",
			  NULL, NULL, NULL);
	return rc == SQLITE_OK ? OK : cannot_open(s, rc, p);
}

static enum err set_up_reading(struct sqlite_db *s, struct problem *p)
{
	int rc = sqlite3_exec(s->sql,
			      "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8192;"
			      "SELECT count(*) FROM sqlite_schema",
			      NULL, NULL, NULL);

	return rc == SQLITE_OK ? OK : cannot_open(s, rc, p);
}

static enum err start(struct sqlite_db *s, enum db_mode mode, struct problem *p)
{
	int create = mode == DB_WRITE ? SQLITE_OPEN_CREATE : 0;
	int rc = sqlite3_open_v2(s->path, &s->sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | create, NULL);

	if (rc != SQLITE_OK)
		return cannot_open(s, rc, p);
	sqlite3_busy_timeout(s->sql, BUSY_MS);
	sqlite3_wal_hook(s->sql, on_commit, s); /* in place of the automatic checkpoint */
	s->wal_pages = 0;
	s->checkpoint_pages = WAL_LIMIT_PAGES;
	s->checkpoint_wanted = mode == DB_WRITE; /* of what an earlier process left */
	return mode == DB_WRITE ? set_up_writing(s, p) : set_up_reading(s, p);
}

static void stop(struct sqlite_db *s)
{
	sqlite_forget_statements(s);
	CHECK(sqlite3_close(s->sql) == SQLITE_OK);
	s->sql = NULL;
}

static enum err connect_to(struct store *store, enum db_mode mode, struct db **out, struct problem *p)
{
	struct sqlite_db *s = NEW(struct sqlite_db);
	enum err e;

	s->path = store->name;
	if (mode == DB_WRITE)
		s->checkpointer = checkpointer_new(s->path);
	e = start(s, mode, p);
	if (e != OK) {
		stop(s);
		checkpointer_destroy(&s->checkpointer);
		free(s);
		return e;
	}
	*out = &s->db;
	return OK;
}

static void disconnect(struct db *db)
{
	struct sqlite_db *s = CONTAINER_OF(db, struct sqlite_db, db);

	checkpointer_destroy(&s->checkpointer);
	stop(s);
	free(s);
}

static enum err reconnect(struct db *db, struct problem *p)
{
	struct sqlite_db *s = CONTAINER_OF(db, struct sqlite_db, db);
	enum err e;

	stop(s);
	e = start(s, db->mode, p);
	if (e != OK)
		stop(s);
	return e;
}

static bool hung_up(const struct db *db)
{
	(void)db;
	return false;
}

static enum err check(struct db *db)
{
	(void)db;
	return OK; /* a file has no other side */
}

/* ---- transactions ---- */

static enum err begin(struct db *db)
{
	struct sqlite_db *s = CONTAINER_OF(db, struct sqlite_db, db);

	return sqlite_run(s, db->mode == DB_WRITE ? &sqlite_begin : &begin_reading);
}

static void rollback(struct db *db)
{
	struct sqlite_db *s = CONTAINER_OF(db, struct sqlite_db, db);

	if (!sqlite3_get_autocommit(s->sql))
		sqlite_run(s, &sqlite_rollback);
}

static enum err commit(struct db *db)
{
	enum err e = sqlite_run(CONTAINER_OF(db, struct sqlite_db, db), &sqlite_commit);

	if (e != OK)
		rollback(db);
	return e;
}

static enum err set_savepoint(struct db *db)
{
	return sqlite_run(CONTAINER_OF(db, struct sqlite_db, db), &savepoint);
}

static enum err release(struct db *db)
{
	return sqlite_run(CONTAINER_OF(db, struct sqlite_db, db), &release_savepoint);
}

static enum err undo(struct db *db)
{
	enum err e = sqlite_run(CONTAINER_OF(db, struct sqlite_db, db), &undo_savepoint);

	return e == OK ? release(db) : e;
}

/* ---- migrations ---- */

static enum err lock_schema(struct db *db)
{
	(void)db; /* BEGIN IMMEDIATE has */
	return OK;
}

static enum err run_script(struct db *db, const char *sql, struct problem *p)
{
	struct sqlite_db *s = CONTAINER_OF(db, struct sqlite_db, db);
	int rc = sqlite3_exec(s->sql, sql, NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		return OK;
	problem_set(p, translate(s->sql, rc), "%s", sqlite3_errmsg(s->sql));
	return sqlite_failed(s, &script, rc);
}

/* ---- the write-ahead log ---- */

static void maintain(struct db *db, bool idle)
{
	struct sqlite_db *s = CONTAINER_OF(db, struct sqlite_db, db);
	int pages = 0, copied = 0, rc;

	if (!s->checkpoint_wanted || (!idle && s->wal_pages < s->checkpoint_pages))
		return;
	if (idle || s->wal_pages >= s->checkpoint_pages + WAL_STEP_PAGES)
		checkpointer_wait(s->checkpointer);
	else if (checkpointer_turn(s->checkpointer) == CHECKPOINTER_AT_WORK)
		return;
	rc = sqlite3_wal_checkpoint_v2(s->sql, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
	s->checkpoint_wanted = rc != SQLITE_OK || copied < pages;
	s->checkpoint_pages = s->wal_pages + WAL_STEP_PAGES;
	if (rc != SQLITE_OK)
		LOG_W("store.checkpoint", "detail=%s", sqlite3_errmsg(s->sql));
}

static int64_t wal_bytes(struct db *db)
{
	struct sqlite_db *s = CONTAINER_OF(db, struct sqlite_db, db);
	struct stat st;

	return stat(sqlite3_filename_wal(sqlite3_db_filename(s->sql, "main")), &st) == 0 ? st.st_size : 0;
}

/* ---- the store ---- */

static void close_store(struct store *s)
{
	free(s);
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
	.savepoint = set_savepoint,
	.release = release,
	.undo = undo,
	.prepare = sqlite_prepare,
	.exec = sqlite_exec,
	.one = sqlite_one,
	.many = sqlite_many,
	.batch = sqlite_batch,
	.each = sqlite_each,
	.lock_schema = lock_schema,
	.script = run_script,
	.maintain = maintain,
	.wal_bytes = wal_bytes,
};

enum err sqlite_store_open(const char *path, struct store **out, struct problem *p)
{
	struct store *s;

	if (!path[0] || path[0] == ':')
		return problem_set(p, ERR_USAGE, "sqlite: needs the path of a file, such as sqlite:tenfold.db");
	s = NEW(struct store);
	*s = (struct store){
		.magic = STORE_MAGIC, .driver = &driver, .kind = STORE_SQLITE, .name = store_copy(path)};
	*out = s;
	return OK;
}
