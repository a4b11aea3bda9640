/* Which slots pass the filters of a query, worked out for one chunk at a time and only where somebody asks. */
#ifndef TENFOLD_SEARCH_FILTER_PRIV_H
#define TENFOLD_SEARCH_FILTER_PRIV_H

#include "search/plan_priv.h"

/* The slots of one chunk that pass. */
struct passing {
	uint32_t count;
	uint64_t bits[CHUNK_WORDS];
};

struct filter {
	struct gen *g;
	struct arena *arena;
	struct value *values[SEARCH_FILTERS_MAX]; /* of one dimension after the other */
	uint32_t ends[SEARCH_DIMENSIONS_MAX];     /* where each dimension ends; may be empty: nothing passes */
	uint32_t dimensions;
	struct passing *chunks[]; /* NULL: not worked out yet */
};

/* The dimensions a query names, a bit each. */
uint32_t filter_dimensions(const struct search_query *q);

/* By those of the query's filters that are of these dimensions, all of which it names. NULL without any. */
struct filter *filter_new(const struct view *v, const struct search_query *q, uint32_t dimensions);
const struct passing *filter_look(struct filter *f, uint32_t chunk);

static inline const struct passing *filter_chunk(struct filter *f, uint32_t chunk)
{
	return f->chunks[chunk] ? f->chunks[chunk] : filter_look(f, chunk);
}

static inline bool filter_passes(struct filter *f, uint32_t slot)
{
	return !f || (filter_chunk(f, slot / CHUNK_SLOTS)->bits[slot % CHUNK_SLOTS / 64] >> slot % 64 & 1);
}

static inline bool filter_lets_any(struct filter *f, uint32_t chunk)
{
	return !f || filter_chunk(f, chunk)->count;
}

#endif
