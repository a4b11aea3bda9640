/* Writing archive files; see file.h. */
#include "archive/file_priv.h"

#include "base/magic.h"
#include "base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum { LEVEL = 3 };

const struct query *const archive_queries[ARCHIVE_ROW_KINDS] = {&Q_EXECUTION_INSERT, &Q_STEP_INSERT,
								&Q_EXECUTION_EVENT_INSERT};

/* A block that is written, and how many ids it has. */
struct written_block {
	uint64_t bytes, plain_bytes, ids;
};

struct archive_writer {
	char *path, *beside;
	int fd;
	ZSTD_CCtx *zstd;
	struct buf plain, packed;
	VEC(struct written_block) blocks;
	VEC(int64_t) ids;
	size_t in_block;
	int64_t archive;
	uint64_t offset, plain_bytes;
};

/* ---- bytes ---- */

static enum err system_says(const struct archive_writer *w, struct problem *p)
{
	enum err err = errno == ENOSPC || errno == EDQUOT ? ERR_STORE_FULL : ERR_STORE_UNAVAILABLE;

	return problem_set(p, err, "%s: %s", w->beside, strerror(errno));
}

static enum err write_all(struct archive_writer *w, const void *bytes, size_t n, struct problem *p)
{
	const char *at = bytes;

	for (size_t left = n; left > 0;) {
		ssize_t written = write(w->fd, at, left);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return system_says(w, p);
		at += written;
		left -= (size_t)written;
	}
	w->offset += n;
	return OK;
}

/* One frame; what is in w->packed afterwards is it. */
static enum err write_frame(struct archive_writer *w, struct str plain, struct problem *p)
{
	size_t room = ZSTD_compressBound(plain.n), n;
	char *to;

	buf_reset(&w->packed);
	to = buf_room(&w->packed, room);
	if (!to)
		return problem_set(p, ERR_TOO_LARGE, "%s: an execution has more than fits", w->beside);
	n = ZSTD_compress2(w->zstd, to, room, plain.p, plain.n);
	if (ZSTD_isError(n))
		return problem_set(p, ERR_INTERNAL, "%s: %s", w->beside, ZSTD_getErrorName(n));
	buf_took(&w->packed, n);
	w->plain_bytes += plain.n;
	return write_all(w, to, n, p);
}

/* ---- the head ---- */

static enum err write_head(struct archive_writer *w, struct archive_head *head, struct problem *p)
{
	struct arena *a = arena_new(1 << 20);
	enum err err;

	head->format = STR(ARCHIVE_FORMAT);
	head->version = ARCHIVE_VERSION;
	head->executions = columns_names(archive_queries[ARCHIVE_EXECUTION], a, &head->executions_count);
	head->steps = columns_names(archive_queries[ARCHIVE_STEP], a, &head->steps_count);
	head->events = columns_names(archive_queries[ARCHIVE_EVENT], a, &head->events_count);
	json_encode(&type_archive_head, head, 0, &w->plain);
	buf_c(&w->plain, '\n');
	err = buf_ok(&w->plain) ? write_frame(w, buf_str(&w->plain), p) : ERR_INTERNAL;
	buf_reset(&w->plain);
	arena_destroy(&a);
	return err;
}

static char *joined(const char *a, const char *b)
{
	struct buf text = BUF_INIT(0);

	buf_z(&text, a);
	buf_z(&text, b);
	CHECK(buf_ok(&text));
	return text.p; /* the caller's to free */
}

enum err archive_writer_open(const char *path, struct archive_head *head, int64_t archive,
			     struct archive_writer **out, struct problem *p)
{
	struct archive_writer *w = NEW(struct archive_writer);
	enum err err;

	w->path = joined(path, "");
	w->beside = joined(path, ".part");
	w->archive = archive;
	w->plain = w->packed = BUF_INIT(ARCHIVE_PLAIN_MAX);
	w->zstd = ZSTD_createCCtx();
	CHECK(w->zstd);
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
	w->fd = open(w->beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	err = w->fd < 0 ? system_says(w, p) : write_head(w, head, p);
	if (err)
		archive_writer_close(&w);
	*out = w;
	return err;
}

/* ---- blocks ---- */

static void put_row(struct archive_writer *w, enum archive_row_kind kind, const void *row)
{
	buf_c(&w->plain, (char)kind);
	row_put(archive_queries[kind], row, &w->plain);
}

void archive_put_execution(struct archive_writer *w, const struct execution_row *row)
{
	CHECK(w->ids.n == 0 || w->ids.v[w->ids.n - 1] < row->id);
	*VEC_PUSH(&w->ids) = row->id;
	w->in_block++;
	put_row(w, ARCHIVE_EXECUTION, row);
}

void archive_put_step(struct archive_writer *w, const struct step_row *row)
{
	put_row(w, ARCHIVE_STEP, row);
}

void archive_put_event(struct archive_writer *w, const struct execution_event_row *row)
{
	put_row(w, ARCHIVE_EVENT, row);
}

static enum err end_block(struct archive_writer *w, struct problem *p)
{
	uint64_t from = w->offset;
	enum err err;

