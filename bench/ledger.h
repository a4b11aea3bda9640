/*
 * What a run knows of each item: it must be enqueued, claimed and settled, each exactly once, in whatever order the
 * answers arrive. An item that is through is forgotten; one that is claimed once more after that is found out at
 * the end, as a claimed item that nobody enqueued.
 */
#ifndef TENFOLD_BENCH_LEDGER_H
#define TENFOLD_BENCH_LEDGER_H

#include "base/map.h"

enum step { STEP_ENQUEUE, STEP_CLAIM, STEP_SETTLE, STEP_COUNT };

struct ledger {
	struct map items; /* id -> the steps it has been through, as bits; never zero */
	uint64_t steps[STEP_COUNT];
};

/* False when the item has been through this step before. */
bool ledger_mark(struct ledger *l, int64_t id, enum step step);

/* At the end: is each item that is left enqueued and perhaps claimed, as many as the counts of steps say? */
bool ledger_sound(const struct ledger *l);

#endif
