/* What only SQLite can do to us: files that cannot be opened, are damaged, are no database, or do not fit the disk.
 */
#include "store_kit.h"

#include "base/log.h"
#include "store/store_priv.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int ready(void **state)
{
	*state = kit_new(STORE_SQLITE, NULL);
	kit_open(*state);
	return 0;
}

static int empty_place(void **state)
{
	*state = kit_new(STORE_SQLITE, NULL);
	return 0;
}

static int done(void **state)
{
	kit_free(*state);
	return 0;
}

static const char *file_of(const struct kit *k)
{
	return k->url + strlen("sqlite:");
}

/* ---- files ---- */

static void write_at(const char *path, off_t at, struct str bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes.p, bytes.n, at), bytes.n);
	close(fd);
}

static enum err try_to_connect(struct kit *k, enum db_mode mode, struct problem *p)
{
	struct db *db = NULL;
	enum err e = store_connect(k->store, mode, &db, p);

	assert_int_equal(db != NULL, e == OK);
	assert_int_equal(p->err, e);
	db_close(&db);
	return e;
}

static void urls(void **state)
{
	static const char *const bad[] = {"", "store.db", "sqlite:", "sqlite::memory:", "mysql://x", "/var/lib/x"};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(bad); i++) {
		struct problem p = {0};
		struct store *s;

		assert_int_equal(store_open(bad[i], &s, &p), ERR_USAGE);
		assert_null(s);
		assert_true(strlen(p.detail) > 0);
	}
}

static void a_file_that_is_no_database(void **state)
{
	struct kit *k = *state;
	struct problem p = {0};
	char text[4096];

	memset(text, 'x', sizeof(text));
	write_at(file_of(k), 0, (struct str){text, sizeof(text)});
	assert_int_equal(try_to_connect(k, DB_WRITE, &p), ERR_SCHEMA);
	assert_non_null(strstr(p.detail, "store.db is not an SQLite database; name another file"));
	assert_int_equal(try_to_connect(k, DB_READ, &p), ERR_SCHEMA);
	assert_int_equal(store_migrate(k->store, &STORE_SCHEMA, &p), ERR_SCHEMA);
}

static void a_folder_that_is_not_there(void **state)
{
	struct problem p = {0};
	struct db *db;
	struct store *s;

	(void)state;
	assert_int_equal(store_open("sqlite:/tmp/tenfold-no-such-folder/store.db", &s, &p), OK);
	assert_int_equal(store_connect(s, DB_WRITE, &db, &p), ERR_STORE_UNAVAILABLE);
	assert_non_null(strstr(p.detail, "/tmp/tenfold-no-such-folder/store.db cannot be opened: No such file"));
	store_close(&s);
}

static void a_reader_makes_no_file(void **state)
{
	struct kit *k = *state;
	struct problem p = {0};

	assert_int_equal(try_to_connect(k, DB_READ, &p), ERR_STORE_UNAVAILABLE);
	assert_int_not_equal(access(file_of(k), F_OK), 0);
}

/* Root may write anywhere, so the test becomes nobody for a while. */
static void as_nobody(const struct kit *k, uid_t uid)
{
	if (getuid() == 0)
		assert_int_equal(seteuid(uid), 0);
	(void)k;
}

static void a_file_that_may_not_be_written(void **state)
{
	struct kit *k = *state;
	struct problem p = {0};

	db_close(&k->db);
	assert_int_equal(chmod(k->dir, 0555), 0);
	assert_int_equal(chmod(file_of(k), 0444), 0);
	as_nobody(k, 65534);
	assert_int_equal(try_to_connect(k, DB_WRITE, &p), ERR_STORE_UNAVAILABLE);
	as_nobody(k, 0);
	assert_non_null(strstr(p.detail, "store.db cannot be written; give this user write access"));
	assert_int_equal(chmod(k->dir, 0755), 0);
}

static void a_folder_that_may_not_be_written(void **state)
{
	struct kit *k = *state;
	struct problem p = {0};

	assert_int_equal(chmod(k->dir, 0555), 0);
	as_nobody(k, 65534);
	assert_int_equal(try_to_connect(k, DB_WRITE, &p), ERR_STORE_UNAVAILABLE);
	as_nobody(k, 0);
	assert_non_null(strstr(p.detail, "its directory must exist and be writable"));
	assert_int_equal(chmod(k->dir, 0755), 0);
}

static void insert_rows(struct kit *k, int64_t first, int64_t count, enum err wanted)
{
	static char bulk[4000];
	enum err e = db_begin(k->db);

	memset(bulk, 'b', sizeof(bulk));
	for (int64_t i = 0; e == OK && i < count; i++) {
		struct work_live_row row = kit_live(first + i);

		row.note = (struct str){bulk, sizeof(bulk)};
		e = q_work_live_insert(k->db, &row, 1);
	}
	assert_int_equal(kit_commit(k->db, e), wanted);
	assert_false(db_in_transaction(k->db));
}

static void a_damaged_file(void **state)
{
	struct kit *k = *state;
	char junk[4096];
	struct stat st;
	size_t n = 0;
	enum err e;

	insert_rows(k, 1, 200, OK);
	db_close(&k->db); /* the last connection takes the WAL into the file */
	memset(junk, 0x5a, sizeof(junk));
	assert_int_equal(stat(file_of(k), &st), 0);
	for (off_t page = st.st_size / 4096 / 2; page < st.st_size / 4096; page++)
		write_at(file_of(k), page * 4096, (struct str){junk, sizeof(junk)});
	k->db = kit_connect(k->store, DB_WRITE);
	e = q_work_live_all(k->db, db_count_row, &n);
	assert_int_equal(e, ERR_INTERNAL);
	assert_true(n < 200);
}

