/*
 * Does one tenant's burst reach another's latency? All keys but the last, of one tenant, work at a given rate in an
 * open loop: for the window alone, then while the last key, of another, enqueues --items items in batches as fast
 * as it can. Calls that fall due while the burst lasts are counted apart.
 */
#include "open_loop.h"

#include "base/clock.h"

enum { BURSTERS = 4 };

struct burster {
	struct http http;
	struct fair *fair;
	unsigned asked;
};

struct fair {
	struct load *load;
	struct open_loop loop;
	struct burster bursters[BURSTERS];
	uint64_t left; /* items of the burst not asked for */
	unsigned running;
	int64_t burst_began_ns, burst_ended_ns; /* 0: not yet */
	struct histogram *during[STEP_COUNT];
	bool began;
};

static void burst_next(struct burster *b)
{
	struct fair *f = b->fair;
	unsigned batch = f->load->options.batch;

	b->asked = f->left < batch ? (unsigned)f->left : batch;
	f->left -= b->asked;
	if (b->asked)
		ops_enqueue(f->load, &b->http, b->asked, 0);
	else if (--f->running == 0)
		f->burst_ended_ns = clock_mono_ns();
}

static void answered(struct http *h, int status, struct str body)
{
	struct burster *b = CONTAINER_OF(h, struct burster, http);

	ops_enqueued(b->fair->load, status, body, b->asked);
	burst_next(b);
}

static void burst(struct fair *f)
{
	f->burst_began_ns = clock_mono_ns();
	f->left = f->load->options.items;
	f->running = BURSTERS;
	for (unsigned i = 0; i < BURSTERS; i++)
		burst_next(&f->bursters[i]);
}

/* Which phase is it, and where do calls count that fall due in it? */
static void choose_phase(struct fair *f)
{
	struct load *l = f->load;

	f->loop.latency = NULL;
	if (!f->began && open_loop_primed(&f->loop)) {
		load_window(l);
		f->began = true;
	}
	if (!f->began)
		return;
	if (load_counts(l, l->wire->now_ns))
		f->loop.latency = l->latency;
	if (l->wire->now_ns < l->until_ns)
		return;
	if (!f->burst_began_ns)
		burst(f);
	if (f->burst_ended_ns)
		open_loop_stop(&f->loop);
	else
		f->loop.latency = f->during;
}

static int64_t tick(void *ctx)
{
	struct fair *f = ctx;

	choose_phase(f);
	load_check_late(f->load);
	int64_t next_ns = open_loop_tick(&f->loop);
	if (open_loop_over(&f->loop))
		f->load->wire->done = true;
	return next_ns;
}

static void report(struct fair *f)
{
	struct load *l = f->load;
	double burst_s = (double)(f->burst_ended_ns - f->burst_began_ns) / 1e9;

	load_report(l, "rate", l->options.rate);
	load_report(l, "burst_items", (double)l->options.items);
	load_report(l, "burst_seconds", burst_s);
	load_report_latency(l, "alone_enqueue", l->latency[STEP_ENQUEUE]);
	load_report_latency(l, "alone_claim", l->latency[STEP_CLAIM]);
	load_report_latency(l, "alone_settle", l->latency[STEP_SETTLE]);
	load_report_latency(l, "during_enqueue", f->during[STEP_ENQUEUE]);
	load_report_latency(l, "during_claim", f->during[STEP_CLAIM]);
	load_report_latency(l, "during_settle", f->during[STEP_SETTLE]);
}

void mode_fair(struct load *l)
{
	struct fair *f = NEW(struct fair);
	unsigned last_key = l->options.key_count - 1;

	f->load = l;
	for (int i = 0; i < STEP_COUNT; i++)
		f->during[i] = NEW(struct histogram);
	open_loop_init(&f->loop, l, l->options.connections, last_key ? last_key : 1, l->options.rate * STEP_COUNT);
	for (unsigned i = 0; i < BURSTERS; i++) {
		f->bursters[i] = (struct burster){.fair = f, .http.answered = answered};
		load_open(l, &f->bursters[i].http, last_key);
	}
	load_window(l);
	wire_run(l->wire, tick, f);
	report(f);
	open_loop_free(&f->loop);
	for (unsigned i = 0; i < BURSTERS; i++)
		http_close(&f->bursters[i].http);
	for (int i = 0; i < STEP_COUNT; i++)
		free(f->during[i]);
	free(f);
}
