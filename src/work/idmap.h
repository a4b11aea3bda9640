/*
 * A set of ids in order: the items of a tenant, the dependents of an item.
 *
 * Blocks of up to 128 sorted ids under one sorted table. Nearly every id that comes is above all others, so adding
 * is an append; removing moves half a kilobyte; nothing is ever rebuilt, so no operation stalls at a million ids,
 * and an id costs 8 bytes. The ids come out the same however the set came about, which undo and restart rely on.
 */
#ifndef TENFOLD_WORK_IDSET_H
#define TENFOLD_WORK_IDSET_H

#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

struct idset {
	VEC(struct idset_place) blocks;
	size_t count;
	size_t block_bytes;
};

bool idset_add(struct idset *s, int64_t id);    /* false: was there */
bool idset_remove(struct idset *s, int64_t id); /* false: was not there */
bool idset_has(const struct idset *s, int64_t id);
int64_t idset_first(const struct idset *s); /* 0 when empty */
size_t idset_bytes(const struct idset *s);
void idset_free(struct idset *s);

/* Downwards: for (c = idset_below(s, id); idset_next_down(s, &c, &id); ). Do not change the set meanwhile. */
struct idset_cursor {
	size_t block, i; /* stands behind what comes next */
};
struct idset_cursor idset_below(const struct idset *s, int64_t id); /* everything < id */
bool idset_next_down(const struct idset *s, struct idset_cursor *c, int64_t *out);

#endif
