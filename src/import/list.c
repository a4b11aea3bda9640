/*
 * Lists of an import: arrays in the arena that double. What is left behind goes with the arena.
 */
#include "import/import_priv.h"

#include <string.h>

void *import_room(struct arena *a, void *array, size_t count, size_t *capacity, size_t each)
{
	size_t larger = *capacity ? *capacity * 2 : 16;
	void *v;

	if (count < *capacity)
		return array;
	v = arena_array(a, larger, each);
	if (!v)
		return NULL;
	if (count)
		memcpy(v, array, count * each);
	*capacity = larger;
	return v;
}

struct import_item *import_add_item(struct import_result *r, struct arena *a, size_t line)
{
	struct import_item *v = import_room(a, r->items, r->item_count, &r->item_capacity, sizeof(*v));

	if (!v)
		return NULL;
	r->items = v;
	v += r->item_count++;
	memset(v, 0, sizeof(*v));
	v->line = line;
	return v;
}

bool import_add_fault(struct import_result *r, struct arena *a, size_t line, bool refused, struct str text)
{
	struct import_fault *v = import_room(a, r->faults, r->fault_count, &r->fault_capacity, sizeof(*v));

	if (!v || !text.p)
		return false;
	r->faults = v;
	v[r->fault_count++] = (struct import_fault){line, text, refused};
	return true;
}

struct import_cycle *import_add_cycle(struct import_result *r, struct arena *a)
{
	struct import_cycle *v = import_room(a, r->cycles, r->cycle_count, &r->cycle_capacity, sizeof(*v));

	if (!v)
		return NULL;
	r->cycles = v;
	v += r->cycle_count++;
	memset(v, 0, sizeof(*v));
	return v;
}

bool import_next_line(struct str *rest, struct str *line)
{
	if (rest->n == 0)
		return false;
	*line = str_cut(*rest, '\n', rest);
	return true;
}
