/*
 * Bodies of items that were enqueued a moment ago, so that claiming them needs no read: bounded by bytes, oldest
 * out first. A cache and never the truth. Belongs to the queue's thread.
 */
#ifndef TENFOLD_WORK_BODIES_H
#define TENFOLD_WORK_BODIES_H

#include "store/queries.h"

struct bodies;

struct bodies *bodies_new(size_t max_bytes);
void bodies_destroy(struct bodies **b);

void bodies_put(struct bodies *b, const struct work_body_row *row);         /* copied */
const struct work_body_row *bodies_get(const struct bodies *b, int64_t id); /* NULL; valid until the next put */
void bodies_drop(struct bodies *b, int64_t id);

#endif
