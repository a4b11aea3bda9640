/*
 * Pages of what is listed newest first, by id: rows are read along an index, in small steps, and what a caller may
 * not see or did not ask for is left out here. A page visits a bounded number of rows, so it may be short, or even
 * empty, and still have a next one.
 */
#ifndef TENFOLD_DIRECTORY_PAGE_H
#define TENFOLD_DIRECTORY_PAGE_H

#include "base/arena.h"
#include "base/problem.h"
#include "store/store.h"

enum { PAGE_VISIT_MAX = 10000 };

/* Reads at most `visit` rows with ids below, highest first. Each row begins with its id. */
typedef enum err page_read_fn(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx);
/* Takes the row, if it is wanted; true when it was. It lives as long as the call. */
typedef bool page_keep_fn(void *ctx, const void *row);

struct page_source {
	page_read_fn *read;
	page_keep_fn *keep;
	void *ctx;
};

/* Goes on until `enough` rows were kept, the source has no more, or visit_max were looked at. *complete_to: all there
 * are with ids from there on have been seen; 0 when the source has no more. */
enum err page_fill(const struct page_source *source, int64_t below, size_t enough, size_t visit_max,
		   int64_t *complete_to);

/* A cursor is the id that the next page stays below. */
enum err page_cursor_read(bool given, struct str cursor, int64_t *below, struct problem *p);
struct str page_cursor(struct arena *a, int64_t below);

#endif
