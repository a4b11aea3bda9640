/* Which slots pass the filters of a query, worked out for one chunk at a time and only where somebody asks. */
#ifndef TENFOLD_SEARCH_FILTER_PRIV_H
#define TENFOLD_SEARCH_FILTER_PRIV_H

#include "search/plan_priv.h"

struct filter;

struct filter *filter_new(const struct view *v, const struct search_query *q); /* NULL without filters */
const uint64_t *filter_bits(struct filter *f, uint32_t chunk); /* CHUNK_WORDS; lives until the next call */

static inline bool filter_passes(struct filter *f, uint32_t slot)
{
	return !f || (filter_bits(f, slot / CHUNK_SLOTS)[slot % CHUNK_SLOTS / 64] >> slot % 64 & 1);
}

#endif
