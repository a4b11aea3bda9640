/* The closed loop of GETs: what HTTP costs without the queue. */
#include "base/clock.h"
#include "load.h"

struct getter {
	struct http http;
	struct get *get;
};

struct get {
	struct load *load;
	unsigned running;
	struct histogram *latency;
};

static void next(struct getter *g)
{
	struct load *l = g->get->load;

	if (clock_mono_ns() < l->until_ns)
		http_get(&g->http, l->options.path);
	else if (--g->get->running == 0)
		l->wire->done = true;
}

static void answered(struct http *h, int status, struct str body)
{
	struct getter *g = CONTAINER_OF(h, struct getter, http);
	int64_t now_ns = clock_mono_ns();

	if (status != 200 || !body.n)
		wire_fault(g->get->load->wire, "GET: %d", status);
	if (load_counts(g->get->load, now_ns))
		histogram_add(g->get->latency, (uint64_t)(now_ns - h->sent_ns));
	next(g);
}

static int64_t tick(void *ctx)
{
	struct get *get = ctx;

	load_check_late(get->load);
	return get->load->until_ns + (int64_t)LATE_S * 1000000000;
}

void mode_get(struct load *l)
{
	unsigned n = l->options.connections;
	struct get get = {.load = l, .running = n, .latency = NEW(struct histogram)};
	struct getter *getters = must_alloc(n * sizeof *getters);

	for (unsigned i = 0; i < n; i++) {
		getters[i] = (struct getter){.get = &get, .http.answered = answered};
		load_open(l, &getters[i].http, i);
	}
	load_window(l);
	for (unsigned i = 0; i < n; i++)
		next(&getters[i]);
	wire_run(l->wire, tick, &get);
	load_report(l, "per_second", (double)get.latency->count / l->options.seconds);
	load_report_latency(l, "get", get.latency);
	for (unsigned i = 0; i < n; i++)
		http_close(&getters[i].http);
	free(getters);
	free(get.latency);
}
