/*
 * Ids: 63 bits = 41 of milliseconds since 2025-01-01 UTC, 10 of slot, 12 of sequence.
 *
 * Outside they are a prefix and 13 lower-case Crockford base32 characters ("w_01h2k3m4n5p6q"), read in either
 * case with i and l as 1 and o as 0. A generator never repeats within its process: the sequence runs over all
 * slots of one millisecond, and on overflow the next millisecond is begun early.
 */
#ifndef TENFOLD_BASE_ID_H
#define TENFOLD_BASE_ID_H

#include "base/str.h"

enum { ID_SLOTS = 1024, ID_TEXT = 32 /* longest id text with its NUL */ };

struct id_maker {
	int64_t last_ms; /* since the epoch of ids */
	uint32_t sequence;
};

void id_maker_init(struct id_maker *m, int64_t highest_stored); /* 0 when nothing is stored */
int64_t id_make(struct id_maker *m, int64_t now_ms, unsigned slot);

unsigned id_slot(int64_t id);
int64_t id_time_ms(int64_t id); /* for tests: UTC milliseconds since 1970 */

/* Writes prefix + 13 characters + NUL, returns the length. Prefix such as "w_", at most 8 characters. */
size_t id_format(char out[ID_TEXT], const char *prefix, int64_t id);
bool id_parse(struct str text, const char *prefix, int64_t *out);

/* Any bytes as lower-case Crockford base32, most significant bit first, no padding. */
size_t id_base32(char *out, const void *bytes, size_t n); /* returns characters written; adds a NUL */
bool id_unbase32(struct str text, void *bytes, size_t n); /* exactly n bytes, else false */

#endif
