/* Files of archives: what was written is read the same, and what is not whole, not ours or not true is refused. */
#include "harness_arena.h"

#include "archive_kit/forge.h"
#include "base/magic.h"

#include <sys/resource.h>
#include <sys/stat.h>

enum { MANY = 700, MEMORY_MAX = 48 << 20 };

static struct arena *arena;

/* ---- rows ---- */

static struct str some_text(struct rng *r, bool nullable, size_t most)
{
	size_t n = rng_below(r, most);
	char *bytes;

	if (nullable && n % 3 == 0)
		return (struct str){0};
	bytes = arena_alloc(arena, n + 1);
	assert_non_null(bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)rng_u64(r);
	return (struct str){bytes, n};
}

/* Anything in every column. */
static void fill(const struct query *insert, void *row, struct rng *r, size_t most)
{
	memset(row, 0, insert->in_size);
	for (unsigned i = 0; i < insert->in_count; i++) {
		const struct sql_field *f = &insert->in[i];
		void *at = (char *)row + f->offset;

		if (f->type == SQL_INT)
			*(int64_t *)at = (int64_t)(rng_u64(r) >> rng_below(r, 64));
		else if (f->type == SQL_BOOL)
			*(bool *)at = rng_below(r, 2);
		else if (f->type == SQL_REAL)
			*(double *)at = (double)rng_below(r, 1000) / 7;
		else
			*(struct str *)at = some_text(r, f->nullable, most);
	}
}

static bool same_value(const struct sql_field *f, const void *a, const void *b)
{
	const struct str *one = a, *other = b;

	switch (f->type) {
	case SQL_INT:
		return *(const int64_t *)a == *(const int64_t *)b;
	case SQL_REAL:
		return memcmp(a, b, sizeof(double)) == 0;
	case SQL_BOOL:
		return *(const bool *)a == *(const bool *)b;
	case SQL_TEXT:
	case SQL_BYTES:
		return str_eq(*one, *other) && !one->p == !other->p;
	}
	return false;
}

static void assert_same(const struct query *insert, const void *a, const void *b)
{
	for (unsigned i = 0; i < insert->in_count; i++) {
		size_t at = insert->in[i].offset;

		assert_row(insert->in[i].name,
			   same_value(&insert->in[i], (const char *)a + at, (const char *)b + at));
	}
}

/* ---- stories ---- */

/* Executions with their steps and events, as they are put and as they must come. */
struct story {
	char folder[32], path[48];
	size_t rows_count, seen;
	struct archive_row rows[4 * MANY];
};

static struct archive_row *row_new(struct story *s, enum archive_row_kind kind, int64_t execution)
{
	struct archive_row *row = &s->rows[s->rows_count++];

	row->kind = kind;
	row->execution = execution;
	return row;
}

/* Up to two steps and an event of each; texts shorter than `most`. */
static void tell(struct story *s, size_t executions, size_t most)
{
	struct rng r;
	struct archive_row *row;
	int64_t id = 0;

	rng_seeded_init(&r, 7);
	for (size_t i = 0; i < executions; i++) {
		id += 1 + (int64_t)(rng_u64(&r) >> (20 + rng_below(&r, 43)));
		row = row_new(s, ARCHIVE_EXECUTION, id);
		fill(&Q_EXECUTION_INSERT, &row->execution_row, &r, most);
		row->execution_row.id = id;
		for (size_t step = 0; step < i % 3; step++) {
			row = row_new(s, ARCHIVE_STEP, id);
			fill(&Q_STEP_INSERT, &row->step_row, &r, most);
			row->step_row.execution = id;
		}
		row = row_new(s, ARCHIVE_EVENT, id);
		fill(&Q_EXECUTION_EVENT_INSERT, &row->event_row, &r, most);
		row->event_row.execution = id;
	}
}

static struct story *story_new(size_t executions, size_t most)
{
	struct story *s = NEW(struct story);

