/*
 * One thread, one daemon of libmicrohttpd, one epoll set.
 *
 * The daemon runs in external mode: its own epoll set is nested in ours, beside an eventfd by which other threads
 * say that a call is finished or that something else changed. A turn of the loop: wait; take what is finished,
 * queue the answers and resume their connections; let the daemon run. After MHD_run() its timeout is asked for, and
 * zero means that it has more to do without any socket becoming ready.
 *
 * The eventfd is registered edge-triggered, so that nobody has to read it; it is written only when the finished
 * list was empty.
 *
 * libmicrohttpd looks through all suspended connections in each run in which one was resumed. So where thousands of
 * streams rest, connections are resumed together, every RESUME_NS for each stream: 2.5 ms for ten thousand.
 */
#include "http/http_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "telemetry/metrics.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS = 128, SWEEP_MS = 1000, FLUSH_MS = 1000, RESUME_NS = 250, MANY_STREAMS = 4000 };

#define NS_PER_MS INT64_C(1000000)

/* ---- from other threads ---- */

void loop_wake(struct loop *l)
{
	CHECK(eventfd_write(l->wake, 1) == 0);
}

void loop_hand_back(struct call_private *c)
{
	struct loop *l = c->loop;
	bool was_empty;

	pthread_mutex_lock(&l->lock);
	CHECK(c->stage == STAGE_DISPATCHED || c->stage == STAGE_STREAMING); /* else it is finished twice */
	if (c->stage == STAGE_DISPATCHED)
		c->stage = STAGE_FINISHED;
	was_empty = !l->finished;
	c->next = NULL;
	*l->finished_end = c;
	l->finished_end = &c->next;
	pthread_mutex_unlock(&l->lock);
	if (was_empty)
		loop_wake(l);
}

/* ---- a turn ---- */

static struct call_private *take_finished(struct loop *l)
{
	struct call_private *first;

	pthread_mutex_lock(&l->lock);
	first = l->finished;
	l->finished = NULL;
	l->finished_end = &l->finished;
	pthread_mutex_unlock(&l->lock);
	return first;
}

/* Nobody waits for the answer any more: known before anything was sent, so nobody can have received it. */
static bool is_gone(struct call_private *c)
{
	if ((c->call.route->flags & ROUTE_WAITS) && c->connection->hung_up)
		c->call.gone = true;
	return c->call.gone;
}

static void answer_finished(struct loop *l)
{
	for (struct call_private *c = take_finished(l), *next; c; c = next) {
		next = c->next;
		if (c->stage == STAGE_STREAMING) {
			stream_fetched(c);
			continue;
		}
		CHECK(c->stage == STAGE_FINISHED);
		if (c->identifying)
			request_identified(c); /* request_continue() is asked again and goes on */
		else if (is_gone(c))
			c->stage = STAGE_ANSWERED;
		else if (c->call.stream)
			stream_begin(c);
		else
			answer(c);
		/* Without an answer, request_continue() is asked again and closes. */
		loop_resume(l, c->connection->mhd);
	}
}

static enum phase phase(const struct loop *l)
{
	return (enum phase)atomic_load_explicit(&l->server->phase, memory_order_acquire);
}

void loop_resume(struct loop *l, struct MHD_Connection *mhd)
{
	MHD_resume_connection(mhd);
	l->resumed = true;
}

/* What is finished, and streams that have news. */
static void resume_some(struct loop *l)
{
	unsigned streams = atomic_load(&l->streams);

	if (l->now_ns < l->resume_next_ns && phase(l) == PHASE_SERVING)
		return;
	answer_finished(l);
	streams_turn(l);
	if (l->resumed && streams >= MANY_STREAMS)
		l->resume_next_ns = l->now_ns + (int64_t)streams * RESUME_NS;
	l->resumed = false;
}

static void stop_listening(struct loop *l)
{
	if (l->listener < 0)
		return;
	MHD_quiesce_daemon(l->daemon);
	close(l->listener);
	l->listener = -1;
}

static void say_quiet(struct loop *l)
{
	struct http_server *s = l->server;

	l->quiet = true;
	pthread_mutex_lock(&s->lock);
	s->quiet++;
	pthread_cond_signal(&s->quieter);
	pthread_mutex_unlock(&s->lock);
}

