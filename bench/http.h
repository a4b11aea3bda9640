/*
 * HTTP/1.1 as a load generator needs it: one request at a time on a connection that is kept.
 *
 * Answers have a Content-Length or no body (204); a server that closes or sends chunks is a fault.
 */
#ifndef TENFOLD_BENCH_HTTP_H
#define TENFOLD_BENCH_HTTP_H

#include "wire.h"

struct http {
	struct stream stream;
	struct str headers; /* complete lines that every request of this connection carries: Host, Authorization */
	bool busy;
	int64_t sent_ns; /* when the request was handed to the kernel */
	void (*answered)(struct http *h, int status, struct str body); /* may send the next one */
};

void http_open(struct http *h, struct wire *w, const struct sockaddr_in *to, struct str headers);
void http_close(struct http *h);

void http_get(struct http *h, struct str path);
void http_post(struct http *h, struct str path, struct str json);

#endif
