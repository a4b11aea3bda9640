/*
 * What the files of src/json share: the scanner, the gathered faults, and values on their way into a struct.
 *
 *   scan.c      the grammar: one pass over the text, strings and raw values as spans of it
 *   keys.c      are the members of an object distinct?
 *   text.c      escapes and characters inside strings
 *   time.c      RFC 3339
 *   fault.c     faults with their paths
 *   value.c     a value against the limits of its row
 *   decode.c    scanner + rows -> struct
 *   plain.c     plain text (flags, query strings, fallbacks) + rows -> struct
 *   encode.c, show.c   struct + rows -> JSON, and text for people
 *   schema.c    rows -> JSON Schema
 *   canon.c     the canonical form of any value
 *   merge.c     a value as a merge patch changes it
 *   table.c     look-ups in rows; own copies
 *
 * Functions of the scanner and the decoder return false when they cannot go on: the text is malformed or the arena
 * is full, and the scanner's err says which. A fault of a field is not that: it is gathered, and decoding goes on.
 */
#ifndef TENFOLD_JSON_JSON_PRIV_H
#define TENFOLD_JSON_JSON_PRIV_H

#include "json/json.h"

/* ---- members seen ---- */

enum { KEYS_FEW = 32 };

struct member_name {
	uint32_t at;      /* offset in the text, of its first character */
	uint32_t n;       /* bytes once decoded */
	uint32_t decoded; /* offset in `decoded` of struct keys, when it has escapes */
	bool escaped;
};

/* A stack of the names met in all objects that are still open. */
struct keys {
	const char *start;     /* of the text */
	struct member_name *v; /* `few` until that is full */
	uint32_t count, capacity;
	uint64_t seed;      /* of the hash; 0 until a table was needed */
	struct buf decoded; /* names with escapes, one after the other */
	struct member_name few[KEYS_FEW];
};

/* A string as it stands in the text, without its quotes. */
struct scan_text {
	struct str raw;
	bool escaped; /* has a backslash, so raw is not yet the text meant */
};

void keys_init(struct keys *k, struct str text);
void keys_free(struct keys *k);
void keys_push(struct keys *k, const struct scan_text *name);

/* Are the names pushed since there were `base` of them distinct? If not, *again is the offset of one that is not
 * the first of its kind. Pops them either way. */
bool keys_pop_distinct(struct keys *k, uint32_t base, uint32_t *again);

/* ---- the scanner ---- */

struct scan {
	const char *at; /* what comes next */
	const char *start, *end;
	unsigned depth;
	enum err err; /* OK until it stopped */
	struct problem *problem;
	struct keys keys;
};

enum scan_step { SCAN_MORE, SCAN_CLOSED, SCAN_FAILED };

void scan_init(struct scan *s, struct str text, struct problem *p);
void scan_free(struct scan *s);

