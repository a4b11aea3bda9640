/* Bits of a chunk: any value of a dimension, every dimension that is named. They are worked out once for a query.
 */
#include "search/filter_priv.h"

#include "search/bits_priv.h"
#include "search/values_priv.h"

#include <string.h>

/* A document that changes from one wanted value to another while they are looked at would be missed. Then they are
 * looked at again, as often as this: it takes as many changes within a microsecond each to be missed after all. */
enum { LOOKS_MAX = 64 };

static void add_dimension(struct filter *f, const struct view *v, const struct search_query *q, uint32_t dimension)
{
	uint32_t end = f->dimensions ? f->ends[f->dimensions - 1] : 0;
	bool named = false;

	for (size_t i = 0; i < q->filter_count; i++) {
		struct value *value;

		if (q->filters[i].dimension != dimension)
			continue;
		named = true;
		value = value_find(v->g, dimension, q->filters[i].text);
		if (value)
			f->values[end++] = value;
	}
	if (named)
		f->ends[f->dimensions++] = end;
}

uint32_t filter_dimensions(const struct search_query *q)
{
	uint32_t named = 0;

	for (size_t i = 0; i < q->filter_count; i++)
		named |= UINT32_C(1) << q->filters[i].dimension;
	return named;
}

struct filter *filter_new(const struct view *v, const struct search_query *q, uint32_t dimensions)
{
	uint32_t chunks = (v->visible + CHUNK_SLOTS - 1) / CHUNK_SLOTS;
	struct filter *f;

	if (!dimensions)
		return NULL;
	f = arena_alloc(v->arena, sizeof(*f) + chunks * sizeof(f->chunks[0]));
	CHECK(f != NULL);
	f->g = v->g;
	f->arena = v->arena;
	for (uint32_t d = 0; d < v->s->dimension_count; d++)
		if (dimensions >> d & 1)
			add_dimension(f, v, q, d);
	return f;
}

static void work_out(const struct filter *f, uint32_t chunk, uint64_t bits[CHUNK_WORDS])
{
	uint32_t from = 0;

	memset(bits, 0xff, CHUNK_WORDS * sizeof(bits[0]));
	for (uint32_t d = 0; d < f->dimensions; d++) {
		uint64_t any[CHUNK_WORDS] = {0};

		for (uint32_t i = from; i < f->ends[d]; i++)
			value_bits(f->values[i], chunk, any);
		for (uint32_t i = 0; i < CHUNK_WORDS; i++)
			bits[i] &= any[i];
		from = f->ends[d];
	}
}

const struct passing *filter_look(struct filter *f, uint32_t chunk)
{
	struct passing *p = f->chunks[chunk] = ARENA_NEW(f->arena, struct passing);
	uint32_t flips;

	CHECK(p != NULL);
	for (int looks = 0; looks < LOOKS_MAX; looks++) {
		flips = atomic_load_explicit(&f->g->flips, memory_order_acquire);
		work_out(f, chunk, p->bits);
		if (atomic_load_explicit(&f->g->flips, memory_order_acquire) == flips)
			break;
	}
	p->count = bits_count(p->bits, CHUNK_WORDS);
	return p;
}