	snprintf(s->folder, sizeof s->folder, "/tmp/tenfold-archive-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->path, sizeof s->path, "%s/file.zst", s->folder);
	tell(s, executions, most);
	return s;
}

static void story_free(struct story *s)
{
	unlink(s->path);
	assert_int_equal(rmdir(s->folder), 0); /* nothing else was left there */
	free(s);
}

static void put(struct archive_writer *w, const struct archive_row *row)
{
	if (row->kind == ARCHIVE_EXECUTION)
		archive_put_execution(w, &row->execution_row);
	else if (row->kind == ARCHIVE_STEP)
		archive_put_step(w, &row->step_row);
	else
		archive_put_event(w, &row->event_row);
}

static void write_story(const struct story *s, int64_t archive, struct archive_written *out)
{
	struct archive_head head = forge_head(arena);
	struct archive_writer *w;
	struct problem p = {0};

	head.archive = archive;
	assert_int_equal(archive_writer_open(s->path, &head, archive, &w, &p), OK);
	for (size_t i = 0; i < s->rows_count; i++) {
		put(w, &s->rows[i]);
		if (i + 1 == s->rows_count || s->rows[i + 1].kind == ARCHIVE_EXECUTION)
			assert_int_equal(archive_end_execution(w, &p), OK);
	}
	assert_int_equal(access(s->path, F_OK), -1);
	assert_int_equal(archive_writer_finish(w, out, &p), OK);
	archive_writer_close(&w);
}

static enum err see(void *ctx, const struct archive_row *row)
{
	struct story *s = ctx;
	const struct archive_row *expected = &s->rows[s->seen++];

	assert_true(s->seen <= s->rows_count);
	assert_int_equal(row->kind, expected->kind);
	assert_int_equal(row->execution, expected->execution);
	assert_same(archive_queries[row->kind], &row->execution_row, &expected->execution_row);
	return OK;
}

/* All of a file, as the story tells it; what is wrong is in p. */
static enum err read_as(struct story *s, const char *path, struct problem *p)
{
	struct archive_file *f;
	enum err err = archive_file_open(path, 0, &f, p);

	s->seen = 0;
	if (!err)
		err = archive_file_each(f, see, s, p);
	assert_true(err || s->seen == s->rows_count);
	archive_file_close(&f);
	return err;
}

static struct str bytes_of(const char *path)
{
	struct stat st;
	FILE *f = fopen(path, "rb");
	char *bytes;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	bytes = arena_alloc(arena, (size_t)st.st_size);
	assert_int_equal(fread(bytes, 1, (size_t)st.st_size, f), st.st_size);
	fclose(f);
	return (struct str){bytes, (size_t)st.st_size};
}

static enum err nothing(void *ctx, const struct archive_row *row)
{
	(void)ctx, (void)row;
	return OK;
}

/* Not read, and told by name with that reason. */
static void assert_refused(const char *name, struct str bytes, const char *why)
{
	char path[FORGE_PATH];
	int fd = forge_file(bytes, path);
	struct archive_file *f;
	struct problem p = {0};
	enum err err = archive_file_open(path, 0, &f, &p);

	if (!err)
		err = archive_file_each(f, nothing, NULL, &p);
	archive_file_close(&f);
	close(fd);
	if (err != ERR_ARCHIVE || !strstr(p.detail, path) || !strstr(p.detail, why))
		fail_msg("%s: error %d: %s", name, (int)err, p.detail);
}

/* ---- what was written ---- */

static void test_read_as_written(void **state)
{
	(void)state;
	struct story *s = story_new(MANY, 200);
	struct archive_written written;
	struct archive_file *f;
	struct problem p = {0};

	write_story(s, 5, &written);
	assert_int_equal(read_as(s, s->path, &p), OK);
	assert_int_equal(archive_file_open(s->path, 5, &f, &p), OK);
	assert_int_equal(f->archive, 5);
	assert_int_equal(f->head.archive, 5);
	assert_int_equal(f->count, MANY);
	assert_true(f->blocks >= MANY / ARCHIVE_BLOCK_EXECUTIONS + 1);
	assert_int_equal(written.executions, MANY);
	assert_int_equal(written.first, f->ids[0]);
	assert_int_equal(written.last, f->ids[MANY - 1]);
	assert_int_equal(written.bytes, bytes_of(s->path).n);
	archive_file_close(&f);
	assert_int_equal(archive_file_open(s->path, 6, &f, &p), ERR_ARCHIVE);
	assert_non_null(strstr(p.detail, "is another one than its name says"));
	assert_null(f);
	story_free(s);
}

struct counted {
	int64_t execution;
	size_t rows, executions;
};

static enum err count(void *ctx, const struct archive_row *row)
{
	struct counted *c = ctx;

