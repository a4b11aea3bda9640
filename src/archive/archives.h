/*
 * Archives as the API has them, and executions out of them. An archive is of its tenant; to another it does not exist.
 *
 * These run inside a handler, on its connection; memory is of the call's arena. ERR_ARCHIVE says which file cannot be
 * read, and why.
 */
#ifndef TENFOLD_ARCHIVE_ARCHIVES_H
#define TENFOLD_ARCHIVE_ARCHIVES_H

#include "archive/file.h"
#include "http/call.h"

/* Of the tenant, or of all (0). Inside a transaction; the job is to be woken after it. */
enum err archive_ask(struct db *db, enum archive_wish kind, int64_t tenant, int64_t before_ms);

enum err archive_list(struct call *c, const struct archive_list_in *in, struct archive_list_out *out);
enum err archive_show(struct call *c, int64_t id, struct archive *out);
/* The executions of one, newest first, given to `take` as rows that live as long as the arena: at most limit. */
typedef void archive_take_fn(void *ctx, const struct execution_row *row);
enum err archive_executions(struct call *c, const char *folder, const struct archive_executions_in *in,
			    archive_take_fn *take, void *ctx, struct str *next);
/* Inside a transaction. ERR_CONFLICT while it is written or moved. */
enum err archive_restore(struct call *c, int64_t id, struct archive *out);

/* Gives the rows of an archived execution of the caller's tenant. ERR_NOT_FOUND: it is in no archive. */
enum err archive_find(struct call *c, const char *folder, int64_t execution, archive_row_fn *fn, void *ctx);
/* Puts one back into the tables, inside a transaction. ERR_NOT_FOUND, ERR_CONFLICT as above. */
enum err archive_restore_one(struct call *c, const char *folder, int64_t execution);

#endif
