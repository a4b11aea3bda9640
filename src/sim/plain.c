/*
 * Lines.
 */
#include "sim/plain.h"

#include "base/clock.h"
#include "base/magic.h"
#include "sim/words.h"

#include <stdlib.h>

static const int64_t EVERY_NS = INT64_C(5000000000), STANDING_EVERY_NS = INT64_C(60000000000);

static void merge(const struct engine_view *v, const struct latencies *l, struct latencies *all)
{
	for (unsigned i = 0; i < v->endpoint_count; i++)
		latencies_merge(all, &l[i], 1);
}

static void free_merged(struct latencies *all)
{
	latency_free(&all->service);
	latency_free(&all->response);
	latency_free(&all->throttle);
}

int64_t plain_left_ms(const struct engine_view *v)
{
	uint32_t left = v->cycles > v->cycle ? v->cycles - v->cycle : 0;
	int64_t each = v->cycle > 0 ? v->elapsed_ms / v->cycle : 0;

	if (v->cycles == 0)
		return -1;
	if (v->cycle_planned_ms > 0)
		return left > 0 ? (left - 1) * v->cycle_planned_ms : 0;
	return v->cycle > 0 ? left * each : -1;
}

/* ---- how far ---- */

static void write_state(const struct engine_view *v, struct buf *b)
{
	if (v->state != ENGINE_PAUSED)
		return;
	buf_z(b, v->pause & PAUSE_BREAKER    ? "  BREAKER OPEN: tenfold sim ctl goes on or ends it"
		 : v->pause & PAUSE_RECORDER ? "  PAUSED: records cannot be written"
					     : "  PAUSED");
}

static void write_latency(const struct engine_view *v, struct buf *b)
{
	struct latencies all = {0};

	merge(v, v->recent, &all);
	if (all.response.count > 0)
		buf_fmt(b, "  p95 %.1f ms", (double)latency_at_us(&all.response, 95) / 1000);
	free_merged(&all);
}

void plain_progress(const struct engine_view *v, struct buf *b)
{
	int64_t left = plain_left_ms(v);

	buf_fmt(b, "cycle %u", v->cycle);
	if (v->cycles > 0)
		buf_fmt(b, " of %u", v->cycles);
	buf_z(b, v->replay ? " (again)  " : "  ");
	words_hour(b, v->simulated_ms);
	if (v->admitted < v->agents)
		buf_fmt(b, "  %u of %u agents", v->admitted, v->agents);
	buf_fmt(b, "  %u under way  %llu sessions  %.1f requests/s", v->under_way,
		(unsigned long long)v->totals.sessions, v->rate_measured);
	write_latency(v, b);
	buf_fmt(b, "  %llu failed", (unsigned long long)v->totals.failures);
	if (left >= 0) {
		buf_z(b, "  ");
		words_clock(b, left);
		buf_z(b, " to go");
	}
	write_state(v, b);
}

/* ---- what came of it ---- */

static void write_outcomes(const struct engine_view *v, const struct scenario *s, struct buf *b)
{
	buf_fmt(b, "sessions  %llu", (unsigned long long)v->totals.sessions);
	for (unsigned i = 0; i < scenario_outcome_count(s); i++)
		buf_fmt(b, "%s %llu %.*s", i == 0 ? ":" : ",", (unsigned long long)v->totals.by_outcome[i],
			STRF(scenario_outcome_name(s, i)));
	if (v->totals.idle_visits > 0)
		buf_fmt(b, "; %llu visits without one", (unsigned long long)v->totals.idle_visits);
	buf_c(b, '\n');
}

static void write_times(const char *name, const struct latency *l, struct buf *b)
{
	if (l->count > 0)
		buf_fmt(b, "%-10sp50 %.1f  p95 %.1f  p99 %.1f  max %.1f ms\n", name,
			(double)latency_at_us(l, 50) / 1000, (double)latency_at_us(l, 95) / 1000,
			(double)latency_at_us(l, 99) / 1000, (double)l->max_us / 1000);
}

static void write_offers(const struct engine_view *v, struct buf *b)
{
	const struct counts *c = &v->totals;

	if (c->offer_rounds == 0)
		return;
	buf_fmt(b, "offers    %llu given in %llu rounds", (unsigned long long)c->offers_assigned,
		(unsigned long long)c->offer_rounds);
	if (c->offers_short > 0)
		buf_fmt(b, ", %llu could not be given", (unsigned long long)c->offers_short);
	buf_c(b, '\n');
}

/* What a reader has to know before the rest is believed. */
static void write_doubts(const struct engine_view *v, struct buf *b)
{
	if (v->slipped > 0)
		buf_fmt(b, "slipped   %u cycles took longer than their time\n", v->slipped);
	if (v->totals.dropped_arrivals > 0)
		buf_fmt(b, "dropped   %llu arrivals found nobody ready\n",
			(unsigned long long)v->totals.dropped_arrivals);
	if (v->totals.late_arrivals > 0)
		buf_fmt(b, "late      %llu arrivals began later than they should have\n",
			(unsigned long long)v->totals.late_arrivals);
	if (v->breaker.trips > 0)
		buf_fmt(b, "breaker   opened %u times; last error: %s\n", v->breaker.trips, v->last_error);
}

void plain_summary(const struct engine_view *v, const struct scenario *s, struct buf *b)
{
	double seconds = (double)v->elapsed_ms / 1000;
	struct latencies all = {0};

	buf_fmt(b, "cycles    %u, to ", v->cycle);
	words_hour(b, v->simulated_ms);
	buf_fmt(b, ", in %.1f s; %llu turns of agents", seconds, (unsigned long long)v->totals.agents_run);
	if (seconds > 0)
		buf_fmt(b, ", %.0f a second", (double)v->totals.agents_run / seconds);
	buf_c(b, '\n');
	write_outcomes(v, s, b);
	buf_fmt(b, "requests  %llu, %llu failed\n", (unsigned long long)v->totals.requests,
		(unsigned long long)v->totals.requests_failed);
	merge(v, v->endpoints, &all);
	write_times("response", &all.response, b);
	write_times("service", &all.service, b);
	write_times("throttle", &all.throttle, b);
	free_merged(&all);
	write_offers(v, b);
	write_doubts(v, b);
}

/* ---- as it goes ---- */

struct teller {
	FILE *to;
	int64_t told_ns;
	bool stands; /* as it was told */
};

/* A run that stands has nothing new to tell. */
static bool is_told_of(const struct teller *t, struct engine *e)
{
	return t->stands && engine_state(e) == ENGINE_PAUSED;
}

static void tell(void *self, struct engine *e)
{
	struct teller *t = self;
	int64_t now = clock_mono_ns();
	struct buf b = BUF_INIT(1 << 16);
	struct engine_view v;

	if (now - t->told_ns < (is_told_of(t, e) ? STANDING_EVERY_NS : EVERY_NS))
		return;
	t->told_ns = now;
	engine_look(e, &v);
	t->stands = v.state == ENGINE_PAUSED;
	plain_progress(&v, &b);
	fprintf(t->to, "%s\n", buf_cstr(&b));
	fflush(t->to);
	buf_free(&b);
}

static void tell_news(void *self, enum engine_news what, const char *line)
{
	const struct teller *t = self;

	(void)what;
	fprintf(t->to, "%s\n", line);
	fflush(t->to);
}

static void end(void *self, const struct engine_view *last)
{
	(void)last;
	free(self);
}

struct watcher plain_watcher(FILE *to)
{
	struct teller *t = NEW(struct teller);

	*t = (struct teller){to, clock_mono_ns(), false};
	return (struct watcher){t, tell, tell_news, end};
}
