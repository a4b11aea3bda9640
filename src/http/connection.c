/*
 * What we know of a TCP connection beside libmicrohttpd.
 *
 * Deadlines: libmicrohttpd closes a connection on which nothing moves for idle_timeout_s. A client that sends or
 * reads a byte now and then is not caught by that, so each phase also has a deadline for its whole: request line
 * and headers a quarter more than idle_timeout_s; body and answer a second more for each 4 KiB. Once a second each
 * loop looks at its connections and shuts the sockets of those that are late; libmicrohttpd then sees them closed.
 *
 * Hang-ups: libmicrohttpd does not watch a suspended connection, and misses the end of one that comes with its last
 * bytes. So each socket is also in the loop's own set, edge-triggered and only for its end, from when it is opened
 * until it is closed: one system call per connection, none per request. A hang-up is told to a call that may wait
 * for long; else it leaves a mark, and the sweep shuts what has nothing left to read or to answer.
 */
#include "http/http_priv.h"

#include "base/log.h"
#include "telemetry/metrics.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

static int64_t patience_ns(const struct loop *l, uint64_t bytes)
{
	int64_t idle_s = l->server->config.idle_timeout_s;

	return (idle_s + idle_s / 4 + 1 + (int64_t)(bytes / SLOWEST_BYTES_PER_S)) * 1000000000;
}

enum MHD_Result connection_admit(void *server, const struct sockaddr *from, socklen_t length)
{
	struct http_server *s = server;

	(void)from, (void)length;
	return atomic_load(&s->connections) < s->connections_hard ? MHD_YES : MHD_NO;
}

/* Failing that, hang-ups are found out by time-outs and heartbeats. */
static void watch(struct connection *conn)
{
	struct epoll_event in = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = conn};

	if (epoll_ctl(conn->loop->set, EPOLL_CTL_ADD, conn->fd, &in) != 0)
		LOG_W("http.unwatched", "reason=\"%s\"", strerror(errno));
}

static void opened(struct loop *l, struct MHD_Connection *mhd, void **context)
{
	struct connection *conn = NEW(struct connection);

	conn->magic = CONNECTION_MAGIC;
	conn->loop = l;
	conn->mhd = mhd;
	address_of(MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr, conn->address);
	conn->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	conn->excess = atomic_fetch_add(&l->server->connections, 1) >= l->server->config.max_connections;
	connection_await_request(conn);
	conn->next = l->connections;
	conn->prev = &l->connections;
	if (conn->next)
		conn->next->prev = &conn->next;
	l->connections = conn;
	watch(conn);
	*context = conn;
	metrics_move(l->server->config.metrics, METRIC_http_connections_open, 1);
}

static void closed(struct connection *conn)
{
	CHECK_OBJ(conn, CONNECTION_MAGIC);
	if (conn->call) /* libmicrohttpd does not say so when it fails to answer for itself */
		request_lost(conn->call);
	*conn->prev = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	atomic_fetch_sub(&conn->loop->server->connections, 1);
	metrics_move(conn->loop->server->config.metrics, METRIC_http_connections_open, -1);
	conn->magic = 0;
	free(conn);
}

void connection_changed(void *loop, struct MHD_Connection *mhd, void **context,
			enum MHD_ConnectionNotificationCode what)
{
	switch (what) {
	case MHD_CONNECTION_NOTIFY_STARTED:
		opened(loop, mhd, context);
		return;
	case MHD_CONNECTION_NOTIFY_CLOSED:
		closed(*context);
		*context = NULL;
		return;
	}
}

void connection_await_request(struct connection *conn)
{
	conn->deadline_ns = conn->loop->now_ns + patience_ns(conn->loop, 0);
}

void connection_received(struct connection *conn, size_t bytes)
{
	conn->received += bytes;
	conn->deadline_ns = conn->call->began_ns + patience_ns(conn->loop, conn->received);
}

void connection_request_read(struct connection *conn)
{
	conn->received = 0;
	conn->deadline_ns = INT64_MAX;
}

void connection_await_reader(struct connection *conn, size_t bytes)
{
	conn->deadline_ns = conn->loop->now_ns + patience_ns(conn->loop, bytes);
}

static enum stage stage_now(struct call_private *c)
{
	enum stage stage;

	pthread_mutex_lock(&c->loop->lock);
	stage = c->stage;
	pthread_mutex_unlock(&c->loop->lock);
	return stage;
}

/* The peer has sent its last, and all of it was read without making a request whole. */
static bool has_ended(const struct connection *conn)
{
	int unread = 0;

	if (!conn->hung_up || (conn->call && stage_now(conn->call) != STAGE_RECEIVING))
		return false;
	return ioctl(conn->fd, FIONREAD, &unread) == 0 && unread == 0;
}

void connections_sweep(struct loop *l)
{
	for (struct connection *conn = l->connections; conn; conn = conn->next)
		if (conn->deadline_ns < l->now_ns || has_ended(conn))
			shutdown(conn->fd, SHUT_RDWR);
}

static void tell(struct call_private *c)
{
	enum stage stage = stage_now(c);

	if (stage == STAGE_STREAMING) {
		stream_hung_up(c);
	} else if (stage == STAGE_DISPATCHED && (c->call.route->flags & ROUTE_WAITS)) {
		__atomic_store_n(&c->call.gone, true, __ATOMIC_RELEASE);
		c->loop->server->config.hooks.hung_up(&c->call);
	}
}

void connection_hung_up(struct connection *conn)
{
	CHECK_OBJ(conn, CONNECTION_MAGIC);
	conn->hung_up = true;
	if (conn->call)
		tell(conn->call);
}

void connection_may_wait(struct connection *conn)
{
	if (conn->hung_up)
		tell(conn->call);
}
