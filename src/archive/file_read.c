/* Reading archive files; see file.h. Nothing of a file is believed before its checksum and its bounds are. */
#include "archive/file_priv.h"

#include "base/magic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

/* FRAME_MIN and ZSTD_BLOCK_MIN: what zstd takes for anything at all. With them, and with how many executions are in a
 * block at most, what a file makes us keep is bounded by how long it is, and not by what it says. */
enum { HEAD_MAX = 1 << 20, INDEX_MAX = 1 << 28, FRAME_MIN = 10, ZSTD_BLOCK_MIN = 4, VARINT_MAX = 10 };

struct block {
	uint64_t offset, bytes, plain_bytes;
	size_t first, count; /* places in ids */
};

struct archive_reading {
	int fd;
	uint64_t size;
	struct arena *arena; /* name, head, index */
	struct block *blocks;
	struct columns columns[ARCHIVE_ROW_KINDS];
};

/* ---- what is wrong ---- */

static enum err refuse(const struct archive_file *f, const char *why, struct problem *p)
{
	return problem_set(p, ERR_ARCHIVE, "the archive %s %s", f->name, why);
}

static enum err is_torn(const struct archive_file *f, struct problem *p)
{
	return refuse(f, "is torn, or no archive of tenfold: its end is missing", p);
}

static enum err is_damaged(const struct archive_file *f, struct problem *p)
{
	return refuse(f, "is damaged: what it holds does not fit its checksum", p);
}

/* ---- bytes ---- */

static bool read_at(const struct archive_reading *r, uint64_t offset, void *to, size_t n)
{
	size_t got = 0;

	if (offset > r->size || n > r->size - offset)
		return false;
	while (got < n) {
		ssize_t more = pread(r->fd, (char *)to + got, n - got, (off_t)(offset + got));

		if (more < 0 && errno == EINTR)
			continue;
		if (more <= 0)
			return false;
		got += (size_t)more;
	}
	return true;
}

/* How much is in a frame; -1: none whole, or more than plain_max, or more than so few bytes can hold. */
static int64_t plain_size(struct str packed, size_t plain_max)
{
	unsigned long long plain = ZSTD_getFrameContentSize(packed.p, packed.n);

	if (plain == ZSTD_CONTENTSIZE_ERROR || plain == ZSTD_CONTENTSIZE_UNKNOWN || plain > plain_max ||
	    plain / ZSTD_BLOCKSIZE_MAX > packed.n / ZSTD_BLOCK_MIN)
		return -1;
	return ZSTD_findFrameCompressedSize(packed.p, packed.n) == packed.n ? (int64_t)plain : -1;
}

/* What is in a frame; in the arena. ERR_ARCHIVE: it is damaged; ERR_TOO_LARGE: the arena is too small for it. */
static enum err unpack(struct str packed, size_t plain_max, struct arena *a, struct str *out)
{
	int64_t plain = plain_size(packed, plain_max);
	char *to;

	*out = (struct str){0};
	if (plain < 0)
		return ERR_ARCHIVE;
	to = arena_alloc(a, (size_t)plain + 1);
	if (!to)
		return ERR_TOO_LARGE;
	if (ZSTD_decompress(to, (size_t)plain, packed.p, packed.n) != (size_t)plain)
		return ERR_ARCHIVE;
	*out = (struct str){to, (size_t)plain};
	return OK;
}

static enum err read_frame(const struct archive_reading *r, uint64_t offset, uint64_t bytes, size_t plain_max,
			   struct arena *a, struct str *out)
{
	char *packed;
	enum err err = ERR_ARCHIVE;

	*out = (struct str){0};
	if (bytes == 0 || bytes > r->size)
		return err;
	packed = must_realloc(NULL, bytes);
	if (read_at(r, offset, packed, bytes))
		err = unpack((struct str){packed, bytes}, plain_max, a, out);
	free(packed);
	return err;
}

/* ---- the footer and the index ---- */

static bool take_footer(const unsigned char *footer, struct archive_footer *out)
{
	const unsigned char *fields = footer + 8;
	uint64_t frame = archive_get_u64(footer);

	*out = (struct archive_footer){.index_offset = archive_get_u64(fields + 8),
				       .index_bytes = archive_get_u64(fields + 16),
				       .executions = archive_get_u64(fields + 24),
				       .archive = archive_get_u64(fields + 32)};
	return frame == ((uint64_t)(8 * ARCHIVE_FOOTER_FIELDS) << 32 | ARCHIVE_SKIPPABLE) &&
	       memcmp(fields, archive_mark, sizeof archive_mark) == 0 && out->archive <= INT64_MAX;
}

static uint64_t blocks_max(const struct archive_footer *footer)
{
	return footer->index_offset / FRAME_MIN;
}

