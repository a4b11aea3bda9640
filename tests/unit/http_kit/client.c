/*
 * Blocking sockets with a receive time-out, so that a test waits for bytes and never for time to pass.
 */
#include "tests/unit/http_kit/client.h"

#include "tests/unit/harness.h"

#include "base/magic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { PATIENCE_S = 10 };

struct client {
	int fd;
	gnutls_session_t tls;
	gnutls_certificate_credentials_t trust;
	struct buf in; /* received, not read yet */
};

static int connect_to(const char *url)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = PATIENCE_S};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void shake_hands(struct client *c)
{
	int e;

	gnutls_certificate_allocate_credentials(&c->trust);
	gnutls_init(&c->tls, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
	gnutls_set_default_priority(c->tls);
	gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, c->trust);
	gnutls_transport_set_int(c->tls, c->fd);
	do
		e = gnutls_handshake(c->tls);
	while (e < 0 && !gnutls_error_is_fatal(e));
	assert_int_equal(e, GNUTLS_E_SUCCESS);
}

struct client *client_open(const char *url)
{
	struct client *c = NEW(struct client);

	c->fd = connect_to(url);
	if (strncmp(url, "https", 5) == 0)
		shake_hands(c);
	return c;
}

void client_close(struct client **client)
{
	struct client *c = *client;

	if (!c)
		return;
	if (c->tls) {
		gnutls_deinit(c->tls);
		gnutls_certificate_free_credentials(c->trust);
	}
	close(c->fd);
	buf_free(&c->in);
	free(c);
	*client = NULL;
}

void client_reset(struct client **c)
{
	struct linger now = {.l_onoff = 1};

	setsockopt((*c)->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	client_close(c);
}

int client_fd(const struct client *c)
{
	return c->fd;
}

void client_shut(struct client *c)
{
	if (c->tls)
		gnutls_bye(c->tls, GNUTLS_SHUT_WR);
	shutdown(c->fd, SHUT_WR);
}

void client_send_bytes(struct client *c, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n > 0) {
		ssize_t sent = c->tls ? gnutls_record_send(c->tls, p, n) : send(c->fd, p, n, MSG_NOSIGNAL);

		assert_true(sent > 0);
		p += sent;
		n -= (size_t)sent;
	}
}

void client_send(struct client *c, const char *text)
{
	client_send_bytes(c, text, strlen(text));
}

void client_get(struct client *c, const char *path)
{
	struct buf b = BUF_INIT(0);

	buf_fmt(&b, "GET %s HTTP/1.1\r\n" AUTH "\r\n", path);
	client_send_bytes(c, b.p, b.n);
	buf_free(&b);
}

void client_post(struct client *c, const char *path, const char *body)
{
	struct buf b = BUF_INIT(0);

	buf_fmt(&b, "POST %s HTTP/1.1\r\n" JSON "Content-Length: %zu\r\n\r\n%s", path, strlen(body), body);
	client_send_bytes(c, b.p, b.n);
	buf_free(&b);
}

bool client_try_send(struct client *c, const void *bytes, size_t n)
{
	return send(c->fd, bytes, n, MSG_NOSIGNAL) > 0;
}

/* More into c->in; 0: the peer closed, negative: reset. Silence fails the test. */
static ssize_t receive(struct client *c)
{
	char *room = buf_room(&c->in, 65536);
	ssize_t n = c->tls ? gnutls_record_recv(c->tls, room, 65536) : recv(c->fd, room, 65536, 0);

	if (!c->tls && n < 0 && errno == EAGAIN)
		fail_msg("the server was silent for %d s", PATIENCE_S);
	if (c->tls && n == GNUTLS_E_AGAIN)
		fail_msg("the server was silent for %d s", PATIENCE_S);
	if (c->tls && (n == GNUTLS_E_PREMATURE_TERMINATION || n == GNUTLS_E_PULL_ERROR))
		return 0;
	if (n > 0)
		buf_took(&c->in, (size_t)n);
	return n;
}

static void drop(struct client *c, size_t n)
{
	memmove(c->in.p, c->in.p + n, c->in.n - n);
	c->in.n -= n;
}

/* Waits until there are n bytes, and moves them. */
static void take(struct client *c, size_t n, struct buf *out)
{
	while (c->in.n < n)
		if (receive(c) <= 0)
			fail_msg("the connection ended %zu bytes early", n - c->in.n);
	buf_add(out, c->in.p, n);
	drop(c, n);
}

void client_read_until(struct client *c, const char *end, struct buf *out)
{
	char *at;

	while (!c->in.n || !(at = memmem(c->in.p, c->in.n, end, strlen(end))))
		if (receive(c) <= 0)
			fail_msg("the connection ended before \"%s\" came; there was: %s", end, buf_cstr(&c->in));
	take(c, (size_t)(at - c->in.p) + strlen(end), out);
}

static void read_chunks(struct client *c, struct buf *body)
{
	size_t size;

	do {
		struct buf line = BUF_INIT(0), end = BUF_INIT(0);

		client_read_until(c, "\r\n", &line);
		size = strtoul(line.p, NULL, 16);
		take(c, size, body);
		take(c, 2, &end);
		assert_true(str_eqz(buf_str(&end), "\r\n"));
		buf_free(&line);
		buf_free(&end);
	} while (size > 0);
}

static void read_start(struct client *c, struct answer_read *out)
{
	*out = (struct answer_read){0};
	client_read_until(c, "\r\n\r\n", &out->head);
	assert_true(str_starts(buf_str(&out->head), STR("HTTP/1.1 ")));
	out->status = atoi(out->head.p + strlen("HTTP/1.1 "));
	out->chunked = strcmp(answer_header(out, "Transfer-Encoding"), "chunked") == 0;
}

void client_read_head(struct client *c, struct answer_read *out)
{
	read_start(c, out);
}

void client_read(struct client *c, struct answer_read *out)
{
	read_start(c, out);
	if (out->chunked)
		read_chunks(c, &out->body);
	else
		take(c, (size_t)atoi(answer_header(out, "Content-Length")), &out->body);
	buf_add(&out->body, "", 0);
}

void client_expect(struct client *c, int status)
{
	struct answer_read a;

	client_read(c, &a);
	if (a.status != status)
		fail_msg("%s%s\nis not %d", buf_cstr(&a.head), buf_cstr(&a.body), status);
	answer_free(&a);
}

void client_read_to_end(struct client *c, struct buf *out)
{
	while (receive(c) > 0)
		;
	buf_str_add(out, buf_str(&c->in));
	buf_reset(&c->in);
}

void client_expect_end(struct client *c)
{
	if (c->in.n > 0 || receive(c) > 0)
		fail_msg("there is more: %s", buf_cstr(&c->in));
}

bool client_ended(struct client *c)
{
	ssize_t n;

	while ((n = receive(c)) > 0)
		buf_reset(&c->in);
	return n == 0;
}

void answer_free(struct answer_read *a)
{
	buf_free(&a->head);
	buf_free(&a->body);
}

/* Ends the value with a NUL in place of the CR: lines stay as long as they were. */
const char *answer_header(struct answer_read *a, const char *name)
{
	for (char *line = a->head.p; line < a->head.p + a->head.n; line += strcspn(line, "\r") + 2) {
		size_t n = strlen(name);

		if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
			line += n + 2;
			line[strcspn(line, "\r")] = '\0';
			return line;
		}
	}
	return "";
}
