/* See page.h. */
#include "store/page.h"

#include "base/id.h"

/* What visit() answers to end the reading; no error of the store. */
#define PAGE_FULL ERR_TOO_MANY

enum { STEP_GROWTH = 4 };

struct visiting {
	const struct page_source *source;
	size_t kept, enough, visited;
	int64_t last;     /* visited */
	int64_t last_but; /* kept before the one that is enough */
};

static enum err visit(void *ctx, const void *row)
{
	struct visiting *v = ctx;
	v->visited++;
	v->last = *(const int64_t *)row;
	if (!v->source->keep(v->source->ctx, row))
		return OK;
	if (++v->kept == v->enough)
		return PAGE_FULL;
	v->last_but = v->last;
	return OK;
}

/* *complete_to as page_fill() has it. */
static enum err go_on(struct visiting *v, size_t visit_max, int64_t *complete_to)
{
	size_t step = v->enough;
	while (v->visited < visit_max) {
		size_t before = v->visited, wanted = step < visit_max - before ? step : visit_max - before;
		enum err err = v->source->read(v->source->ctx, v->last, (int64_t)wanted, visit, v);
		*complete_to = v->last;
		if (err == PAGE_FULL)
			return OK;
		if (err)
			return err;
		if (v->visited - before < wanted) {
			*complete_to = 0;
			return OK;
		}
		step *= STEP_GROWTH;
	}
	return OK;
}

enum err page_fill(const struct page_source *source, int64_t below, size_t enough, size_t visit_max,
		   int64_t *complete_to)
{
	struct visiting v = {.source = source, .enough = enough, .last = below};
	return go_on(&v, visit_max, complete_to);
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

struct page_end page_cut(struct arena *a, size_t kept, size_t limit, int64_t next)
{
	return (struct page_end){.count = kept > limit ? limit : kept,
				 .next = next > 0 ? page_cursor(a, next) : (struct str){0}};
}

enum err page_take(const struct page_source *source, const struct page_want *want, struct arena *a,
		   struct problem *p, struct page_end *out)
{
	struct visiting v = {.source = source, .enough = want->limit + 1};
	int64_t complete_to = 0;
	enum err err = page_cursor_read(want->resumes, want->cursor, &v.last, p);
	if (!err && arena_overflowed(a))
		err = ERR_INTERNAL;
	if (!err)
		err = go_on(&v, want->visit_max ? want->visit_max : PAGE_VISIT_MAX, &complete_to);
	if (!err)
		*out = page_cut(a, v.kept, want->limit, v.kept > want->limit ? v.last_but : complete_to);
	return err;
}
