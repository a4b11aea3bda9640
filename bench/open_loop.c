/* See open_loop.h. The three lists are consumed at the front and moved down when they are empty or mostly used. */
#include "open_loop.h"

#include "base/clock.h"

#include <math.h>
#include <string.h>

enum { KEPT_MAX = 4096 };

struct opener {
	struct http http;
	struct open_loop *loop;
	struct arrival arrival;
	struct held held; /* being settled */
};

static uint64_t reserve(const struct open_loop *o)
{
	return 2 * (uint64_t)o->count;
}

bool open_loop_primed(const struct open_loop *o)
{
	return o->enqueue_only || o->arrivals >= 3 * reserve(o);
}

/* First enqueues only, then enqueues and claims, then all three. */
static enum step next_step(struct open_loop *o)
{
	uint64_t n = o->arrivals;

	if (o->enqueue_only || n < reserve(o))
		return STEP_ENQUEUE;
	if (n < 3 * reserve(o))
		return n & 1 ? STEP_CLAIM : STEP_ENQUEUE;
	return (enum step)(n % STEP_COUNT);
}

static void plan(struct open_loop *o, enum step step, int64_t due_ns, struct histogram *into)
{
	*VEC_PUSH(&o->waiting) = (struct arrival){step, due_ns, into};
	o->arrivals++;
	o->planned[step]++;
}

static double exponential(struct rng *r)
{
	return -log(((double)(rng_u64(r) >> 11) + 1) * 0x1p-53);
}

static void send_call(struct opener *c)
{
	struct open_loop *o = c->loop;

	if (c->arrival.step == STEP_ENQUEUE) {
		ops_enqueue(o->load, &c->http, 1, c->arrival.due_ns);
	} else if (c->arrival.step == STEP_CLAIM) {
		ops_claim(o->load, &c->http, 1, 0);
	} else {
		c->held = o->held.list.v[o->held_first++];
		ops_settle(o->load, &c->http, &c->held, 1);
	}
}

/* Is one waiting that can be made? A settle needs a claim that was answered. */
static bool may_start(const struct open_loop *o)
{
	return o->free_count && o->waiting_first < o->waiting.n &&
	       (o->waiting.v[o->waiting_first].step != STEP_SETTLE || o->held_first < o->held.list.n);
}

#define DROP_USED(vec, first)                                                                           \
	do {                                                                                            \
		if ((first) == (vec)->n || (first) >= KEPT_MAX) {                                       \
			memmove((vec)->v, (vec)->v + (first), ((vec)->n - (first)) * sizeof *(vec)->v); \
			(vec)->n -= (first);                                                            \
			(first) = 0;                                                                    \
		}                                                                                       \
	} while (0)

static void start_waiting(struct open_loop *o)
{
	while (may_start(o) && !o->load->wire->done) {
		struct opener *c = o->free[--o->free_count];

		c->arrival = o->waiting.v[o->waiting_first++];
		send_call(c);
	}
	if (o->waiting.n)
		DROP_USED(&o->waiting, o->waiting_first);
	if (o->held.list.n)
		DROP_USED(&o->held.list, o->held_first);
}

static void take_claim(struct open_loop *o, int status, struct str body)
{
	if (ops_claimed(o->load, status, body, &o->held) != 1)
		wire_fault(o->load->wire, "a claim found nothing");
}

static void answered(struct http *h, int status, struct str body)
{
	struct opener *c = CONTAINER_OF(h, struct opener, http);
	struct open_loop *o = c->loop;

	if (c->arrival.into)
		histogram_add(c->arrival.into, (uint64_t)(clock_mono_ns() - c->arrival.due_ns));
	if (c->arrival.step == STEP_ENQUEUE)
		ops_enqueued(o->load, status, body, 1);
	else if (c->arrival.step == STEP_CLAIM)
		take_claim(o, status, body);
	else
		ops_settled(o->load, status, body, &c->held, 1);
	o->free[o->free_count++] = c;
	start_waiting(o);
}

void open_loop_init(struct open_loop *o, struct load *l, unsigned connections, unsigned keys, double calls_per_s)
{
	*o = (struct open_loop){.load = l,
				.connections = must_alloc(connections * sizeof *o->connections),
				.free = must_alloc(connections * sizeof *o->free),
				.count = connections,
				.next_ns = (double)clock_mono_ns(),
				.gap_ns = 1e9 / calls_per_s};
	rng_system_init(&o->rng);
	for (unsigned i = 0; i < connections; i++) {
		struct opener *c = &o->connections[i];

		*c = (struct opener){.loop = o, .http.answered = answered};
		load_open(l, &c->http, i % keys);
		o->free[o->free_count++] = c;
	}
}

void open_loop_free(struct open_loop *o)
{
	for (unsigned i = 0; i < o->count; i++)
		http_close(&o->connections[i].http);
	free(o->connections);
	free(o->free);
	VEC_FREE(&o->waiting);
	VEC_FREE(&o->held.list);
}

int64_t open_loop_tick(struct open_loop *o)
{
	while (!o->stopped && o->next_ns <= (double)o->load->wire->now_ns) {
		enum step step = next_step(o);

		plan(o, step, (int64_t)o->next_ns, o->latency ? o->latency[step] : NULL);
		o->next_ns += o->gap_ns * exponential(&o->rng);
	}
	start_waiting(o);
	return o->stopped ? INT64_MAX : (int64_t)o->next_ns;
}

void open_loop_stop(struct open_loop *o)
{
	int64_t now_ns = o->load->wire->now_ns;

	if (o->stopped)
		return;
	o->stopped = true;
	while (!o->enqueue_only && o->planned[STEP_CLAIM] < o->planned[STEP_ENQUEUE])
		plan(o, STEP_CLAIM, now_ns, NULL);
	while (!o->enqueue_only && o->planned[STEP_SETTLE] < o->planned[STEP_CLAIM])
		plan(o, STEP_SETTLE, now_ns, NULL);
}

bool open_loop_over(const struct open_loop *o)
{
	return o->stopped && o->waiting_first == o->waiting.n && o->free_count == o->count;
}
