/*
 * A second opinion on documents: jansson's.
 */
#ifndef TENFOLD_TESTS_ROLES_KIT_DOC_ORACLE_H
#define TENFOLD_TESTS_ROLES_KIT_DOC_ORACLE_H

#include "roles/doc.h"

/* Whether jansson takes the text exactly if we did (d->root), and reads the same values; duplicates: the last one.
 * NULL: they agree, else in what they do not. They differ on purpose: jansson refuses half a surrogate pair and
 * numbers that no double holds, and we refuse nesting deeper than DOC_DEPTH_MAX. */
const char *doc_oracle(const struct doc *d, const struct problem *p);

#endif
