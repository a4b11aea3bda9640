/*
 * --fail-if: what a run must not come to, for scripts. METRIC OPERATOR VALUE, where the operator is one of
 * > >= < <=, and the run has failed when that is true of it at its end:
 *
 *	http.p95>200ms   http[POST /api/orders].p99>1s   http.failed>1%   sessions.completed<2%   http.rate<45
 *
 * http is the response time, from when a request should have been sent; service that of the target alone; throttle the
 * waiting for the own limiter. Of each: p and a number (p50, p99.9), max, mean. With an endpoint in brackets, as the
 * scenario names it: of that one. The other metrics are rows of THRESHOLD_METRICS.
 */
#ifndef TENFOLD_SIM_THRESHOLDS_H
#define TENFOLD_SIM_THRESHOLDS_H

#include "base/problem.h"
#include "sim/engine.h"

/* METRIC(constant, "name", kind, "what it is") */
#define THRESHOLD_METRICS(METRIC)                                                                             \
	METRIC(HTTP, "http", THRESHOLD_TIME, "Response time.")                                                \
	METRIC(SERVICE, "service", THRESHOLD_TIME, "Time the target took.")                                   \
	METRIC(THROTTLE, "throttle", THRESHOLD_TIME, "Time the own limiter took.")                            \
	METRIC(FAILED_CALLS, "http.failed", THRESHOLD_SHARE, "Requests without the expected answer.")         \
	METRIC(REQUESTS, "http.requests", THRESHOLD_COUNT, "Requests sent.")                                  \
	METRIC(RATE, "http.rate", THRESHOLD_COUNT, "Requests a second, over the whole run.")                  \
	METRIC(SESSIONS, "sessions.count", THRESHOLD_COUNT, "Sessions that ended.")                           \
	METRIC(COMPLETED, "sessions.completed", THRESHOLD_SHARE, "Sessions that came to what they were for.") \
	METRIC(ABANDONED, "sessions.abandoned", THRESHOLD_SHARE, "Sessions that were given up.")              \
	METRIC(FAILED, "sessions.failed", THRESHOLD_SHARE, "Sessions that failed.")                           \
	METRIC(TRIPS, "breaker.trips", THRESHOLD_COUNT, "How often the breaker opened.")                      \
	METRIC(DROPPED, "arrivals.dropped", THRESHOLD_COUNT, "Arrivals that found nobody ready.")             \
	METRIC(LATE, "arrivals.late", THRESHOLD_COUNT, "Arrivals that began late.")                           \
	METRIC(SLIPPED, "cycles.slipped", THRESHOLD_COUNT, "Cycles that took longer than their time.")        \
	METRIC(SHORT, "offers.short", THRESHOLD_COUNT, "Offers that could not be given.")

enum threshold_metric {
#define METRIC(constant, name, kind, doc) THRESHOLD_##constant,
	THRESHOLD_METRICS(METRIC)
#undef METRIC
};
enum threshold_kind { THRESHOLD_TIME, THRESHOLD_SHARE, THRESHOLD_COUNT };
enum threshold_op { OP_OVER, OP_FROM, OP_UNDER, OP_TO }; /* > >= < <= */

struct threshold {
	struct str text; /* as it was given */
	enum threshold_metric metric;
	int endpoint;   /* -1: all together */
	double percent; /* of a time: 0..100 (100: the greatest), -1: the mean */
	enum threshold_op op;
	double value; /* of a time ms; of a share 0..1 */
};

/* ERR_USAGE says what is wrong with it, and what was probably meant. `text` must stay. */
enum err threshold_parse(struct str text, const struct scenario *s, struct threshold *out, struct problem *p);
/* What the metric comes to, in the units of `value`. 0 when there is nothing to measure it by. */
double threshold_measured(const struct threshold *t, const struct scenario *s, const struct engine_view *v);
bool threshold_failed(const struct threshold *t, double measured);
/* "http.p95>200ms: 312.4 ms"; for people. */
void threshold_write(const struct threshold *t, double measured, struct buf *b);

#endif