/* The index is behind the blocks and before the footer, and nothing else is. */
static bool fits(const struct archive_reading *r, const struct archive_footer *footer)
{
	uint64_t end = r->size - ARCHIVE_FOOTER_BYTES;

	return footer->index_offset < end && footer->index_bytes == end - footer->index_offset &&
	       footer->index_bytes <= INDEX_MAX &&
	       footer->executions <= blocks_max(footer) * ARCHIVE_BLOCK_EXECUTIONS;
}

/* Of the numbers that are in it: two, three of each block, one of each execution. */
static size_t index_max(const struct archive_footer *footer)
{
	uint64_t most = (2 + 3 * blocks_max(footer) + footer->executions) * VARINT_MAX;

	return most < INDEX_MAX ? most : INDEX_MAX;
}

static enum err read_footer(struct archive_file *f, struct archive_footer *out, struct str *index,
			    struct problem *p)
{
	struct archive_reading *r = f->own;
	unsigned char footer[ARCHIVE_FOOTER_BYTES];
	char *packed;
	bool whole;

	if (r->size < ARCHIVE_FOOTER_BYTES ||
	    !read_at(r, r->size - ARCHIVE_FOOTER_BYTES, footer, ARCHIVE_FOOTER_BYTES) ||
	    !take_footer(footer, out) || !fits(r, out))
		return is_torn(f, p);
	packed = must_realloc(NULL, out->index_bytes);
	whole = read_at(r, out->index_offset, packed, out->index_bytes) &&
		archive_checksum(footer + 8, (struct str){packed, out->index_bytes}) ==
			archive_get_u64(footer + 8 + 8 * (ARCHIVE_FOOTER_FIELDS - 1));
	whole = whole && unpack((struct str){packed, out->index_bytes}, index_max(out), r->arena, index) == OK;
	free(packed);
	return whole ? OK : is_damaged(f, p);
}

static bool take_blocks(struct archive_file *f, const struct archive_footer *footer, struct str *index)
{
	struct archive_reading *r = f->own;
	uint64_t offset, count, ids;
	size_t first = 0;

	if (!take_varint(index, &offset) || !take_varint(index, &count) || offset > footer->index_offset ||
	    count > blocks_max(footer))
		return false;
	r->blocks = ARENA_ARRAY(r->arena, struct block, count);
	for (f->blocks = 0; r->blocks && f->blocks < count; f->blocks++) {
		struct block *b = &r->blocks[f->blocks];

		if (!take_varint(index, &b->bytes) || !take_varint(index, &b->plain_bytes) ||
		    !take_varint(index, &ids) || b->bytes > footer->index_offset || ids == 0 ||
		    ids > ARCHIVE_BLOCK_EXECUTIONS || ids > footer->executions - first)
			return false;
		b->offset = offset;
		b->first = first;
		b->count = ids;
		offset += b->bytes;
		first += ids;
		if (offset > footer->index_offset || b->plain_bytes > ARCHIVE_PLAIN_MAX)
			return false;
	}
	return r->blocks && offset == footer->index_offset && first == footer->executions;
}

static bool take_ids(struct archive_file *f, uint64_t count, struct str *index)
{
	int64_t *ids = count <= index->n ? ARENA_ARRAY(f->own->arena, int64_t, count) : NULL;
	uint64_t distance, before = 0;

	for (f->count = 0; ids && f->count < count; f->count++) {
		if (!take_varint(index, &distance) || distance == 0 || distance > INT64_MAX - before)
			return false;
		before += distance;
		ids[f->count] = (int64_t)before;
	}
	f->ids = ids;
	return ids && index->n == 0;
}

/* ---- the head ---- */

/* The first frame, which is as long as the first block is far. */
static enum err read_head(struct archive_file *f, uint64_t end, struct problem *p)
{
	struct archive_reading *r = f->own;
	struct str text;
	struct problem why = {0};
	struct archive_head *h = &f->head;

	if (end > HEAD_MAX || read_frame(r, 0, end, HEAD_MAX, r->arena, &text))
		return is_damaged(f, p);
	if (json_decode_answer(&type_archive_head, text, r->arena, h, &why) || !str_eqz(h->format, ARCHIVE_FORMAT))
		return refuse(f, "is no archive of executions", p);
	if (h->version != ARCHIVE_VERSION)
		return refuse(f, "is of a form that this program does not know", p);
	if (columns_match(archive_queries[ARCHIVE_EXECUTION], h->executions, h->executions_count,
			  &r->columns[ARCHIVE_EXECUTION], &why) ||
	    columns_match(archive_queries[ARCHIVE_STEP], h->steps, h->steps_count, &r->columns[ARCHIVE_STEP],
			  &why) ||
	    columns_match(archive_queries[ARCHIVE_EVENT], h->events, h->events_count, &r->columns[ARCHIVE_EVENT],
			  &why))
		return problem_set(p, ERR_ARCHIVE, "the archive %s cannot be read: %s", f->name, why.detail);
	return OK;
}

/* ---- opening ---- */

static struct archive_file *file_new(const char *name, int fd)
{
	struct archive_file *f = NEW(struct archive_file);