/* Returns whether the loop is over: all answers and the ends of streams are sent, or their readers are too slow. A
 * stream that fetches is waited for, as the fetch uses its state. */
static bool wind_down(struct loop *l)
{
	stop_listening(l);
	if (!l->quiet && l->unanswered == 0)
		say_quiet(l);
	if (phase(l) != PHASE_ENDING)
		return false;
	if (!l->ending_ns)
		l->ending_ns = l->now_ns;
	streams_end(l);
	if (l->unanswered == 0 && l->streams == 0)
		return true;
	return l->fetching == 0 && l->now_ns - l->ending_ns > FLUSH_MS * NS_PER_MS;
}

static int earlier(int ms, int64_t other_ms)
{
	return ms < 0 || other_ms < ms ? (int)other_ms : ms;
}

/* How long to wait, -1 for ever. Rounds up: a timer is late rather than asked for in a circle. */
static int patience_ms(struct loop *l)
{
	int64_t streams_ns = streams_due_ns(l);
	MHD_UNSIGNED_LONG_LONG daemon_ms;
	int ms = -1;

	if (MHD_get_timeout(l->daemon, &daemon_ms) == MHD_YES)
		ms = earlier(ms, daemon_ms > INT32_MAX ? INT32_MAX : (int64_t)daemon_ms);
	if (l->connections)
		ms = earlier(ms, SWEEP_MS);
	if (streams_ns != INT64_MAX)
		ms = earlier(ms, streams_ns <= l->now_ns ? 0 : (streams_ns - l->now_ns) / NS_PER_MS + 1);
	if (l->resume_next_ns > l->now_ns)
		ms = earlier(ms, (l->resume_next_ns - l->now_ns) / NS_PER_MS + 1);
	if (phase(l) != PHASE_SERVING)
		ms = earlier(ms, 10);
	return ms;
}

static void wait_for_events(struct loop *l, int ms)
{
	struct epoll_event got[EVENTS];
	int n = epoll_wait(l->set, got, EVENTS, ms);

	l->now_ns = clock_mono_ns();
	for (int i = 0; i < n; i++)
		if (got[i].data.ptr)
			connection_hung_up(got[i].data.ptr);
}

static void sweep(struct loop *l)
{
	if (l->now_ns - l->swept_ns < SWEEP_MS * NS_PER_MS)
		return;
	l->swept_ns = l->now_ns;
	connections_sweep(l);
}

static void *run(void *arg)
{
	struct loop *l = arg;
	int ms = 0;

	CHECK_OBJ(l, LOOP_MAGIC);
	for (;;) {
		wait_for_events(l, ms);
		resume_some(l);
		MHD_run(l->daemon);
		sweep(l);
		if (phase(l) != PHASE_SERVING && wind_down(l))
			break;
		ms = patience_ms(l);
	}
	streams_abandon(l);
	return NULL;
}

/* ---- making and destroying ---- */

static enum err refusal(unsigned status)
{
	if (status == MHD_HTTP_URI_TOO_LONG || status == MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE)
		return ERR_HEADERS_TOO_LARGE;
	return status == MHD_HTTP_CONTENT_TOO_LARGE ? ERR_TOO_LARGE : ERR_MALFORMED;
}

/* What libmicrohttpd refuses by itself it tells nobody else, so the words it does so with are the place to count
 * it: "Error processing request (HTTP response code is %u …". */
static void count_refusal(struct loop *l, const char *fmt, va_list args)
{
	static const struct str words = {"Error processing request", sizeof("Error processing request") - 1};
	va_list own;

	if (!str_starts(str_of(fmt), words))
		return;
	va_copy(own, args);
	metrics_add_at(l->server->config.metrics, METRIC_http_requests_rejected_total,
		       refusal(va_arg(own, unsigned)), 0, 1);
	va_end(own);
}

static __attribute__((format(printf, 2, 0))) void take_complaint(void *arg, const char *fmt, va_list args)
{
	struct loop *l = arg;

	count_refusal(l, fmt, args);
	vsnprintf(l->complaint, sizeof(l->complaint), fmt, args);
	l->complaint[strcspn(l->complaint, "\n")] = '\0';
	LOG_D("http.libmicrohttpd", "text=\"%s\"", l->complaint);
}

