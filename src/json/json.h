/*
 * JSON by table: a type is described once (api/types/) and the same rows decode, check, encode and document it.
 *
 * Decoding is one pass over the text with no tree in between. Objects are filled in an arena; text without escapes
 * and raw values point into the input, which must live as long as the struct. Every struct that has a table ends
 * with `uint64_t seen, nulls`: one bit per field, in table order, telling absent from null from present.
 *
 * Rules (docs/http.md): RFC 8259, UTF-8 only, duplicate members refused, depth at most JSON_DEPTH_MAX, numbers for
 * integer fields must be integers in range, no \u0000 in text. Faults: malformed text is ERR_MALFORMED with line
 * and column, both from 1, the column in bytes; a member with no row ERR_UNKNOWN_FIELD; another kind ERR_MISTYPED;
 * absent but required ERR_MISSING_FIELD; a limit broken, an unknown enum value, no time, no id of that prefix
 * ERR_INVALID, or ERR_CYCLE and others by callers; more memory than the arena has ERR_TOO_LARGE. Field faults are
 * gathered (problem_field) with their paths; the most basic of them becomes the error.
 */
#ifndef TENFOLD_JSON_JSON_H
#define TENFOLD_JSON_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/problem.h"

#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 64 };

enum json_kind {
	JSON_BOOL,    /* bool */
	JSON_INT,     /* int64_t; min, max */
	JSON_REAL,    /* double; min, max */
	JSON_TEXT,    /* struct str; min, max characters (code points); of: the format that schemas name, or NULL */
	JSON_ENUM,    /* int; of: struct json_enum */
	JSON_TIME,    /* int64_t, ms UTC; RFC 3339 text outside, any offset accepted */
	JSON_MS,      /* int64_t, ms; a number outside; min, max. In flags and environment also "30s" */
	JSON_ID,      /* int64_t; of: its prefix, a const char * */
	JSON_RAW,     /* struct str: any JSON value, bytes kept exactly; max bytes */
	JSON_OBJECT,  /* struct, embedded; of: struct json_type */
	JSON_TEXTS,   /* struct str *v + size_t v_count; count <= max_count, each min to max characters */
	JSON_ENUMS,   /* int *v + size_t v_count, each value once; of: struct json_enum; count <= max_count */
	JSON_OBJECTS, /* struct x *v + size_t v_count; of: struct json_type; count <= max_count */
	JSON_MAP, /* struct json_pair *v + size_t v_count: text to text; names of at least 1 character, names and
		     values of at most max */
};

enum json_need {
	JSON_REQUIRED, /* absent is a fault; always encoded */
	JSON_OPTIONAL, /* absent or given; encoded when its seen bit is set */
	JSON_NULLABLE, /* as optional, and null is allowed; encoded as null when not seen */
};

struct json_value_name {
	const char *text;
	const char *doc;
	const char *also; /* another word that is taken for it, and never written; NULL: none */
};

struct json_enum {
	const char *name;
	const struct json_value_name *values; /* index is the value */
	int count;
};

struct json_pair {
	struct str key, value;
};

/* A row. The strings after `name` save the hot paths from measuring and quoting it; spec/expand_tables.h shows how they
 * are made. */
struct json_field {
	const char *name;
	const char *key;      /* ,"name": */
	uint32_t name_length; /* of name; key is 4 longer */
	enum json_kind kind;
	enum json_need need;
	uint32_t offset;       /* of the value in the struct */
	uint32_t count_offset; /* of size_t x_count, for kinds with many */
	int64_t min, max;
	uint32_t max_count;
	const void *of;
	const char *fallback; /* as text: taken when absent (the seen bit stays clear); NULL: none; not of lists */
	const char *doc;
};

struct json_type {
	const char *name;
	const char *doc;
	const struct json_field *fields;
	uint32_t field_count; /* <= 64 */
	uint32_t size;
	uint32_t seen_offset, nulls_offset;
};

/* ---- decoding ---- */

