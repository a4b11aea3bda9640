/* See sim/control.h. An answer is sent in one piece or not at all, so there is nothing to keep of it. */
#include "sim/control.h"

#include "base/buf.h"
#include "base/magic.h"
#include "sim/control_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONTROL_MAGIC = 0x6374726c, BACKLOG = 64, REQUEST_BYTES_MAX = 16 << 10 };

static const int64_t ns_per_ms = 1000000;

struct client {
	int fd; /* -1: a free place */
	bool hung_up;
	int64_t heard_ns; /* when it last said something */
	size_t n;
	char line[CONTROL_LINE_MAX];
};

struct control {
	unsigned magic;
	struct str dir;
	control_told_fn *told;
	void *ctx;
	int folder, listener;
	struct sockaddr_un address;
	bool bound;
	struct client clients[CONTROL_CLIENTS];
	struct arena *arena; /* of the line that is read */
};

/* ---- answers ---- */

static void drop(struct client *k)
{
	close(k->fd);
	*k = (struct client){.fd = -1};
}

static void say(struct client *k, const struct sim_control_answer *answer)
{
	struct buf b = BUF_INIT(0);

	json_encode(&type_sim_control_answer, answer, 0, &b);
	buf_c(&b, '\n');
	if (send(k->fd, b.p, b.n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)b.n)
		drop(k);
	buf_free(&b);
}

static void say_fault(struct client *k, enum err e, const char *detail)
{
	struct sim_control_answer answer = {.seen = BIT(sim_control_answer, fault)};

	PUT(&answer.fault, sim_control_fault, code, str_of(err_info(e)->code));
	PUT(&answer.fault, sim_control_fault, detail, str_of(detail));
	say(k, &answer);
}

/* ---- questions ---- */

static void answer_line(struct control *c, struct client *k, struct str line)
{
	struct sim_control_answer answer = {.seen = BIT(sim_control_answer, status)};
	struct sim_control_request request;
	struct problem p = {0};
	enum err e;

	arena_reset(c->arena);
	e = json_decode(&type_sim_control_request, line, 0, c->arena, &request, &p);
	if (e) {
		say_fault(k, e, p.detail);
		return;
	}
	c->told(c->ctx, (enum sim_command)request.command, &answer.status);
	say(k, &answer);
}

/* Where the next line begins, nobody knows. */
static void refuse_line(struct client *k)
{
	say_fault(k, ERR_TOO_LARGE, "A line is longer than 1024 bytes; tell one thing a line.");
	if (k->fd >= 0)
		drop(k);
}

/* Who has hung up needs no end of its last line. */
static void take_line(struct control *c, struct client *k)
{
	const char *end = memchr(k->line, '\n', k->n);
	size_t n = end ? (size_t)(end - k->line) : k->n;

	if (!end && !k->hung_up) {
		if (k->n == CONTROL_LINE_MAX)
			refuse_line(k);
		return;
	}
	answer_line(c, k, (struct str){k->line, n});
	if (k->fd < 0)
		return;
	n += end ? 1 : 0;
	k->n -= n;
	memmove(k->line, k->line + n, k->n);
}

static void read_from(struct client *k, int64_t now_ns)
{
	ssize_t n = recv(k->fd, k->line + k->n, CONTROL_LINE_MAX - k->n, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		drop(k);
		return;
	}
	k->hung_up = n == 0;
	k->n += (size_t)n;
	k->heard_ns = now_ns;
}

/* ---- who is connected ---- */

/* A place for one more. */
static struct client *make_place(struct control *c)
{
	struct client *oldest = c->clients;

	for (struct client *k = c->clients; k < c->clients + CONTROL_CLIENTS; k++) {
		if (k->fd < 0)
			return k;
		if (k->heard_ns < oldest->heard_ns)
			oldest = k;
	}
	drop(oldest);
	return oldest;
}

static void take_clients(struct control *c, int64_t now_ns)
{
	int fd;

	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		*make_place(c) = (struct client){.fd = fd, .heard_ns = now_ns};
	}
}

static void drop_silent(struct control *c, int64_t now_ns)
{
	for (struct client *k = c->clients; k < c->clients + CONTROL_CLIENTS; k++)
		if (k->fd >= 0 && now_ns - k->heard_ns > CONTROL_SILENCE_MS * ns_per_ms)
			drop(k);
}

/* ---- the turn ---- */

static void hear_client(struct control *c, struct client *k, int64_t now_ns)
{
	if (k->n < CONTROL_LINE_MAX && !k->hung_up)
		read_from(k, now_ns);
	if (k->fd >= 0 && k->n > 0)
		take_line(c, k);
	if (k->fd >= 0 && k->hung_up && k->n == 0)
		drop(k);
}

void control_turn(struct control *c, int64_t now_ns)
{
	CHECK_OBJ(c, CONTROL_MAGIC);
	take_clients(c, now_ns);
	for (struct client *k = c->clients; k < c->clients + CONTROL_CLIENTS; k++)
		if (k->fd >= 0)
			hear_client(c, k, now_ns);
	drop_silent(c, now_ns);
}

/* ---- life ---- */

/* What a run that was killed left behind; ERR_IN_USE when it was not killed. */
static enum err clear_place(struct control *c, const char *path, struct problem *p)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) != 0)
		return OK;
	if (!S_ISSOCK(st.st_mode))
		return problem_set(p, ERR_USAGE, "%.*s/run.sock is no socket; move it away", STRF(c->dir));
	fd = control_connect(&c->address);
	if (fd < 0 && errno == ECONNREFUSED) {
		unlink(path);
		return OK;
	}
	if (fd >= 0)
		close(fd);
	return problem_set(p, ERR_IN_USE, "another process serves %.*s/run.sock; end it, or give another folder",
			   STRF(c->dir));
}

static enum err make_socket(struct control *c, struct problem *p)
{
	enum err e = clear_place(c, c->address.sun_path, p);

	if (e)
		return e;
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* What is made has the rights of the socket it is made of. */
	c->bound = c->listener >= 0 && fchmod(c->listener, S_IRUSR | S_IWUSR) == 0 &&
		   bind(c->listener, (const struct sockaddr *)&c->address, sizeof(c->address)) == 0;
	if (c->bound && listen(c->listener, BACKLOG) == 0)
		return OK;
	return problem_set(p, ERR_USAGE, "cannot make the socket %.*s/run.sock: %s", STRF(c->dir), strerror(errno));
}

enum err control_open(struct str dir, control_told_fn *told, void *ctx, struct control **out, struct problem *p)
{
	struct control *c = NEW(struct control);
	enum err e;

	*c = (struct control){.magic = CONTROL_MAGIC, .dir = dir, .told = told, .ctx = ctx, .listener = -1};
	c->arena = arena_new(REQUEST_BYTES_MAX);
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		c->clients[i].fd = -1;
	if (control_address(dir, &c->address, &c->folder))
		e = make_socket(c, p);
	else
		e = problem_set(p, ERR_USAGE, "cannot open %.*s: %s", STRF(dir), strerror(errno));
	if (e)
		control_close(&c);
	*out = c;
	return e;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

void control_close(struct control **control)
{
	struct control *c = *control;

	if (!c)
		return;
	if (c->bound)
		unlink(c->address.sun_path);
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		close_if_open(c->clients[i].fd);
	close_if_open(c->listener);
	close_if_open(c->folder);
	arena_destroy(&c->arena);
	free(c);
	*control = NULL;
}
