/*
 * One step is an open loop: calls are started when they are due, whatever has become of those before, as long as there
 * are spare ones.
 */
#include "sim/probe.h"

#include "base/histogram.h"
#include "base/magic.h"
#include "sim/client.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
	STEPS_MAX = 60,
	HOLD_TIMES = 4, /* steps that the rate which is found is held for */
	HOLDS_MAX = 8,
	PATIENCE_FAILURES = 10, /* before a step ends early */
	SLOW_TIMES = 3,
	SLOW_MORE_US = 20000,
	REST_MAX_MS = 60000,
	ANSWER_BYTES_MAX = 16 << 20,
	STATUS_REDIRECTION = 300, /* and above: no answer to what was asked */
	STATUS_SLOW_DOWN = 429,
	STATUS_UNAVAILABLE = 503,
};
static const int64_t SECOND_NS = 1000000000, MS_NS = 1000000;
static const double RATE_LEAST = 0.1, CLOSE_ENOUGH = 1.1, MARGIN = 0.9, LESS = 0.8, UNSENT_SHARE = 0.05,
		    FAILED_SHARE = 0.01;

struct probe_call {
	struct client_call call;
	int64_t due_ns;
	struct probe_call *next; /* among the spare */
};

struct probe {
	const struct sim_probe_args *args;
	struct sim_client *client;
	struct probe_call *calls, *spare;
	uint32_t under_way;
	struct str headers;
	struct histogram *latency_us; /* of the step, with failed calls too: they took their time as well */
	struct sim_probe_step step;
	enum err err; /* of the last call that failed */
	char said[200];
	uint64_t slow_us; /* 0: not known before the first step */
	probe_told_fn *told;
	void *ctx;
	struct arena *arena;
	struct sim_probe_out *out;
};

/* ---- calls ---- */

static void note_status(struct probe *o, const struct client_call *call)
{
	snprintf(o->said, sizeof(o->said), "answered with %d%s%s", call->status, call->detail[0] ? ", " : "",
		 call->detail);
}

static void note_failure(struct probe *o, const struct client_call *call)
{
	o->step.failed++;
	o->err = call->err ? call->err : ERR_TARGET_FAILS;
	if (call->err)
		snprintf(o->said, sizeof(o->said), "%s", call->detail);
	else
		note_status(o, call);
}

static void note_refusal(struct probe *o, const struct client_call *call)
{
	o->step.refused++;
	if (!o->step.failed)
		note_status(o, call);
}

static void note_retry_after(struct probe *o, int64_t ms)
{
	struct sim_probe_step *s = &o->step;

	if (ms >= 0 && (!HAS(s, sim_probe_step, retry_after_ms) || ms > s->retry_after_ms))
		PUT(s, sim_probe_step, retry_after_ms, ms);
}

static void on_done(void *ctx, struct client_call *call)
{
	struct probe *o = ctx;
	struct probe_call *k = CONTAINER_OF(call, struct probe_call, call);

	histogram_add(o->latency_us, (uint64_t)(call->done_ns - k->due_ns) / 1000);
	note_retry_after(o, call->retry_after_ms);
	if (!call->err &&
	    (call->status == STATUS_SLOW_DOWN || (call->status == STATUS_UNAVAILABLE && call->retry_after_ms >= 0)))
		o->step.limited++;
	else if (call->err || call->status >= 500)
		note_failure(o, call);
	else if (call->status >= STATUS_REDIRECTION)
		note_refusal(o, call);
	k->next = o->spare;
	o->spare = k;
	o->under_way--;
}

static void start_call(struct probe *o, int64_t due_ns)
{
	struct probe_call *k = o->spare;

	o->spare = k->next;
	o->under_way++;
	o->step.calls++;
	k->due_ns = due_ns;
	k->call = (struct client_call){.method = o->args->method, .path = o->args->path, .headers = o->headers};
	sim_client_start(o->client, &k->call);
}

/* ---- a step ---- */

static bool stands(const struct probe *o)
{
	return o->step.limited > 0 || o->step.failed >= PATIENCE_FAILURES;
}

static enum sim_probe_verdict verdict(const struct probe *o, double planned, bool all_busy)
{
	const struct sim_probe_step *s = &o->step;
	bool unsent = (double)s->calls < planned * (1 - UNSENT_SHARE) - 1;

	if (s->limited)
		return SIM_PROBE_LIMITED;
	if ((double)s->failed > (double)s->calls * FAILED_SHARE)
		return SIM_PROBE_FAILING;
	if ((unsent && all_busy) || (o->slow_us && histogram_at(o->latency_us, 95) > o->slow_us))
		return SIM_PROBE_SLOW;
	return unsent ? SIM_PROBE_BEHIND : SIM_PROBE_GOOD;
}

