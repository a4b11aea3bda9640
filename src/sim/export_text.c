/* The figures of a run as lines: each metric is declared once, in the tables below. See export.h. */
#include "sim/export.h"

#include "base/buf.h"
#include "telemetry/exposition.h"

#include <inttypes.h>

enum { US_PER_S = 1000000, NS_PER_US = 1000 };

/* Beside those of COUNTS in sim/stats.h. */
#define COUNTERS(COUNTER)                                                                                   \
	COUNTER(breaker_trips, v->breaker.trips, "How often the breaker opened, in this process.")          \
	COUNTER(cycles_slipped, v->slipped, "Cycles that took longer than their time, in this process.")    \
	COUNTER(connections_made, v->client.connects, "Connections to the target made by this process.")    \
	COUNTER(sent_bytes, v->client.bytes_sent, "Bytes sent to the target by this process.")              \
	COUNTER(received_bytes, v->client.bytes_read, "Bytes that came from the target to this process.")   \
	COUNTER(recorder_rows, v->recorder.written_rows, "Rows that this process wrote.")                   \
	COUNTER(recorder_planned_rows, v->recorder.planned_rows, "Rows it would have written (--mock-db).") \
	COUNTER(recorder_commits, v->recorder.commits, "Transactions in which it wrote them.")

#define GAUGES(GAUGE)                                                                                           \
	GAUGE(cycle, v->cycle, "The cycle under way, or the next one.")                                         \
	GAUGE(cycles_planned, v->cycles, "Cycles the run is to have; 0: until it is told to end.")              \
	GAUGE(simulated_time_seconds, (double)v->simulated_ms / 1000, "Simulated time, in seconds since 1970.") \
	GAUGE(elapsed_seconds, (double)v->elapsed_ms / 1000,                                                    \
	      "Since the run began, without the spans in which it stood.")                                      \
	GAUGE(cycle_elapsed_seconds, (double)v->cycle_elapsed_ms / 1000, "Since the cycle began.")              \
	GAUGE(agents, v->agents, "Agents of the run.")                                                          \
	GAUGE(agents_admitted, v->admitted, "Of them, those who take part: fewer while it warms up.")           \
	GAUGE(sessions_under_way, v->under_way, "Sessions and visits now.")                                     \
	GAUGE(requests_in_flight, v->in_flight, "Of them, those who wait for an answer.")                       \
	GAUGE(requests_queueing, v->queueing, "Of them, those who wait for the own limiter.")                   \
	GAUGE(requests_per_second_allowed, v->rate, "What the own limiter lets through; 0: it has no limit.")   \
	GAUGE(held_seconds, (double)v->held_ms / 1000, "How long a 429 still holds everybody.")                 \
	GAUGE(paused, v->pause != 0, "1 while the run stands.")                                                 \
	GAUGE(breaker_open, sim_breaker_is_open(&v->breaker), "1 while the breaker is open.")                   \
	GAUGE(breaker_failures, v->breaker.failures, "Agents that failed in this cycle.")                       \
	GAUGE(connections_open, v->client.open, "Connections to the target now.")                               \
	GAUGE(recorder_queued, v->recorder.queued, "Records that are not written yet.")                         \
	GAUGE(recorder_connections_open, v->recorder.connections, "Connections to the store of records now.")   \
	GAUGE(recorder_connections_busy, v->recorder.busy, "Those of them that write just now.")                \
	GAUGE(resident_memory_bytes, v->memory_bytes, "Memory of the process.")                                 \
	GAUGE(replay, v->replay, "1 in a cycle that was run before, by a process that is gone.")

static void put_counter(struct buf *b, const char *name, const char *doc, uint64_t n)
{
	exposition_head(b, name, EXPOSITION_COUNTER, doc);
	buf_fmt(b, "%s %" PRIu64 "\n", name, n);
}

static void put_gauge(struct buf *b, const char *name, const char *doc, double value)
{
	exposition_head(b, name, EXPOSITION_GAUGE, doc);
	buf_fmt(b, "%s %.15g\n", name, value);
}