static struct MHD_Daemon *start_daemon(struct loop *l)
{
	const struct http_server *s = l->server;
	const bool tls = s->config.tls_cert_pem;
	const struct MHD_OptionItem tls_options[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)s->config.tls_cert_pem},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)s->config.tls_key_pem},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
		{MHD_OPTION_END, 0, NULL}};
	const struct MHD_OptionItem none = {MHD_OPTION_END, 0, NULL};

	return MHD_start_daemon(
		(unsigned)MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (tls ? MHD_USE_TLS : 0), 0,
		connection_admit, l->server, request_continue, l, MHD_OPTION_EXTERNAL_LOGGER, take_complaint, l,
		MHD_OPTION_LISTEN_SOCKET, l->listener, MHD_OPTION_CONNECTION_LIMIT,
		s->connections_hard + s->config.loops, MHD_OPTION_CONNECTION_TIMEOUT, s->config.idle_timeout_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_UNESCAPE_CALLBACK,
		request_keep_escapes, NULL, MHD_OPTION_URI_LOG_CALLBACK, request_begin, l,
		MHD_OPTION_NOTIFY_COMPLETED, request_over, l, MHD_OPTION_NOTIFY_CONNECTION, connection_changed, l,
		MHD_OPTION_ARRAY, tls ? tls_options : &none, MHD_OPTION_END);
}

static bool watch(struct loop *l, int fd, uint32_t events)
{
	struct epoll_event in = {.events = events}; /* no pointer: its only effect is the turn */

	return epoll_ctl(l->set, EPOLL_CTL_ADD, fd, &in) == 0;
}

enum err loop_init(struct loop *l, struct http_server *s, int listener, struct problem *p)
{
	struct rng rng;

	l->magic = LOOP_MAGIC;
	l->server = s;
	l->listener = listener;
	l->finished_end = &l->finished;
	l->resting_end = &l->resting;
	l->recheck_ns = INT64_MAX;
	rng_system_init(&rng);
	l->next_request_id = rng_u64(&rng);
	pthread_mutex_init(&l->lock, NULL);
	l->set = epoll_create1(EPOLL_CLOEXEC);
	l->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->daemon = start_daemon(l);
	if (!l->daemon)
		return problem_set(p, ERR_INTERNAL, "the HTTP server does not start: %s", l->complaint);
	if (l->set < 0 || l->wake < 0 || !watch(l, l->wake, EPOLLIN | EPOLLET) ||
	    !watch(l, MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, EPOLLIN))
		return problem_set(p, ERR_INTERNAL, "the HTTP server does not start: %s", strerror(errno));
	return OK;
}

/* Signals are for the thread that started us. */
enum err loop_start(struct loop *l, struct problem *p)
{
	sigset_t all, before;
	int e;

	l->now_ns = clock_mono_ns();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	e = pthread_create(&l->thread, NULL, run, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (e)
		return problem_set(p, ERR_INTERNAL, "no thread for an HTTP loop: %s", strerror(e));
	l->started = true;
	return OK;
}

/* libmicrohttpd aborts the process when it is stopped with a connection suspended. */
static void resume_all(struct loop *l)
{
	unsigned left = 0;

	for (struct connection *conn = l->connections; conn; conn = conn->next) {
		if (!MHD_get_connection_info(conn->mhd, MHD_CONNECTION_INFO_CONNECTION_SUSPENDED)->suspended)
			continue;
		left += conn->call->stage == STAGE_DISPATCHED;
		MHD_resume_connection(conn->mhd);
	}
	if (left)
		LOG_W("http.abandoned", "calls=%u", left);
}

void loop_destroy(struct loop *l)
{
	if (l->daemon) {
		stop_listening(l);
		resume_all(l);
		MHD_stop_daemon(l->daemon);
	}
	if (l->listener >= 0)
		close(l->listener);
	if (l->set >= 0)
		close(l->set);
	if (l->wake >= 0)
		close(l->wake);
	calls_free(l);
	pthread_mutex_destroy(&l->lock);
	l->magic = 0;
}
