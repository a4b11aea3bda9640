/*
 * JSON with a few bytes changed: what stands near the edges of the grammar.
 */
#ifndef TENFOLD_TESTS_JSON_KIT_MUTANT_H
#define TENFOLD_TESTS_JSON_KIT_MUTANT_H

#include "base/rng.h"
#include "base/str.h"

enum { MUTANT_MAX = 2064 };

struct mutant {
	char bytes[MUTANT_MAX];
	size_t n;
};

/* Puts a token in, takes bytes away, or changes one. Nothing happens when there is no room. */
void mutant_change(struct mutant *m, struct rng *r);

#endif
