/*
 * Random files as people write them: indented by anything or on one line, LF or CRLF, with names of a town's files
 * in any case, duplicates, escapes, names nobody knows, and white space in odd places.
 */
#ifndef TENFOLD_TESTS_ROLES_KIT_ANY_DOCUMENT_H
#define TENFOLD_TESTS_ROLES_KIT_ANY_DOCUMENT_H

#include "base/arena.h"
#include "base/rng.h"

/* An object; mostly under 2,000 bytes. */
struct str any_document(struct rng *r, struct arena *a);
/* One of the names that stand in such documents, decoded. */
struct str any_name(struct rng *r);

#endif
