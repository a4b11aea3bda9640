/*
 * HTTP as a client, for very many requests at once from one thread: keep-alive connections in groups, no
 * pipelining.
 *
 * Plain HTTP is spoken by our own client on epoll; https goes through libcurl. Each group has connections of its
 * own: what happens to those of one group touches nobody of another. A call is given a connection that rests in
 * its group, or a new one, or waits. Calls are embedded in what their owner keeps; nothing is allocated per call but
 * an answer's body when it comes in pieces. Proxies of the environment are not used, redirections not followed.
 *
 * Errors of a call: ERR_TARGET_REFUSED (nobody listens, no route), ERR_TARGET_NAME (not found), ERR_TARGET_TIMEOUT
 * (connecting, or waiting for the answer), ERR_TARGET_CLOSED (the connection ended in the middle),
 * ERR_TARGET_GARBAGE (no HTTP; a wrong length), ERR_TARGET_TOO_LARGE (an answer past answer_bytes_max),
 * ERR_TARGET_TLS (certificate or handshake), ERR_INVALID (what was to be sent is no request). `detail` says more for
 * people, and of a redirection where it leads. A resting connection that the target closed meanwhile is not an error:
 * the call goes out once more over a new one, if nothing of the answer had come.
 *
 * One thread, except for sim_client_wake().
 */
#ifndef TENFOLD_SIM_CLIENT_H
#define TENFOLD_SIM_CLIENT_H

#include "base/clock.h"
#include "base/problem.h"
#include "base/str.h"

struct client_config {
	struct str target;             /* http://HOST[:PORT][/PREFIX] or https:// */
	uint32_t groups;               /* at least 1 */
	uint32_t connections_max;      /* shared out evenly to the groups; a group's calls past it wait, in order */
	int64_t connect_ms, answer_ms; /* timeouts: to connect; from sending to the end of the answer */
	uint32_t answer_bytes_max;
	struct str ca_file; /* of https; empty: the system's */
	struct str user_agent;
	struct clock *clock; /* for a Retry-After that is a date, in an answer without Date */
};

struct sim_client;
struct client_call;
/* Called in sim_client_poll() only. May start further calls, and this one again. */
typedef void client_done_fn(void *ctx, struct client_call *c);

struct client_call {
	/* in; texts must stay until done(): */
	struct str method, path; /* path begins with '/', query included; encoded */
	struct str headers;      /* "Name: value\r\n" each; none of Host, Content-Length, Connection */
	struct str body;
	uint32_t group;
	int64_t answer_ms; /* 0: the configured */
	/* out, valid in done(): */
	enum err err;
	int status;
	const char *detail;       /* empty: nothing is to be said; until another call is started */
	int64_t retry_after_ms;   /* of its header, seconds or date; -1: none */
	struct str answer;        /* the body */
	int64_t sent_ns, done_ns; /* clock_mono_ns(): first byte handed to the kernel (0: none was); all was read */
	bool connected;           /* a connection was made for it */
	/* the client's own: */
	int why; /* errno, when it is to be told that it failed */
	struct client_call *next;
	void *connection;
};

/* Whether there can be such a target, which is what sim_client_new() says too. */
enum err sim_client_check_target(struct str url, struct problem *p);

/* Looks the target's name up, which may take a while. ERR_INVALID: the configuration; ERR_TARGET_NAME. */
enum err sim_client_new(const struct client_config *config, client_done_fn *done, void *ctx,
			struct sim_client **out, struct problem *p);
void sim_client_free(struct sim_client **c); /* calls under way are forgotten */
void sim_client_start(struct sim_client *c, struct client_call *call);
/* Of one that was started and is not done: its connection is closed, done() is not called. */
void sim_client_cancel(struct sim_client *c, struct client_call *call);
/* Waits until something happens, or timeout_ns has passed (0: does not wait; -1: no end), or wake; calls done(). */
void sim_client_poll(struct sim_client *c, int64_t timeout_ns);
void sim_client_wake(struct sim_client *c); /* any thread, also from a signal handler */

struct client_counts {
	uint32_t under_way, waiting, open;                /* calls, calls that wait for a connection, connections */
	uint64_t calls, connects, bytes_sent, bytes_read; /* bytes of https: without what TLS adds */
};
struct client_counts sim_client_counts(const struct sim_client *c);
uint32_t sim_client_group_open(const struct sim_client *c, uint32_t group); /* for tests: connections */

#endif
