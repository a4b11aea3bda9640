/*
 * A page of headings, sentences and tables, written once and shown as Markdown, as HTML, or as CSV, which is one of its
 * tables alone. All text is escaped here, so that callers never do.
 *
 * Cells are given row by row; after the last column's a row is over. Numbers are plain in all formats ("12345.6"), and
 * their unit stands in the column's name. In CSV a text that a spreadsheet would take for a formula gets an apostrophe.
 */
#ifndef TENFOLD_SIM_PAGE_H
#define TENFOLD_SIM_PAGE_H

#include "base/buf.h"

#include <math.h>

#define PAGE_NONE ((double)NAN) /* as a number: an empty cell */

enum page_format { PAGE_MARKDOWN, PAGE_HTML, PAGE_CSV };

struct page_column {
	const char *name;
	bool number;
};

struct page {
	enum page_format format;
	struct buf *b;
	struct str only; /* of CSV: the name of the table */
	bool found;      /* of CSV: it was there */
	/* its own */
	const struct page_column *columns;
	unsigned count, at;
	bool shown;
};

void page_begin(struct page *p, struct str title);
void page_end(struct page *p);
void page_heading(struct page *p, const char *text);
void page_text(struct page *p, struct str text);
void page_items(struct page *p, const struct str *texts, size_t count);

/* `name` is what CSV calls it. */
void page_table(struct page *p, const char *name, const struct page_column *columns, unsigned count);
#define PAGE_TABLE(p, name, columns) page_table((p), (name), (columns), sizeof(columns) / sizeof((columns)[0]))
void page_cell(struct page *p, struct str text);
void page_int(struct page *p, int64_t n);
void page_real(struct page *p, double v, int decimals); /* an empty cell when it is no finite number */
void page_table_end(struct page *p);

/* Text within HTML, between tags or quotes. */
void page_escape(struct buf *b, struct str text);

#endif
