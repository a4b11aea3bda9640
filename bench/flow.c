/*
 * Executions of three steps, each after the one before, from their start to their end: --connections make them, half as
 * many workers take their steps in batches of --batch from --squad and complete them. At most --in-flight executions
 * are under way, so that what is measured is how fast they go through and not how many the server takes in; with
 * --paced they begin at --rate a second instead, in an open loop.
 */
#include "base/clock.h"
#include "load.h"

enum { STEPS = 3, WAIT_MS = 1000 };

struct flow;

struct starter {
	struct http http;
	struct flow *flow;
};

struct stepper {
	struct http http;
	struct flow *flow;
	bool settling;
	struct held_list held;
};

struct flow {
	struct load *load;
	struct buf body;
	struct starter *starters;
	struct stepper *steppers;
	VEC(struct starter *) resting;
	uint64_t asked, started, settled;
	uint64_t counted_starts;
	double next_ns; /* paced: when the next one is due */
	struct histogram *start;
	bool opened;
};

static void make_body(struct flow *f)
{
	buf_fmt(&f->body, "{\"squad\":\"%.*s\",\"name\":\"benchmark execution\",\"steps\":[",
		STRF(f->load->options.squad));
	for (int i = 0; i < STEPS; i++) {
		buf_fmt(&f->body, "%s{\"name\":\"step%d\"", i ? "," : "", i);
		if (i)
			buf_fmt(&f->body, ",\"needs\":[\"step%d\"]", i - 1);
		buf_c(&f->body, '}');
	}
	buf_z(&f->body, "]}");
}

static bool is_over(const struct flow *f)
{
	return f->opened && f->load->wire->now_ns >= f->load->until_ns;
}

/* ---- those that make them ---- */

static bool may_start(const struct flow *f)
{
	const struct options *o = &f->load->options;

	if (is_over(f))
		return false;
	return o->paced ? f->next_ns <= (double)f->load->wire->now_ns
			: f->asked - f->settled / STEPS < o->in_flight;
}

static void start_some(struct flow *f)
{
	while (f->resting.n && may_start(f) && !f->load->wire->done) {
		struct starter *s = f->resting.v[--f->resting.n];

		f->asked++;
		f->next_ns += 1e9 / f->load->options.rate;
		http_post(&s->http, STR("/v1/executions"), buf_str(&f->body));
	}
}

static void started(struct http *h, int status, struct str body)
{
	struct starter *s = CONTAINER_OF(h, struct starter, http);
	struct flow *f = s->flow;
	int64_t now_ns = clock_mono_ns();

	if (status != 202) {
		wire_fault(f->load->wire, "start: %d %.*s", status, body.n < 160 ? (int)body.n : 160, body.p);
		return;
	}
	f->started++;
	if (load_counts(f->load, now_ns)) {
		f->counted_starts++;
		histogram_add(f->start, (uint64_t)(now_ns - h->sent_ns));
	}
	*VEC_PUSH(&f->resting) = s;
	start_some(f);
}

/* ---- those that do their steps ---- */

static void take_more(struct stepper *s)
{
	s->settling = false;
	s->held.list.n = 0;
	ops_claim(s->flow->load, &s->http, s->flow->load->options.batch, WAIT_MS);
}

/* Nobody enqueued them but the server. */
static void note_enqueued(struct load *l, const struct held_list *held)
{
	for (size_t i = 0; i < held->list.n; i++)
		ledger_mark(&l->ledger, held->list.v[i].id, STEP_ENQUEUE);
}

static void stepped(struct flow *f, size_t count, int64_t now_ns)
{
	struct load *l = f->load;

	f->settled += count;
	if (load_counts(l, now_ns))
		l->cycles += count;
	if (is_over(f) && f->started == f->asked && f->settled == f->started * STEPS)
		l->wire->done = true;
	start_some(f);
}

static void answered(struct http *h, int status, struct str body)
{
	struct stepper *s = CONTAINER_OF(h, struct stepper, http);
	struct load *l = s->flow->load;
	int64_t now_ns = clock_mono_ns();

	if (s->settling) {
		ops_settled(l, status, body, s->held.list.v, s->held.list.n);
		stepped(s->flow, s->held.list.n, now_ns);
		if (load_counts(l, now_ns))
			histogram_add(l->latency[STEP_SETTLE], (uint64_t)(now_ns - h->sent_ns));
		take_more(s);
	} else if (ops_claimed(l, status, body, &s->held) == 0) {
		take_more(s);
	} else {
		note_enqueued(l, &s->held);
		s->settling = true;
		ops_settle(l, h, s->held.list.v, s->held.list.n);
	}
}

/* ---- a run ---- */

static void open_all(struct flow *f, unsigned steppers)
{
	struct load *l = f->load;

	for (unsigned i = 0; i < l->options.connections; i++) {
		f->starters[i] = (struct starter){.flow = f, .http.answered = started};
		load_open(l, &f->starters[i].http, i);
		*VEC_PUSH(&f->resting) = &f->starters[i];
	}
	for (unsigned i = 0; i < steppers; i++) {
		f->steppers[i] = (struct stepper){.flow = f, .http.answered = answered};
		load_open(l, &f->steppers[i].http, i);
		take_more(&f->steppers[i]);
	}
	load_window(l);
	f->next_ns = (double)clock_mono_ns();
	f->opened = true;
}

static int64_t tick(void *ctx)
{
	struct flow *f = ctx;
	struct load *l = f->load;

	load_check_late(l);
	start_some(f);
	if (is_over(f) && f->started == f->asked && f->settled == f->started * STEPS)
		l->wire->done = true;
	if (is_over(f))
		return l->until_ns + (int64_t)LATE_S * 1000000000;
	return l->options.paced && f->next_ns < (double)l->until_ns ? (int64_t)f->next_ns : l->until_ns;
}

void mode_flow(struct load *l)
{
	unsigned n = l->options.connections, steppers = n / 2 + 1;
	struct flow f = {.load = l,
			 .starters = must_alloc(n * sizeof *f.starters),
			 .steppers = must_alloc(steppers * sizeof *f.steppers),
			 .start = NEW(struct histogram)};

	make_body(&f);
	open_all(&f, steppers);
	wire_run(l->wire, tick, &f);
	load_report(l, "started", (double)f.started);
	load_report(l, "starts_per_second", (double)f.counted_starts / l->options.seconds);
	load_report(l, "per_second", (double)l->cycles / STEPS / l->options.seconds);
	load_report_latency(l, "start", f.start);
	load_report_latency(l, "settle", l->latency[STEP_SETTLE]);
	for (unsigned i = 0; i < n; i++)
		http_close(&f.starters[i].http);
	for (unsigned i = 0; i < steppers; i++) {
		http_close(&f.steppers[i].http);
		VEC_FREE(&f.steppers[i].held.list);
	}
	VEC_FREE(&f.resting);
	buf_free(&f.body);
	free(f.starters);
	free(f.steppers);
	free(f.start);
}