	assert_int_equal(row->execution, c->execution);
	c->rows++;
	c->executions += row->kind == ARCHIVE_EXECUTION;
	return OK;
}

static void test_each_is_found_alone(void **state)
{
	(void)state;
	struct story *s = story_new(MANY, 20);
	struct archive_written written;
	struct archive_file *f;
	struct problem p = {0};
	size_t block;

	write_story(s, 1, &written);
	assert_int_equal(archive_file_open(s->path, 1, &f, &p), OK);
	for (size_t i = 0; i < f->count; i++) {
		struct counted c = {.execution = f->ids[i]};

		assert_true(archive_file_find(f, f->ids[i], &block));
		assert_true(archive_block_first(f, block) <= i && i < archive_block_first(f, block + 1));
		assert_int_equal(archive_block_each(f, block, f->ids[i], arena, count, &c, &p), OK);
		assert_true(c.executions == 1 && c.rows == 2 + i % 3);
		assert_false(i && f->ids[i] - 1 > f->ids[i - 1] && archive_file_find(f, f->ids[i] - 1, &block));
		arena_reset(arena);
	}
	assert_false(archive_file_find(f, 0, &block));
	assert_false(archive_file_find(f, INT64_MAX, &block));
	archive_file_close(&f);
	story_free(s);
}

static void test_none_and_large_ones(void **state)
{
	(void)state;
	struct story *none = story_new(0, 1), *large = story_new(5, 2 << 20);
	struct arena *small = arena_new(1 << 20);
	struct archive_written written;
	struct archive_file *f;
	struct problem p = {0};

	write_story(none, 1, &written);
	assert_int_equal(written.executions, 0);
	assert_int_equal(read_as(none, none->path, &p), OK);
	write_story(large, 1, &written);
	assert_int_equal(read_as(large, large->path, &p), OK);
	assert_int_equal(archive_file_open(large->path, 1, &f, &p), OK);
	assert_true(f->blocks > 1);
	assert_int_equal(archive_block_each(f, f->blocks - 1, 0, small, nothing, NULL, &p), ERR_TOO_LARGE);
	assert_non_null(strstr(p.detail, "too large"));
	archive_file_close(&f);
	arena_destroy(&small);
	story_free(none);
	story_free(large);
}

static void test_unfinished_leaves_nothing(void **state)
{
	(void)state;
	struct story *s = story_new(3, 20);
	struct archive_head head = forge_head(arena);
	struct archive_writer *w;
	struct problem p = {0};

	assert_int_equal(archive_writer_open(s->path, &head, 1, &w, &p), OK);
	put(w, &s->rows[0]);
	archive_writer_close(&w);
	assert_int_equal(archive_writer_open("/tmp/tenfold-no-such-folder/file.zst", &head, 1, &w, &p),
			 ERR_STORE_UNAVAILABLE);
	assert_null(w);
	assert_non_null(strstr(p.detail, "/tmp/tenfold-no-such-folder/file.zst"));
	story_free(s);
}

/* ---- what is not whole ---- */

static void test_torn_anywhere(void **state)
{
	(void)state;
	struct story *s = story_new(3, 20);
	struct archive_written written;
	struct str whole;

	write_story(s, 1, &written);
	whole = bytes_of(s->path);
	for (size_t n = 0; n < whole.n; n++)
		assert_refused("torn", (struct str){whole.p, n}, "is torn, or no archive");
	story_free(s);
}

/* zstd has bits that say nothing. A file in which one of those is turned says what it said. */
static void test_every_bit_turned(void **state)
{
	(void)state;
	struct story *s = story_new(3, 20);
	struct archive_written written;
	char path[FORGE_PATH];
	struct str whole;
	size_t refused = 0, bits;
	int fd;

	write_story(s, 1, &written);
	whole = bytes_of(s->path);
	bits = 8 * whole.n;
	fd = forge_file(whole, path);
	for (size_t bit = 0; bit < bits; bit++) {
		char turned = (char)(whole.p[bit / 8] ^ 1 << bit % 8);
		struct problem p = {0};
		enum err err;

		assert_int_equal(pwrite(fd, &turned, 1, (off_t)(bit / 8)), 1);
		err = read_as(s, path, &p);
		assert_true(!err || (err == ERR_ARCHIVE && strstr(p.detail, path)));
		refused += err != OK;
		assert_int_equal(pwrite(fd, &whole.p[bit / 8], 1, (off_t)(bit / 8)), 1);
	}
	close(fd);
	assert_true(refused > bits - bits / 100);
	story_free(s);
}

static void test_foreign(void **state)
{
	(void)state;
	char zeros[500] = {0};
	struct archive_file *f;
	struct problem p = {0};

	assert_refused("empty", STR(""), "is torn, or no archive of tenfold");
	assert_refused("zeros", (struct str){zeros, sizeof zeros}, "no archive of tenfold");
	memcpy(zeros, "PK\3\4", 4);
	assert_refused("zip", (struct str){zeros, sizeof zeros}, "no archive of tenfold");
	assert_int_equal(archive_file_open("/tmp", 0, &f, &p), ERR_ARCHIVE);
	assert_string_equal(p.detail, "the archive /tmp is no file");
	assert_int_equal(archive_file_open("/tmp/tenfold-no-such-file", 0, &f, &p), ERR_ARCHIVE);
	assert_non_null(strstr(p.detail, "/tmp/tenfold-no-such-file cannot be opened: No such file"));
	assert_null(f);
}

/* ---- what is not true ---- */

/* A file of a head, one block and an index that says so; what a test gives stands instead. */
struct lie {
	struct str head, block;               /* plain, unless packed; p NULL: what is true */
	struct str index;                     /* plain, behind where the blocks begin */
	bool is_packed;                       /* head, block and index are frames */
	int64_t plain_bytes, ids, executions; /* that the block and the footer say; 0: what is true */
};

static struct str good_head(void)
{
	struct archive_head head = forge_head(arena);
	struct buf text = BUF_INIT(0);
	struct str kept;

