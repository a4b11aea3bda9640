/*
 * Random values that their rows allow, for any type: what tests encode, decode and compare.
 */
#ifndef TENFOLD_TESTS_JSON_KIT_FILL_H
#define TENFOLD_TESTS_JSON_KIT_FILL_H

#include "base/rng.h"
#include "json/json.h"

/* Fills *out, which may hold anything, with text and elements from the arena. Edges of limits come often. */
void fill_random(const struct json_type *t, struct rng *r, struct arena *a, void *out);

/* Random JSON of any kind, at most `most` bytes (at least 4). */
struct str fill_json(struct rng *r, struct arena *a, size_t most);

#endif
