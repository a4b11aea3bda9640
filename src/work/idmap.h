/*
 * A map from ids to pointers, in the order of the ids: the live items. Without pointers, a set: the items of a
 * tenant, the dependents of an item.
 *
 * Blocks of up to 128 sorted ids under one sorted table. Nearly every id that comes is above all others, so adding
 * is an append, and what is used together was mostly made together, so finding meets warm memory. Removing moves a
 * kilobyte; nothing is ever rebuilt, so no operation stalls at a million ids. An id costs 8 bytes, its pointer 8.
 * The ids come out the same however the map came about, which undo and restart rely on.
 */
#ifndef TENFOLD_WORK_IDMAP_H
#define TENFOLD_WORK_IDMAP_H

#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

struct idmap {
	VEC(struct idmap_place) blocks;
	size_t count;
	size_t block_bytes;
	bool valued; /* with pointers; to be set while it is empty */
};

bool idmap_add(struct idmap *m, int64_t id, void *value); /* false: was there, and is as it was */
bool idmap_remove(struct idmap *m, int64_t id);           /* false: was not there */
bool idmap_has(const struct idmap *m, int64_t id);
void *idmap_get(const struct idmap *m, int64_t id); /* NULL when not there; of a valued one */
int64_t idmap_first(const struct idmap *m);         /* 0 when empty */
size_t idmap_bytes(const struct idmap *m);
void idmap_free(struct idmap *m);

/* Downwards: for (c = idmap_below(m, id); idmap_next_down(m, &c); ) … c.id … Do not change the map meanwhile. */
struct idmap_cursor {
	size_t block, i; /* behind what comes next */
	int64_t id;
	void *value;
};
struct idmap_cursor idmap_below(const struct idmap *m, int64_t id); /* everything < id */
bool idmap_next_down(const struct idmap *m, struct idmap_cursor *c);

#endif