	forge_head_text(&head, &text);
	kept = arena_str(arena, buf_str(&text));
	buf_free(&text);
	return kept;
}

/* The rows of executions 1 … n, one after the other. */
static struct str good_block(int64_t n)
{
	struct execution_row row = {.name = STR("x"), .created_by = STR("")};
	struct buf rows = BUF_INIT(0);
	struct str kept;

	for (row.id = 1; row.id <= n; row.id++) {
		buf_c(&rows, ARCHIVE_EXECUTION);
		row_put(&Q_EXECUTION_INSERT, &row, &rows);
	}
	kept = arena_str(arena, buf_str(&rows));
	buf_free(&rows);
	return kept;
}

static void add_frame(struct str bytes, bool is_packed, struct buf *file)
{
	if (is_packed)
		buf_str_add(file, bytes);
	else
		forge_frame(bytes, file);
}

static struct str told(const struct lie *l)
{
	struct buf file = BUF_INIT(0), index = BUF_INIT(0);
	struct str block = l->block.p ? l->block : good_block(2), kept;
	size_t head_end, block_end;

	add_frame(l->head.p ? l->head : good_head(), l->is_packed && l->head.p, &file);
	head_end = file.n;
	add_frame(block, l->is_packed && l->block.p, &file);
	block_end = file.n;
	buf_varint(&index, head_end);
	buf_varint(&index, 1);
	buf_varint(&index, block_end - head_end);
	buf_varint(&index, l->plain_bytes ? (uint64_t)l->plain_bytes : block.n);
	buf_varint(&index, l->ids ? (uint64_t)l->ids : 2);
	buf_z(&index, "\1\1");
	if (l->index.p) {
		buf_reset(&index);
		if (!l->is_packed)
			buf_varint(&index, head_end);
		buf_str_add(&index, l->index);
	}
	add_frame(buf_str(&index), l->is_packed && l->index.p, &file);
	forge_footer(file.n - block_end, l->executions ? (uint64_t)l->executions : 2, &file);
	kept = arena_str(arena, buf_str(&file));
	buf_free(&index);
	buf_free(&file);
	return kept;
}

static void test_forged_is_read_when_true(void **state)
{
	(void)state;
	char path[FORGE_PATH];
	int fd = forge_file(told(&(struct lie){0}), path);
	struct archive_file *f;
	struct problem p = {0};

	assert_int_equal(archive_file_open(path, 1, &f, &p), OK);
	assert_int_equal(archive_file_each(f, nothing, NULL, &p), OK);
	assert_int_equal(f->count, 2);
	archive_file_close(&f);
	close(fd);
}

/* ---- heads ---- */

static struct str head_text(const struct archive_head *head)
{
	struct buf text = BUF_INIT(0);
	struct str kept;

