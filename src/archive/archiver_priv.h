/*
 * What the thread that writes and reads files (archiver.c) and the steps of the job (archive_job.c) share.
 *
 * The job gives an order after its commit, the thread carries it out and wakes the job, which takes what came of it.
 */
#ifndef TENFOLD_ARCHIVE_ARCHIVER_PRIV_H
#define TENFOLD_ARCHIVE_ARCHIVER_PRIV_H

#include "archive/archiver.h"
#include "archive/file.h"
#include "base/vec.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ARCHIVE_FILE_NAME = 128 };

enum order_kind { ORDER_NONE, ORDER_WRITE, ORDER_READ };

struct order {
	enum order_kind kind;
	int64_t archive, tenant, from_ms, to_ms, held_ms;
	char file[ARCHIVE_FILE_NAME]; /* in the folder; of ORDER_WRITE what came of it */
};

/* Up to which batch a squad's events are in the file, and soon nowhere else. */
struct archive_gone {
	int64_t squad, seq;
};

/* What came of an order. */
struct carried_out {
	struct order order; /* kind ORDER_NONE: nothing yet */
	enum err err;
	char why[320];
	struct archive_written written;
	struct archive_file *file;     /* of ORDER_READ: all of it has been read … */
	VEC(struct archive_gone) gone; /* … and this was found */
};

struct archiver {
	unsigned magic;
	struct archiver_config config;
	pthread_t thread;
	bool has_thread;

	pthread_mutex_t lock; /* what follows */
	pthread_cond_t changed;
	struct order order; /* that is to be carried out, or is */
	struct carried_out result;
	atomic_bool stopping;

	/* Of the job, on the queue's thread: the file that is being moved or restored, and how far that is. */
	struct archive_file *file;
	VEC(struct archive_gone) gone; /* with it */
	size_t at;
	/* What a run has decided, and is done when it is committed. */
	struct order next_order;
	size_t next_at;
	bool closes;     /* the file is done with */
	bool took;       /* what came of the last order */
	bool takes_file; /* … and its file */
};

/* archive_job.c: for the job. ctx: the archiver. */
enum err archive_step(void *ctx, struct db *db, struct job_run *run);
void archive_step_committed(void *ctx);

/* "FOLDER/FILE" */
const char *archive_path(const struct archiver *a, const char *file, struct buf *to);

#endif