/* Stops. Both return false, so that `return scan_fail(...)` reads well. */
bool scan_fail(struct scan *s, const char *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool scan_unexpected(struct scan *s, const char *wanted);
bool scan_no_memory(struct scan *s);

/* Skips white space and tells the byte that follows, which cannot be '\0' in JSON; that stands for the end. */
static inline char scan_peek(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
		s->at++;
	return s->at < s->end ? *s->at : '\0';
}

/* Each takes what it is named after; scan_peek() has said that one begins there. A number's span is also the proof
 * that it follows the grammar; it is whole when it has neither fraction nor exponent. */
bool scan_string(struct scan *s, struct scan_text *out);
bool scan_number(struct scan *s, struct str *out, bool *whole);
bool scan_word(struct scan *s, const char *word);

/* Takes any value, checked throughout; *out is its bytes. */
bool scan_value(struct scan *s, struct str *out);

/* Walks an array or object. scan_open() takes the bracket that scan_peek() saw, scan_next() follows each element:
 * for (step = scan_open(s, ']'); step == SCAN_MORE; step = scan_next(s, ']')). */
enum scan_step scan_open(struct scan *s, char close);
enum scan_step scan_next(struct scan *s, char close);

/* Takes "name": and leaves the value. */
bool scan_name(struct scan *s, struct scan_text *out);
/* The same for an object whose members have no rows: their names are compared when it ends. */
bool scan_any_name(struct scan *s, struct scan_text *out);
bool scan_names_distinct(struct scan *s, uint32_t base);

/* Only white space may follow. */
bool scan_end(struct scan *s);

/* ---- text ---- */

/* Where the bytes end that may stand in a JSON string as they are and are ASCII. */
const char *text_plain_run(const char *p, const char *end);

/* Bytes of the escape at p, which ends before `end`; 0 and why not. */
size_t text_escape(const char *p, const char *end, const char **why);

/* What a checked string means; returns its length, at most raw.n. `out` may be raw.p. */
size_t text_unescape(struct str raw, char *out);

size_t text_characters(struct str s);

/* RFC 3339 with any offset; years 0000 to 9999 in UTC. A leap second is the second after it. */
bool text_to_time(struct str s, int64_t *out_ms);

/* ---- faults ---- */

/* Where a value stands: a chain up to the root, so that a path costs nothing until there is a fault. */
struct place {
	const struct place *up; /* NULL: the root */
	struct str name;        /* of a member, as the text spells it; of elements p is NULL */
	size_t index;           /* of an element */
};

struct faults {
	struct problem *problem; /* may be NULL */
	enum err worst;          /* the most basic so far */
};

void fault_add(struct faults *faults, enum err e, const struct place *where, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Will a fault of this kind be told? If not, nobody needs to think of a good message: a hostile body can have a
 * million faults. */
static inline bool fault_wanted(const struct faults *faults, enum err e)
{
	const struct problem *p = faults->problem;

	return p && (p->field_count < PROBLEM_FIELDS_MAX || !p->err || e < p->err);
}

/* Room for text that goes into a fault. */
enum { FAULT_HINT = 96 };

/* "; did you mean \"priority\"?", or nothing when nothing is near. */
void fault_suggest(char hint[FAULT_HINT], struct str wrong, const char *const *names, unsigned count);

/* ", not 'many'": what was given instead, as much of it as helps. */
enum { FAULT_GIVEN = 64 };
void fault_given(char given[FAULT_GIVEN], struct str text);

/* ---- values ---- */

static inline void *field_at(const struct json_field *f, void *object)
{
	return (char *)object + f->offset;
}

static inline const void *field_in(const struct json_field *f, const void *object)
{
	return (const char *)object + f->offset;
}

static inline size_t *field_count_at(const struct json_field *f, void *object)
{
	return (size_t *)(void *)((char *)object + f->count_offset);
}

static inline size_t field_count_in(const struct json_field *f, const void *object)
{
	return *(const size_t *)(const void *)((const char *)object + f->count_offset);
}

static inline uint64_t *type_seen_at(const struct json_type *t, void *object)
{
	return (uint64_t *)(void *)((char *)object + t->seen_offset);
}

static inline uint64_t *type_nulls_at(const struct json_type *t, void *object)
{
	return (uint64_t *)(void *)((char *)object + t->nulls_offset);
}

static inline uint64_t type_seen_in(const struct json_type *t, const void *object)
{
	return *(const uint64_t *)(const void *)((const char *)object + t->seen_offset);
}

static inline uint64_t type_nulls_in(const struct json_type *t, const void *object)
{
	return *(const uint64_t *)(const void *)((const char *)object + t->nulls_offset);
}

static inline uint64_t type_all(const struct json_type *t)
{
	return t->field_count == 64 ? UINT64_MAX : (UINT64_C(1) << t->field_count) - 1;
}

/* Bytes of one element of a field with many. */
size_t field_element_size(const struct json_field *f);
void field_clear(const struct json_field *f, void *object);
/* Index of the row, or field_count; `first` is where to begin looking, as members mostly come in order. */
uint32_t type_find(const struct json_type *t, struct str name, uint32_t first);

/* Checks a value against the row's limits and stores it; else a fault. */
void value_whole(const struct json_field *f, int64_t v, void *at, struct faults *faults, const struct place *where);
void value_real(const struct json_field *f, struct str number, void *at, struct faults *faults,
		const struct place *where);
void value_out_of_range(const struct json_field *f, struct str number, struct faults *faults,
			const struct place *where);
/* Text for the kinds that are text outside: JSON_TEXT, JSON_ENUM, JSON_TIME, JSON_ID. It is kept, not copied. */
void value_text(const struct json_field *f, struct str text, void *at, struct faults *faults,
		const struct place *where);
void value_raw(const struct json_field *f, struct str bytes, void *at, struct faults *faults,
	       const struct place *where);
/* An element of JSON_TEXTS; key and value of a JSON_MAP. */
bool value_element(const struct json_field *f, struct str text, size_t min, struct faults *faults,
		   const struct place *where);
/* An element of JSON_ENUMS, which may not be one of those that are there. */
bool value_choice(const struct json_field *f, struct str text, const int *there, size_t count, int *out,
		  struct faults *faults, const struct place *where);

/* One value from plain text, for kinds that are one value; else a fault. It is kept, not copied. */
void plain_value(const struct json_field *f, struct str text, void *at, struct faults *faults,
		 const struct place *where);

/* What was not given: a fault for required fields, the fallback for others. */
void finish_absent(const struct json_type *t, uint64_t absent, void *object, struct faults *faults,
		   const struct place *where);

/* The JSON of one value that is there. */
void encode_value(const struct json_field *f, const void *object, struct buf *b);

#endif
