/*
 * Idempotency-Key: the answer of a call that creates is written in the same transaction as its effect, and answered
 * again for the same key and body during 24 hours.
 */
#ifndef TENFOLD_API_IDEMPOTENCY_H
#define TENFOLD_API_IDEMPOTENCY_H

#include "http/call.h"
#include "store/queries.h"

struct idempotency {
	int64_t id; /* of the row: a hash of tenant, route and key */
	unsigned char body_hash[32];
};

bool idempotency_wanted(const struct call *c);
void idempotency_of(const struct call *c, struct idempotency *out);

/* Is `row`, found under the id, an answer to this very call? OK: yes, replay it. ERR_NOT_FOUND: it is too old.
 * ERR_KEY_REUSED: the key was used for something else. */
enum err idempotency_match(struct call *c, const struct idempotency *i, const struct idempotency_row *row);
/* Makes the stored answer the call's. */
enum err idempotency_replay(struct call *c, const struct idempotency_row *row);
/* The row for a call that went well. In the call's arena. */
struct idempotency_row idempotency_row_of(struct call *c, const struct idempotency *i);

#endif
