/*
 * An HTTP client that writes the bytes it is told to, over TCP or TLS, and reads answers. Everything waits at most
 * ten seconds; what takes longer fails the test.
 */
#ifndef TENFOLD_TESTS_CLIENT_H
#define TENFOLD_TESTS_CLIENT_H

#include "base/buf.h"

struct client;

struct answer_read {
	int status;
	struct buf head, body; /* the body without its chunks */
	bool chunked;
};

/* url as http_server_url() tells it; TLS for https. The certificate is not looked at. */
struct client *client_open(const char *url);
void client_close(struct client **c);
int client_fd(const struct client *c);

/* What all requests say: Host, and a key that may do everything. */
#define AUTH "Host: test\r\nAuthorization: Bearer admin\r\n"
#define JSON AUTH "Content-Type: application/json\r\n"

void client_send(struct client *c, const char *text);
void client_get(struct client *c, const char *path);
void client_post(struct client *c, const char *path, const char *body);
void client_send_bytes(struct client *c, const void *bytes, size_t n);
/* As much as the socket takes at once; false when it takes nothing more or is closed. */
bool client_try_send(struct client *c, const void *bytes, size_t n);
void client_shut(struct client *c);   /* no more from here */
void client_reset(struct client **c); /* closes so that the peer gets an RST */

/* Reads a whole answer; the second one that has no body, to HEAD. Fails the test when the connection ends before.
 */
void client_read(struct client *c, struct answer_read *out);
void client_read_head(struct client *c, struct answer_read *out);
void client_expect(struct client *c, int status); /* reads one, which must have that status */
/* What comes, up to and with `end`. */
void client_read_until(struct client *c, const char *end, struct buf *out);
void client_read_to_end(struct client *c, struct buf *out);
void client_expect_end(struct client *c); /* the peer closes, having sent nothing more */
bool client_ended(struct client *c);      /* waits for the end, ignoring what comes; false: reset */

void answer_free(struct answer_read *a);
/* The value of a header, "" when it is not there. In a buffer of the answer. */
const char *answer_header(struct answer_read *a, const char *name);

#endif
