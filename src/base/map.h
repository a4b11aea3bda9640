/*
 * A hash map from a 64-bit key to a pointer: open addressing, linear probing, backward-shift deletion.
 *
 * The key is an id or a hash made by the caller (str_hash); a caller whose keys are hashes of text compares the
 * text itself and chains equal hashes through its own objects. 16 bytes a place, at most 7/8 full. The map does
 * not own what it points to.
 */
#ifndef TENFOLD_BASE_MAP_H
#define TENFOLD_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map {
	struct map_place *places; /* NULL while empty */
	size_t count, mask;
};

void *map_get(const struct map *m, uint64_t key);        /* NULL when absent */
void *map_put(struct map *m, uint64_t key, void *value); /* value not NULL; returns what was there */
void *map_take(struct map *m, uint64_t key);             /* removes and returns; NULL when absent */
void map_reserve(struct map *m, size_t count);
void map_free(struct map *m);

/* Visits all in no order: for (size_t i = 0; (v = map_next(m, &i)); ). Do not change the map meanwhile. */
void *map_next(const struct map *m, size_t *i);

size_t map_bytes(const struct map *m);

#endif
