/*
 * redis://[[user]:password@]host[:port][/db]. The sentences about what is wrong never quote the url: it may hold a
 * password.
 */
#include "redis/redis_priv.h"

#include "base/magic.h"

#include <sodium.h>
#include <string.h>

enum { PORT = 6379, PORT_MAX = 65535, DB_MAX = 65535, PART_MAX = 512 };

static enum err wrong(struct problem *p, const char *what)
{
	return problem_set(p, ERR_INVALID, "the url of Redis %s; it is redis://[[user]:password@]host[:port][/db]",
			   what);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 32) >= 'a' && (c | 32) <= 'f')
		return (c | 32) - 'a' + 10;
	return -1;
}

/* With each %XX as its byte; NULL when it is not well-formed, too long, or holds a NUL. */
static char *decoded(struct str s)
{
	char *out = must_alloc(s.n + 1);
	size_t n = 0;
	bool ok = s.n <= PART_MAX;

	for (size_t i = 0; i < s.n && ok; i++) {
		char c = s.p[i];

		if (c == '%') {
			int high = i + 2 < s.n ? hex(s.p[i + 1]) : -1, low = high >= 0 ? hex(s.p[i + 2]) : -1;

			ok = low >= 0;
			c = (char)(high * 16 + low);
			i += 2;
		}
		ok = ok && c;
		out[n++] = c;
	}
	if (!ok) {
		sodium_memzero(out, s.n);
		free(out);
		return NULL;
	}
	return out;
}

static char *copied(struct str s)
{
	char *out = must_alloc(s.n + 1);

	memcpy(out, s.p, s.n);
	return out;
}

static bool number(struct str s, int max, int *out)
{
	int64_t v;

	if (!str_to_i64(s, &v) || v < 0 || v > max)
		return false;
	*out = (int)v;
	return true;
}

static enum err parse_login(struct str login, struct redis_address *out, struct problem *p)
{
	struct str password, user = str_cut(login, ':', &password);

	if (!password.p)
		return wrong(p, "has something before the @ that is not :password or user:password");
	if (user.n && !(out->user = decoded(user)))
		return wrong(p, "has a user that cannot be read (%XX stands for a byte)");
	if (!(out->password = decoded(password)))
		return wrong(p, "has a password that cannot be read (%XX stands for a byte)");
	return OK;
}

/* The end of the host: behind the bracket of an IPv6 address, or before the port. */
static enum err parse_host(struct str s, struct redis_address *out, struct problem *p)
{
	struct str port = {0}, host;

	if (str_starts(s, STR("["))) {
		host = str_cut((struct str){s.p + 1, s.n - 1}, ']', &port);
		if (!port.p || (port.n && port.p[0] != ':'))
			return wrong(p, "has a [ without its ]");
		if (port.n)
			port = (struct str){port.p + 1, port.n - 1};
	} else {
		host = str_cut(s, ':', &port);
	}
	if (host.n == 0 || host.n > PART_MAX || memchr(host.p, 0, host.n))
		return wrong(p, "has no host");
	if (port.n && (!number(port, PORT_MAX, &out->port) || out->port == 0))
		return wrong(p, "has a port that is not 1 to 65535");
	out->host = copied(host);
	return OK;
}

static char *made_name(const struct redis_address *a)
{
	struct buf b = BUF_INIT(0);
	char *name;

	buf_fmt(&b, strchr(a->host, ':') ? "[%s]:%d/%d" : "%s:%d/%d", a->host, a->port, a->db);
	name = copied(buf_str(&b));
	buf_free(&b);
	return name;
}

/* The @ before the host is the last one: a password may hold another. */
static size_t login_length(struct str s)
{
	while (s.n > 0 && s.p[s.n - 1] != '@')
		s.n--;
	return s.n;
}

static enum err parse_rest(struct str rest, struct redis_address *out, struct problem *p)
{
	size_t login = login_length(rest);
	struct str db, host = str_cut((struct str){rest.p + login, rest.n - login}, '/', &db);
	enum err err = login ? parse_login((struct str){rest.p, login - 1}, out, p) : OK;

	if (!err)
		err = parse_host(host, out, p);
	if (!err && db.n && !number(db, DB_MAX, &out->db))
		err = wrong(p, "has a database that is not a number");
	return err;
}

enum err redis_address_parse(struct str url, struct redis_address *out, struct problem *p)
{
	static const struct str scheme = {"redis://", 8};
	enum err err;

	*out = (struct redis_address){.port = PORT};
	if (str_starts(url, STR("rediss://")))
		return wrong(p, "asks for TLS, which this client does not speak: put a tunnel between");
	if (!str_starts(url, scheme))
		return wrong(p, "does not begin with redis://");
	err = parse_rest((struct str){url.p + scheme.n, url.n - scheme.n}, out, p);
	if (err)
		redis_address_free(out);
	else
		out->name = made_name(out);
	return err;
}

void redis_address_free(struct redis_address *a)
{
	if (a->password)
		sodium_memzero(a->password, strlen(a->password));
	free(a->host);
	free(a->user);
	free(a->password);
	free(a->name);
	*a = (struct redis_address){0};
}
