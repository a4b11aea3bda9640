/* The side of who tells a run something: one connection, one line each way, and a bound to all waiting. */
#include "sim/control.h"

#include "base/buf.h"
#include "base/clock.h"
#include "sim/control_priv.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 64 << 10 };

static const int64_t ns_per_ms = 1000000;

/* ---- the connection ---- */

static enum err no_connection(struct str dir, int why, struct problem *p)
{
	switch (why) {
	case ENOENT:
		return problem_set(p, ERR_NOT_FOUND,
				   "no run is under way in %.*s; start one with 'tenfold sim run --dir %.*s'",
				   STRF(dir), STRF(dir));
	case ECONNREFUSED:
		return problem_set(
			p, ERR_NOT_FOUND,
			"no run is under way in %.*s: the last one was killed; it goes on with 'tenfold sim "
			"run --dir %.*s --resume'",
			STRF(dir), STRF(dir));
	case EAGAIN:
		return problem_set(p, ERR_UNREACHABLE,
				   "the run in %.*s does not take connections; look at its log, or end its process",
				   STRF(dir));
	default:
		return problem_set(p, ERR_USAGE, "cannot use %.*s/run.sock: %s", STRF(dir), strerror(why));
	}
}

static enum err connect_to_run(struct str dir, int *out, struct problem *p)
{
	struct sockaddr_un address;
	enum err e = OK;
	int folder;

	*out = -1;
	if (!control_address(dir, &address, &folder))
		return problem_set(p, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_USAGE,
				   "there is no folder %.*s: %s; give that of a run, as --dir of 'tenfold sim run'",
				   STRF(dir), strerror(errno));
	*out = control_connect(&address);
	if (*out < 0)
		e = no_connection(dir, errno, p);
	close(folder);
	return e;
}

/* ---- what is said ---- */

static bool send_command(int fd, enum sim_command command)
{
	struct sim_control_request request = {0};
	struct buf b = BUF_INIT(CONTROL_LINE_MAX);
	bool sent;

	PUT(&request, sim_control_request, command, (int)command);
	json_encode(&type_sim_control_request, &request, 0, &b);
	buf_c(&b, '\n');
	sent = buf_ok(&b) && send(fd, b.p, b.n, MSG_NOSIGNAL) == (ssize_t)b.n;
	buf_free(&b);
	return sent;
}

/* Until something can be read; false when that is too late. */
static bool wait_for_bytes(int fd, int64_t until_ns)
{
	struct pollfd wanted = {.fd = fd, .events = POLLIN};
	int64_t left_ms = (until_ns - clock_mono_ns()) / ns_per_ms;
	int ready = 0;

	while (left_ms > 0 && (ready = poll(&wanted, 1, (int)left_ms)) < 0 && errno == EINTR)
		left_ms = (until_ns - clock_mono_ns()) / ns_per_ms;
	return ready > 0;
}

/* One line, without its end; ERR_TOO_LARGE, ERR_UNREACHABLE when none came. */
static enum err receive_line(int fd, int64_t until_ns, struct arena *a, struct str *out)
{
	char *line = arena_alloc(a, ANSWER_MAX), *end = NULL;
	size_t n = 0;
	ssize_t got;

	while (line && !end && n < ANSWER_MAX) {
		if (!wait_for_bytes(fd, until_ns))
			return ERR_UNREACHABLE;
		got = recv(fd, line + n, ANSWER_MAX - n, 0);
		if (got <= 0)
			return ERR_UNREACHABLE;
		end = memchr(line + n, '\n', (size_t)got);
		n += (size_t)got;
	}
	*out = (struct str){line, end ? (size_t)(end - line) : 0};
	return end ? OK : ERR_TOO_LARGE;
}

static enum err understand(struct str dir, struct str line, struct arena *a, struct sim_status *out,
			   struct problem *p)
{
	struct sim_control_answer answer;

	if (json_decode_answer(&type_sim_control_answer, line, a, &answer, NULL) ||
	    HAS(&answer, sim_control_answer, status) == HAS(&answer, sim_control_answer, fault))
		return problem_set(
			p, ERR_UNREACHABLE,
			"what answers at %.*s/run.sock is no run that this program knows; use the version "
			"of tenfold that runs there",
			STRF(dir));
	if (HAS(&answer, sim_control_answer, fault))
		return problem_set(p, err_by_code(answer.fault.code.p, answer.fault.code.n), "%.*s",
				   STRF(answer.fault.detail));
	*out = answer.status;
	return OK;
}

enum err control_tell(struct str dir, enum sim_command command, int64_t patience_ms, struct arena *a,
		      struct sim_status *out, struct problem *p)
{
	int64_t until_ns = clock_mono_ns() + patience_ms * ns_per_ms;
	struct str line;
	int fd;
	enum err e = connect_to_run(dir, &fd, p);

	if (e)
		return e;
	e = send_command(fd, command) ? receive_line(fd, until_ns, a, &line) : ERR_UNREACHABLE;
	close(fd);
	if (e)
		return problem_set(
			p, ERR_UNREACHABLE,
			"the run in %.*s did not answer: it has just ended, or hangs; its log in %.*s/runs "
			"says more",
			STRF(dir), STRF(dir));
	return understand(dir, line, a, out, p);
}
