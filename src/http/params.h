/*
 * Query strings and paths: what of a URL is percent-encoded.
 */
#ifndef TENFOLD_HTTP_PARAMS_H
#define TENFOLD_HTTP_PARAMS_H

#include "json/json.h"

/* Fills *out (size t->size) from "a=1&b=x%20y": + is a space, empty pieces are skipped, names are rows of t. Those
 * of `skip` are not taken. ERR_MALFORMED: a broken escape, or no UTF-8; ERR_UNKNOWN_FIELD names what t has not;
 * ERR_INVALID: a name given twice that takes one value; and what json_set_text() and
 * json_finish() say. Of several faults the most basic is returned. */
enum err params_decode(const struct json_type *t, struct str query, uint64_t skip, struct arena *a, void *out,
		       struct problem *p);

/* Replaces escapes; text without any is returned as it is. Also refuses the NUL byte, and in a path the slash:
 * ERR_MALFORMED. */
enum err url_decode_path(struct str path, struct arena *a, struct str *out);

#endif
