/*
 * Sends deliveries over HTTP: one thread with a libcurl multi handle, which waits for many receivers at once.
 *
 *   sender_send() ──► on its way ──answer, error or timeout──► outcome, until sender_settled()
 *
 * An attempt is one POST. It ends within SENDER_TIMEOUT_MS, however the receiver behaves: of the answer's body no more
 * is read than is kept, redirects are not followed, and no address is connected to that reach.h does not allow. A
 * receiver that is slow takes places, not time: whoever sends leaves places to others, by sender_taken().
 */
#ifndef TENFOLD_WEBHOOKS_SENDER_H
#define TENFOLD_WEBHOOKS_SENDER_H

#include "base/problem.h"
#include "webhooks/reach.h"
#include "webhooks/sign.h"

struct clock;
struct metrics;
struct sender;

enum {
	SENDER_TIMEOUT_MS = 15000,
	SENDER_ANSWER_KEPT = 1024,
	SENDER_ERROR_KEPT = 200,
	SENDER_MAX = 256,        /* attempts on their way, or whose outcome is not settled */
	SENDER_EACH = 8,         /* of one receiver */
	SENDER_FAILING_MAX = 128 /* of all receivers that fail, one each */
};

struct sender_config {
	const struct reach *reach; /* lives as long as the sender */
	const char *version;       /* for User-Agent */
	struct clock *clock;
	void (*ended)(void *ctx); /* there are outcomes; on the sender's thread */
	void *ctx;
	struct metrics *metrics;
};

/* What is to be sent; copied by sender_send(). */
struct sender_attempt {
	int64_t delivery, webhook, number;
	struct str url, id, body;
	struct sign_secret secrets[2];
	size_t secret_count;
	bool failing;       /* the receiver has failed a few times in a row */
	int64_t expires_ns; /* clock_mono_ns(): then it may be another's to send, and is dropped */
};

struct sender_outcome {
	int64_t delivery, webhook, number;
	int status; /* 0: there was no answer, and error says why */
	int64_t took_ms, retry_after_ms;
	char error[SENDER_ERROR_KEPT + 1];
	char answer[SENDER_ANSWER_KEPT + 1]; /* as it came: any bytes */
	size_t answer_bytes;
};

struct sender *sender_new(const struct sender_config *config);
enum err sender_start(struct sender *s, struct problem *p);
/* What is on its way is cut off. */
void sender_destroy(struct sender **s);

/* Any thread. Attempts on their way or not settled: of all, of receivers that fail, of this one. */
struct sender_taken {
	size_t all, failing, of_one;
};
struct sender_taken sender_taken(struct sender *s, int64_t webhook);
/* The caller keeps within the bounds above. */
void sender_send(struct sender *s, const struct sender_attempt *attempt);
/* Copies up to max outcomes, the oldest first; they stay until as many are settled. */
size_t sender_outcomes(struct sender *s, struct sender_outcome *out, size_t max);
void sender_settled(struct sender *s, size_t count);

#endif
