/*
 * Connections of a load generator: one thread, one epoll set, sockets that never block.
 *
 * A struct stream is one TCP connection to a server on this machine. Its owner appends to `out` and calls
 * stream_flush(); what comes back is handed to `arrived`, which says how many bytes it has used up: the rest is
 * kept and handed over again together with what follows. A server that hangs up, a socket error, and anything the
 * owner calls wrong with wire_fault() end the run: a figure counts only when nothing went wrong.
 */
#ifndef TENFOLD_BENCH_WIRE_H
#define TENFOLD_BENCH_WIRE_H

#include "base/buf.h"

#include <netinet/in.h>
#include <sys/epoll.h>

enum { WIRE_SCRATCH_BYTES = 1 << 18 };

struct wire {
	int set;
	bool done;       /* the run is over, because it has ended or because of a fault */
	int64_t now_ns;  /* monotonic, read once per turn */
	char fault[256]; /* empty: none so far */
	char scratch[WIRE_SCRATCH_BYTES];
};

struct stream {
	struct wire *wire;
	int fd;
	struct buf in;  /* received, not yet used */
	struct buf out; /* to be sent; the first `sent` bytes are */
	size_t sent;
	size_t (*arrived)(struct stream *s, struct str bytes);
};

struct wire *wire_new(void);
void wire_destroy(struct wire **w);

/* Keeps the first fault, and ends the run. */
void wire_fault(struct wire *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Turns until somebody sets w->done: calls tick, waits for whatever comes first, sockets or the time tick returned
 * (monotonic ns, INT64_MAX for none), and serves the sockets.
 */
typedef int64_t wire_tick_fn(void *ctx);
void wire_run(struct wire *w, wire_tick_fn *tick, void *ctx);

bool wire_address(struct str host_port, struct sockaddr_in *out); /* "127.0.0.1:7010" */
void wire_allow_descriptors(unsigned n);                          /* raises the limit of open files if it must */

void stream_open(struct stream *s, struct wire *w, const struct sockaddr_in *to);
void stream_flush(struct stream *s);
void stream_close(struct stream *s);

#endif
