/* Whole cycles at a given rate in an open loop, with --idle other connections open meanwhile. */
#include "open_loop.h"

struct open {
	struct load *load;
	struct open_loop loop;
	bool began;
};

/* The window opens when all three calls are made; calls count by when they fell due. */
static void begin_when_primed(struct open *o)
{
	if (!o->began && open_loop_primed(&o->loop)) {
		load_window(o->load);
		o->began = true;
	}
	o->loop.latency = o->began && o->load->wire->now_ns >= o->load->from_ns ? o->load->latency : NULL;
}

static int64_t tick(void *ctx)
{
	struct open *o = ctx;
	struct load *l = o->load;

	begin_when_primed(o);
	if (o->began && l->wire->now_ns >= l->until_ns)
		open_loop_stop(&o->loop);
	load_check_late(l);
	int64_t next_ns = open_loop_tick(&o->loop);
	if (open_loop_over(&o->loop))
		l->wire->done = true;
	return o->loop.stopped ? l->until_ns + (int64_t)LATE_S * 1000000000 : next_ns;
}

void mode_open(struct load *l)
{
	struct idle *idle = idle_open(l, l->options.idle);
	struct open o = {.load = l};

	open_loop_init(&o.loop, l, l->options.connections, l->options.key_count, l->options.rate * STEP_COUNT);
	load_window(l);
	wire_run(l->wire, tick, &o);
	load_report(l, "rate", l->options.rate);
	load_report(l, "per_second", (double)l->latency[STEP_SETTLE]->count / l->options.seconds);
	load_report_latency(l, "enqueue", l->latency[STEP_ENQUEUE]);
	load_report_latency(l, "claim", l->latency[STEP_CLAIM]);
	load_report_latency(l, "settle", l->latency[STEP_SETTLE]);
	open_loop_free(&o.loop);
	idle_close(l, &idle);
}
