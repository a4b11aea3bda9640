/*
 * An answer of HTTP/1.1 or 1.0, read as its bytes come: pure, no sockets, no clock.
 *
 *   STATUS ─► FIELDS ─┬─► COUNTED ───────────────────────────┐
 *     ▲         │     ├─► TO_END ─(the connection ends)──────┤
 *     └── 1xx ──┘     ├─► CHUNK_SIZE ⇄ CHUNK ─► TRAILER ─────┼─► WHOLE
 *                     └─► (HEAD, 204, 304, length 0) ────────┘
 *
 * It takes what servers send (lines that end in LF alone, unknown fields) and refuses what could be read in two
 * ways: two lengths that differ, a transfer coding that was not asked for, a field's value over two lines. Redirections
 * are answers like others; `detail` says where they lead.
 */
#ifndef TENFOLD_SIM_CLIENT_HTTP_H
#define TENFOLD_SIM_CLIENT_HTTP_H

#include "base/buf.h"
#include "base/err.h"

enum { CLIENT_HTTP_DETAIL = 96 };

struct client_http {
	/* What came, of an answer that is whole: */
	int status;
	bool keep;       /* the connection can be used for another */
	struct str body; /* in the bytes given last, or in `gathered` */
	/* The parser's own: */
	unsigned char state;
	bool head_only, chunked, counted, old; /* old: HTTP/1.0 */
	uint32_t body_max, head_bytes;
	uint64_t left;                  /* of the body, or of its chunk */
	int64_t retry_after_s;          /* -1: none */
	int64_t retry_at_s, answered_s; /* since 1970, of Retry-After and Date; -1: none */
	struct buf line;                /* the beginning of a line whose end has not come */
	struct buf gathered;            /* of a body that came in pieces */
	char *detail;                   /* for people: what was wrong, or where it leads; NULL */
};

/* Ready for an answer: to HEAD when head_only. body_max in bytes. All zero before the first; what the answer before it
 * held is released. */
void client_http_begin(struct client_http *h, bool head_only, uint32_t body_max);
void client_http_free(struct client_http *h);

/* The next bytes of the connection, at least one. ERR_TARGET_GARBAGE, also when more comes than belongs to the answer;
 * ERR_TARGET_TOO_LARGE. After an error or a whole answer no more is taken. */
enum err client_http_take(struct client_http *h, struct str bytes, bool *whole);
/* The connection has ended in order: OK when that makes the answer whole, else ERR_TARGET_CLOSED. */
enum err client_http_end(struct client_http *h);
bool client_http_began(const struct client_http *h); /* has anything of the answer come? */

/* How long Retry-After asks to wait, at most a day; -1: it does not, or not in a way that can be read. A date counts
 * from the answer's own Date, so that clocks need not agree; without one from now_ms (since 1970). */
int64_t client_http_retry_after_ms(const struct client_http *h, int64_t now_ms);
/* The same of a single value, as somebody else's parser found it. answered_s: -1 when there was no Date. */
int64_t client_http_retry_value_ms(struct str value, int64_t answered_s, int64_t now_ms);

#endif
