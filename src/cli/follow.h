/*
 * Following a stream of the server for as long as it takes: over lost connections, restarts and overload.
 *
 * follow_step() opens the stream when it is not open, takes what has come, and tells trouble once; follow_wait() waits
 * for more. What will not change by waiting is an error. The owner may have calls of its own on the multi handle.
 */
#ifndef TENFOLD_CLI_FOLLOW_H
#define TENFOLD_CLI_FOLLOW_H

#include "cli/cli.h"
#include "cli/stream.h"

struct follow {
	struct cli *cli;
	struct client *client;
	CURLM *multi;
	struct stream stream;
	struct rng rng;
	struct arena *arena; /* of one event or call; the owner empties it */
	bool trouble_told;
	bool is_over; /* nothing more will come (204), or is wanted: what ends now ends well */
	/* Opens the stream with stream_open(). */
	enum err (*open)(void *ctx, int64_t now_ms);
	/* Another transfer of the owner's on the same multi handle is over; NULL: there are none. */
	void (*ended)(void *ctx, CURL *easy, CURLcode code);
	/* Why nothing comes, instead of a line on standard error; NULL: that line. */
	void (*trouble)(void *ctx, const char *why);
	void *ctx;
};

/* The caller has set ctx and the functions it has. On an error there is nothing to end. */
enum err follow_begin(struct follow *f, struct cli *cli, sse_event_fn *on_event);
void follow_end(struct follow *f);

enum err follow_step(struct follow *f);
void follow_wait(struct follow *f, int64_t wait_ms);
/* The same, also until something can be read from one of the descriptors. */
void follow_wait_for(struct follow *f, int64_t wait_ms, struct curl_waitfd *fds, unsigned count);
bool follow_is_open(const struct follow *f); /* did the server answer well? */

#endif