	f->own = NEW(struct archive_reading);
	f->own->arena = arena_new(SIZE_MAX);
	f->own->fd = fd;
	f->name = arena_z(f->own->arena, str_of(name));
	return f;
}

void archive_file_close(struct archive_file **pf)
{
	struct archive_file *f = *pf;

	*pf = NULL;
	if (!f)
		return;
	close(f->own->fd);
	arena_destroy(&f->own->arena);
	free(f->own);
	free(f);
}

static enum err read_whole(struct archive_file *f, struct problem *p)
{
	struct archive_footer footer = {0};
	struct str index = {0};
	enum err err = read_footer(f, &footer, &index, p);
	uint64_t head_end;

	if (err)
		return err;
	f->archive = (int64_t)footer.archive;
	if (!take_blocks(f, &footer, &index) || !take_ids(f, footer.executions, &index))
		return is_damaged(f, p);
	head_end = f->blocks ? f->own->blocks[0].offset : footer.index_offset;
	return read_head(f, head_end, p);
}

enum err archive_file_open(const char *path, int64_t archive, struct archive_file **out, struct problem *p)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	enum err err;

	*out = NULL;
	if (fd < 0)
		return problem_set(p, ERR_ARCHIVE, "the archive %s cannot be opened: %s", path, strerror(errno));
	*out = file_new(path, fd);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		err = refuse(*out, "is no file", p);
	else {
		(*out)->own->size = (uint64_t)st.st_size;
		err = read_whole(*out, p);
	}
	if (!err && archive && (*out)->archive != archive)
		err = refuse(*out, "is another one than its name says", p);
	if (err)
		archive_file_close(out);
	return err;
}

/* ---- blocks ---- */

bool archive_file_find(const struct archive_file *f, int64_t id, size_t *block)
{
	size_t low = 0, high = f->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (f->ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == f->count || f->ids[low] != id)
		return false;
	for (*block = 0; f->own->blocks[*block].first + f->own->blocks[*block].count <= low;)
		++*block;
	return true;
}

size_t archive_block_first(const struct archive_file *f, size_t block)
{
	return block < f->blocks ? f->own->blocks[block].first : f->count;
}

static void *row_place(struct archive_row *row)
{
	switch (row->kind) {
	case ARCHIVE_EXECUTION:
		return &row->execution_row;
	case ARCHIVE_STEP:
		return &row->step_row;
	case ARCHIVE_EVENT:
		return &row->event_row;
	case ARCHIVE_ROW_KINDS:
		break;
	}
	UNREACHABLE();
}

static int64_t execution_of(const struct archive_row *row)
{
	switch (row->kind) {
	case ARCHIVE_EXECUTION:
		return row->execution_row.id;
	case ARCHIVE_STEP:
		return row->step_row.execution;
	case ARCHIVE_EVENT:
		return row->event_row.execution;
	case ARCHIVE_ROW_KINDS:
		break;
	}
	UNREACHABLE();
}

/* `place`: how many executions began in the block, which must be those of the index. */
static bool take_row(const struct archive_file *f, const struct block *b, struct str *bytes, size_t *place,
		     struct archive_row *row)
{
	if (bytes->n == 0 || (unsigned char)bytes->p[0] >= ARCHIVE_ROW_KINDS)
		return false;
	row->kind = (enum archive_row_kind)bytes->p[0];
	bytes->p++;
	bytes->n--;
	if (!row_take(&f->own->columns[row->kind], bytes, row_place(row)))
		return false;
	*place += row->kind == ARCHIVE_EXECUTION;
	row->execution = execution_of(row);
	return *place > 0 && *place <= b->count && row->execution == f->ids[b->first + *place - 1];
}

enum err archive_block_each(struct archive_file *f, size_t block, int64_t execution, struct arena *a,
			    archive_row_fn *fn, void *ctx, struct problem *p)
{
	const struct block *b = &f->own->blocks[block];
	struct str bytes;
	struct archive_row row;
	size_t place = 0;
	enum err err = read_frame(f->own, b->offset, b->bytes, b->plain_bytes, a, &bytes);

	if (err == ERR_TOO_LARGE)
		return problem_set(p, err, "the archive %s has executions that are too large to be read here",
				   f->name);
	if (err || bytes.n != b->plain_bytes)
		return is_damaged(f, p);
	while (bytes.n > 0 && !err) {
		if (!take_row(f, b, &bytes, &place, &row))
			return is_damaged(f, p);
		if (!execution || execution == row.execution)
			err = fn(ctx, &row);
	}
	return err || place == b->count ? err : is_damaged(f, p);
}

enum err archive_file_each(struct archive_file *f, archive_row_fn *fn, void *ctx, struct problem *p)
{
	struct arena *a = arena_new(SIZE_MAX);
	enum err err = OK;

	for (size_t i = 0; i < f->blocks && !err; i++) {
		err = archive_block_each(f, i, 0, a, fn, ctx, p);
		arena_reset(a);
	}
	arena_destroy(&a);
	return err;
}
