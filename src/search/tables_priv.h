/* Lookups by text: the hash finds candidates, the owner of the ids compares. */
#ifndef TENFOLD_SEARCH_TABLES_PRIV_H
#define TENFOLD_SEARCH_TABLES_PRIV_H

#include "search/index_priv.h"

typedef bool dict_is_fn(void *whose, uint32_t id, struct str text);

uint32_t dict_find(dict_ref *ref, uint32_t hash, dict_is_fn *is, void *whose, struct str text); /* or NO_ID */
void dict_add(struct memory *m, dict_ref *ref, uint32_t hash, uint32_t id);
struct dict *dict_new(struct memory *m, uint32_t entries); /* with room for so many */

#endif