	forge_head_text(head, &text);
	kept = arena_str(arena, buf_str(&text));
	buf_free(&text);
	return kept;
}

static void test_other_heads(void **state)
{
	(void)state;
	struct archive_head head = forge_head(arena);
	struct str columns[2] = {STR("id int"), STR("colour text")};

	head.version = ARCHIVE_VERSION + 1;
	assert_refused("later", told(&(struct lie){.head = head_text(&head)}),
		       "is of a form that this program does not know");
	head = forge_head(arena);
	head.format = STR("something else");
	assert_refused("other", told(&(struct lie){.head = head_text(&head)}), "is no archive of executions");
	head = forge_head(arena);
	head.steps = columns;
	head.steps_count = 2;
	assert_refused("a column", told(&(struct lie){.head = head_text(&head)}), "a column 'colour text'");
	columns[1] = STR("place text");
	assert_refused("a type", told(&(struct lie){.head = head_text(&head)}), "a column 'place text'");
	head.steps_count = 0;
	assert_refused("no column", told(&(struct lie){.head = head_text(&head)}),
		       "does not say what its rows hold");
	assert_refused("no JSON", told(&(struct lie){.head = STR("{\"format\":")}), "is no archive of executions");
}

/* A program with more columns reads what has fewer: the others are empty. */
static enum err see_fewer(void *ctx, const struct archive_row *row)
{
	int64_t *id = ctx;

	assert_int_equal(row->execution_row.id, ++*id);
	assert_int_equal(row->execution_row.priority, 0);
	assert_true(row->execution_row.name.p && row->execution_row.name.n == 0);
	assert_null(row->execution_row.why.p);
	return OK;
}

static void test_fewer_columns(void **state)
{
	(void)state;
	struct archive_head head = forge_head(arena);
	struct str column = STR("id int"), block = {"\0\2\0\4", 4};
	char path[FORGE_PATH];
	struct archive_file *f;
	struct problem p = {0};
	int64_t seen = 0;
	int fd;

	head.executions = &column;
	head.executions_count = 1;
	fd = forge_file(told(&(struct lie){.head = head_text(&head), .block = block}), path);
	assert_int_equal(archive_file_open(path, 1, &f, &p), OK);
	assert_int_equal(archive_file_each(f, see_fewer, &seen, &p), OK);
	assert_int_equal(seen, 2);
	archive_file_close(&f);
	close(fd);
}

/* ---- blocks ---- */

static struct str bytes(const char *p, size_t n)
{
	return arena_str(arena, (struct str){p, n});
}

/* A step's row of that execution behind the rows of two. */
static struct str with_step(int64_t execution, bool has_name)
{
	struct step_row row = {.execution = execution, .name = has_name ? STR("x") : (struct str){0}};
	struct buf rows = BUF_INIT(0);
	struct str kept;

