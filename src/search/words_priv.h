/* The dictionary: words, their stems, and the postings of each stem. */
#ifndef TENFOLD_SEARCH_WORDS_PRIV_H
#define TENFOLD_SEARCH_WORDS_PRIV_H

#include "search/index_priv.h"
#include "search/stem_priv.h"

/* Before the text of a term that is a whole name; no word begins like this. */
#define NAME_MARK '='

uint32_t word_find(struct gen *g, struct str text); /* NO_ID when nobody ever used it */

/* The stem's id, for a word that may be unknown; NO_ID when the stem is unknown too. Any thread. */
uint32_t word_find_stem(struct gen *g, struct stemmer *stemmer, struct str text);

/* The writer's: the word, made when it is new, with its stem. */
struct word *word_intern(struct search *s, struct str text, bool typed);
struct word *word_intern_name(struct search *s, struct str joined);

/* A posting at the end of the list of this stem. */
void postings_add(struct search *s, uint32_t stem, uint32_t slot, uint16_t worth);
size_t postings_bytes(uint32_t cap);
struct postings *postings_new(struct memory *m, uint32_t cap);
void postings_push(struct postings *p, uint32_t slot, uint16_t worth); /* there must be room */

static inline struct postings *postings_of(struct gen *g, uint32_t stem)
{
	return ptrs_get(&g->lists, stem);
}

#endif
