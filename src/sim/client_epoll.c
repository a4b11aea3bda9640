/*
 * Plain HTTP over connections of our own.
 *
 *   (new) ─► CONNECTING ─► BUSY ⇄ RESTING
 *                │          │        │
 *                └──────────┴────────┴─► CLOSED, freed when no event can name it any more
 *
 * Every socket is in the set once, edge-triggered for reading and writing: a request costs one send and one receive. A
 * read that comes back short has emptied the socket, unless the target has ended the connection, which is an event of
 * its own. Requests are made anew into one buffer whenever bytes of them are sent, answers are read into another, so
 * that ten thousand connections hold no memory but their state. The connection that rested last is used first: those
 * that are not needed grow old and are closed by the target.
 */
#include "sim/client_priv.h"

#include "base/heap.h"
#include "base/magic.h"
#include "sim/client_http.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { READ_BYTES = 64 << 10, OVER = EPOLLRDHUP | EPOLLHUP | EPOLLERR };
static const int64_t MS_NS = 1000000;

enum state { CONNECTING, RESTING, BUSY, CLOSED };

struct connection {
	struct watcher watcher; /* first */
	int fd;
	uint32_t group;
	enum state state;
	bool served;    /* has answered before */
	bool all_sent;  /* of its request */
	uint32_t place; /* in wire->due, by due_ns */
	int64_t due_ns;
	struct client_call *call; /* of CONNECTING and BUSY */
	size_t sent;              /* bytes of its request */
	const struct addrinfo *address;
	struct connection *next, **at;     /* among those that rest in its group, or all that are closed */
	struct connection *older, **newer; /* among all that are open */
	struct client_http http;
};

struct wire {
	struct connection **resting; /* by group */
	struct connection *open, *closed;
	struct heap due;
	const struct addrinfo *good; /* the address that was connected to last */
	struct buf head;             /* of the request that is being sent */
	struct str fixed;            /* what all heads have in common */
	char bytes[READ_BYTES];      /* of the answer that is being read */
};

/* ---- lists ---- */

static void link_in(struct connection **list, struct connection *k)
{
	k->next = *list;
	k->at = list;
	if (k->next)
		k->next->at = &k->next;
	*list = k;
}

static void link_out(struct connection *k)
{
	*k->at = k->next;
	if (k->next)
		k->next->at = k->at;
}

static bool is_due_before(const void *a, const void *b)
{
	return ((const struct connection *)a)->due_ns < ((const struct connection *)b)->due_ns;
}

static void set_due(struct wire *w, struct connection *k, int64_t due_ns)
{
	if (k->place != HEAP_NOWHERE)
		heap_remove(&w->due, k);
	k->due_ns = due_ns;
	heap_push(&w->due, k);
}

static void clear_due(struct wire *w, struct connection *k)
{
	if (k->place != HEAP_NOWHERE)
		heap_remove(&w->due, k);
}

/* ---- the life of a connection ---- */

static void close_socket(struct connection *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}

static void shut(struct sim_client *c, struct connection *k)
{
	struct wire *w = c->wire;

	if (k->state == RESTING)
		link_out(k);
	*k->newer = k->older;
	if (k->older)
		k->older->newer = k->newer;
	clear_due(w, k);
	close_socket(k);
	client_http_free(&k->http);
	k->state = CLOSED;
	k->call = NULL;
	link_in(&w->closed, k);
	c->groups[k->group].open--;
	c->counts.open--;
}

static void rest(struct sim_client *c, struct connection *k)
{
	struct wire *w = c->wire;

	clear_due(w, k);
	k->state = RESTING;
	k->served = true;
	k->call = NULL;
	link_in(&w->resting[k->group], k);
}

static void free_closed(struct wire *w)
{
	while (w->closed) {
		struct connection *k = w->closed;

		w->closed = k->next;
		free(k);
	}
}

/* ---- sending ---- */

static void make_head(struct sim_client *c, const struct client_call *call)
{
	struct wire *w = c->wire;
	struct buf *b = &w->head;

	buf_reset(b);
	buf_str_add(b, call->method);
	buf_c(b, ' ');
	buf_str_add(b, c->target.prefix);
	buf_str_add(b, call->path);
	buf_str_add(b, w->fixed);
	buf_str_add(b, call->headers);
	if (call->body.n || (!str_eqz(call->method, "GET") && !str_eqz(call->method, "HEAD"))) {
		buf_z(b, "Content-Length: ");
		buf_u64(b, call->body.n);
		buf_z(b, "\r\n");
	}
	buf_z(b, "\r\n");
	CHECK(buf_ok(b));
}

static ssize_t send_rest(struct connection *k, struct str head, struct str body)
{
	size_t of_head = k->sent < head.n ? k->sent : head.n, of_body = k->sent - of_head;
	struct iovec parts[2] = {{(void *)(uintptr_t)(head.p + of_head), head.n - of_head},
				 {(void *)(uintptr_t)(body.n ? body.p + of_body : NULL), body.n - of_body}};
	struct msghdr m = {.msg_iov = parts, .msg_iovlen = body.n ? 2 : 1};

	return sendmsg(k->fd, &m, MSG_NOSIGNAL);
}

