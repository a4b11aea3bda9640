/*
 * Any bytes to a running server: it does not crash, and goes on to serve others.
 *
 * The server runs in this process, with the handlers of tests/unit/http_kit/stub.h. A byte 0xff cuts the input into
 * pieces; after each the server must answer a second connection, which also means that it has seen the piece.
 */
#include "tests/unit/http_kit/stub.h"

#include "base/magic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_S = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One for all inputs; it lasts as long as the process. */
struct target {
	struct stub *stub;
	int steady; /* the second connection */
};

static int connect_to(const char *url)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = PATIENCE_S};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons((uint16_t)strtoul(strrchr(url, ':') + 1, NULL, 10));
	CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static const struct target *the_target(void)
{
	static struct target t;
	struct problem p = {0};

	if (!t.stub) {
		CHECK(stub_try(&(struct stub_config){0}, &t.stub, &p) == OK);
		t.steady = connect_to(stub_url(t.stub));
	}
	return &t;
}

/* A whole answer of /health ends with the brace of its body. */
static void expect_service(const struct target *t)
{
	static const char request[] = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
	char answer[4096];
	size_t n = 0;

	CHECK(send(t->steady, request, sizeof(request) - 1, MSG_NOSIGNAL) == sizeof(request) - 1);
	while (n == 0 || answer[n - 1] != '}') {
		ssize_t got = recv(t->steady, answer + n, sizeof(answer) - n, 0);

		if (got < 0 && errno == EINTR)
			continue; /* libFuzzer's clock */
		CHECK(got > 0);   /* else the server hangs or has gone */
		n += (size_t)got;
	}
	CHECK(memcmp(answer, "HTTP/1.1 200 ", 13) == 0);
}

/* With a reset: the ports of closed connections would run out. */
static void close_at_once(int fd)
{
	struct linger now = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct target *t = the_target();
	struct str rest = {(const char *)data, size};
	int fd = connect_to(stub_url(t->stub));
	char ignored[4096];

	while (rest.p) {
		struct str piece = str_cut(rest, (char)0xff, &rest);

		(void)send(fd, piece.p, piece.n, MSG_NOSIGNAL);
		expect_service(t);
		stub_release(t->stub);
	}
	shutdown(fd, SHUT_WR);
	expect_service(t);
	while (recv(fd, ignored, sizeof(ignored), MSG_DONTWAIT) > 0)
		;
	close_at_once(fd);
	return 0;
}