	buf_str_add(&rows, good_block(2));
	buf_c(&rows, ARCHIVE_STEP);
	row_put(&Q_STEP_INSERT, &row, &rows);
	kept = arena_str(arena, buf_str(&rows));
	buf_free(&rows);
	return kept;
}

static void test_rows_that_are_none(void **state)
{
	(void)state;
	struct str good = good_block(2), step = with_step(2, true);
	struct str only_step = {step.p + good.n, step.n - good.n};
	char *bent = arena_z(arena, step);

	assert_refused("fewer executions", told(&(struct lie){.block = good_block(1)}), "is damaged");
	assert_refused("more executions", told(&(struct lie){.block = good_block(3)}), "is damaged");
	assert_refused("a step before all", told(&(struct lie){.block = only_step}), "is damaged");
	assert_refused("a step of another", told(&(struct lie){.block = with_step(1, true)}), "is damaged");
	assert_refused("no name", told(&(struct lie){.block = with_step(2, false)}), "is damaged");
	for (size_t n = 1; n < step.n; n++)
		if (n != good.n)
			assert_refused("torn row", told(&(struct lie){.block = {step.p, n}}), "is damaged");
	bent[good.n] = ARCHIVE_ROW_KINDS;
	assert_refused("no kind", told(&(struct lie){.block = {bent, step.n}}), "is damaged");
	memset(bent + good.n + 1, 0xFF, step.n - good.n - 1);
	bent[good.n] = ARCHIVE_STEP;
	assert_refused("huge numbers", told(&(struct lie){.block = {bent, step.n}}), "is damaged");
	assert_refused("plain bytes", told(&(struct lie){.plain_bytes = (int64_t)good.n + 1}), "is damaged");
	assert_refused("fewer plain bytes", told(&(struct lie){.plain_bytes = (int64_t)good.n - 1}), "is damaged");
}

/* ---- indexes ---- */

static void test_indexes_that_lie(void **state)
{
	(void)state;
	static const struct {
		const char *name, *index; /* behind where the blocks begin */
		size_t n;
	} rows[] = {
		{"nothing", "", 0},
		{"no blocks, but executions", "\0\1\1", 3},
		{"huge count of blocks", "\xFF\xFF\xFF\xFF\x7F", 5},
		{"the hugest", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1", 10},
		{"a block that is longer than the file", "\1\xFF\xFF\xFF\x7F\1\2\1\1", 9},
		{"a block of no executions", "\2\1\1\0\1\1\2\1\1", 9},
		{"torn in a block", "\1\20", 2},
		{"one more block", "\2\1\1\1\1\1\1\1\1", 9},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_refused(rows[i].name, told(&(struct lie){.index = bytes(rows[i].index, rows[i].n)}),
			       "is damaged");
	assert_refused("no end of ids", told(&(struct lie){.ids = 5, .executions = 5}), "is damaged");
	assert_refused("fewer ids", told(&(struct lie){.ids = 1, .executions = 1}), "is damaged");
	assert_refused("other executions", told(&(struct lie){.executions = 3}), "is damaged");
	assert_refused("huge executions", told(&(struct lie){.executions = INT64_MAX}), "is torn");
	assert_refused("huge block", told(&(struct lie){.plain_bytes = ARCHIVE_PLAIN_MAX + INT64_C(1)}),
		       "is damaged");
}

/* The index of one block, then its ids as distances. */
static struct str index_of(struct str block, uint64_t count, struct str ids)
{
	struct buf text = BUF_INIT(0), frame = BUF_INIT(0);
	struct str kept;

	forge_frame(block, &frame);
	buf_varint(&text, 1);
	buf_varint(&text, frame.n);
	buf_varint(&text, block.n);
	buf_varint(&text, count);
	buf_str_add(&text, ids);
	kept = arena_str(arena, buf_str(&text));
	buf_free(&text);
	buf_free(&frame);
	return kept;
}

static struct str index_with(const char *ids, size_t n)
{
	return index_of(good_block(2), 2, bytes(ids, n));
}

static void test_ids_that_are_none(void **state)
{
	(void)state;
	static const char huge[] = "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\1";
	struct str one = good_block(1), twice;
	char *both = arena_alloc(arena, 2 * one.n);

	memcpy(both, one.p, one.n);
	memcpy(both + one.n, one.p, one.n);
	twice = (struct str){both, 2 * one.n};

	assert_refused("zero", told(&(struct lie){.index = index_with("\0\1", 2)}), "is damaged");
	assert_refused("twice", told(&(struct lie){.block = twice, .index = index_of(twice, 2, bytes("\1\0", 2))}),
		       "is damaged");
	assert_refused("past all", told(&(struct lie){.index = index_with(huge, 10)}), "is damaged");
	assert_refused("one", told(&(struct lie){.index = index_with("\1", 1)}), "is damaged");
	assert_refused("three", told(&(struct lie){.index = index_with("\1\1\1", 3)}), "is damaged");
	assert_refused("others", told(&(struct lie){.index = index_with("\1\2", 2)}), "is damaged");
}

static void test_as_many_as_fit(void **state)
{
	(void)state;
	enum { MOST = ARCHIVE_BLOCK_EXECUTIONS };
	char path[FORGE_PATH], *ones = arena_alloc(arena, MOST + 1);
	struct str block = good_block(MOST), more = good_block(MOST + 1);
	struct archive_file *f;
	struct problem p = {0};
	int fd;

	memset(ones, 1, MOST + 1);
	fd = forge_file(told(&(struct lie){.block = block,
					   .index = index_of(block, MOST, (struct str){ones, MOST}),
					   .executions = MOST}),
			path);
	assert_int_equal(archive_file_open(path, 1, &f, &p), OK);
	assert_int_equal(archive_file_each(f, nothing, NULL, &p), OK);
	archive_file_close(&f);
	close(fd);
	assert_refused("one more",
		       told(&(struct lie){.block = more,
					  .index = index_of(more, MOST + 1, (struct str){ones, MOST + 1}),
					  .executions = MOST + 1}),
		       "is damaged");
}

/* ---- memory ---- */

static long memory_high(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss * 1024;
}

static struct str zeros(uint64_t says, uint64_t yields)
{
	struct buf frame = BUF_INIT(0);
	struct str kept;

	forge_zeros(says, yields, &frame);
	kept = arena_str(arena, buf_str(&frame));
	buf_free(&frame);
	return kept;
}

/* Whatever a file of a few kilobytes says or holds, reading it takes no more than a few megabytes. */
static void test_bombs(void **state)
{
	(void)state;
	enum { LARGE = 200 << 20 };
	const uint64_t gigabyte = 1 << 30;
	long before = memory_high();

	assert_refused("a head that says", told(&(struct lie){.is_packed = true, .head = zeros(gigabyte, 9)}),
		       "is damaged");
	assert_refused("a head that yields", told(&(struct lie){.is_packed = true, .head = zeros(9, LARGE)}),
		       "is damaged");
	assert_refused("a head that does both", told(&(struct lie){.is_packed = true, .head = zeros(LARGE, LARGE)}),
		       "is damaged");
	assert_refused("an index that says", told(&(struct lie){.is_packed = true, .index = zeros(gigabyte, 9)}),
		       "is damaged");
	assert_refused("an index that yields", told(&(struct lie){.is_packed = true, .index = zeros(9, LARGE)}),
		       "is damaged");
	assert_refused("an index that does both",
		       told(&(struct lie){.is_packed = true, .index = zeros(LARGE, LARGE)}), "is damaged");
	assert_refused("a block that says",
		       told(&(struct lie){.is_packed = true, .block = zeros(gigabyte, 9), .plain_bytes = 1 << 30}),
		       "is damaged");
	assert_refused("a block that says more than the index",
		       told(&(struct lie){.is_packed = true, .block = zeros(LARGE, LARGE), .plain_bytes = 100}),
		       "is damaged");
	assert_refused("a block that yields",
		       told(&(struct lie){.is_packed = true, .block = zeros(9, LARGE), .plain_bytes = 9}),
		       "is damaged");
	assert_true(memory_high() - before < MEMORY_MAX);
}

static void test_nested_deeply(void **state)
{
	(void)state;
	enum { DEEP = 500000 };
	char *text = arena_alloc(arena, DEEP);

	memset(text, '[', DEEP);
	assert_refused("arrays", told(&(struct lie){.head = {text, DEEP}}), "is no archive of executions");
	for (size_t i = 0; i + 5 <= DEEP; i += 5)
		memcpy(text + i, "{\"a\":", 5);
	assert_refused("objects", told(&(struct lie){.head = {text, DEEP}}), "is no archive of executions");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(test_read_as_written, arena),
		ARENA_TEST(test_each_is_found_alone, arena),
		ARENA_TEST(test_none_and_large_ones, arena),
		ARENA_TEST(test_unfinished_leaves_nothing, arena),
		ARENA_TEST(test_torn_anywhere, arena),
		ARENA_TEST(test_every_bit_turned, arena),
		ARENA_TEST(test_foreign, arena),
		ARENA_TEST(test_forged_is_read_when_true, arena),
		ARENA_TEST(test_other_heads, arena),
		ARENA_TEST(test_fewer_columns, arena),
		ARENA_TEST(test_rows_that_are_none, arena),
		ARENA_TEST(test_indexes_that_lie, arena),
		ARENA_TEST(test_ids_that_are_none, arena),
		ARENA_TEST(test_as_many_as_fit, arena),
		ARENA_TEST(test_bombs, arena),
		ARENA_TEST(test_nested_deeply, arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
