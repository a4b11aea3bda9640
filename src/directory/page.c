/* See page.h. */
#include "directory/page.h"

#include "base/id.h"

/* What visit() answers to end the reading; no error of the store. */
#define PAGE_FULL ERR_TOO_MANY

enum { STEP_GROWTH = 4 };

struct visiting {
	const struct page_source *source;
	size_t kept, enough, visited;
	int64_t last; /* visited */
};

static enum err visit(void *ctx, const void *row)
{
	struct visiting *v = ctx;
	v->visited++;
	v->last = *(const int64_t *)row;
	v->kept += v->source->keep(v->source->ctx, row);
	return v->kept == v->enough ? PAGE_FULL : OK;
}

enum err page_fill(const struct page_source *source, int64_t below, size_t enough, size_t visit_max,
		   int64_t *complete_to)
{
	struct visiting v = {.source = source, .enough = enough, .last = below};
	size_t step = enough;
	while (v.visited < visit_max) {
		size_t before = v.visited, wanted = step < visit_max - before ? step : visit_max - before;
		enum err err = source->read(source->ctx, v.last, (int64_t)wanted, visit, &v);
		*complete_to = v.last;
		if (err == PAGE_FULL)
			return OK;
		if (err)
			return err;
		if (v.visited - before < wanted) {
			*complete_to = 0;
			return OK;
		}
		step *= STEP_GROWTH;
	}
	return OK;
}

enum err page_cursor_read(bool given, struct str cursor, int64_t *below, struct problem *p)
{
	*below = INT64_MAX;
	if (!given || id_parse(cursor, "c_", below))
		return OK;
	return problem_field(p, ERR_INVALID, "cursor", "must be the next_cursor of a page");
}

struct str page_cursor(struct arena *a, int64_t below)
{
	char text[ID_TEXT];
	id_format(text, "c_", below);
	return arena_str(a, str_of(text));
}
