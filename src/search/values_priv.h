/* Values documents are narrowed by: which slots have which. */
#ifndef TENFOLD_SEARCH_VALUES_PRIV_H
#define TENFOLD_SEARCH_VALUES_PRIV_H

#include "search/index_priv.h"

struct value *value_find(struct gen *g, uint32_t dimension, struct str text); /* NULL: no document ever had it */
struct value *value_intern(struct search *s, struct gen *g, uint32_t dimension, struct str text);

static inline struct value *value_at(struct gen *g, uint32_t id)
{
	return ptrs_get(&g->values, id);
}

/* The writer's. */
void value_mark(struct memory *m, struct value *v, uint32_t slot);
void value_unmark(struct memory *m, struct value *v, uint32_t slot);

/* Adds the bits of those slots of a chunk that have the value. */
void value_bits(struct value *v, uint32_t chunk, uint64_t bits[CHUNK_WORDS]);

/* How many of these slots of a chunk have the value. */
uint32_t value_count(struct value *v, uint32_t chunk, const uint64_t bits[CHUNK_WORDS]);

void value_retire(struct memory *m, struct value *v);

#endif
