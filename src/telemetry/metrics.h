/*
 * Metrics: counters, gauges and histograms of durations, shown in the Prometheus text format.
 *
 * They are declared in api/metrics.def and named METRIC_<name> here. Counting takes a few nanoseconds on any
 * thread, never waits and never fails. All calls take NULL for m and then do nothing, so that a test needs no
 * metrics.
 *
 * A metric with labels is counted by the indexes of its labels' values, in the order of its row (0 for a label it
 * does not have). An index out of range is a bug and aborts.
 */
#ifndef TENFOLD_TELEMETRY_METRICS_H
#define TENFOLD_TELEMETRY_METRICS_H

#include "base/buf.h"

enum metric {
#define COUNTER(name, label1, label2, doc)   METRIC_##name,
#define GAUGE(name, label1, label2, doc)     METRIC_##name,
#define HISTOGRAM(name, label1, label2, doc) METRIC_##name,
#include "api/metrics.def"
	METRIC_COUNT
};

struct metrics;

/* The values of a label. Texts and array must stay as long as the metrics; a NULL text is never shown. */
struct metrics_values {
	const char *const *texts;
	unsigned count;
};

/* What only the caller knows. Metrics of a label that is left out are not shown and must not be counted. */
struct metrics_config {
	struct metrics_values route, state, event, job, answer, replica;
	const char *version; /* must stay, too */
	int64_t started_ms;  /* UTC */
};

struct metrics *metrics_new(const struct metrics_config *config);
void metrics_destroy(struct metrics **m);

/* Counters. */
void metrics_add(struct metrics *m, enum metric metric, uint64_t n);
void metrics_add_at(struct metrics *m, enum metric metric, unsigned index1, unsigned index2, uint64_t n);

/* Gauges: set to a value, moved by a difference, or computed whenever they are shown. */
void metrics_set(struct metrics *m, enum metric metric, double value);
void metrics_set_at(struct metrics *m, enum metric metric, unsigned index1, unsigned index2, double value);
void metrics_move(struct metrics *m, enum metric metric, double difference);

/* fn runs on the thread that calls metrics_text(), so what it reads must be atomic. Not during a metrics_text(). */
typedef double metrics_gauge_fn(void *ctx, unsigned index1, unsigned index2);
void metrics_compute(struct metrics *m, enum metric metric, metrics_gauge_fn *fn, void *ctx);

/* Histograms. A negative duration counts as none. */
void metrics_observe_ns(struct metrics *m, enum metric metric, int64_t ns);
void metrics_observe_at_ns(struct metrics *m, enum metric metric, unsigned index1, unsigned index2, int64_t ns);

/* The index of label `status` for an HTTP status from 200 to 599. */
unsigned metrics_status(int http_status);

/* All of it in text exposition format 0.0.4 (telemetry/exposition.h), but for labelled histograms that never observed
 * anything. Any thread. */
void metrics_text(const struct metrics *m, struct buf *out);

#endif