	if (w->in_block == 0)
		return OK;
	if (!buf_ok(&w->plain))
		return problem_set(p, ERR_TOO_LARGE, "%s: an execution has more than fits", w->beside);
	err = write_frame(w, buf_str(&w->plain), p);
	*VEC_PUSH(&w->blocks) = (struct written_block){w->offset - from, w->plain.n, w->in_block};
	w->in_block = 0;
	buf_reset(&w->plain);
	return err;
}

enum err archive_end_execution(struct archive_writer *w, struct problem *p)
{
	bool full = w->plain.n >= ARCHIVE_BLOCK_BYTES || w->in_block >= ARCHIVE_BLOCK_EXECUTIONS;

	return full || !buf_ok(&w->plain) ? end_block(w, p) : OK;
}

/* ---- the end ---- */

/* Blocks: bytes, plain bytes, how many ids. Then all ids, each as its distance from the one before. */
static void put_index(struct archive_writer *w, uint64_t first_offset)
{
	int64_t before = 0;

	buf_reset(&w->plain);
	buf_varint(&w->plain, first_offset);
	buf_varint(&w->plain, w->blocks.n);
	for (size_t i = 0; i < w->blocks.n; i++) {
		buf_varint(&w->plain, w->blocks.v[i].bytes);
		buf_varint(&w->plain, w->blocks.v[i].plain_bytes);
		buf_varint(&w->plain, w->blocks.v[i].ids);
	}
	for (size_t i = 0; i < w->ids.n; i++) {
		buf_varint(&w->plain, (uint64_t)(w->ids.v[i] - before));
		before = w->ids.v[i];
	}
}

static enum err write_footer(struct archive_writer *w, uint64_t index_offset, struct problem *p)
{
	unsigned char footer[ARCHIVE_FOOTER_BYTES], *fields = footer + 8;

	for (int i = 0; i < 4; i++) {
		footer[i] = (unsigned char)((unsigned)ARCHIVE_SKIPPABLE >> 8 * i);
		footer[4 + i] = (unsigned char)((unsigned)(8 * ARCHIVE_FOOTER_FIELDS) >> 8 * i);
	}
	memcpy(fields, archive_mark, sizeof archive_mark);
	archive_put_u64(fields + 8, index_offset);
	archive_put_u64(fields + 16, w->packed.n);
	archive_put_u64(fields + 24, w->ids.n);
	archive_put_u64(fields + 32, (uint64_t)w->archive);
	archive_put_u64(fields + 40, archive_checksum(fields, buf_str(&w->packed)));
	return write_all(w, footer, sizeof footer, p);
}

/* The name is durable when its directory is. */
static enum err put_in_place(struct archive_writer *w, struct problem *p)
{
	char *slash = strrchr(w->path, '/');
	int dir, synced;

	if (fsync(w->fd) != 0 || rename(w->beside, w->path) != 0)
		return system_says(w, p);
	*slash = '\0';
	dir = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	synced = dir < 0 ? -1 : fsync(dir);
	if (dir >= 0)
		close(dir);
	return synced == 0 ? OK : system_says(w, p);
}

static uint64_t bytes_of_blocks(const struct archive_writer *w)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < w->blocks.n; i++)
		sum += w->blocks.v[i].bytes;
	return sum;
}

enum err archive_writer_finish(struct archive_writer *w, struct archive_written *out, struct problem *p)
{
	enum err err = end_block(w, p);
	uint64_t index_offset = w->offset;

	put_index(w, w->offset - bytes_of_blocks(w));
	if (!err)
		err = buf_ok(&w->plain) ? write_frame(w, buf_str(&w->plain), p) : ERR_TOO_LARGE;
	if (!err)
		err = write_footer(w, index_offset, p);
	if (!err)
		err = put_in_place(w, p);
	*out = (struct archive_written){.executions = (int64_t)w->ids.n,
					.first = w->ids.n ? w->ids.v[0] : 0,
					.last = w->ids.n ? w->ids.v[w->ids.n - 1] : 0,
					.bytes = (int64_t)w->offset,
					.plain_bytes = (int64_t)w->plain_bytes};
	return err;
}

void archive_writer_close(struct archive_writer **pw)
{
	struct archive_writer *w = *pw;

	*pw = NULL;
	if (!w)
		return;
	if (w->fd >= 0) {
		close(w->fd);
		unlink(w->beside); /* gone already when it was renamed */
	}
	ZSTD_freeCCtx(w->zstd);
	buf_free(&w->plain);
	buf_free(&w->packed);
	VEC_FREE(&w->blocks);
	VEC_FREE(&w->ids);
	free(w->path);
	free(w->beside);
	free(w);
}
