/*
 * The real ports: the client and the recorder as they are, and a transport that has nothing to carry.
 */
#include "sim/ports.h"

#include "base/cond.h"
#include "base/magic.h"

#include <pthread.h>
#include <time.h>

/* ---- HTTP ---- */

static void http_start(void *self, struct client_call *c)
{
	sim_client_start(self, c);
}

static void http_cancel(void *self, struct client_call *c)
{
	sim_client_cancel(self, c);
}

static void http_poll(void *self, int64_t timeout_ns)
{
	sim_client_poll(self, timeout_ns);
}

static void http_wake(void *self)
{
	sim_client_wake(self);
}

static struct client_counts http_count(const void *self)
{
	return sim_client_counts(self);
}

static void http_free(void *self)
{
	struct sim_client *c = self;

	sim_client_free(&c);
}

enum err transport_http(const void *how, unsigned shards, client_done_fn *done, void *ctx, struct transport *out,
			struct problem *p)
{
	struct client_config config = *(const struct client_config *)how;
	struct sim_client *c;
	enum err e;

	config.connections_max = (config.connections_max + shards - 1) / shards;
	e = sim_client_new(&config, done, ctx, &c, p);
	if (!e)
		*out = (struct transport){c, http_start, http_cancel, http_poll, http_wake, http_count, http_free};
	return e;
}

/* ---- nothing to carry ---- */

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool woken;
};

static void mock_start(void *self, struct client_call *c)
{
	(void)self;
	(void)c;
	UNREACHABLE();
}

static struct timespec in_ns(int64_t ns)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	ns += t.tv_nsec;
	t.tv_sec += ns / 1000000000;
	t.tv_nsec = ns % 1000000000;
	return t;
}

static void mock_poll(void *self, int64_t timeout_ns)
{
	struct waiter *w = self;
	struct timespec until;

	if (timeout_ns == 0)
		return;
	until = in_ns(timeout_ns > 0 ? timeout_ns : 0);
	pthread_mutex_lock(&w->lock);
	while (!w->woken)
		if (timeout_ns < 0)
			pthread_cond_wait(&w->changed, &w->lock);
		else if (pthread_cond_timedwait(&w->changed, &w->lock, &until) != 0)
			break;
	w->woken = false;
	pthread_mutex_unlock(&w->lock);
}

static void mock_wake(void *self)
{
	struct waiter *w = self;

	pthread_mutex_lock(&w->lock);
	w->woken = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static struct client_counts mock_count(const void *self)
{
	(void)self;
	return (struct client_counts){0};
}

static void mock_free(void *self)
{
	struct waiter *w = self;

	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->changed);
	free(w);
}

enum err transport_mock(const void *how, unsigned shards, client_done_fn *done, void *ctx, struct transport *out,
			struct problem *p)
{
	struct waiter *w = NEW(struct waiter);

	(void)how;
	(void)shards;
	(void)done;
	(void)ctx;
	(void)p;
	cond_mono_init(&w->changed);
	pthread_mutex_init(&w->lock, NULL);
	*out = (struct transport){w, mock_start, mock_start, mock_poll, mock_wake, mock_count, mock_free};
	return OK;
}

/* ---- the recorder ---- */

static enum err recorder_sink_put(void *self, const struct session_record *s)
{
	return recorder_put(self, s);
}

static bool recorder_sink_settled(void *self)
{
	return recorder_settled(self);
}

static void recorder_sink_cycle(void *self, const struct cycle_record *c)
{
	recorder_cycle(self, c);
}

static void recorder_sink_trouble(void *self, struct problem *out)
{
	recorder_trouble(self, out);
}

static void recorder_sink_count(void *self, struct recorder_counts *out)
{
	recorder_count(self, out);
}

struct sink sink_recorder(struct recorder *r)
{
	return (struct sink){r,
			     recorder_sink_put,
			     recorder_sink_settled,
			     recorder_sink_cycle,
			     recorder_sink_trouble,
			     recorder_sink_count};
}
