/*
 * HTTP calls by the table of routes.
 *
 * A struct request is one call on its way, to be run by itself (client_call) or by a curl multi handle (the
 * worker). Its memory and its curl handle are reused from call to call; one thread uses it. Nothing is retried
 * here; but after a server that could not be reached, the next call first looks where it is now.
 *
 * Errors: what the server said (problem+json), and of a refused key which one it was; ERR_UNREACHABLE naming the
 * URL when it could not be reached or hung up; ERR_INTERNAL when its answer is not understood.
 */
#ifndef TENFOLD_CLI_CLIENT_H
#define TENFOLD_CLI_CLIENT_H

#include "spec/routes.h"

#include <curl/curl.h>

struct client;

/* Where is the server now, and which key is for it? Texts are in the arena; what it does not know stays. */
typedef void client_find_fn(void *ctx, struct arena *a, struct client *settings);

enum { CLIENT_SEEN = 64 };

struct client {
	struct str url;      /* without a slash at the end */
	struct str url_note; /* what is to be known when it cannot be reached; mostly empty */
	struct str key;      /* empty: none is sent */
	struct str key_note; /* where it was found, or why there is none */
	struct str tenant;
	struct str seen_file;   /* keeps `seen` from one command to the next; empty: nothing does */
	char seen[CLIENT_SEEN]; /* Tenfold-Seen as answered last: what later reads must show; empty: nothing yet */
	bool seen_is_new;       /* not in the file yet */
	const char *agent;      /* User-Agent */
	bool is_signed_in;      /* the key is an access token of a person (cli/sign_in.h) … */
	int64_t key_until_ns;   /* … which is to be refreshed at that time (clock_mono_ns) … */
	bool refused;           /* … or at once, since the server does not take it any more */
	client_find_fn *find;
	void *find_ctx;
	bool lost;               /* it could not be reached: find it before the next call */
	struct arena *arena;     /* its own: of the texts above */
	struct request *request; /* its own: of client_call() */
};

struct client *client_new(const struct client *settings); /* copies the texts */
void client_destroy(struct client **c);

/* The rest of a sentence about trouble that is waited out: what helps, and how to stop waiting. */
const char *client_waits_it_out(enum err e);

struct request;
typedef void request_done_fn(struct request *r, CURLcode code);

struct request {
	struct client *client;
	const struct route *route;
	CURL *easy;
	struct curl_slist *headers;
	struct buf url, body, reply;
	bool busy;             /* for its owner: between client_request_begin() and client_request_end() */
	int retry_after_s;     /* of the answer; 0: none */
	request_done_fn *done; /* likewise for its owner: what hears of its end, or NULL */
	void *owner;
	char error[CURL_ERROR_SIZE];
};

void client_request_init(struct request *r, struct client *c);
void client_request_free(struct request *r);

/* Makes `easy` ready for the call. `in` may go at return. timeout_ms 0: none. */
enum err client_request_begin(struct request *r, enum route_id route, const void *in, int64_t timeout_ms,
			      struct problem *p);

/* The same for a POST to whom no table of routes is known, of what stands in r->url, r->headers and r->body. What comes
 * back is its owner's to read. */
void client_request_header(struct request *r, const char *name, struct str value);
void client_request_post(struct request *r, int64_t timeout_ms);
bool client_is_here(struct str url); /* on this machine, by its name */

/* Reads what came back into `out` (in the arena; texts point into r->reply until the next call). */
enum err client_request_end(struct request *r, CURLcode code, struct arena *a, void *out, struct problem *p);

/* For streams: bytes go to fn instead of r->reply as long as the answer is a good one. Call after
 * client_request_begin().
 */
typedef size_t request_data_fn(char *bytes, size_t each, size_t count, void *ctx);
void client_request_stream(struct request *r, request_data_fn *fn, void *ctx, struct str last_event_id);
long client_request_status(const struct request *r); /* HTTP status so far; 0: none yet */

/* One call, waiting for it. *reply, if wanted, is the body as received, valid until the next call. */
enum err client_call(struct client *c, enum route_id route, const void *in, struct arena *a, void *out,
		     struct str *reply, struct problem *p);

#endif
