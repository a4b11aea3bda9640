/*
 * The stem of an English word, by Snowball's Porter2 (libstemmer). A stemmer keeps state, so each thread has its
 * own; with those it is safe. Words of other scripts and with digits are their own stems.
 */
#ifndef TENFOLD_SEARCH_STEM_PRIV_H
#define TENFOLD_SEARCH_STEM_PRIV_H

#include "base/str.h"

struct stemmer;

struct stemmer *stemmer_new(void);
void stemmer_destroy(struct stemmer **s);

/* `word` is folded. The result lives until the next call, or as long as the word. */
struct str stem_of(struct stemmer *s, struct str word);

/* Words that tell little about a text: they count an eighth, and need not be met. */
bool is_stop_word(struct str word);

#endif