/* Fills *out (size t->size) from text. `skip` is a bit mask of fields that must not stand in the text and are left
 * alone (path and query parameters of a route); they count as unknown members. On failure p tells why and *out is
 * not to be used. */
enum err json_decode(const struct json_type *t, struct str text, uint64_t skip, struct arena *a, void *out,
		     struct problem *p);

/* The same for who reads what a server wrote: members without a row are left out, because a newer server says more.
 */
enum err json_decode_answer(const struct json_type *t, struct str text, struct arena *a, void *out,
			    struct problem *p);

/* Sets one field from plain text (query string, flag, environment): numbers, booleans true|false, durations "30s",
 * enums and ids by their text, texts, enums of many and maps ("k=v") one element a call (appended), raw as JSON text.
 * Objects cannot be set so: ERR_MISTYPED. Text is kept, not copied. A value given again replaces the one before;
 * one that is refused changes nothing. */
enum err json_set_text(const struct json_type *t, uint32_t field, struct str text, struct arena *a, void *out,
		       struct problem *p);

/* Puts the fallbacks where nothing was seen. json_decode has done so; callers of json_set_text do it at the end. */
enum err json_finish(const struct json_type *t, uint64_t skip, void *out, struct problem *p);

/* Copies what `out` of type t refers to into arena a, deep: nothing points into the old text any more. */
void json_own(const struct json_type *t, struct arena *a, void *out);

/* ---- encoding ---- */

/* Fields of `skip` are left out. Text that is not UTF-8 has its bad bytes replaced. Sticky error of b. */
void json_encode(const struct json_type *t, const void *in, uint64_t skip, struct buf *b);

/* A number by itself: the fewest digits that read back as the same. JSON has no way to write infinities and NaN: null.
 */
void json_real(double v, struct buf *b);

/* One field's value as people read it (no quotes, times as RFC 3339, lists comma-separated, objects as
 * NAME=VALUE,…);
 * "-" when absent. */
void json_show_field(const struct json_type *t, uint32_t field, const void *in, struct buf *b);

/* The same for a text and a duration that are in no struct, where empty is empty. A duration is told in the largest
 * unit that needs no fraction; str_to_ms() reads it back. */
void json_show_text(struct str s, struct buf *b);
void json_show_duration(int64_t ms, struct buf *b);

/* The way back from json_set_text(): how many calls of it make a field that is there what it is, and the text of each.
 * Not of objects. */
size_t json_plain_count(const struct json_type *t, uint32_t field, const void *in);
void json_plain(const struct json_type *t, uint32_t field, size_t index, const void *in, struct buf *b);

/* The value of a JSON_TEXT field as it is; empty when absent. */
struct str json_text(const struct json_type *t, uint32_t field, const void *in);

/* ---- scanning ---- */

/* Is the whole text one valid JSON value (white space around it allowed)? Tells where not. */
enum err json_check(struct str text, struct problem *p);

/* ---- whole values ---- */

/* Appends the value in its canonical form (RFC 8785, JCS): the same bytes for whatever means the same. ERR_MALFORMED
 * also for a number past a double's range, ERR_TOO_LARGE when arena or buffer is full. */
enum err json_canonical(struct str text, struct arena *a, struct buf *to, struct problem *p);

/* Appends target as patch changes it (RFC 7396, Merge Patch). Both must be JSON, or target empty; members that patch
 * does not name keep their bytes. ERR_TOO_LARGE when arena or buffer is full. */
enum err json_merge(struct str target, struct str patch, struct arena *a, struct buf *to);

/* ---- tables ---- */

const struct json_field *json_field_by_name(const struct json_type *t, struct str name); /* NULL when unknown */
int json_enum_by_text(const struct json_enum *e, struct str text);                       /* -1 when unknown */

/* JSON Schema (draft 2020-12, as OpenAPI 3.1 takes it) of one type; objects by "$ref":"#/components/schemas/NAME".
 * Fields of `skip` are left out. */
void json_schema(const struct json_type *t, uint64_t skip, struct buf *b);
void json_schema_field(const struct json_field *f, struct buf *b);

#endif
