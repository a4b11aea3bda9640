/* Enqueues a number of items in batches over a few connections, as fast as it goes. */
#include "base/clock.h"
#include "load.h"

struct filler {
	struct http http;
	struct fill *fill;
	unsigned asked; /* items of the request under way */
};

struct fill {
	struct load *load;
	uint64_t left; /* not asked for yet */
	unsigned batch, running;
};

static void next(struct filler *f)
{
	struct fill *fill = f->fill;

	f->asked = (unsigned)(fill->left < fill->batch ? fill->left : fill->batch);
	fill->left -= f->asked;
	if (f->asked)
		ops_enqueue(fill->load, &f->http, f->asked, 0);
	else if (--fill->running == 0)
		fill->load->wire->done = true;
}

static void answered(struct http *h, int status, struct str body)
{
	struct filler *f = CONTAINER_OF(h, struct filler, http);

	ops_enqueued(f->fill->load, status, body, f->asked);
	next(f);
}

static int64_t tick(void *ctx)
{
	(void)ctx;
	return INT64_MAX;
}

void fill_run(struct load *l, uint64_t items, unsigned batch, unsigned connections)
{
	struct fill fill = {.load = l, .left = items, .batch = batch, .running = connections};
	struct filler *fillers = must_alloc(connections * sizeof *fillers);

	for (unsigned i = 0; i < connections; i++) {
		fillers[i] = (struct filler){.fill = &fill, .http.answered = answered};
		load_open(l, &fillers[i].http, i);
	}
	for (unsigned i = 0; i < connections; i++)
		next(&fillers[i]);
	if (items)
		wire_run(l->wire, tick, &fill);
	for (unsigned i = 0; i < connections; i++)
		http_close(&fillers[i].http);
	free(fillers);
}

void mode_fill(struct load *l)
{
	int64_t began_ns = clock_mono_ns();

	fill_run(l, l->options.items, l->options.batch, l->options.connections);
	load_report(l, "items", (double)l->options.items);
	load_report(l, "per_second", (double)l->options.items * 1e9 / (double)(clock_mono_ns() - began_ns));
}
