/*
 * Interned names: each distinct text once, counted by its users, compared by pointer.
 * A table belongs to one thread.
 */
#ifndef TENFOLD_BASE_NAME_H
#define TENFOLD_BASE_NAME_H

#include "base/map.h"
#include "base/str.h"

struct name {
	uint64_t hash;
	struct name *next; /* with the same hash */
	uint32_t users;
	uint32_t length;
	char text[]; /* terminated */
};

struct name_table {
	struct map by_hash;
};

struct name *name_get(struct name_table *t, struct str text);        /* one user more; empty text gives NULL */
struct name *name_find(const struct name_table *t, struct str text); /* no user more; NULL when unknown */
struct name *name_keep(struct name *n);                              /* one user more; NULL stays NULL */
void name_drop(struct name_table *t, struct name **n);               /* one user less; clears *n */
void name_table_free(struct name_table *t);

static inline struct str name_str(const struct name *n)
{
	return n ? (struct str){n->text, n->length} : (struct str){0};
}

#endif
