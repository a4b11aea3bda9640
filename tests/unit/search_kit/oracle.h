/*
 * The search said again plainly: every document is looked at for every query, words are compared as text, and the
 * formula stands there as in search.h. It shares the tokenizer and the stemmer with the library, and nothing else.
 */
#ifndef TENFOLD_TESTS_SEARCH_ORACLE_H
#define TENFOLD_TESTS_SEARCH_ORACLE_H

#include "base/arena.h"
#include "base/vec.h"
#include "search/search.h"

struct oracle_hit {
	int64_t id;
	double score;
};

struct oracle_answer {
	VEC(struct oracle_hit) hits; /* all that match, best first */
};

struct oracle;

struct oracle *oracle_new(const struct search_config *config); /* which must stay */
void oracle_destroy(struct oracle **o);
void oracle_put(struct oracle *o, const struct search_doc *doc); /* copied */
void oracle_remove(struct oracle *o, int64_t id);
void oracle_set_values(struct oracle *o, int64_t id, uint32_t dimension, const struct str *values, size_t n);
void oracle_query(struct oracle *o, const struct search_query *q, struct oracle_answer *out);
size_t oracle_facet(struct oracle *o, const struct oracle_answer *a, uint32_t dimension, struct str value);
size_t oracle_count(const struct oracle *o);

/* Insertions, omissions, replacements and swaps of neighbours, by the whole table. */
unsigned oracle_edits(struct str a, struct str b);

#endif