static void begin_step(struct probe *o, double rate)
{
	memset(o->latency_us, 0, sizeof(*o->latency_us));
	o->step = (struct sim_probe_step){.rate = rate};
	o->said[0] = '\0';
}

static void keep_step(struct probe *o, int64_t took_ns, enum sim_probe_verdict how)
{
	struct sim_probe_step *s = &o->step;

	s->sent = (double)s->calls * (double)SECOND_NS / (double)took_ns;
	s->verdict = (int)how;
	s->p50_ms = (double)histogram_at(o->latency_us, 50) / 1000;
	s->p95_ms = (double)histogram_at(o->latency_us, 95) / 1000;
	s->said = arena_str(o->arena, str_of(o->said));
	if (o->out->steps)
		o->out->steps[o->out->steps_count++] = *s;
	o->told(o->ctx, s);
}

/* Starts what is due; returns when the next call is, INT64_MAX when none is spare. */
static int64_t start_due(struct probe *o, int64_t begun_ns, int64_t end_ns)
{
	double interval_ns = (double)SECOND_NS / o->step.rate;

	for (;;) {
		int64_t due_ns = begun_ns + (int64_t)((double)o->step.calls * interval_ns);

		if (!o->spare)
			return INT64_MAX;
		if (due_ns >= end_ns || due_ns > clock_mono_ns())
			return due_ns;
		start_call(o, due_ns);
	}
}

static enum sim_probe_verdict run_step(struct probe *o, double rate, int64_t ms)
{
	int64_t begun_ns = clock_mono_ns(), end_ns = begun_ns + ms * MS_NS, now_ns = begun_ns;
	bool all_busy;
	enum sim_probe_verdict how;

	begin_step(o, rate);
	while (now_ns < end_ns && !stands(o)) {
		int64_t due_ns = start_due(o, begun_ns, end_ns), until_ns = due_ns < end_ns ? due_ns : end_ns;

		now_ns = clock_mono_ns();
		sim_client_poll(o->client, until_ns > now_ns ? until_ns - now_ns : 0);
		now_ns = clock_mono_ns();
	}
	all_busy = !o->spare;
	while (o->under_way)
		sim_client_poll(o->client, -1);
	how = verdict(o, rate * (double)(now_ns - begun_ns) / (double)SECOND_NS, all_busy);
	keep_step(o, now_ns - begun_ns, how);
	return how;
}

/* For as long as Retry-After says, and a tenth of a step: in a longer pause a token bucket would fill up again and hide
 * the limit. */
static void rest(struct probe *o)
{
	int64_t least_ms = o->args->step / 10;
	int64_t ms = o->step.retry_after_ms > least_ms ? o->step.retry_after_ms : least_ms;
	int64_t end_ns = clock_mono_ns() + (ms < REST_MAX_MS ? ms : REST_MAX_MS) * MS_NS, now_ns;

	while ((now_ns = clock_mono_ns()) < end_ns)
		sim_client_poll(o->client, end_ns - now_ns);
}

/* ---- the search ---- */

struct search {
	double good, bad; /* 0: none so far */
	enum sim_probe_verdict ended_by;
};

/* Then it is not the rate. */
static bool fails_from_the_start(const struct probe *o)
{
	return o->out->steps_count == 1 && o->step.failed == o->step.calls;
}

/* A hiccup is not the rate: what was slow is tried once more. */
static enum sim_probe_verdict try_rate(struct probe *o, double rate, int64_t ms)
{
	enum sim_probe_verdict how = run_step(o, rate, ms);

	if (how != SIM_PROBE_SLOW && how != SIM_PROBE_BEHIND)
		return how;
	rest(o);
	return run_step(o, rate, ms);
}

static void learn_what_is_slow(struct probe *o)
{
	uint64_t usual_us = histogram_at(o->latency_us, 95);

	if (!o->slow_us)
		o->slow_us = usual_us * SLOW_TIMES + SLOW_MORE_US;
}

/* False when the search is over. */
static bool next_rate(const struct probe *o, const struct search *s, double *rate)
{
	double max = o->args->max;

	if (s->bad == 0) {
		*rate = s->good * 2 < max ? s->good * 2 : max;
		return s->good < max;
	}
	if (s->good == 0) {
		*rate = s->bad / 2;
		return *rate >= RATE_LEAST;
	}
	*rate = (s->good + s->bad) / 2;
	return s->bad / s->good > CLOSE_ENOUGH;
}

