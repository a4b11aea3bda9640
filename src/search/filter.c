/* Bits of a chunk: any value of a dimension, every dimension that is named. The chunk asked for last is kept. */
#include "search/filter_priv.h"

#include "search/values_priv.h"

#include <string.h>

/* A document that changes from one wanted value to another while they are looked at would be missed. Then they are
 * looked at again, as often as this: it takes as many changes within a microsecond each to be missed after all. */
enum { LOOKS_MAX = 64 };

struct filter {
	struct gen *g;
	struct value *values[SEARCH_FILTERS_MAX]; /* of one dimension after the other */
	uint32_t ends[SEARCH_DIMENSIONS_MAX];     /* where each dimension ends; may be empty: nothing passes */
	uint32_t dimensions;
	uint32_t chunk;
	uint64_t bits[CHUNK_WORDS];
};

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

struct filter *filter_new(const struct view *v, const struct search_query *q)
{
	struct filter *f;

	if (!q->filter_count)
		return NULL;
	f = ARENA_NEW(v->arena, struct filter);
	f->g = v->g;
	f->chunk = NO_ID;
	for (uint32_t d = 0; d < v->s->dimension_count; d++)
		add_dimension(f, v, q, d);
	return f;
}

static void look(struct filter *f)
{
	uint32_t from = 0;

	memset(f->bits, 0xff, sizeof(f->bits));
	for (uint32_t d = 0; d < f->dimensions; d++) {
		uint64_t any[CHUNK_WORDS] = {0};

		for (uint32_t i = from; i < f->ends[d]; i++)
			value_bits(f->values[i], f->chunk, any);
		for (uint32_t i = 0; i < CHUNK_WORDS; i++)
			f->bits[i] &= any[i];
		from = f->ends[d];
	}
}

const uint64_t *filter_bits(struct filter *f, uint32_t chunk)
{
	uint32_t flips;

	if (f->chunk == chunk)
		return f->bits;
	f->chunk = chunk;
	for (int looks = 0; looks < LOOKS_MAX; looks++) {
		flips = atomic_load_explicit(&f->g->flips, memory_order_acquire);
		look(f);
		if (atomic_load_explicit(&f->g->flips, memory_order_acquire) == flips)
			break;
	}
	return f->bits;
}
