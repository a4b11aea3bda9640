/*
 * Connections that are open and say nothing. Each asks for /health/live when it is opened, so that the server has
 * really taken it, and again at the end, because one that the server had dropped in silence would not count.
 */
#include "load.h"

enum { ASKED_AT_ONCE = 128 };

struct idler {
	struct http http;
	struct idle *idle;
};

struct idle {
	struct load *load;
	struct idler *all;
	unsigned count, asked, answers;
};

static int64_t ask_more(void *ctx)
{
	struct idle *idle = ctx;

	while (idle->asked < idle->count && idle->asked - idle->answers < ASKED_AT_ONCE &&
	       !idle->load->wire->done) {
		unsigned nth = idle->asked++;
		struct http *h = &idle->all[nth].http;

		if (!h->stream.wire)
			load_open(idle->load, h, nth);
		http_get(h, STR("/health/live"));
	}
	return INT64_MAX;
}

static void answered(struct http *h, int status, struct str body)
{
	struct idle *idle = CONTAINER_OF(h, struct idler, http)->idle;

	(void)body;
	if (status != 200)
		wire_fault(idle->load->wire, "GET /health/live: %d", status);
	if (++idle->answers == idle->count)
		idle->load->wire->done = true;
}

static void ask_all(struct idle *idle)
{
	idle->asked = idle->answers = 0;
	wire_run(idle->load->wire, ask_more, idle);
}

struct idle *idle_open(struct load *l, unsigned connections)
{
	struct idle *idle = NEW(struct idle);

	if (!connections) {
		free(idle);
		return NULL;
	}
	wire_allow_descriptors(connections + l->options.connections);
	*idle = (struct idle){.load = l, .all = must_alloc(connections * sizeof *idle->all), .count = connections};
	for (unsigned i = 0; i < connections; i++)
		idle->all[i] = (struct idler){.idle = idle, .http.answered = answered};
	ask_all(idle);
	return idle;
}

void idle_close(struct load *l, struct idle **idle)
{
	if (!*idle)
		return;
	ask_all(*idle);
	load_report(l, "idle", (*idle)->count);
	for (unsigned i = 0; i < (*idle)->count; i++)
		http_close(&(*idle)->all[i].http);
	free((*idle)->all);
	free(*idle);
	*idle = NULL;
}
