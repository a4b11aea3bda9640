/*
 * The closed loop: on each connection, over and over, enqueue, claim until as many items were handed out, settle
 * them. Every connection claims only after its own items are in the queue, so a claim that finds nothing is a
 * fault. With --items the queue holds that many others all the time; what is claimed is then what waited longest.
 */
#include "base/clock.h"
#include "load.h"

struct worker {
	struct http http;
	struct cycle *cycle;
	enum step step;
	unsigned claimed, settled; /* items of this cycle */
	struct held_list held;
};

struct cycle {
	struct load *load;
	unsigned running; /* workers in a cycle */
};

static void claim_more(struct worker *w)
{
	w->step = STEP_CLAIM;
	ops_claim(w->cycle->load, &w->http, w->cycle->load->options.batch - w->claimed, 0);
}

static void begin(struct worker *w)
{
	struct load *l = w->cycle->load;

	w->claimed = 0;
	w->step = STEP_ENQUEUE;
	if (clock_mono_ns() < l->until_ns)
		ops_enqueue(l, &w->http, l->options.batch, 0);
	else if (--w->cycle->running == 0)
		l->wire->done = true;
}

static void settle_held(struct worker *w, size_t n)
{
	if (n == 0) {
		wire_fault(w->cycle->load->wire, "a claim found nothing");
		return;
	}
	w->claimed += (unsigned)n;
	w->step = STEP_SETTLE;
	ops_settle(w->cycle->load, &w->http, w->held.list.v, n);
}

static void settled(struct worker *w, int64_t now_ns)
{
	struct load *l = w->cycle->load;

	if (load_counts(l, now_ns))
		l->cycles += w->held.list.n;
	w->held.list.n = 0;
	if (w->claimed < l->options.batch)
		claim_more(w);
	else
		begin(w);
}

static void answered(struct http *h, int status, struct str body)
{
	struct worker *w = CONTAINER_OF(h, struct worker, http);
	struct load *l = w->cycle->load;
	int64_t now_ns = clock_mono_ns();

	if (load_counts(l, now_ns))
		histogram_add(l->latency[w->step], (uint64_t)(now_ns - h->sent_ns));
	if (w->step == STEP_ENQUEUE) {
		ops_enqueued(l, status, body, l->options.batch);
		claim_more(w);
	} else if (w->step == STEP_CLAIM) {
		settle_held(w, ops_claimed(l, status, body, &w->held));
	} else {
		ops_settled(l, status, body, w->held.list.v, w->held.list.n);
		settled(w, now_ns);
	}
}

static int64_t tick(void *ctx)
{
	struct cycle *cycle = ctx;

	load_check_late(cycle->load);
	return cycle->load->until_ns + (int64_t)LATE_S * 1000000000;
}

void mode_cycle(struct load *l)
{
	unsigned n = l->options.connections;
	struct cycle cycle = {.load = l, .running = n};
	struct worker *workers = must_alloc(n * sizeof *workers);

	for (unsigned i = 0; i < n; i++) {
		workers[i] = (struct worker){.cycle = &cycle, .http.answered = answered};
		load_open(l, &workers[i].http, i);
	}
	load_window(l);
	for (unsigned i = 0; i < n; i++)
		begin(&workers[i]);
	wire_run(l->wire, tick, &cycle);
	load_report(l, "cycles", (double)l->cycles);
	load_report(l, "per_second", (double)l->cycles / l->options.seconds);
	load_report_latency(l, "enqueue", l->latency[STEP_ENQUEUE]);
	load_report_latency(l, "claim", l->latency[STEP_CLAIM]);
	load_report_latency(l, "settle", l->latency[STEP_SETTLE]);
	for (unsigned i = 0; i < n; i++) {
		http_close(&workers[i].http);
		VEC_FREE(&workers[i].held.list);
	}
	free(workers);
}
