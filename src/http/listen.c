/*
 * Sockets.
 *
 * The loops share a port by SO_REUSEPORT, which lets the kernel spread connections over them, but which would also
 * let a second server take a part of them without an error. So the first socket is bound and listening without that
 * option: of two servers, one fails. Only then it is opened to the sockets of the other loops. Port 0 is resolved
 * by the first.
 */
#include "http/http_priv.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BACKLOG = 1024, DESCRIPTORS_BESIDE = 256 };

struct address {
	struct sockaddr_storage at;
	socklen_t length;
	bool v6;
};

static bool set_option(int fd, int level, int option)
{
	int on = 1;

	return setsockopt(fd, level, option, &on, sizeof(on)) == 0;
}

static in_port_t *port_of(struct address *a)
{
	return a->v6 ? &((struct sockaddr_in6 *)&a->at)->sin6_port : &((struct sockaddr_in *)&a->at)->sin_port;
}

/* HOST:PORT and [HOST]:PORT at the last colon. */
static bool split(const char *where, struct arena *a, const char **host, const char **port)
{
	const char *colon = strrchr(where, ':');
	struct str h;

	if (!colon || colon == where)
		return false;
	h = (struct str){where, (size_t)(colon - where)};
	if (h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = (struct str){h.p + 1, h.n - 2};
	*host = arena_z(a, h);
	*port = colon + 1;
	return h.n > 0 && **port;
}

static enum err resolve(const char *where, struct address *out, struct problem *p)
{
	const struct addrinfo wanted = {.ai_flags = AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
	struct arena *a = arena_new(4096);
	struct addrinfo *found = NULL;
	const char *host, *port;
	bool good = split(where, a, &host, &port) && getaddrinfo(host, port, &wanted, &found) == 0;

	if (good) {
		memcpy(&out->at, found->ai_addr, found->ai_addrlen);
		out->length = found->ai_addrlen;
		out->v6 = found->ai_family == AF_INET6;
		freeaddrinfo(found);
	}
	arena_destroy(&a);
	if (good)
		return OK;
	return problem_field(p, ERR_USAGE, "listen", "\"%s\" is no address: write 127.0.0.1:7010 or [::1]:7010",
			     where);
}

static enum err no_socket(const char *where, int fd, struct problem *p)
{
	int why = errno;

	if (fd >= 0)
		close(fd);
	if (why == EADDRINUSE)
		return problem_set(p, ERR_IN_USE, "%s is in use: is another server running there?", where);
	return problem_set(p, ERR_USAGE, "cannot listen on %s: %s", where, strerror(why));
}

static int socket_for(const struct address *a)
{
	int fd = socket(a->v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && a->v6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	return fd;
}

static bool bind_and_listen(int fd, const struct address *a)
{
	return bind(fd, (const struct sockaddr *)&a->at, a->length) == 0 && listen(fd, BACKLOG) == 0;
}

static enum err listen_alone(const char *where, struct address *a, int *out, struct problem *p)
{
	int fd = socket_for(a);

	if (fd < 0 || !set_option(fd, SOL_SOCKET, SO_REUSEADDR) || !bind_and_listen(fd, a) ||
	    !set_option(fd, SOL_SOCKET, SO_REUSEPORT) ||
	    getsockname(fd, (struct sockaddr *)&a->at, &a->length) != 0)
		return no_socket(where, fd, p);
	*out = fd;
	return OK;
}

static enum err listen_too(const char *where, const struct address *a, int *out, struct problem *p)
{
	int fd = socket_for(a);

	if (fd < 0 || !set_option(fd, SOL_SOCKET, SO_REUSEADDR) || !set_option(fd, SOL_SOCKET, SO_REUSEPORT) ||
	    !bind_and_listen(fd, a))
		return no_socket(where, fd, p);
	*out = fd;
	return OK;
}

/* Where this machine reaches it: for an address that means all of them, the loopback one. */
static void name(struct address *a, bool tls, struct buf *url)
{
	char host[NI_MAXHOST];
	struct address reach = *a;

	if (a->v6 && IN6_IS_ADDR_UNSPECIFIED(&((struct sockaddr_in6 *)&a->at)->sin6_addr))
		((struct sockaddr_in6 *)&reach.at)->sin6_addr = in6addr_loopback;
	else if (!a->v6 && ((struct sockaddr_in *)&a->at)->sin_addr.s_addr == INADDR_ANY)
		((struct sockaddr_in *)&reach.at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(getnameinfo((struct sockaddr *)&reach.at, reach.length, host, sizeof(host), NULL, 0,
			  NI_NUMERICHOST) == 0);
	buf_fmt(url, a->v6 ? "%s://[%s]:%u" : "%s://%s:%u", tls ? "https" : "http", host, ntohs(*port_of(a)));
}

enum err listen_on(const struct http_config *config, int *sockets, struct buf *url, struct problem *p)
{
	struct address a;
	enum err e = resolve(config->listen, &a, p);

	e = e ? e : listen_alone(config->listen, &a, &sockets[0], p);
	for (unsigned i = 1; !e && i < config->loops; i++)
		e = listen_too(config->listen, &a, &sockets[i], p);
	if (!e)
		name(&a, config->tls_cert_pem, url);
	return e;
}

enum err listen_reserve(unsigned connections, struct problem *p)
{
	rlim_t needed = (rlim_t)connections + DESCRIPTORS_BESIDE;
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	if (limit.rlim_cur >= needed)
		return OK;
	limit.rlim_cur = needed;
	if (limit.rlim_max < needed)
		limit.rlim_max = needed; /* root may */
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return OK;
	return problem_field(p, ERR_USAGE, "max_connections",
			     "%u connections need %llu open files; raise the limit (ulimit -n) or lower this",
			     connections, (unsigned long long)needed);
}
