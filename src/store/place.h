/*
 * What a session has seen of a store, as text: SYSTEM-TIMELINE-PLACE, hexadecimal digits in their full number. Of
 * two of one system the greater text is the later.
 */
#ifndef TENFOLD_STORE_PLACE_H
#define TENFOLD_STORE_PLACE_H

#include "store/store.h"

enum { PLACE_TEXT = 8 + 1 + 8 + 1 + 16 };

/* `system` tells one database from others; copies of it have the same. */
struct str place_text(struct arena *a, uint32_t system, struct log_place place);

/* Timeline 0 when it is none of that system, or no such text at all. */
struct log_place place_read(struct str text, uint32_t system);

/* On a later timeline, or on the same one further. */
bool place_is_later(struct log_place a, struct log_place b);

#endif
