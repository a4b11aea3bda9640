/*
 * One allocation per body: the row, then its text. Entries stand in a map by id and in a list by age.
 */
#include "work/bodies.h"

#include "base/magic.h"
#include "base/map.h"

#include <string.h>

struct body {
	struct body *older, *newer;
	size_t bytes;
	struct work_body_row row;
	char text[];
};

struct bodies {
	struct map by_id;
	struct body *oldest, *newest;
	size_t bytes, max_bytes;
};

struct bodies *bodies_new(size_t max_bytes)
{
	struct bodies *b = NEW(struct bodies);
	b->max_bytes = max_bytes;
	return b;
}

void bodies_destroy(struct bodies **b)
{
	if (!*b)
		return;
	for (struct body *e = (*b)->oldest, *next; e; e = next) {
		next = e->newer;
		free(e);
	}
	map_free(&(*b)->by_id);
	free(*b);
	*b = NULL;
}

static void forget(struct bodies *b, struct body *e)
{
	*(e->older ? &e->older->newer : &b->oldest) = e->newer;
	*(e->newer ? &e->newer->older : &b->newest) = e->older;
	map_take(&b->by_id, (uint64_t)e->row.id);
	b->bytes -= e->bytes;
	free(e);
}

static void copy_text(struct str *s, char **to)
{
	if (!s->p)
		return;
	memcpy(*to, s->p, s->n);
	s->p = *to;
	*to += s->n;
}

void bodies_put(struct bodies *b, const struct work_body_row *row)
{
	size_t text =
		row->key.n + row->title.n + row->description.n + row->payload.n + row->labels.n + row->trace.n;
	size_t bytes = sizeof(struct body) + text;
	if (bytes > b->max_bytes / 4)
		return; /* one giant must not push out everything */
	bodies_drop(b, row->id);
	while (b->oldest && b->bytes + bytes > b->max_bytes)
		forget(b, b->oldest);
	struct body *e = must_alloc(bytes);
	char *to = e->text;
	e->bytes = bytes;
	e->row = *row;
	struct str *texts[] = {&e->row.key,     &e->row.title,  &e->row.description,
			       &e->row.payload, &e->row.labels, &e->row.trace};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		copy_text(texts[i], &to);
	e->older = b->newest;
	*(b->newest ? &b->newest->newer : &b->oldest) = e;
	b->newest = e;
	b->bytes += bytes;
	map_put(&b->by_id, (uint64_t)row->id, e);
}

const struct work_body_row *bodies_get(const struct bodies *b, int64_t id)
{
	const struct body *e = map_get(&b->by_id, (uint64_t)id);
	return e ? &e->row : NULL;
}

void bodies_drop(struct bodies *b, int64_t id)
{
	struct body *e = map_get(&b->by_id, (uint64_t)id);
	if (e)
		forget(b, e);
}
