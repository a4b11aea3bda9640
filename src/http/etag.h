/*
 * Entity tags and the headers that list them (RFC 9110, 8.8.3 and 13.1). What a handler needs of this is
 * call_if_match() in http/call.h.
 */
#ifndef TENFOLD_HTTP_ETAG_H
#define TENFOLD_HTTP_ETAG_H

#include "base/str.h"

#include <stdint.h>

struct etag {
	struct str text; /* without its quotes */
	bool weak;
};

enum etag_step { ETAG_FOUND, ETAG_END, ETAG_BROKEN };

/* Takes the next tag off a list. */
enum etag_step etag_next(struct str *list, struct etag *out);

/* If-None-Match: is the tag among them, weak or not, or are all meant ("*")? A list that breaks off ends there. */
bool etag_is_listed(struct str list, struct str tag);

/* The tag of bytes: the same on every machine. */
enum { ETAG_OF_BYTES = 17, ETAG_MAX = 64 };
struct str etag_of(struct str bytes, char out[ETAG_OF_BYTES]);

#endif
