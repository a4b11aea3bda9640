/*
 * Memory of journeys: chunks of a thread's stock, filled from the start, given back all at once.
 *
 * A journey begins with one small chunk and takes larger ones as it grows; what it gives back is used by the next, so
 * that a run that goes on asks the machine for nothing. One thread at a time. Built with -Darena_emulation=true every
 * piece is a malloc of its own, so that AddressSanitizer sees an overrun and a use after it was given back.
 */
#ifndef TENFOLD_SIM_MEMORY_H
#define TENFOLD_SIM_MEMORY_H

#include "base/str.h"

enum { MEMORY_SIZES = 4, MEMORY_FIRST = 520 }; /* chunks of 520 bytes, 2, 8, 32.5 KiB */

struct memory_chunk;

struct memory_stock {
	struct memory_chunk *resting[MEMORY_SIZES];
	uint64_t bytes; /* of all chunks, resting or in use */
};

void memory_stock_free(struct memory_stock *s); /* all of it must have been given back */

struct memory {
	struct memory_stock *stock;
	struct memory_chunk *newest;
	size_t used, max; /* bytes handed out; at most */
	bool overflowed;  /* something was refused */
};

/* Aligned for any value, not zeroed; NULL past the bound, and `overflowed` stays. */
void *memory_take(struct memory *m, size_t bytes);
struct str memory_str(struct memory *m, struct str s); /* a copy */
void memory_clear(struct memory *m);                   /* gives all of it back; overflowed is forgotten */

/* What was taken after a mark can be given back without the rest. */
struct memory_mark {
	struct memory_chunk *newest;
	size_t at, used;
};
struct memory_mark memory_mark(const struct memory *m);
void memory_back_to(struct memory *m, struct memory_mark mark);

#endif
