/*
 * What is shown of a run. Each shard is looked at under its lock, one after another: what it counts is exact by
 * itself, and the sum is of moments a few microseconds apart.
 */
#include "sim/engine_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000 };

/* ---- the last minute ---- */

static void turn_minute(struct engine *e, int64_t now)
{
	if (now - e->minute_ns < 60 * (int64_t)NS_PER_S)
		return;
	e->minute_ns = now;
	for (unsigned i = 0; i < e->config.threads; i++) {
		struct shard *s = &e->shards[i];
		struct latencies *oldest = s->minute[1];

		pthread_mutex_lock(&s->lock);
		latencies_clear(oldest, e->endpoint_count);
		s->minute[1] = s->minute[0];
		s->minute[0] = oldest;
		pthread_mutex_unlock(&s->lock);
	}
}

/* ---- what the shards have ---- */

static void add_cause(struct engine_view *v, const struct engine_cause *c)
{
	struct engine_cause *rarest = v->causes;

	for (unsigned i = 0; i < ENGINE_CAUSES; i++) {
		if (v->causes[i].count > 0 && str_eqz(str_of(c->text), v->causes[i].text)) {
			v->causes[i].count += c->count;
			return;
		}
		rarest = v->causes[i].count < rarest->count ? &v->causes[i] : rarest;
	}
	if (c->count > rarest->count)
		*rarest = *c;
}

static int most_first(const void *a, const void *b)
{
	const struct engine_cause *x = a, *y = b;

	return x->count != y->count ? (x->count < y->count ? 1 : -1) : 0;
}

static void add_client(struct client_counts *into, const struct client_counts *c)
{
	into->under_way += c->under_way;
	into->waiting += c->waiting;
	into->open += c->open;
	into->calls += c->calls;
	into->connects += c->connects;
	into->bytes_sent += c->bytes_sent;
	into->bytes_read += c->bytes_read;
}

static void look_at_shard(struct engine *e, struct shard *s, struct engine_view *v)
{
	pthread_mutex_lock(&s->lock);
	add_client(&v->client, &s->client);
	counts_add(&v->this_cycle, &s->counts);
	v->under_way += s->live_count;
	v->in_flight += s->calling;
	v->queueing += s->queueing;
	latencies_merge(e->shown, s->endpoints, e->endpoint_count);
	latencies_merge(e->shown_recent, s->minute[0], e->endpoint_count);
	latencies_merge(e->shown_recent, s->minute[1], e->endpoint_count);
	for (unsigned i = 0; i < ENGINE_CAUSES; i++)
		if (s->causes[i].count > 0)
			add_cause(v, &s->causes[i]);
	pthread_mutex_unlock(&s->lock);
}

static void look_at_shards(struct engine *e, struct engine_view *v)
{
	latencies_clear(e->shown, e->endpoint_count);
	latencies_clear(e->shown_recent, e->endpoint_count);
	latencies_merge(e->shown, e->endpoints, e->endpoint_count);
	for (unsigned i = 0; i < e->config.threads; i++)
		look_at_shard(e, &e->shards[i], v);
	qsort(v->causes, ENGINE_CAUSES, sizeof(v->causes[0]), most_first);
	v->totals = e->totals;
	counts_add(&v->totals, &v->this_cycle);
	v->endpoints = e->shown;
	v->recent = e->shown_recent;
	v->endpoint_count = e->endpoint_count;
}

/* ---- the rest ---- */

static double rate_of(struct engine *e, uint64_t requests, int64_t now)
{
	int64_t span = now - e->rate_from_ns;

	if (span >= NS_PER_S) {
		e->rate_measured = (double)(requests - e->rate_from) * 1e9 / (double)span;
		e->rate_from_ns = now;
		e->rate_from = requests;
	}
	return e->rate_measured;
}

static uint64_t resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	char line[128] = "";
	struct str rest, pages;
	int64_t n;
	bool read;

	if (!f)
		return 0;
	read = fgets(line, sizeof(line), f) != NULL;
	fclose(f);
	str_cut(str_of(line), ' ', &rest);
	pages = str_cut(rest, ' ', &rest);
	return read && str_to_i64(pages, &n) ? (uint64_t)n * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* All of the cycle is done before its time is over: its hour goes on meanwhile. */
static bool waits_for_its_end(const struct engine *e)
{
	return e->phase == PHASE_WAIT && e->planned_ns > 0;
}

static int64_t simulated_ms(struct engine *e, int64_t run_ns)
{
	int64_t hour_ms = e->config.start_ms + (int64_t)e->cycle * CALENDAR_HOUR_MS;

	return e->planned_ns > 0 && (e->phase == PHASE_CYCLE || e->phase == PHASE_WAIT)
		       ? cycle_simulated_ms(e, run_ns)
		       : hour_ms;
}

static void look_at_time(struct engine *e, struct engine_view *v)
{
	int64_t run = runclock_now(&e->clock), held = limiter_held_until(&e->limiter);
	bool on = e->phase == PHASE_CYCLE || e->phase == PHASE_SETTLE || e->phase == PHASE_CLOSE ||
		  waits_for_its_end(e);

	v->cycle = e->cycle;
	v->cycles = e->config.cycles;
	v->agents = population_count(e->config.population);
	v->admitted = e->admitted;
	v->simulated_ms = simulated_ms(e, run);
	v->elapsed_ms = (run + e->before_ns) / NS_PER_MS;
	v->cycle_elapsed_ms = on ? (run - e->began_ns) / NS_PER_MS : 0;
	v->cycle_planned_ms = e->planned_ns / NS_PER_MS;
	v->held_ms = held > run ? (held - run) / NS_PER_MS : 0;
	v->slipped = e->slipped;
	v->replay = e->replay;
	v->end = e->end;
	v->cut_off = e->cut_off;
}

static void look_at_breaker(struct engine *e, struct engine_view *v)
{
	pthread_mutex_lock(&e->lock);
	v->pause = e->pause;
	v->breaker = e->breaker;
	snprintf(v->last_error, sizeof(v->last_error), "%s", e->last_error);
	pthread_mutex_unlock(&e->lock);
}

/* The breaker first: what opened it is then among what is counted. */
void engine_look(struct engine *e, struct engine_view *out)
{
	int64_t now = e->config.now_ns(e->config.clock);

	*out = (struct engine_view){.state = engine_state(e), .rate = e->config.rate};
	look_at_breaker(e, out);
	turn_minute(e, now);
	look_at_time(e, out);
	look_at_shards(e, out);
	out->rate_measured = rate_of(e, out->totals.requests, now);
	out->memory_bytes = resident_bytes();
	e->config.sink.count(e->config.sink.self, &out->recorder);
}
