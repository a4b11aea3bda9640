/*
 * Agents that wait: each claims with wait_ms, settles what it is handed, and waits again, while others enqueue at a
 * given rate in an open loop. Every item carries the time its enqueue was due; what is measured is from then until
 * the agent holds its claim.
 */
#include "open_loop.h"

#include "base/clock.h"

enum { PRODUCERS = 16 };

struct agent {
	struct http http;
	struct poll *poll;
	bool settling;
	struct held_list held;
};

struct poll {
	struct load *load;
	struct open_loop loop;
	struct agent *agents;
	struct histogram *handover;
	unsigned begun; /* agents that wait or work */
	uint64_t empty; /* waits that ended without work */
	bool opened;
};

static void wait_for_work(struct agent *a)
{
	struct load *l = a->poll->load;

	a->settling = false;
	a->held.list.n = 0;
	ops_claim(l, &a->http, 1, l->options.wait_ms);
}

static void measure(struct poll *p, struct str body)
{
	int64_t due_ns;

	if (!ops_member_i64(&body, "\"at\":", &due_ns))
		wire_fault(p->load->wire, "a claimed item without its payload");
	else if (load_counts(p->load, due_ns))
		histogram_add(p->handover, (uint64_t)(clock_mono_ns() - due_ns));
}

static void answered(struct http *h, int status, struct str body)
{
	struct agent *a = CONTAINER_OF(h, struct agent, http);
	struct load *l = a->poll->load;

	if (a->settling) {
		ops_settled(l, status, body, a->held.list.v, 1);
		wait_for_work(a);
	} else if (ops_claimed(l, status, body, &a->held) == 0) {
		a->poll->empty++;
		wait_for_work(a);
	} else {
		measure(a->poll, body);
		a->settling = true;
		ops_settle(l, h, a->held.list.v, 1);
	}
}

static void begin_agents(struct poll *p)
{
	for (; p->begun < p->load->options.agents; p->begun++) {
		struct agent *a = &p->agents[p->begun];

		*a = (struct agent){.poll = p, .http.answered = answered};
		load_open(p->load, &a->http, p->begun);
		wait_for_work(a);
	}
	load_window(p->load);
	p->opened = true;
}

static bool all_settled(const struct load *l)
{
	return l->ledger.steps[STEP_SETTLE] == l->ledger.steps[STEP_ENQUEUE];
}

static int64_t tick(void *ctx)
{
	struct poll *p = ctx;
	struct load *l = p->load;

	if (!p->opened)
		begin_agents(p);
	if (l->wire->now_ns >= l->until_ns)
		open_loop_stop(&p->loop);
	load_check_late(l);
	int64_t next_ns = open_loop_tick(&p->loop);
	if (open_loop_over(&p->loop) && all_settled(l))
		l->wire->done = true;
	return p->loop.stopped ? l->until_ns + (int64_t)LATE_S * 1000000000 : next_ns;
}

void mode_poll(struct load *l)
{
	unsigned agents = l->options.agents;
	struct poll p = {
		.load = l, .handover = NEW(struct histogram), .agents = must_alloc(agents * sizeof *p.agents)};

	wire_allow_descriptors(agents + PRODUCERS);
	open_loop_init(&p.loop, l, PRODUCERS, l->options.key_count, l->options.rate);
	p.loop.enqueue_only = true;
	wire_run(l->wire, tick, &p);
	load_report(l, "rate", l->options.rate);
	load_report(l, "agents", agents);
	load_report(l, "per_second", (double)p.handover->count / l->options.seconds);
	load_report(l, "empty", (double)p.empty);
	load_report_latency(l, "handover", p.handover);
	open_loop_free(&p.loop);
	for (unsigned i = 0; i < p.begun; i++) {
		http_close(&p.agents[i].http);
		VEC_FREE(&p.agents[i].held.list);
	}
	free(p.agents);
	free(p.handover);
}