/* As much as the socket takes. A socket that takes no more for ever says so by an event, after what came is read. */
static void send_request(struct sim_client *c, struct connection *k)
{
	struct wire *w = c->wire;

	make_head(c, k->call);
	while (!k->all_sent) {
		ssize_t n = send_rest(k, buf_str(&w->head), k->call->body);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			shutdown(k->fd, SHUT_RDWR);
		if (n < 0)
			return;
		k->sent += (size_t)n;
		k->all_sent = k->sent == w->head.n + k->call->body.n;
		c->counts.bytes_sent += (uint64_t)n;
	}
}

static void begin_request(struct sim_client *c, struct connection *k)
{
	struct client_call *call = k->call;

	k->state = BUSY;
	k->sent = 0;
	k->all_sent = false;
	client_http_begin(&k->http, str_eqz(call->method, "HEAD"), c->config.answer_bytes_max);
	call->sent_ns = clock_mono_ns();
	set_due(c->wire, k, call->sent_ns + client_answer_ms(c, call) * MS_NS);
	send_request(c, k);
}

/* ---- connecting ---- */

static void on_event(struct sim_client *c, struct watcher *w, uint32_t events);

static bool try_address(struct sim_client *c, struct connection *k)
{
	struct epoll_event wanted = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = k};
	const struct addrinfo *a = k->address;
	int on = 1;

	k->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (k->fd < 0)
		return false;
	setsockopt(k->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(k->fd, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS)
		return false;
	return epoll_ctl(c->set, EPOLL_CTL_ADD, k->fd, &wanted) == 0;
}

/* Address after address, until one does not refuse at once. False, with errno: all did. */
static bool try_addresses(struct sim_client *c, struct connection *k)
{
	for (; k->address; k->address = k->address->ai_next) {
		int failed;

		if (try_address(c, k))
			return true;
		failed = errno;
		close_socket(k);
		errno = failed;
	}
	return false;
}

static void open_connection(struct sim_client *c, struct client_call *call)
{
	struct connection *k = NEW(struct connection);
	struct wire *w = c->wire;
	int why;

	*k = (struct connection){
		.watcher = {on_event}, .fd = -1, .group = call->group, .call = call, .place = HEAP_NOWHERE};
	k->older = w->open;
	k->newer = &w->open;
	if (k->older)
		k->older->newer = &k->older;
	w->open = k;
	c->groups[k->group].open++;
	c->counts.open++;
	c->counts.connects++;
	call->connection = k;
	call->connected = true;
	k->address = w->good;
	set_due(w, k, clock_mono_ns() + c->config.connect_ms * MS_NS);
	if (try_addresses(c, k))
		return;
	why = errno;
	w->good = c->target.addresses;
	shut(c, k);
	client_fail(c, call, why);
}

static void begin_call(struct sim_client *c, struct client_call *call)
{
	struct wire *w = c->wire;
	struct connection *k = w->resting[call->group];

	if (!k) {
		open_connection(c, call);
		return;
	}
	link_out(k);
	k->call = call;
	call->connection = k;
	begin_request(c, k);
}

static void on_connected(struct sim_client *c, struct connection *k)
{
	struct wire *w = c->wire;
	struct client_call *call = k->call;
	int why = 0;
	socklen_t n = sizeof(why);

	CHECK(getsockopt(k->fd, SOL_SOCKET, SO_ERROR, &why, &n) == 0);
	if (!why) {
		w->good = k->address;
		begin_request(c, k);
		return;
	}
	close_socket(k);
	k->address = k->address->ai_next;
	if (k->address && try_addresses(c, k))
		return;
	w->good = c->target.addresses;
	client_say_refused(c, call, why);
	shut(c, k);
	client_end(c, call);
}

/* ---- reading ---- */

/* What the parser says of it lives until done() has returned, when the connection may have been used again. */
static char *take_detail(struct connection *k)
{
	char *detail = k->http.detail;

	k->http.detail = NULL;
	if (detail)
		k->call->detail = detail;
	return detail;
}

/* What the answer holds, likewise. */
static void tell_answer(struct sim_client *c, struct connection *k, bool keep)
{
	struct client_call *call = k->call;
	struct buf gathered = k->http.gathered;
	char *detail = take_detail(k);

	k->http.gathered = (struct buf){0};
	call->status = k->http.status;
	call->answer = k->http.body;
	call->retry_after_ms =
		client_http_retry_after_ms(&k->http, k->http.retry_at_s >= 0 ? clock_now_ms(c->config.clock) : 0);
	call->done_ns = clock_mono_ns();
	if (keep && k->all_sent)
		rest(c, k);
	else
		shut(c, k);
	client_end(c, call);
	buf_free(&gathered);
	free(detail);
}

