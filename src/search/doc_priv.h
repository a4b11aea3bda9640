/*
 * A document's texts as counts of words. Packed, by ascending id of the stem:
 *
 *     varint  (distance to the stem before) * 2 + (whether its words are other than the stem itself)
 *     varint  how many words, and each id as varint: only if so
 *     byte    fields it is in, a bit each; 0: it is a whole name
 *     varint  occurrences, for each of those fields
 */
#ifndef TENFOLD_SEARCH_DOC_PRIV_H
#define TENFOLD_SEARCH_DOC_PRIV_H

#include "search/index_priv.h"

#include "base/buf.h"

/* One stem of a document while it is read. */
struct doc_stem {
	uint32_t stem;
	uint32_t word_count;
	struct str words; /* varints; empty: the stem itself is the only word */
	uint8_t fields;
	uint32_t counts[SEARCH_FIELDS_MAX];
};

struct doc_read {
	struct str rest;
	uint32_t stem;
};

struct doc_read doc_read(const struct doc *d);
bool doc_next(struct doc_read *r, struct doc_stem *out);
uint32_t doc_word_next(struct doc_stem *stem); /* word_count times */

/* What a stem gives to the document's score, without its rarity. */
uint16_t doc_worth(const struct search *s, const struct doc_stem *stem, const uint32_t *lengths);
double doc_field_tf(const struct search *s, const struct doc_stem *stem, const uint32_t *lengths, uint32_t field);

/* The writer's bench for taking texts apart. */
struct tally;
struct tally *tally_new(void);
void tally_destroy(struct tally **g);

/* The words are interned; nothing is counted yet. The caller owns it. */
struct doc *doc_new(struct search *s, const struct search_doc *from);

#endif
