/* Why a document was found: the query's words, met in its fields, and what each gave. */
#ifndef TENFOLD_SEARCH_WHY_PRIV_H
#define TENFOLD_SEARCH_WHY_PRIV_H

#include "search/rank_priv.h"

struct whys {
	const struct view *v;
	const struct plan *p;
	struct sought *sought; /* stems that may be met, ascending */
	uint32_t n;
};

void whys_begin(struct whys *w, const struct view *v, const struct plan *p);
void whys_of(const struct whys *w, const struct doc *d, struct search_hit *hit);

#endif
