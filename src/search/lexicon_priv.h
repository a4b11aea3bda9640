/*
 * The words people type, in order, to find beginnings and neighbours by edit distance.
 *
 * A few sorted runs, each at least twice as long as the next, and a tail of what came last. An entry carries the
 * first eight bytes of its word as a number, so that most steps look at no other memory.
 */
#ifndef TENFOLD_SEARCH_LEXICON_PRIV_H
#define TENFOLD_SEARCH_LEXICON_PRIV_H

#include "search/index_priv.h"

enum { LEXICON_RUNS_MAX = 32, LEXICON_TAIL = 256, EDITS_MAX = 2 };

struct entry {
	uint64_t key; /* first eight bytes, the first one on top, zeros behind */
	const struct word *word;
};

struct run {
	uint32_t n;
	struct entry v[];
};

struct lexicon {
	uint32_t run_count;
	struct run *runs[LEXICON_RUNS_MAX];
	_Atomic uint32_t tail_n;
	const struct word *tail[LEXICON_TAIL];
};

void lexicon_add(struct search *s, const struct word *w);                       /* once for each word */
struct lexicon *lexicon_compacted(struct search *s, const struct lexicon *old); /* without words of no document */
void lexicon_retire(struct search *s, struct lexicon *l);

/* Called for each word found that documents have; in no order. */
typedef void lexicon_found_fn(void *whose, const struct word *w, uint32_t edits);

void lexicon_beginning(struct gen *g, struct str prefix, lexicon_found_fn *found, void *whose);

/* At most `edits` characters inserted, left out, replaced, or swapped with a neighbour (optimal string alignment).
 * A word that is two edits away must have the same first character: people get that one right, and it makes the
 * search ten times faster. */
void lexicon_similar(struct gen *g, struct str word, uint32_t edits, lexicon_found_fn *found, void *whose);

#endif
