/*
 * Ready items in the order they came, when that is their order in the queue too: a ring, first in first out, from
 * which any one can be taken. Most items become ready in order, and a ring costs nothing at a million of them where
 * a heap touches forty; what comes out of order is refused here and goes to a heap.
 *
 * An item holds its position; where one was taken out a hole stays until it reaches the front.
 */
#ifndef TENFOLD_WORK_LINE_H
#define TENFOLD_WORK_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct item;

struct line {
	struct item **v;      /* position p is v[p & (cap - 1)] */
	uint32_t cap;         /* a power of two, or 0 */
	uint32_t front, back; /* positions; the front one is no hole unless they are equal */
	uint32_t count;
	int64_t last_ready_ms, last_id; /* of the last that came */
};

bool line_push(struct line *l, struct item *item); /* false: its place is before one that is here */
void line_remove(struct line *l, struct item *item);
struct item *line_first(const struct line *l); /* NULL when empty */
void line_free(struct line *l);

#endif