static enum err search(struct probe *o, struct search *s, struct problem *p)
{
	double rate = o->args->from < o->args->max ? o->args->from : o->args->max;

	do {
		enum sim_probe_verdict how = try_rate(o, rate, o->args->step);

		if (fails_from_the_start(o))
			return problem_set(p, o->err, "%.*s: %s", STRF(o->args->target), o->said);
		if (how == SIM_PROBE_GOOD) {
			learn_what_is_slow(o);
			s->good = rate;
			continue;
		}
		s->bad = rate;
		s->ended_by = how;
		rest(o);
	} while (o->out->steps_count < STEPS_MAX && next_rate(o, s, &rate));
	return OK;
}

static void hold(struct probe *o, struct search *s)
{
	for (int i = 0; i < HOLDS_MAX && s->good >= RATE_LEAST; i++) {
		enum sim_probe_verdict how = try_rate(o, s->good, o->args->step * HOLD_TIMES);

		if (how == SIM_PROBE_GOOD)
			return;
		s->good *= LESS;
		s->ended_by = how;
		rest(o);
	}
	s->good = 0;
}

/* Down to a whole number, or to a tenth when it is small. */
static double rounded(double rate)
{
	return rate >= 10 ? floor(rate) : floor(rate * 10) / 10;
}

static enum err bears_none(enum sim_probe_verdict how, struct problem *p)
{
	enum err e = how == SIM_PROBE_LIMITED   ? ERR_RATE_LIMITED
		     : how == SIM_PROBE_FAILING ? ERR_TARGET_FAILS
						: ERR_TARGET_TIMEOUT;

	return problem_set(p, e, "the target bears no rate that was tried; the last was: %s",
			   enum_sim_probe_verdict.values[how].text);
}

static enum err conclude(const struct search *s, struct sim_probe_out *out, struct problem *p)
{
	out->borne = s->good;
	out->verdict = (int)s->ended_by;
	out->rate = s->ended_by == SIM_PROBE_GOOD ? s->good : rounded(s->good * MARGIN);
	return out->rate > 0 ? OK : bears_none(s->ended_by, p);
}

/* ---- setting out ---- */

static struct str header_lines(const struct sim_probe_args *args, struct arena *a)
{
	struct buf b = BUF_INIT(0);
	struct str lines;

	for (size_t i = 0; i < args->header_count; i++) {
		buf_str_add(&b, args->header[i]);
		buf_z(&b, "\r\n");
	}
	lines = arena_str(a, buf_str(&b));
	buf_free(&b);
	return lines;
}

static enum err set_out(struct probe *o, struct clock *clock, struct problem *p)
{
	const struct sim_probe_args *args = o->args;
	struct client_config config = {.target = args->target,
				       .groups = 1,
				       .connections_max = (uint32_t)args->connections,
				       .connect_ms = args->timeout,
				       .answer_ms = args->timeout,
				       .answer_bytes_max = ANSWER_BYTES_MAX,
				       .ca_file = args->ca_file,
				       .user_agent = STR("tenfold-sim-probe"),
				       .clock = clock};

	if (args->max < args->from)
		return problem_field(p, ERR_INVALID, "max", "must be at least that of --from");
	o->headers = header_lines(args, o->arena);
	o->out->steps = ARENA_ARRAY(o->arena, struct sim_probe_step, STEPS_MAX + 2 * HOLDS_MAX + 1);
	o->slow_us = HAS(args, sim_probe_args, slow) ? (uint64_t)args->slow * 1000 : 0;
	return sim_client_new(&config, on_done, o, &o->client, p);
}

static void make_calls(struct probe *o)
{
	size_t count = (size_t)o->args->connections;

	o->calls = must_alloc(count * sizeof(*o->calls));
	for (size_t i = 0; i < count; i++) {
		o->calls[i].next = o->spare;
		o->spare = &o->calls[i];
	}
}

enum err sim_probe(const struct sim_probe_args *args, struct clock *clock, probe_told_fn *told, void *ctx,
		   struct arena *a, struct sim_probe_out *out, struct problem *p)
{
	struct probe o = {.args = args, .told = told, .ctx = ctx, .arena = a, .out = out};
	struct search s = {.ended_by = SIM_PROBE_GOOD};
	enum err e;

	*out = (struct sim_probe_out){0};
	e = set_out(&o, clock, p);
	if (e)
		return e;
	o.latency_us = NEW(struct histogram);
	make_calls(&o);
	e = search(&o, &s, p);
	if (!e)
		hold(&o, &s);
	if (!e)
		e = conclude(&s, out, p);
	sim_client_free(&o.client);
	free(o.calls);
	free(o.latency_us);
	return e;
}
