/*
 * Files of executions that have ended.
 *
 *   head   block  block  …  index   footer
 *   each a zstd frame with its checksum      a skippable frame: where the index is, how many, whose, and a checksum
 *
 * The head is JSON (type archive_head) and says what the rows of the blocks hold, so `zstd -dc FILE | head -1` tells
 * what a file is. A block holds whole executions, each its row, its steps and what happened in it; blocks are in the
 * order of ids, and the index says which ids are in which.
 *
 * A file is written beside its place, flushed, and renamed: under its name it is whole or not there. What is read is
 * checked first: the footer when a file is opened, each frame when it is used. ERR_ARCHIVE names the file, and says
 * whether it is torn, damaged, or no file of ours.
 */
#ifndef TENFOLD_ARCHIVE_FILE_H
#define TENFOLD_ARCHIVE_FILE_H

#include "archive/columns.h"
#include "spec/types.h"
#include "store/queries.h"

enum { ARCHIVE_BLOCK_BYTES = 1 << 20, ARCHIVE_BLOCK_EXECUTIONS = 256 };

/* ---- writing ---- */

struct archive_writer;

struct archive_written {
	int64_t executions, first, last; /* ids */
	int64_t bytes, plain_bytes;
};

/* Begins `path`.part. The head's columns are filled in here. ERR_STORE_FULL and others say what the system did. */
enum err archive_writer_open(const char *path, struct archive_head *head, int64_t archive,
			     struct archive_writer **out, struct problem *p);
/* Executions by growing id; then what is of each. */
void archive_put_execution(struct archive_writer *w, const struct execution_row *row);
void archive_put_step(struct archive_writer *w, const struct step_row *row);
void archive_put_event(struct archive_writer *w, const struct execution_event_row *row);
/* All of the execution has been put. */
enum err archive_end_execution(struct archive_writer *w, struct problem *p);
/* Whole and durable under its name. */
enum err archive_writer_finish(struct archive_writer *w, struct archive_written *out, struct problem *p);
/* Also removes what was not finished. */
void archive_writer_close(struct archive_writer **w);

/* ---- reading ---- */

struct archive_file {
	const char *name; /* for people */
	struct archive_head head;
	int64_t archive;
	const int64_t *ids; /* ascending */
	size_t count, blocks;
	struct archive_reading *own;
};

/* `archive`: whose file it must be; 0: any. Owner: the caller, archive_file_close(). */
enum err archive_file_open(const char *path, int64_t archive, struct archive_file **out, struct problem *p);
void archive_file_close(struct archive_file **f);

/* In which block an execution is; false: it is not in the file. */
bool archive_file_find(const struct archive_file *f, int64_t id, size_t *block);
/* The place in ids of the first of a block. */
size_t archive_block_first(const struct archive_file *f, size_t block);

enum archive_row_kind { ARCHIVE_EXECUTION, ARCHIVE_STEP, ARCHIVE_EVENT, ARCHIVE_ROW_KINDS };

/* Valid until the next; texts point into the block, which is in the arena. */
struct archive_row {
	enum archive_row_kind kind;
	int64_t execution;
	union {
		struct execution_row execution_row;
		struct step_row step_row;
		struct execution_event_row event_row;
	};
};

typedef enum err archive_row_fn(void *ctx, const struct archive_row *row);

/* Gives the rows of a block, or of one execution in it (0: all), in order. What is given has been checked: the block
 * is whole, each row belongs to the execution before it, and they are those that the index names. ERR_TOO_LARGE: the
 * arena has no room for the block, which has ARCHIVE_PLAIN_MAX bytes at most. */
enum err archive_block_each(struct archive_file *f, size_t block, int64_t execution, struct arena *a,
			    archive_row_fn *fn, void *ctx, struct problem *p);
/* The rows of all blocks. */
enum err archive_file_each(struct archive_file *f, archive_row_fn *fn, void *ctx, struct problem *p);

#endif
