/*
 * Every socket is in the set once, edge-triggered for reading and writing, so that a run makes no further epoll_ctl
 * calls. A read that comes back shorter than the scratch has emptied the socket. Most answers arrive whole and are
 * used straight from the scratch, so that ten thousand idle connections hold no buffers.
 */
#include "wire.h"

#include "base/clock.h"
#include "base/magic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_PER_TURN = 256, DESCRIPTORS_SPARE = 64 };
static const int64_t SECOND_NS = 1000000000;

struct wire *wire_new(void)
{
	struct wire *w = NEW(struct wire);

	w->set = epoll_create1(EPOLL_CLOEXEC);
	CHECK(w->set >= 0);
	w->now_ns = clock_mono_ns();
	return w;
}

void wire_destroy(struct wire **w)
{
	if (!*w)
		return;
	close((*w)->set);
	free(*w);
	*w = NULL;
}

void wire_fault(struct wire *w, const char *fmt, ...)
{
	va_list list;

	w->done = true;
	if (w->fault[0])
		return;
	va_start(list, fmt);
	vsnprintf(w->fault, sizeof w->fault, fmt, list);
	va_end(list);
}

bool wire_address(struct str host_port, struct sockaddr_in *out)
{
	struct str port;
	struct str host = str_cut(host_port, ':', &port);
	struct buf name = BUF_INIT(64);
	int64_t number = 0;

	buf_str_add(&name, host);
	*out = (struct sockaddr_in){.sin_family = AF_INET};
	bool good = str_to_i64(port, &number) && number > 0 && number < 65536 &&
		    inet_pton(AF_INET, buf_cstr(&name), &out->sin_addr) == 1;
	out->sin_port = htons((uint16_t)number);
	buf_free(&name);
	return good;
}

void wire_allow_descriptors(unsigned n)
{
	struct rlimit limit;

	n += DESCRIPTORS_SPARE;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= n)
		return;
	limit.rlim_cur = n;
	if (limit.rlim_max < n)
		limit.rlim_max = n;
	setrlimit(RLIMIT_NOFILE, &limit);
}

void stream_open(struct stream *s, struct wire *w, const struct sockaddr_in *to)
{
	struct epoll_event wanted = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = s};
	int on = 1;

	s->wire = w;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || connect(s->fd, (const struct sockaddr *)to, sizeof *to) != 0) {
		wire_fault(w, "cannot connect: %s", strerror(errno));
		return;
	}
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	fcntl(s->fd, F_SETFL, O_NONBLOCK);
	epoll_ctl(w->set, EPOLL_CTL_ADD, s->fd, &wanted);
}

void stream_close(struct stream *s)
{
	if (s->fd > 0)
		close(s->fd);
	buf_free(&s->in);
	buf_free(&s->out);
	*s = (struct stream){0};
}

void stream_flush(struct stream *s)
{
	while (s->sent < s->out.n) {
		ssize_t n = send(s->fd, s->out.p + s->sent, s->out.n - s->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno != EINTR) {
			wire_fault(s->wire, "cannot send: %s", strerror(errno));
			return;
		}
		s->sent += n > 0 ? (size_t)n : 0;
	}
	buf_reset(&s->out);
	s->sent = 0;
}

static void keep_rest(struct stream *s, struct str bytes, size_t used)
{
	if (s->in.n == 0) {
		buf_add(&s->in, bytes.p + used, bytes.n - used);
	} else if (used) {
		memmove(s->in.p, s->in.p + used, bytes.n - used);
		s->in.n = bytes.n - used;
	}
}

static void hand_over(struct stream *s, size_t n)
{
	struct str bytes = {s->wire->scratch, n};

	if (s->in.n) {
		buf_add(&s->in, s->wire->scratch, n);
		bytes = buf_str(&s->in);
	}
	size_t used = s->arrived(s, bytes);
	if (used == bytes.n)
		buf_reset(&s->in);
	else
		keep_rest(s, bytes, used);
	if (!buf_ok(&s->in))
		wire_fault(s->wire, "an answer is too long");
}

static void stream_read(struct stream *s)
{
	ssize_t n;

	do {
		n = recv(s->fd, s->wire->scratch, WIRE_SCRATCH_BYTES, 0);
		if (n > 0)
			hand_over(s, (size_t)n);
	} while ((n == WIRE_SCRATCH_BYTES || (n < 0 && errno == EINTR)) && !s->wire->done);
	if (n == 0)
		wire_fault(s->wire, "the server closed a connection");
	else if (n < 0 && errno != EAGAIN)
		wire_fault(s->wire, "cannot receive: %s", strerror(errno));
}

static int wait_for_events(struct wire *w, struct epoll_event *events, int64_t until_ns)
{
	int64_t left_ns = until_ns - w->now_ns;
	struct timespec t = {.tv_sec = left_ns / SECOND_NS, .tv_nsec = left_ns % SECOND_NS};

	if (left_ns <= 0)
		t = (struct timespec){0};
	return epoll_pwait2(w->set, events, EVENTS_PER_TURN, until_ns == INT64_MAX ? NULL : &t, NULL);
}

void wire_run(struct wire *w, wire_tick_fn *tick, void *ctx)
{
	struct epoll_event events[EVENTS_PER_TURN];

	w->done = w->fault[0] != '\0';
	while (!w->done) {
		w->now_ns = clock_mono_ns();
		int64_t until_ns = tick(ctx);
		int n = w->done ? 0 : wait_for_events(w, events, until_ns);

		w->now_ns = clock_mono_ns();
		for (int i = 0; i < n && !w->done; i++) {
			struct stream *s = events[i].data.ptr;

			if (events[i].events & EPOLLOUT)
				stream_flush(s);
			if (events[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
				stream_read(s);
		}
	}
}
