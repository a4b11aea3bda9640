/*
 * How fast rows of the hot table are written, committed and read back, through the same calls that the server
 * makes.
 *
 *   store_bench sqlite:/var/tmp/bench.db
 *   tools/with-postgres sh -c 'build/bench/store_bench "$TENFOLD_TEST_PG"'
 *
 * For 1, 32 and 500 rows a transaction: insert, update and delete of work_live, each for SECONDS or ROWS_MAX rows;
 * then reading by key and a scan. The place must be empty and is left migrated and empty. For SQLite the median of
 * fdatasync in the same folder is printed first: one commit cannot be faster.
 */
#include "base/clock.h"
#include "base/magic.h"
#include "store/queries.h"
#include "store/schema.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SECONDS = 3, ROWS_MAX = 300000, PER_MAX = 500, SYNCS = 200 };

static const int64_t SECOND_NS = 1000000000;

struct bench {
	struct db *db;
	struct arena *arena;
	struct work_live_row live[PER_MAX];
	struct work_change_row change[PER_MAX];
	struct id_row id[PER_MAX];
};

_Noreturn static void give_up(const char *what, enum err e)
{
	fprintf(stderr, "store_bench: %s: %s\n", what, err_info(e)->title);
	exit(1);
}

static void must(const char *what, enum err e)
{
	if (e != OK)
		give_up(what, e);
}

/* ---- what is measured ---- */

typedef enum err step_fn(struct bench *b, int64_t first, size_t count);

static enum err insert(struct bench *b, int64_t first, size_t count)
{
	for (size_t i = 0; i < count; i++)
		b->live[i] = (struct work_live_row){.id = first + (int64_t)i,
						    .tenant = 1,
						    .queue = 1,
						    .created_ms = 1700000000000,
						    .changed_ms = 1700000000000,
						    .max_attempts = 5,
						    .lease_ms = 60000,
						    .created_by = STR("agent-17"),
						    .history = STR("0123456789abcdef")};
	return q_work_live_insert(b->db, b->live, count);
}

static enum err update(struct bench *b, int64_t first, size_t count)
{
	for (size_t i = 0; i < count; i++)
		b->change[i] = (struct work_change_row){.id = first + (int64_t)i,
							.state = 2,
							.changed_ms = 1700000001000,
							.lease_until_ms = 1700000060000,
							.attempt = 1,
							.token_random = 0x123456789abcdef,
							.claimed_by = STR("agent-42"),
							.history = STR("0123456789abcdef0123456789abcdef")};
	return q_work_live_update(b->db, b->change, count);
}

static enum err delete (struct bench *b, int64_t first, size_t count) {
	for (size_t i = 0; i < count; i++) b->id[i].id = first + (int64_t)i;
	return q_work_live_delete(b->db, b->id, count);
}

static void transaction(struct bench *b, step_fn *step, int64_t first, size_t count)
{
	must("begin", db_begin(b->db));
	must("write", step(b, first, count));
	must("commit", db_commit(b->db));
	db_maintain(b->db, false);
}

/* Over rows 1 to *rows, or fewer when the time is up; leaves in *rows how many, returns rows a second. */
static double measure(struct bench *b, step_fn *step, size_t per, int64_t *rows, int64_t seconds)
{
	int64_t start_ns = clock_mono_ns(), now_ns = start_ns, done = 0;

	while (done < *rows && now_ns - start_ns < seconds * SECOND_NS) {
		transaction(b, step, done + 1, per);
		done += (int64_t)per;
		now_ns = clock_mono_ns();
	}
	*rows = done;
	return (double)done * 1e9 / (double)(now_ns - start_ns);
}

static enum err count_row(void *ctx, const void *row)
{
	(void)row;
	++*(int64_t *)ctx;
	return OK;
}

static double measure_scan(struct bench *b)
{
	int64_t start_ns = clock_mono_ns(), rows = 0;

	must("scan", q_work_live_all(b->db, count_row, &rows));
	return (double)rows * 1e9 / (double)(clock_mono_ns() - start_ns);
}

static double measure_get(struct bench *b, int64_t rows)
{
	int64_t start_ns = clock_mono_ns(), reads = 0;
	struct work_live_row out;

	for (; clock_mono_ns() - start_ns < SECOND_NS; reads++) {
		must("get", q_work_live_get(b->db, &(struct id_row){1 + reads * 7919 % rows}, b->arena, &out));
		arena_reset(b->arena);
	}
	return (double)reads * 1e9 / (double)(clock_mono_ns() - start_ns);
}

static void run(struct bench *b, size_t per)
{
	int64_t rows = ROWS_MAX / PER_MAX * PER_MAX / (int64_t)per * (int64_t)per, again;
	double inserted = measure(b, insert, per, &rows, SECONDS), updated, got, scanned;

	again = rows;
	updated = measure(b, update, per, &again, SECONDS);
	got = measure_get(b, rows);
	scanned = measure_scan(b);
	printf("%8zu %10.0f %10.0f %10.0f %10.0f %10.0f\n", per, inserted, updated,
	       measure(b, delete, per, &rows, INT32_MAX), got, scanned);
	db_maintain(b->db, true);
}

/* ---- the disk ---- */

static int by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void print_fdatasync(const char *store_path)
{
	char path[4096], page[4096] = {0};
	int64_t took_ns[SYNCS];
	int fd;

	snprintf(path, sizeof(path), "%s.sync", store_path);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return;
	for (int i = 0; i < SYNCS; i++) {
		int64_t start_ns = clock_mono_ns();

		if (write(fd, page, sizeof(page)) < 0 || fdatasync(fd) < 0)
			break;
		took_ns[i] = clock_mono_ns() - start_ns;
	}
	qsort(took_ns, SYNCS, sizeof(took_ns[0]), by_size);
	printf("fdatasync of 4 KiB: p50 %" PRId64 " us, p99 %" PRId64 " us\n", took_ns[SYNCS / 2] / 1000,
	       took_ns[SYNCS * 99 / 100] / 1000);
	close(fd);
	unlink(path);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = {1, 32, PER_MAX};
	struct bench *b = NEW(struct bench);
	struct problem p = {0};
	struct store *s = NULL;

	if (argc != 2) {
		fprintf(stderr, "usage: store_bench URL\n");
		return 2;
	}
	if (store_open(argv[1], &s, &p) != OK || store_migrate(s, &STORE_SCHEMA, &p) != OK ||
	    store_connect(s, DB_WRITE, &b->db, &p) != OK) {
		fprintf(stderr, "store_bench: %s\n", p.detail);
		return 1;
	}
	b->arena = arena_new(1 << 20);
	if (store_kind(s) == STORE_SQLITE)
		print_fdatasync(store_name(s));
	printf("rows/s, commit included\n%8s %10s %10s %10s %10s %10s\n", "rows/tx", "insert", "update", "delete",
	       "get", "scan");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		run(b, sizes[i]);
	db_close(&b->db);
	store_close(&s);
	arena_destroy(&b->arena);
	free(b);
	return 0;
}
