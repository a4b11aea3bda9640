/*
 * Metrics are numbers in arrays; where each one stands is worked out once, in metrics_new().
 *
 * A counter is one cell per combination of its labels' values; a histogram is one per bucket, one for what is above
 * all bounds, and one for the sum of nanoseconds. The cells exist SHARDS times, each shard on cache lines of its
 * own: a thread adds to that of the processor it runs on, so that busy threads do not pass one line back and forth,
 * and metrics_text() sums them up. Which shard is taken is never more than a matter of speed. Gauges are set more
 * seldom than counters count, so there is one of each.
 *
 * All accesses are relaxed: numbers that belong together may be read a moment apart. What a reader of a histogram
 * relies on, buckets that only grow and a count that equals the last one, holds because it is summed from what was
 * read.
 */
#include "telemetry/metrics.h"

#include "base/err.h"
#include "base/magic.h"
#include "telemetry/exposition.h"

#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>

enum { SHARDS = 8, CACHE_LINE = 64, LABELS_MAX = 2 };

enum label {
	LABEL_none,
#define LABEL(name, doc) LABEL_##name,
#include "api/metrics.def"
	LABEL_COUNT
};

static const char *const label_names[] = {
	NULL,
#define LABEL(name, doc) #name,
#include "api/metrics.def"
};

struct row {
	const char *name, *doc;
	enum exposition_kind kind;
	enum label labels[LABELS_MAX];
};