/* What the parser found wrong. */
static void tell_fault(struct sim_client *c, struct connection *k, enum err e)
{
	struct client_call *call = k->call;
	char *detail = take_detail(k);

	call->err = e;
	shut(c, k);
	client_end(c, call);
	free(detail);
}

/* What has been said already. */
static void tell_broken(struct sim_client *c, struct connection *k)
{
	struct client_call *call = k->call;

	shut(c, k);
	client_end(c, call);
}

/* The target closed it while it rested: it was no answer to this call, which goes out anew. */
static void go_again(struct sim_client *c, struct connection *k)
{
	struct client_call *call = k->call;

	shut(c, k);
	open_connection(c, call);
}

static void on_end(struct sim_client *c, struct connection *k, int why)
{
	if (k->state == RESTING) {
		shut(c, k);
		return;
	}
	if (k->served && !client_http_began(&k->http)) {
		go_again(c, k);
		return;
	}
	if (why) {
		client_say(c, k->call, ERR_TARGET_CLOSED, "%s",
			   why == EPIPE || why == ECONNRESET ? "the target reset the connection" : strerror(why));
		tell_broken(c, k);
	} else if (client_http_end(&k->http) == OK) {
		tell_answer(c, k, false);
	} else {
		tell_fault(c, k, ERR_TARGET_CLOSED);
	}
}

/* Returns whether the connection waits for more. */
static bool on_bytes(struct sim_client *c, struct connection *k, size_t n, bool over)
{
	struct wire *w = c->wire;
	bool whole;
	enum err e;

	c->counts.bytes_read += n;
	if (k->state == RESTING) {
		shut(c, k);
		return false;
	}
	e = client_http_take(&k->http, (struct str){w->bytes, n}, &whole);
	if (e)
		tell_fault(c, k, e);
	else if (whole)
		tell_answer(c, k, k->http.keep && !over);
	return !e && !whole;
}

static void read_answer(struct sim_client *c, struct connection *k, bool over)
{
	struct wire *w = c->wire;

	for (;;) {
		ssize_t n = recv(k->fd, w->bytes, READ_BYTES, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			on_end(c, k, n < 0 ? errno : 0);
			return;
		}
		if (!on_bytes(c, k, (size_t)n, over) || (n < READ_BYTES && !over))
			return;
	}
}

static void on_event(struct sim_client *c, struct watcher *watcher, uint32_t events)
{
	struct connection *k = CONTAINER_OF(watcher, struct connection, watcher);

	if (k->state == CONNECTING)
		on_connected(c, k);
	else if (k->state == BUSY && !k->all_sent)
		send_request(c, k);
	if ((k->state == BUSY || k->state == RESTING) && events & (EPOLLIN | OVER))
		read_answer(c, k, (events & OVER) != 0);
}

/* ---- time ---- */

static int64_t next_due(struct sim_client *c)
{
	struct wire *w = c->wire;
	const struct connection *k = heap_peek(&w->due);

	return k ? k->due_ns : INT64_MAX;
}

static void time_out(struct sim_client *c, struct connection *k)
{
	if (k->state == CONNECTING)
		client_say(c, k->call, ERR_TARGET_TIMEOUT, "no connection within %" PRId64 " ms",
			   c->config.connect_ms);
	else
		client_say_late(c, k->call, client_http_began(&k->http));
	tell_broken(c, k);
}

static void end_turn(struct sim_client *c)
{
	struct wire *w = c->wire;
	struct connection *k = heap_peek(&w->due);
	int64_t now_ns = k ? clock_mono_ns() : 0;

	for (; k && k->due_ns <= now_ns; k = heap_peek(&w->due))
		time_out(c, k);
	free_closed(w);
}

static void cancel_call(struct sim_client *c, struct client_call *call)
{
	shut(c, call->connection);
}

/* ---- making one ---- */

static void *make(struct sim_client *c)
{
	struct wire *w = NEW(struct wire);
	struct str host = c->target.authority, agent = c->config.user_agent;

	w->resting = must_alloc(c->config.groups * sizeof(struct connection *));
	w->due = HEAP_INIT(is_due_before, struct connection, place);
	w->good = c->target.addresses;
	w->fixed = arena_fmt(c->arena, " HTTP/1.1\r\nHost: %.*s\r\n%s%.*s%s", STRF(host),
			     agent.n ? "User-Agent: " : "", STRF(agent), agent.n ? "\r\n" : "");
	return w;
}

static void destroy(struct sim_client *c)
{
	struct wire *w = c->wire;

	while (w->open)
		shut(c, w->open);
	free_closed(w);
	heap_free(&w->due);
	buf_free(&w->head);
	free(w->resting);
	free(w);
	c->wire = NULL;
}

const struct client_transport client_epoll = {make, destroy, begin_call, cancel_call, next_due, end_turn};
