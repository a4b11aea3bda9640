/* Generations: made empty, filled from the one before, and given up. */
#ifndef TENFOLD_SEARCH_GEN_PRIV_H
#define TENFOLD_SEARCH_GEN_PRIV_H

#include "search/index_priv.h"

struct gen *gen_new(struct search *s);

/* With words and values: both belong to the next generation otherwise, except those it left behind. */
void gen_retire(struct search *s, struct gen *g, bool with_all);

/* The document takes a slot that is not visible yet. */
void gen_seat(struct search *s, struct gen *g, struct doc *d, uint32_t slot, double prior);

#endif
