/*
 * The server: its loops, and what they share.
 *
 *   NEW ──start──► SERVING ──drain──► DRAINING ──quiet or too late──► ENDING ──loops joined──► STOPPED
 *
 * DRAINING closes the listening sockets and answers new requests 503; ENDING ends the streams, gives the last bytes
 * a second to leave and stops the loops. Whoever runs dispatched calls must be alive until drain has returned and
 * must be stopped before destroy: between the two, http_finish() still works and says nothing to anybody.
 */
#include "http/http_priv.h"

#include "base/clock.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

static void set_phase(struct http_server *s, enum phase phase)
{
	atomic_store_explicit(&s->phase, phase, memory_order_release);
	for (unsigned i = 0; i < s->loop_count; i++)
		loop_wake(&s->loops[i]);
}

static void close_sockets(int *sockets, unsigned from, unsigned count)
{
	for (unsigned i = from; i < count; i++)
		if (sockets[i] >= 0)
			close(sockets[i]);
}

static enum err make_loops(struct http_server *s, int *sockets, struct problem *p)
{
	for (unsigned i = 0; i < s->config.loops; i++) {
		enum err e = loop_init(&s->loops[i], s, sockets[i], p);

		s->loop_count = i + 1;
		sockets[i] = -1;
		if (e)
			return e;
	}
	return OK;
}

enum err http_server_new(const struct http_config *config, struct http_server **out, struct problem *p)
{
	struct http_server *s = NEW(struct http_server);
	int *sockets = must_alloc(config->loops * sizeof(*sockets));
	enum err e;

	CHECK(config->loops > 0 && config->max_connections > 0 && config->idle_timeout_s > 0);
	s->magic = SERVER_MAGIC;
	s->config = *config;
	if (!s->config.heartbeat_ms)
		s->config.heartbeat_ms = HEARTBEAT_MS;
	if (!s->config.body_bytes_max)
		s->config.body_bytes_max = BODY_BYTES_MAX;
	s->connections_hard = config->max_connections + CONNECTIONS_EXCESS;
	if (!s->config.routes) {
		s->config.routes = spec_routes;
		s->config.route_count = ROUTE_COUNT;
	}
	s->router = router_new(s->config.routes, s->config.route_count);
	s->loops = must_alloc(config->loops * sizeof(*s->loops));
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->quieter, NULL);
	for (unsigned i = 0; i < config->loops; i++)
		sockets[i] = -1;
	e = listen_reserve(s->connections_hard, p);
	e = e ? e : listen_on(config, sockets, &s->url, p);
	e = e ? e : make_loops(s, sockets, p);
	close_sockets(sockets, 0, config->loops);
	free(sockets);
	if (e)
		http_server_destroy(&s);
	*out = s;
	return e;
}

const char *http_server_url(const struct http_server *s)
{
	return s->url.p;
}

enum err http_server_start(struct http_server *s, struct problem *p)
{
	CHECK_OBJ(s, SERVER_MAGIC);
	atomic_store(&s->phase, PHASE_SERVING);
	for (unsigned i = 0; i < s->loop_count; i++) {
		enum err e = loop_start(&s->loops[i], p);

		if (e)
			return e;
	}
	return OK;
}

void http_finish(struct call *c)
{
	loop_hand_back(call_own(c));
}

void http_fetched(struct call *c)
{
	loop_hand_back(call_own(c));
}

void http_wake_topic(struct http_server *s, unsigned topic)
{
	for (unsigned i = 0; i < s->loop_count; i++) {
		struct loop *l = &s->loops[i];

		if (!atomic_load(&l->streams))
			continue;
		atomic_fetch_or(&l->woken[topic / 64], UINT64_C(1) << topic % 64);
		if (!atomic_exchange(&l->streams_woken, true))
			loop_wake(l);
	}
}

void http_wake_streams(struct http_server *s)
{
	http_wake_topic(s, 0);
}

void http_wake_every_stream(struct http_server *s)
{
	for (unsigned topic = 0; topic < HTTP_TOPICS; topic++)
		http_wake_topic(s, topic);
}

static unsigned started(const struct http_server *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->loop_count; i++)
		n += s->loops[i].started;
	return n;
}

static void wait_until_quiet(struct http_server *s, int64_t deadline_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += deadline_ms / 1000;
	until.tv_nsec += deadline_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&s->lock);
	while (s->quiet < started(s))
		if (pthread_cond_clockwait(&s->quieter, &s->lock, CLOCK_MONOTONIC, &until) == ETIMEDOUT)
			break;
	pthread_mutex_unlock(&s->lock);
}

void http_server_drain(struct http_server *s, int64_t deadline_ms)
{
	CHECK_OBJ(s, SERVER_MAGIC);
	set_phase(s, PHASE_DRAINING);
	wait_until_quiet(s, deadline_ms);
	set_phase(s, PHASE_ENDING);
	for (unsigned i = 0; i < s->loop_count; i++)
		if (s->loops[i].started) {
			pthread_join(s->loops[i].thread, NULL);
			s->loops[i].started = false;
		}
	set_phase(s, PHASE_STOPPED);
}

void http_server_destroy(struct http_server **server)
{
	struct http_server *s = *server;

	if (!s)
		return;
	CHECK_OBJ(s, SERVER_MAGIC);
	if (started(s))
		http_server_drain(s, 0);
	for (unsigned i = 0; i < s->loop_count; i++)
		loop_destroy(&s->loops[i]);
	router_destroy(&s->router);
	buf_free(&s->url);
	pthread_cond_destroy(&s->quieter);
	pthread_mutex_destroy(&s->lock);
	free(s->loops);
	s->magic = 0;
	free(s);
	*server = NULL;
}
