/*
 * Pages of what is listed newest first, by id: rows are read along an index, in small steps, and what a caller may
 * not see or did not ask for is left out here. A page visits a bounded number of rows, so it may be short, or even
 * empty, and still have a next one. A handler is
 *
 *	out->items = ARENA_ARRAY(c->arena, struct thing, PAGE_ROOM(in));
 *	err = page_take(&source, PAGE_WANT(in, thing_list_in), c->arena, &c->problem, &end);
 *	if (!err)
 *		PAGE_PUT(out, thing_list_out, end);
 */
#ifndef TENFOLD_STORE_PAGE_H
#define TENFOLD_STORE_PAGE_H

#include "base/arena.h"
#include "base/problem.h"
#include "spec/types.h"
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

struct page_want {
	bool resumes; /* behind the cursor; else from the newest on */
	struct str cursor;
	size_t limit;     /* rows, at least 1 */
	size_t visit_max; /* 0: PAGE_VISIT_MAX */
};

struct page_end {
	size_t count;    /* rows of the page */
	struct str next; /* the cursor of the next one, in the arena; p is NULL when there is none */
};

/* What the caller of a list asked for, and the answer to it. */
#define PAGE_WANT(in, type)   \
	(&(struct page_want){ \
		.resumes = HAS(in, type, cursor), .cursor = (in)->cursor, .limit = (size_t)(in)->limit})
#define PAGE_PUT(out, type, end)                                 \
	do {                                                     \
		(out)->items_count = (end).count;                \
		if ((end).next.p)                                \
			PUT(out, type, next_cursor, (end).next); \
	} while (0)
/* Rows that keep() may take: one more than the page has, which tells that there is a next one. */
#define PAGE_ROOM(in) ((size_t)(in)->limit + 1)

/* Has up to limit + 1 rows kept, which the source appends to an array of so many out of the same arena, and says how
 * many of them are the page. ERR_INVALID: the cursor is none. ERR_INTERNAL: the arena had no room for the array. */
enum err page_take(const struct page_source *source, const struct page_want *want, struct arena *a,
		   struct problem *p, struct page_end *out);

/* ---- for pages that are made otherwise: of two sources, or oldest first ---- */

/* A cursor is the id that the next page stays below; *below is INT64_MAX when none was given. */
enum err page_cursor_read(bool given, struct str cursor, int64_t *below, struct problem *p);
struct str page_cursor(struct arena *a, int64_t below);

/* Goes on until `enough` rows were kept, the source has no more, or visit_max were looked at. *complete_to: all there
 * are with ids from there on have been seen; 0 when the source has no more. */
enum err page_fill(const struct page_source *source, int64_t below, size_t enough, size_t visit_max,
		   int64_t *complete_to);

/* The page that so many kept rows make. `next`: the id that the next page begins behind; 0: there is none. */
struct page_end page_cut(struct arena *a, size_t kept, size_t limit, int64_t next);

#endif