static void put_counters(const struct engine_view *v, struct buf *b)
{
#define COUNT(name, doc) put_counter(b, "tenfold_sim_" #name "_total", doc, v->totals.name);
	COUNTS(COUNT)
#undef COUNT
#define COUNTER(name, value, doc) put_counter(b, "tenfold_sim_" #name "_total", doc, value);
	COUNTERS(COUNTER)
#undef COUNTER
}

static void put_gauges(const struct engine_view *v, struct buf *b)
{
#define GAUGE(name, value, doc) put_gauge(b, "tenfold_sim_" #name, doc, (double)(value));
	GAUGES(GAUGE)
#undef GAUGE
}

static void put_run(const struct run_facts *facts, struct buf *b)
{
	exposition_head(b, "tenfold_sim_run_info", EXPOSITION_GAUGE, "Always 1: which run this is.");
	buf_z(b, "tenfold_sim_run_info");
	exposition_label(b, '{', "run", facts->run_id);
	exposition_label(b, ',', "scenario", scenario_name(facts->scenario));
	exposition_label(b, ',', "seed", facts->seed_text);
	buf_z(b, "} 1\n");
}

static void put_outcomes(const struct engine_view *v, const struct run_facts *facts, struct buf *b)
{
	exposition_head(b, "tenfold_sim_session_outcomes_total", EXPOSITION_COUNTER, "Sessions by how they ended.");
	for (unsigned i = 0; i < scenario_outcome_count(facts->scenario); i++) {
		buf_z(b, "tenfold_sim_session_outcomes_total");
		exposition_label(b, '{', "outcome", scenario_outcome_name(facts->scenario, i));
		buf_fmt(b, "} %" PRIu64 "\n", v->totals.by_outcome[i]);
	}
}

/* ---- latencies ---- */

struct family {
	const char *name, *doc;
	size_t offset; /* of the struct latency in struct latencies */
};

static const struct family families[] = {
	{"tenfold_sim_service_seconds", "From a request's first byte sent to the last one read.",
	 offsetof(struct latencies, service)},
	{"tenfold_sim_response_seconds",
	 "From when a request should have been sent, had nothing been slow before, to the last byte read.",
	 offsetof(struct latencies, response)},
	{"tenfold_sim_throttle_seconds", "That the own limiter made a request wait; in neither of the others.",
	 offsetof(struct latencies, throttle)},
};

static void put_bucket(struct buf *b, const char *name, struct str endpoint, const char *le, uint64_t count)
{
	buf_fmt(b, "%s_bucket", name);
	exposition_label(b, '{', "endpoint", endpoint);
	exposition_label(b, ',', "le", str_of(le));
	buf_fmt(b, "} %" PRIu64 "\n", count);
}

static void put_latency(struct buf *b, const char *name, struct str endpoint, const struct latency *l)
{
#define BUCKET(ns, seconds) put_bucket(b, name, endpoint, seconds, latency_count_to(l, (ns) / NS_PER_US));
#include "api/metrics.def"
	put_bucket(b, name, endpoint, "+Inf", l->count);
	buf_fmt(b, "%s_sum", name);
	exposition_label(b, '{', "endpoint", endpoint);
	buf_fmt(b, "} %" PRIu64 ".%06" PRIu64 "\n", l->sum_us / US_PER_S, l->sum_us % US_PER_S);
	buf_fmt(b, "%s_count", name);
	exposition_label(b, '{', "endpoint", endpoint);
	buf_fmt(b, "} %" PRIu64 "\n", l->count);
}

/* Of endpoints that were asked for. */
static void put_family(const struct engine_view *v, const struct scenario *s, const struct family *f, struct buf *b)
{
	exposition_head(b, f->name, EXPOSITION_HISTOGRAM, f->doc);
	for (unsigned i = 0; i < v->endpoint_count; i++) {
		const struct latency *l =
			(const struct latency *)(const void *)((const char *)&v->endpoints[i] + f->offset);

		if (l->count > 0)
			put_latency(b, f->name, scenario_endpoint_name(s, i), l);
	}
}

void export_text(const struct engine_view *v, const struct run_facts *facts, struct buf *b)
{
	put_run(facts, b);
	put_counters(v, b);
	put_gauges(v, b);
	put_outcomes(v, facts, b);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		put_family(v, facts->scenario, &families[i], b);
}
