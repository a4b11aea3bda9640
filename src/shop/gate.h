/*
 * The gate that calls pass on their way to the books: it counts them, and on request makes a bad shop of a good one, so
 * that a simulator can be tried against it.
 *
 *   arrived ──► admit ── 429 (--limit-rps)
 *                 └─► enter ── waits (--slow-ms, --stall) ──► pass: to the pools,
 *                                                             or to the answer (--fail-percent) ──► left
 *
 * A stall: from `stall_after_ms` after the first call on, for `stall_ms`, nothing passes; what should have passes at
 * its end. Waiting calls hold no thread. All functions but new and destroy may run on any thread.
 */
#ifndef TENFOLD_SHOP_GATE_H
#define TENFOLD_SHOP_GATE_H

#include "http/http.h"

struct gate;

struct gate_config {
	int64_t slow_ms;                  /* each call takes so much longer */
	double fail_percent;              /* of calls that are answered 500 */
	int64_t limit_rps;                /* calls a second, and as many at once; 0: no limit */
	int64_t stall_ms, stall_after_ms; /* stall_ms 0: none */
	/* Takes the call on from here; with an outcome but OK it is only to be answered. On any thread. */
	void (*pass)(void *ctx, struct call *c);
	void *ctx;
};

struct gate *gate_new(const struct gate_config *config);
void gate_open(struct gate *g); /* nobody waits any more, now or later: for the end */
void gate_destroy(struct gate **g);

void gate_arrived(struct gate *g);
enum err gate_admit(struct gate *g, struct call *c, struct rate *out);
void gate_enter(struct gate *g, struct call *c);
void gate_left(struct gate *g);

struct gate_view {
	uint64_t requests, refused, failed;
	uint32_t in_flight, in_flight_peak;
};

void gate_look(struct gate *g, struct gate_view *out);
/* A JSON array: when each of the last GATE_ARRIVALS calls arrived, in microseconds since gate_new(). */
enum { GATE_ARRIVALS = 1 << 18 };
void gate_arrivals(struct gate *g, struct buf *b);
void gate_forget(struct gate *g); /* counts and arrivals; what is in flight stays */

#endif
