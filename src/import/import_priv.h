/*
 * What the importers share: lists that grow in the arena, and the order at the end.
 */
#ifndef TENFOLD_IMPORT_IMPORT_PRIV_H
#define TENFOLD_IMPORT_IMPORT_PRIV_H

#include "import/import.h"

/* Each returns false, and changes nothing, when the arena is full. The new item is zeroed. */
struct import_item *import_add_item(struct import_result *r, struct arena *a, size_t line);
bool import_add_fault(struct import_result *r, struct arena *a, size_t line, bool refused, struct str text);
struct import_cycle *import_add_cycle(struct import_result *r, struct arena *a);

/* Room for one more in an array of `each` bytes an element that holds `count`; NULL when the arena is full. The
 * array may move. */
void *import_room(struct arena *a, void *array, size_t count, size_t *capacity, size_t each);

/* The next line without its end; false after the last. A text that ends without a line feed ends a line all the
 * same. */
bool import_next_line(struct str *rest, struct str *line);

/* Puts items after those they depend on by key, cuts cycles and reports them, and fills waits_for. A key means the
 * item of the same type and team that has it, else the first of the file. A key that no item has is left as it is:
 * the server may know it. The order of the file is kept as far as dependencies allow. */
enum err import_order(struct import_result *r, struct arena *a);

#endif