static void a_file_without_its_end(void **state)
{
	struct kit *k = *state;
	struct problem p = {0};
	size_t n = 0;

	insert_rows(k, 1, 200, OK);
	db_close(&k->db);
	assert_int_equal(truncate(file_of(k), 5 * 4096), 0);
	if (try_to_connect(k, DB_WRITE, &p) == OK) {
		k->db = kit_connect(k->store, DB_WRITE);
		assert_int_equal(q_work_live_all(k->db, db_count_row, &n), ERR_INTERNAL);
	} else {
		assert_non_null(strstr(p.detail, "is damaged"));
	}
}

/* ---- a full disk ---- */

static void limit_pages(struct kit *k, const char *pragma)
{
	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(db_script(k->db, pragma, NULL), OK);
	assert_int_equal(db_commit(k->db), OK);
}

static void a_full_database_refuses_and_recovers(void **state)
{
	struct kit *k = *state;

	limit_pages(k, "PRAGMA max_page_count = 400");
	insert_rows(k, 1, 50, OK);
	insert_rows(k, 1000, 500, ERR_STORE_FULL);
	assert_int_equal(kit_live_count(k->db), 50); /* reading goes on */
	insert_rows(k, 1000, 500, ERR_STORE_FULL);
	limit_pages(k, "PRAGMA max_page_count = 100000");
	insert_rows(k, 1000, 500, OK);
	assert_int_equal(kit_live_count(k->db), 550);
}

/* As a full disk or a quota says it: write() fails in the middle of a transaction. */
static void a_full_disk_refuses_and_recovers(void **state)
{
	struct kit *k = *state;
	struct rlimit before, small = {.rlim_cur = 400 << 10};

	insert_rows(k, 1, 10, OK);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	insert_rows(k, 1000, 500, ERR_STORE_FULL);
	insert_rows(k, 1000, 500, ERR_STORE_FULL);
	assert_int_equal(kit_live_count(k->db), 10);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	insert_rows(k, 1000, 500, OK);
	assert_int_equal(kit_live_count(k->db), 510);
}

/* ---- the write-ahead log ---- */

static void the_wal_is_emptied_when_idle_and_when_large(void **state)
{
	struct kit *k = *state;
	int64_t limit = 8 << 20;

	insert_rows(k, 1, 100, OK);
	assert_true(db_wal_bytes(k->db) > 100 * 4000);
	db_maintain(k->db, true);
	for (int64_t i = 0; i < 60; i++) {
		insert_rows(k, 1000 * (i + 1), 500, OK);
		db_maintain(k->db, false);
		assert_true(db_wal_bytes(k->db) < limit + (28 << 20)); /* some more comes while it is copied */
	}
	assert_true(db_wal_bytes(k->db) > limit / 2); /* not checkpointed after each commit */
}

static enum err look_meanwhile(void *ctx, const void *row)
{
	struct kit *k = ctx;
	const struct work_live_row *r = row;

	if (r->id != 1)
		return OK;
	for (int64_t i = 0; i < 45; i++) {
		insert_rows(k, 1000 * (i + 1), 500, OK);
		db_maintain(k->db, false);
	}
	return OK;
}

/* A reader holds its view while the writer goes past the limit; afterwards the log is begun anew. */
static void a_reader_holds_the_wal_but_not_the_writer(void **state)
{
	struct kit *k = *state;
	struct db *reader = kit_connect(k->store, DB_READ);
	int64_t held;

	insert_rows(k, 1, 10, OK);
	assert_int_equal(q_work_live_all(reader, look_meanwhile, k), OK);
	held = db_wal_bytes(k->db);
	assert_true(held > 64 << 20);
	db_maintain(k->db, true);
	insert_rows(k, 100, 10, OK);
	insert_rows(k, 200, 500, OK);
	assert_true(db_wal_bytes(k->db) <= 64 << 20);
	db_close(&reader);
}

/* ---- two writers ---- */

static void the_second_writer_waits_and_is_told_to_try_again(void **state)
{
	struct kit *k = *state;
	struct db *other = kit_connect(k->store, DB_WRITE);

	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(db_begin(other), ERR_STORE_BUSY); /* after its busy timeout */
	assert_int_equal(db_commit(k->db), OK);
	assert_int_equal(db_begin(other), OK);
	assert_int_equal(db_commit(other), OK);
	db_close(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),
		cmocka_unit_test_setup_teardown(a_file_that_is_no_database, empty_place, done),
		cmocka_unit_test(a_folder_that_is_not_there),
		cmocka_unit_test_setup_teardown(a_reader_makes_no_file, empty_place, done),
		cmocka_unit_test_setup_teardown(a_file_that_may_not_be_written, ready, done),
		cmocka_unit_test_setup_teardown(a_folder_that_may_not_be_written, empty_place, done),
		cmocka_unit_test_setup_teardown(a_damaged_file, ready, done),
		cmocka_unit_test_setup_teardown(a_file_without_its_end, ready, done),
		cmocka_unit_test_setup_teardown(a_full_database_refuses_and_recovers, ready, done),
		cmocka_unit_test_setup_teardown(a_full_disk_refuses_and_recovers, ready, done),
		cmocka_unit_test_setup_teardown(the_wal_is_emptied_when_idle_and_when_large, ready, done),
		cmocka_unit_test_setup_teardown(a_reader_holds_the_wal_but_not_the_writer, ready, done),
		cmocka_unit_test_setup_teardown(the_second_writer_waits_and_is_told_to_try_again, ready, done),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests_name("store_sqlite", tests, NULL, NULL);
}
