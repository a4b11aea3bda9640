/*
 * The seam between what all calls go through (client.c) and how they travel: over our own connections
 * (client_epoll.c) or libcurl's (client_curl.c). One target, one way.
 *
 * A call is in one place: it waits in its group, is under way, or is over already and waits in `failed` to be told.
 * Those in the last two hold one of their group's connections. Whoever ends a call leaves its connection in order
 * first, and touches neither afterwards: done() may have done anything.
 */
#ifndef TENFOLD_SIM_CLIENT_PRIV_H
#define TENFOLD_SIM_CLIENT_PRIV_H

#include "base/arena.h"
#include "sim/client.h"

#include <netdb.h>
#include <sys/epoll.h>

/* What an event of the epoll set belongs to; the first member of what embeds it. */
struct watcher {
	void (*ready)(struct sim_client *c, struct watcher *w, uint32_t events);
};

struct client_transport {
	void *(*make)(struct sim_client *c);
	void (*destroy)(struct sim_client *c);
	void (*begin)(struct sim_client *c, struct client_call *call); /* never client_end() */
	void (*cancel)(struct sim_client *c, struct client_call *call);
	int64_t (*due_ns)(struct sim_client *c); /* when turn() must come at the latest; INT64_MAX */
	void (*turn)(struct sim_client *c);      /* after events: what is due, and what is to be freed */
};
extern const struct client_transport client_epoll, client_curl;

enum { CLIENT_DETAIL = 96 };

struct call_list {
	struct client_call *first, **last;
};

struct client_group {
	uint32_t limit, under_way, open;
	struct call_list waiting;
};

struct client_target {
	bool tls;
	struct str url;             /* without a slash at the end */
	struct str prefix;          /* of paths; empty or beginning with a slash */
	struct str authority;       /* for Host */
	struct addrinfo *addresses; /* owned */
};

struct sim_client {
	unsigned magic;
	struct client_config config; /* texts are its own, in `arena` */
	struct arena *arena;
	struct client_target target;
	client_done_fn *done;
	void *ctx;
	const struct client_transport *transport;
	void *wire; /* the transport's own */
	int set, wake_fd;
	struct watcher wake;
	struct client_group *groups;
	struct call_list failed;
	char said[CLIENT_DETAIL]; /* `detail` of the call that is being told */
	struct client_counts counts;
};

/* ERR_INVALID naming the field target, ERR_TARGET_NAME. */
enum err client_target_read(struct str url, struct arena *a, struct client_target *out, struct problem *p);
void client_target_free(struct client_target *t);

/* It is over: its err is OK or what went wrong. Tells its owner. */
void client_end(struct sim_client *c, struct client_call *call);
/* No connection could be begun for it, which errno says: its owner is told by the next poll. */
void client_fail(struct sim_client *c, struct client_call *call, int why);
/* Sets err and detail, of a call that ends now. */
void client_say(struct sim_client *c, struct client_call *call, enum err e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void client_say_refused(struct sim_client *c, struct client_call *call, int why);
/* That the answer, or its end when it had begun, did not come in time. */
void client_say_late(struct sim_client *c, struct client_call *call, bool begun);
int64_t client_answer_ms(const struct sim_client *c, const struct client_call *call);

#endif
