/*
 * Rows of the store as bytes, beside a list of their columns' names and types, so that a file can be read by a program
 * whose rows have more columns: those that a file does not have are empty. The columns are those of the query that
 * inserts such a row, so a column that is added there is archived too.
 */
#ifndef TENFOLD_ARCHIVE_COLUMNS_H
#define TENFOLD_ARCHIVE_COLUMNS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/problem.h"
#include "store/store.h"

enum { COLUMNS_MAX = 64 };

/* "id int", "name text" …, in the arena. *count: how many. */
struct str *columns_names(const struct query *insert, struct arena *a, size_t *count);

/* Where the columns of a file go in the rows of this program. */
struct columns {
	const struct query *insert;
	size_t count;
	struct {
		enum sql_type type;
		int field; /* of insert->in */
	} of[COLUMNS_MAX];
};

/* ERR_ARCHIVE: one is unknown here, or of another type. */
enum err columns_match(const struct query *insert, const struct str *names, size_t count, struct columns *out,
		       struct problem *p);

void row_put(const struct query *insert, const void *row, struct buf *to);
/* Takes a row from the bytes; its texts point into them. False when they hold none. */
bool row_take(const struct columns *columns, struct str *bytes, void *row);
/* Copies its texts. */
void row_keep(const struct query *insert, void *row, struct arena *a);

#endif
