/*
 * A stream of server-sent events on a curl multi handle: opening, the events, and when it counts as dead.
 *
 * The owner runs the multi handle; it opens the stream when stream_due() says so, passes the end of its transfer to
 * stream_ended(), and calls stream_check() in between. Reconnecting resumes after the last event (Last-Event-ID).
 */
#ifndef TENFOLD_CLI_STREAM_H
#define TENFOLD_CLI_STREAM_H

#include "cli/backoff.h"
#include "cli/client.h"
#include "cli/sse.h"

/* The server sends something every 15 s: silence for this long means that nobody is there. */
enum { STREAM_SILENCE_MS = 60000 };

struct stream {
	struct request request;
	CURLM *multi;
	struct sse sse;
	sse_event_fn *on_event;
	void *ctx;
	struct backoff backoff;
	int64_t heard_ms; /* when the last bytes came */
};

void stream_init(struct stream *s, struct client *c, CURLM *multi, sse_event_fn *on_event, void *ctx);
void stream_free(struct stream *s);

bool stream_due(const struct stream *s, int64_t now_ms);
enum err stream_open(struct stream *s, enum route_id route, const void *in, int64_t now_ms, struct problem *p);
/* The transfer is over, for whatever reason: p tells which. A stream that was open before reconnects soon. */
enum err stream_ended(struct stream *s, CURLcode code, struct rng *rng, int64_t now_ms, struct arena *a,
		      struct problem *p);
/* Is the peer silent for too long? Then the connection is cut, and stream_ended() is the owner's next call. */
bool stream_is_silent(const struct stream *s, int64_t now_ms);
void stream_cut(struct stream *s);

/* Monotonic milliseconds, the time of all of the above. */
int64_t stream_now_ms(void);

#endif
