/*
 * One connection: hiredis looks up the name, connects and parses; sending and receiving are ours, so that an
 * exchange as a whole has a deadline, not each of its parts, and a peer that hung up raises no signal.
 */
#include "redis/redis_priv.h"

#include "base/clock.h"
#include "base/magic.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
	CONNECT_MS = 1000,
	READ_BYTES = 64 << 10,
	UNREAD_MAX = 64 << 20, /* of a reply that is not complete */
	HELLO_MAX = 3,         /* commands that a connection opens with */
	HELLO_ARENA = 16 << 10,
	NS_MS = 1000000,
};

/* ---- commands as bytes ---- */

static void encode_arg(struct buf *b, struct str s)
{
	buf_fmt(b, "$%zu\r\n", s.n);
	buf_str_add(b, s);
	buf_add(b, "\r\n", 2);
}

void redis_encode(struct buf *b, const struct redis_command *c, bool in_full)
{
	char keys[24];

	buf_fmt(b, "*%zu\r\n", c->count + (c->script ? 3 : 0));
	if (c->script) {
		snprintf(keys, sizeof(keys), "%zu", c->keys);
		encode_arg(b, in_full ? STR("EVAL") : STR("EVALSHA"));
		encode_arg(b, str_of(in_full ? c->script->text : c->script->sha1));
		encode_arg(b, str_of(keys));
	}
	for (size_t i = 0; i < c->count; i++)
		encode_arg(b, c->args[i]);
}

/* ---- an exchange ---- */

/* One under way. */
struct exchange {
	struct redis_link *link;
	struct str unsent;
	struct redis_reply *replies;
	size_t read, count;
};

static enum err send_some(struct exchange *x)
{
	ssize_t n =
		x->unsent.n ? send(x->link->context->fd, x->unsent.p, x->unsent.n, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? OK : ERR_UNREACHABLE;
	x->unsent = (struct str){x->unsent.p + n, x->unsent.n - (size_t)n};
	return OK;
}

/* The complete replies among what was read. */
static enum err take_replies(struct exchange *x)
{
	void *reply;

	while (x->read < x->count) {
		if (redisReaderGetReply(x->link->reader, &reply) != REDIS_OK)
			return ERR_INTERNAL;
		if (!reply)
			return x->link->reader->len > UNREAD_MAX ? ERR_INTERNAL : OK;
		x->replies[x->read++] = *(struct redis_reply *)reply;
	}
	return OK;
}

static enum err receive_some(struct exchange *x)
{
	char bytes[READ_BYTES];
	ssize_t n = recv(x->link->context->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? OK : ERR_UNREACHABLE;
	if (n == 0)
		return ERR_UNREACHABLE;
	if (redisReaderFeed(x->link->reader, bytes, (size_t)n) != REDIS_OK)
		return ERR_INTERNAL;
	return take_replies(x);
}

static int left_ms(int64_t deadline_ns)
{
	int64_t left = deadline_ns - clock_mono_ns();

	return left <= 0 ? 0 : (int)((left + NS_MS - 1) / NS_MS);
}

enum err redis_link_exchange(struct redis_link *l, struct arena *a, struct str bytes, struct redis_reply *replies,
			     size_t count, int64_t deadline_ns, bool *timed_out)
{
	struct exchange x = {l, bytes, replies, 0, count};
	enum err err = send_some(&x);

	l->builder.arena = a;
	*timed_out = false;
	while (!err && x.read < count) {
		struct pollfd p = {l->context->fd, (short)(POLLIN | (x.unsent.n ? POLLOUT : 0)), 0};
		int left = left_ms(deadline_ns);

		if (left == 0) {
			*timed_out = true;
			return ERR_UNREACHABLE;
		}
		if (poll(&p, 1, left) <= 0)
			continue;
		err = p.revents & POLLOUT ? send_some(&x) : OK;
		if (!err && p.revents & ~POLLOUT)
			err = receive_some(&x);
	}
	if (!err && (x.unsent.n || l->reader->pos < l->reader->len))
		err = ERR_INTERNAL; /* more than was asked for */
	return err;
}

/* ---- opening ---- */

static enum err say(struct redis_why *why, enum err err, const char *text)
{
	snprintf(why->text, sizeof(why->text), "%s", text);
	return err;
}

/* AUTH and SELECT as far as needed, then PING. */
static size_t hello(const struct redis_address *a, struct buf *b)
{
	struct str auth[3] = {STR("AUTH")}, ping[] = {STR("PING")}, select[2] = {STR("SELECT")};
	size_t n = 0, args = 1;
	char db[16];

	if (a->password) {
		if (a->user)
			auth[args++] = str_of(a->user);
		auth[args++] = str_of(a->password);
		redis_encode(b, &(struct redis_command){.args = auth, .count = args}, false);
		n++;
	}
	if (a->db) {
		snprintf(db, sizeof(db), "%d", a->db);
		select[1] = str_of(db);
		redis_encode(b, &(struct redis_command){.args = select, .count = 2}, false);
		n++;
	}
	redis_encode(b, &(struct redis_command){.args = ping, .count = 1}, false);
	return n + 1;
}

/* Only the code of what Redis says: nothing of the password can be in it. */
static enum err say_refusal(struct redis_why *why, const struct redis_reply *r)
{
	struct str rest, code = str_clip(str_cut(r->text, ' ', &rest), 20);

	snprintf(why->text, sizeof(why->text), "it answers %.*s", STRF(code));
	return ERR_UNREACHABLE;
}

static enum err introduce(struct redis_link *l, const struct redis_address *a, int timeout_ms,
			  struct redis_why *why)
{
	struct arena *arena = arena_new(HELLO_ARENA);
	struct buf b = BUF_INIT(0);
	struct redis_reply replies[HELLO_MAX];
	size_t count = hello(a, &b);
	bool timed_out;
	enum err err = redis_link_exchange(l, arena, buf_str(&b), replies, count,
					   clock_mono_ns() + (int64_t)timeout_ms * NS_MS, &timed_out);

	if (err)
		say(why, err, timed_out ? "it does not answer" : "it hangs up, or does not speak Redis' protocol");
	for (size_t i = 0; i < count && !err; i++)
		if (replies[i].kind == REDIS_ERROR)
			err = say_refusal(why, &replies[i]);
	if (a->password)
		explicit_bzero(b.p, b.n);
	buf_free(&b);
	arena_destroy(&arena);
	return err;
}

enum err redis_link_open(const struct redis_address *a, int timeout_ms, struct redis_link **out,
			 struct redis_why *why)
{
	struct timeval connect = {CONNECT_MS / 1000, CONNECT_MS % 1000 * 1000};
	struct redis_link *l = NEW(struct redis_link);
	enum err err = OK;

	l->context = redisConnectWithTimeout(a->host, a->port, connect);
	CHECK(l->context != NULL);
	l->reader = redis_reader_new(&l->builder);
	if (l->context->err)
		err = say(why, ERR_UNREACHABLE, l->context->errstr);
	else
		err = introduce(l, a, timeout_ms, why);
	if (err)
		redis_link_close(&l);
	else
		*out = l;
	return err;
}

void redis_link_close(struct redis_link **l)
{
	redisReaderFree((*l)->reader);
	redisFree((*l)->context);
	free(*l);
	*l = NULL;
}

bool redis_link_is_quiet(const struct redis_link *l)
{
	char byte;

	return recv(l->context->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR);
}
