/* All that matches: how many, and how often each value occurs among them. Asked for only when somebody asks. */
#ifndef TENFOLD_SEARCH_COUNT_PRIV_H
#define TENFOLD_SEARCH_COUNT_PRIV_H

#include "search/rank_priv.h"

struct matches {
	uint64_t *bits; /* of slots, chunk after chunk */
	uint32_t chunks;
	uint64_t count;
};

void matches_find(struct matches *m, const struct rank *r);
void matches_facets(const struct matches *m, const struct view *v, uint32_t dimensions, struct search_result *out);

#endif
