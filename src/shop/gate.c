/*
 * One lock, held for a few instructions. Each call waits equally long, and the stall holds all up to the same moment,
 * so the calls become due in the order they came: a list, and one thread that waits for its head.
 */
#include "shop/gate.h"

#include "base/clock.h"
#include "base/magic.h"
#include "base/rng.h"
#include "limits/limits.h"

#include <inttypes.h>
#include <pthread.h>
#include <time.h>

enum { GATE_MAGIC = 0x67617465, NS_IN_MS = 1000000, NS_IN_S = 1000000000 };

struct gate {
	unsigned magic;
	struct gate_config config;
	struct limits *limits; /* NULL: no limit */
	int64_t began_ns;

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	pthread_t thread;
	struct rng rng;
	struct task *first, **last; /* waiting calls, due at queued_ns */
	bool open;
	int64_t stall_ns; /* when the stall begins; 0: not known before the first call */
	struct gate_view view;
	int64_t *arrivals_us; /* a ring: the n-th call's at n % GATE_ARRIVALS */
};

static struct call *take_first(struct gate *g)
{
	struct task *t = g->first;

	g->first = t->next;
	if (!g->first)
		g->last = &g->first;
	return CONTAINER_OF(t, struct call, task);
}

static struct timespec moment(int64_t ns)
{
	return (struct timespec){ns / NS_IN_S, ns % NS_IN_S};
}

static bool is_due(const struct gate *g)
{
	return g->first && (g->open || clock_mono_ns() >= g->first->queued_ns);
}

static void wait_for_change(struct gate *g)
{
	struct timespec until;

	if (!g->first) {
		pthread_cond_wait(&g->changed, &g->lock);
		return;
	}
	until = moment(g->first->queued_ns);
	pthread_cond_clockwait(&g->changed, &g->lock, CLOCK_MONOTONIC, &until);
}

static void *let_pass(void *arg)
{
	struct gate *g = arg;

	pthread_mutex_lock(&g->lock);
	while (g->first || !g->open) {
		if (!is_due(g)) {
			wait_for_change(g);
			continue;
		}
		struct call *c = take_first(g);

		pthread_mutex_unlock(&g->lock);
		g->config.pass(g->config.ctx, c);
		pthread_mutex_lock(&g->lock);
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

static struct limits *limits_of(const struct gate_config *config)
{
	struct limits_tier tier = {.per_minute = 60 * config->limit_rps, .burst = config->limit_rps};

	if (!config->limit_rps)
		return NULL;
	return limits_new(&(struct limits_config){.tiers = &tier, .tier_count = 1, .seed = rng_system_word()});
}

struct gate *gate_new(const struct gate_config *config)
{
	struct gate *g = NEW(struct gate);

	g->magic = GATE_MAGIC;
	g->config = *config;
	g->limits = limits_of(config);
	g->began_ns = clock_mono_ns();
	g->last = &g->first;
	g->arrivals_us = must_alloc(GATE_ARRIVALS * sizeof(*g->arrivals_us));
	rng_system_init(&g->rng);
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->changed, NULL);
	CHECK(pthread_create(&g->thread, NULL, let_pass, g) == 0);
	return g;
}

void gate_open(struct gate *g)
{
	CHECK_OBJ(g, GATE_MAGIC);
	pthread_mutex_lock(&g->lock);
	g->open = true;
	pthread_cond_signal(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

void gate_destroy(struct gate **gate)
{
	struct gate *g = *gate;

	if (!g)
		return;
	gate_open(g);
	pthread_join(g->thread, NULL);
	limits_destroy(&g->limits);
	pthread_cond_destroy(&g->changed);
	pthread_mutex_destroy(&g->lock);
	free(g->arrivals_us);
	g->magic = 0;
	free(g);
	*gate = NULL;
}

void gate_arrived(struct gate *g)
{
	int64_t now_ns;

	pthread_mutex_lock(&g->lock);
	now_ns = clock_mono_ns(); /* under the lock, so that the log is in order */
	if (!g->stall_ns)
		g->stall_ns = now_ns + g->config.stall_after_ms * NS_IN_MS;
	g->arrivals_us[g->view.requests++ % GATE_ARRIVALS] = (now_ns - g->began_ns) / 1000;
	pthread_mutex_unlock(&g->lock);
}

enum err gate_admit(struct gate *g, struct call *c, struct rate *out)
{
	struct limits_answer a;

	if (!g->limits)
		return OK;
	a = limits_take(g->limits, clock_mono_ns() / NS_IN_MS, limits_id(0, 1), 0, 1);
	*out = (struct rate){.limit = a.limit,
			     .remaining = a.remaining,
			     .window_s = a.window_s,
			     .reset_s = a.reset_s,
			     .retry_after_s = a.retry_after_s,
			     .policy = "shop"};
	if (a.allowed)
		return OK;
	pthread_mutex_lock(&g->lock);
	g->view.refused++;
	pthread_mutex_unlock(&g->lock);
	return call_fail(c, ERR_RATE_LIMITED, "the shop takes %" PRId64 " calls a second (--limit-rps)",
			 g->config.limit_rps);
}

/* Under the lock: when it may pass. */
static int64_t due_ns(const struct gate *g, int64_t now_ns)
{
	int64_t due = now_ns + g->config.slow_ms * NS_IN_MS;
	int64_t end = g->stall_ns + g->config.stall_ms * NS_IN_MS;

	return due >= g->stall_ns && due < end ? end : due;
}

static enum err fate(struct gate *g, struct call *c)
{
	enum { IN_A_PERCENT = 1000000 };

	if ((double)rng_below(&g->rng, 100 * IN_A_PERCENT) >= g->config.fail_percent * IN_A_PERCENT)
		return OK;
	g->view.failed++;
	return call_fail(c, ERR_INTERNAL, "this call was chosen to fail (--fail-percent)");
}

void gate_enter(struct gate *g, struct call *c)
{
	int64_t now_ns = clock_mono_ns();
	bool waits;

	pthread_mutex_lock(&g->lock);
	if (++g->view.in_flight > g->view.in_flight_peak)
		g->view.in_flight_peak = g->view.in_flight;
	c->outcome = fate(g, c);
	c->task.queued_ns = due_ns(g, now_ns);
	waits = !g->open && (g->first || c->task.queued_ns > now_ns);
	if (waits) {
		c->task.next = NULL;
		*g->last = &c->task;
		g->last = &c->task.next;
		pthread_cond_signal(&g->changed);
	}
	pthread_mutex_unlock(&g->lock);
	if (!waits)
		g->config.pass(g->config.ctx, c);
}

void gate_left(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->view.in_flight--;
	pthread_mutex_unlock(&g->lock);
}

void gate_look(struct gate *g, struct gate_view *out)
{
	pthread_mutex_lock(&g->lock);
	*out = g->view;
	pthread_mutex_unlock(&g->lock);
}

void gate_arrivals(struct gate *g, struct buf *b)
{
	uint64_t from;

	buf_c(b, '[');
	pthread_mutex_lock(&g->lock);
	from = g->view.requests > GATE_ARRIVALS ? g->view.requests - GATE_ARRIVALS : 0;
	for (uint64_t i = from; i < g->view.requests; i++) {
		if (i > from)
			buf_c(b, ',');
		buf_i64(b, g->arrivals_us[i % GATE_ARRIVALS]);
	}
	pthread_mutex_unlock(&g->lock);
	buf_c(b, ']');
}

void gate_forget(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->view = (struct gate_view){.in_flight = g->view.in_flight, .in_flight_peak = g->view.in_flight};
	pthread_mutex_unlock(&g->lock);
}
