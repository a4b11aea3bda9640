/*
 * Server-sent events out of a stream of bytes (WHATWG HTML, 9.2), as they come in.
 */
#ifndef TENFOLD_CLI_SSE_H
#define TENFOLD_CLI_SSE_H

#include "base/buf.h"

struct sse_event {
	struct str name; /* "message" when none was given */
	struct str data; /* lines joined with line feeds */
	struct str id;   /* the last one given, by this event or before */
};

typedef void sse_event_fn(void *ctx, const struct sse_event *e);

/* All zero is a reader at the start of a stream. */
struct sse {
	struct buf line, name, data, id;
	bool after_cr; /* a line feed now belongs to the carriage return before it */
	bool too_long; /* the event does not fit: it is left out */
};

enum { SSE_EVENT_MAX = 1 << 20 };

/* Calls fn for each event that is complete. Texts are valid during the call. */
void sse_feed(struct sse *s, struct str bytes, sse_event_fn *fn, void *ctx);
void sse_restart(struct sse *s); /* a new connection: what was not complete is dropped, the last id kept */
void sse_free(struct sse *s);

#endif