static const struct row rows[METRIC_COUNT] = {
#define COUNTER(name, label1, label2, doc) \
	{"tenfold_" #name, doc, EXPOSITION_COUNTER, {LABEL_##label1, LABEL_##label2}},
#define GAUGE(name, label1, label2, doc) \
	{"tenfold_" #name, doc, EXPOSITION_GAUGE, {LABEL_##label1, LABEL_##label2}},
#define HISTOGRAM(name, label1, label2, doc) \
	{"tenfold_" #name, doc, EXPOSITION_HISTOGRAM, {LABEL_##label1, LABEL_##label2}},
#include "api/metrics.def"
};

static const struct bucket {
	int64_t ns;
	const char *seconds;
} buckets[] = {
#define BUCKET(ns, seconds) {ns, seconds},
#include "api/metrics.def"
};

enum { BUCKETS = sizeof(buckets) / sizeof(buckets[0]), SUM = BUCKETS + 1, HISTOGRAM_CELLS };

struct place {
	unsigned first;              /* cell or gauge */
	unsigned counts[LABELS_MAX]; /* values of each label, 1 for none */
	metrics_gauge_fn *compute;
	void *ctx;
};

struct metrics {
	struct place places[METRIC_COUNT];
	struct metrics_values values[LABEL_COUNT];
	const char *errors[ERR_COUNT];
	const char *version;
	_Atomic double *gauges;
	_Atomic uint64_t *cells; /* shard after shard */
	unsigned cells_per_shard;
};

/* ---- making ---- */

static const char *const statuses[] = {"2xx", "3xx", "4xx", "5xx"};
/* In the order of the enums that count by them: api/reads.c, store/replicas.c. */
static const char *const targets[] = {"replica", "primary"};
static const char *const causes[] = {"behind", "none_sound", "timeline", "failed"};

#define VALUES(texts) ((struct metrics_values){texts, sizeof(texts) / sizeof(texts[0])})

static void collect_values(struct metrics *m, const struct metrics_config *config)
{
	for (int e = OK + 1; e < ERR_COUNT; e++)
		m->errors[e] = err_info((enum err)e)->code;
	m->version = config->version;
	m->values[LABEL_none].count = 1;
	m->values[LABEL_route] = config->route;
	m->values[LABEL_state] = config->state;
	m->values[LABEL_event] = config->event;
	m->values[LABEL_job] = config->job;
	m->values[LABEL_version] = (struct metrics_values){&m->version, 1};
	m->values[LABEL_answer] = config->answer;
	m->values[LABEL_replica] = config->replica;
	m->values[LABEL_status] = VALUES(statuses);
	m->values[LABEL_target] = VALUES(targets);
	m->values[LABEL_cause] = VALUES(causes);
	m->values[LABEL_error] = (struct metrics_values){m->errors, ERR_COUNT};
}

static unsigned series_count(const struct place *p)
{
	return p->counts[0] * p->counts[1];
}

/* Gives each metric its place; returns how many gauges there are. */
static unsigned lay_out(struct metrics *m)
{
	static const unsigned widths[] = {
		[EXPOSITION_COUNTER] = 1, [EXPOSITION_GAUGE] = 1, [EXPOSITION_HISTOGRAM] = HISTOGRAM_CELLS};
	unsigned gauges = 0;

	for (int i = 0; i < METRIC_COUNT; i++) {
		unsigned *next = rows[i].kind == EXPOSITION_GAUGE ? &gauges : &m->cells_per_shard;
		struct place *p = &m->places[i];

		for (int l = 0; l < LABELS_MAX; l++)
			p->counts[l] = m->values[rows[i].labels[l]].count;
		p->first = *next;
		*next += series_count(p) * widths[rows[i].kind];
	}
	return gauges;
}

struct metrics *metrics_new(const struct metrics_config *config)
{
	struct metrics *m = NEW(struct metrics);

	collect_values(m, config);
	m->gauges = must_alloc(lay_out(m) * sizeof(*m->gauges));
	m->cells_per_shard += CACHE_LINE / sizeof(*m->cells); /* keeps neighbours off each other's line */
	m->cells = must_alloc(SHARDS * m->cells_per_shard * sizeof(*m->cells));
	metrics_set(m, METRIC_process_start_time_seconds, (double)config->started_ms / 1000);
	metrics_set(m, METRIC_build_info, 1);
	return m;
}

void metrics_destroy(struct metrics **m)
{
	if (!*m)
		return;
	free((*m)->gauges);
	free((*m)->cells);
	free(*m);
	*m = NULL;
}

/* ---- counting ---- */

/* The number of a series within its metric. */
static unsigned series(const struct metrics *m, enum metric metric, enum exposition_kind kind, unsigned index1,
		       unsigned index2)
{
	const struct place *p = &m->places[metric];

	CHECK(rows[metric].kind == kind);
	CHECK(index1 < p->counts[0] && index2 < p->counts[1]);
	return index1 * p->counts[1] + index2;
}

static void add(struct metrics *m, unsigned cell, uint64_t n)
{
	unsigned shard = (unsigned)sched_getcpu() % SHARDS;

	atomic_fetch_add_explicit(&m->cells[shard * m->cells_per_shard + cell], n, memory_order_relaxed);
}

void metrics_add_at(struct metrics *m, enum metric metric, unsigned index1, unsigned index2, uint64_t n)
{
	if (m)
		add(m, m->places[metric].first + series(m, metric, EXPOSITION_COUNTER, index1, index2), n);
}

void metrics_add(struct metrics *m, enum metric metric, uint64_t n)
{
	metrics_add_at(m, metric, 0, 0, n);
}

void metrics_observe_at_ns(struct metrics *m, enum metric metric, unsigned index1, unsigned index2, int64_t ns)
{
	unsigned first, bucket = 0;

	if (!m)
		return;
	first = m->places[metric].first + series(m, metric, EXPOSITION_HISTOGRAM, index1, index2) * HISTOGRAM_CELLS;
	if (ns < 0)
		ns = 0;
	while (bucket < BUCKETS && ns > buckets[bucket].ns)
		bucket++;
	add(m, first + bucket, 1);
	add(m, first + SUM, (uint64_t)ns);
}

void metrics_observe_ns(struct metrics *m, enum metric metric, int64_t ns)
{
	metrics_observe_at_ns(m, metric, 0, 0, ns);
}

static _Atomic double *gauge(struct metrics *m, enum metric metric, unsigned index1, unsigned index2)
{
	return &m->gauges[m->places[metric].first + series(m, metric, EXPOSITION_GAUGE, index1, index2)];
}

void metrics_set_at(struct metrics *m, enum metric metric, unsigned index1, unsigned index2, double value)
{
	if (m)
		atomic_store_explicit(gauge(m, metric, index1, index2), value, memory_order_relaxed);
}

void metrics_set(struct metrics *m, enum metric metric, double value)
{
	metrics_set_at(m, metric, 0, 0, value);
}

void metrics_move(struct metrics *m, enum metric metric, double difference)
{
	_Atomic double *g;
	double was;

	if (!m)
		return;
	g = gauge(m, metric, 0, 0);
	was = atomic_load_explicit(g, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(g, &was, was + difference, memory_order_relaxed,
						      memory_order_relaxed))
		;
}

void metrics_compute(struct metrics *m, enum metric metric, metrics_gauge_fn *fn, void *ctx)
{
	if (!m)
		return;
	CHECK(rows[metric].kind == EXPOSITION_GAUGE);
	m->places[metric].compute = fn;
	m->places[metric].ctx = ctx;
}

unsigned metrics_status(int http_status)
{
	CHECK(http_status >= 200 && http_status <= 599);
	return (unsigned)http_status / 100 - 2;
}

/* ---- showing ---- */

/* One series of one metric, on its way out. */
struct view {
	const struct metrics *m;
	const struct row *row;
	const struct place *place;
	unsigned index[LABELS_MAX];
	unsigned number; /* within the metric */
	struct buf *out;
};

static const char *value_text(const struct view *v, int l)
{
	return v->m->values[v->row->labels[l]].texts[v->index[l]];
}

/* Name and labels of a line; `le` is the upper bound of a bucket, NULL for other lines. */
static void put_series(const struct view *v, const char *suffix, const char *le)
{
	char opening = '{';

	buf_fmt(v->out, "%s%s", v->row->name, suffix);
	for (int l = 0; l < LABELS_MAX && v->row->labels[l] != LABEL_none; l++) {
		exposition_label(v->out, opening, label_names[v->row->labels[l]], str_of(value_text(v, l)));
		opening = ',';
	}
	if (le) {
		exposition_label(v->out, opening, "le", str_of(le));
		opening = ',';
	}
	buf_z(v->out, opening == ',' ? "} " : " ");
}

static uint64_t total(const struct metrics *m, unsigned cell)
{
	uint64_t sum = 0;

	for (unsigned shard = 0; shard < SHARDS; shard++)
		sum += atomic_load_explicit(&m->cells[shard * m->cells_per_shard + cell], memory_order_relaxed);
	return sum;
}

static void show_counter(const struct view *v)
{
	put_series(v, "", NULL);
	buf_fmt(v->out, "%" PRIu64 "\n", total(v->m, v->place->first + v->number));
}

static void show_gauge(const struct view *v)
{
	const struct place *p = v->place;
	double value = p->compute ? p->compute(p->ctx, v->index[0], v->index[1])
				  : atomic_load_explicit(&v->m->gauges[p->first + v->number], memory_order_relaxed);

	put_series(v, "", NULL);
	buf_fmt(v->out, "%.15g\n", value);
}

static void show_histogram(const struct view *v)
{
	unsigned first = v->place->first + v->number * HISTOGRAM_CELLS;
	uint64_t count[BUCKETS + 1], seen = 0, sum_ns;

	for (unsigned b = 0; b <= BUCKETS; b++)
		count[b] = seen += total(v->m, first + b);
	if (seen == 0 && v->row->labels[0] != LABEL_none)
		return;
	for (unsigned b = 0; b <= BUCKETS; b++) {
		put_series(v, "_bucket", b < BUCKETS ? buckets[b].seconds : "+Inf");
		buf_fmt(v->out, "%" PRIu64 "\n", count[b]);
	}
	sum_ns = total(v->m, first + SUM);
	put_series(v, "_sum", NULL);
	buf_fmt(v->out, "%" PRIu64 ".%09" PRIu64 "\n", sum_ns / 1000000000, sum_ns % 1000000000);
	put_series(v, "_count", NULL);
	buf_fmt(v->out, "%" PRIu64 "\n", seen);
}

static bool has_text(const struct view *v)
{
	for (int l = 0; l < LABELS_MAX && v->row->labels[l] != LABEL_none; l++)
		if (!value_text(v, l))
			return false;
	return true;
}

static void show_metric(struct view *v)
{
	static void (*const show[])(const struct view *) = {[EXPOSITION_COUNTER] = show_counter,
							    [EXPOSITION_GAUGE] = show_gauge,
							    [EXPOSITION_HISTOGRAM] = show_histogram};

	exposition_head(v->out, v->row->name, v->row->kind, v->row->doc);
	for (v->number = 0; v->number < series_count(v->place); v->number++) {
		v->index[0] = v->number / v->place->counts[1];
		v->index[1] = v->number % v->place->counts[1];
		if (has_text(v))
			show[v->row->kind](v);
	}
}

void metrics_text(const struct metrics *m, struct buf *out)
{
	if (!m)
		return;
	for (int i = 0; i < METRIC_COUNT; i++) {
		struct view v = {.m = m, .row = &rows[i], .place = &m->places[i], .out = out};

		if (series_count(v.place) > 0)
			show_metric(&v);
	}
}
