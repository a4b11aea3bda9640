/*
 * JSON -> struct, driven by rows, in one pass.
 *
 * The scanner walks the text; for each member the row says what must stand there and where it goes. Members mostly
 * come in the order of the rows, so first the next row's `"name":` is compared with the text as it stands, and only
 * when that fails the name is scanned and looked up. Which rows were met is a bit mask, and also the check for
 * duplicates.
 *
 * A fault of a field is gathered and its value skipped, so one request tells all its faults. Functions return false
 * only when there is no going on (see json_priv.h).
 *
 * Arrays grow in the arena by doubling. What is left behind is at most as much again and goes with the request.
 */
#include "json/json_priv.h"

#include "base/magic.h"

#include <string.h>

struct decode {
	struct scan scan;
	struct arena *arena;
	struct faults faults;
	bool lenient; /* what has no row is no fault */
};

/* An object being filled. */
struct frame {
	const struct json_type *type;
	void *object;
	uint64_t skip;
	uint64_t given;
	uint32_t expected; /* row after the last one met */
	const struct place *where;
};

static bool decode_object(struct decode *d, const struct json_type *t, uint64_t skip, void *object,
			  const struct place *where);

static const char *kind_in_words(char first)
{
	switch (first) {
	case '{':
		return "an object";
	case '[':
		return "an array";
	case '"':
		return "text";
	case 't':
		return "true";
	case 'f':
		return "false";
	case 'n':
		return "null";
	default:
		return "a number";
	}
}

/* Skips a value of the wrong kind. */
static bool mistyped(struct decode *d, const char *wanted, const struct place *where)
{
	char first = scan_peek(&d->scan);
	struct str value;

	if (!scan_value(&d->scan, &value))
		return false;
	fault_add(&d->faults, ERR_MISTYPED, where, "must be %s, not %s", wanted, kind_in_words(first));
	return true;
}

static bool decode_bool(struct decode *d, bool *at, const struct place *where)
{
	char first = scan_peek(&d->scan);

	if (first != 't' && first != 'f')
		return mistyped(d, "true or false", where);
	*at = first == 't';
	return scan_word(&d->scan, *at ? "true" : "false");
}

static bool decode_number(struct decode *d, const struct json_field *f, void *at, const struct place *where)
{
	bool fraction_allowed = f->kind == JSON_REAL, whole;
	char first = scan_peek(&d->scan);
	struct str number;
	int64_t v;

	if (first != '-' && (first < '0' || first > '9'))
		return mistyped(d, fraction_allowed ? "a number" : "a whole number", where);
	if (!scan_number(&d->scan, &number, &whole))
		return false;
	if (fraction_allowed)
		value_real(f, number, at, &d->faults, where);
	else if (!whole)
		fault_add(&d->faults, ERR_MISTYPED, where, "must be a number without fraction or exponent");
	else if (str_to_i64(number, &v))
		value_whole(f, v, at, &d->faults, where);
	else
		value_out_of_range(f, number, &d->faults, where); /* not even 64 bits hold it */
	return true;
}

/* What a string means: the text itself, or a copy when it has escapes. */
static bool meaning(struct decode *d, const struct scan_text *text, struct str *out)
{
	char *copy;

	*out = text->raw;
	if (!text->escaped)
		return true;
	copy = arena_z(d->arena, text->raw);
	if (!copy)
		return scan_no_memory(&d->scan);
	*out = (struct str){copy, text_unescape((struct str){copy, text->raw.n}, copy)};
	return true;
}

/* Takes a string and tells what it means; *is_text is false when another kind stood there, which is a fault. */
static bool take_text(struct decode *d, const char *wanted, struct str *out, bool *is_text,
		      const struct place *where)
{
	struct scan_text text;

	*is_text = scan_peek(&d->scan) == '"';
	if (!*is_text)
		return mistyped(d, wanted, where);
	return scan_string(&d->scan, &text) && meaning(d, &text, out);
}

static bool decode_text(struct decode *d, const struct json_field *f, void *at, const struct place *where)
{
	struct str text;
	bool is_text;

	if (!take_text(d, f->kind == JSON_TIME ? "a time as text" : "text", &text, &is_text, where))
		return false;
	if (is_text)
		value_text(f, text, at, &d->faults, where);
	return true;
}

static bool decode_raw(struct decode *d, const struct json_field *f, void *at, const struct place *where)
{
	struct str bytes;

	if (!scan_value(&d->scan, &bytes))
		return false;
	value_raw(f, bytes, at, &d->faults, where);
	return true;
}

/* ---- many ---- */

struct elements {
	char *v;
	size_t count, capacity;
	size_t met; /* also those beyond the limit */
};

/* The next element to fill, zeroed; NULL when it is one too many or the arena is full. */
static void *add_element(struct decode *d, const struct json_field *f, struct elements *e)
{
	size_t each = field_element_size(f);

	if (e->met++ >= f->max_count)
		return NULL;
	if (e->count == e->capacity) {
		size_t capacity = e->capacity ? e->capacity * 2 : 4;
		void *v = arena_array(d->arena, capacity, each);

		if (!v) {
			scan_no_memory(&d->scan);
			return NULL;
		}
		if (e->count)
			memcpy(v, e->v, e->count * each);
		e->v = v;
		e->capacity = capacity;
	}
	return e->v + each * e->count++;
}

static void store_elements(struct decode *d, const struct json_field *f, const struct elements *e, void *object,
			   const struct place *where)
{
	*(void **)field_at(f, object) = e->v;
	*field_count_at(f, object) = e->count;
	if (e->met > e->count)
		fault_add(&d->faults, ERR_INVALID, where, "may have at most %u entries, not %zu", f->max_count,
			  e->met);
}

/* The last of the elements. An enum's value that was refused is none of the values, so that it equals no other. */
static bool decode_element(struct decode *d, const struct json_field *f, const struct elements *e, void *element,
			   const struct place *where)
{
	struct str text;
	bool is_text;

	if (f->kind == JSON_OBJECTS)
		return decode_object(d, f->of, 0, element, where);
	if (f->kind == JSON_ENUMS)
		*(int *)element = -1;
	if (!take_text(d, "text", &text, &is_text, where))
		return false;
	if (!is_text)
		return true;
	if (f->kind == JSON_ENUMS)
		value_choice(f, text, (const int *)(const void *)e->v, e->count - 1, element, &d->faults, where);
	else if (value_element(f, text, (size_t)f->min, &d->faults, where))
		*(struct str *)element = text;
	return true;
}

static bool decode_array(struct decode *d, const struct json_field *f, void *object, const struct place *where)
{
	struct elements e = {0};
	struct str ignored;
	enum scan_step step;

	if (scan_peek(&d->scan) != '[')
		return mistyped(d, "an array", where);
	for (step = scan_open(&d->scan, ']'); step == SCAN_MORE; step = scan_next(&d->scan, ']')) {
		struct place here = {.up = where, .index = e.met};
		void *element = add_element(d, f, &e);

		if (d->scan.err)
			return false;
		if (element ? !decode_element(d, f, &e, element, &here) : !scan_value(&d->scan, &ignored))
			return false;
	}
	if (step == SCAN_FAILED)
		return false;
	store_elements(d, f, &e, object, where);
	return true;
}

static bool decode_pair(struct decode *d, const struct json_field *f, struct elements *e, const struct place *where)
{
	struct place here = {.up = where};
	struct scan_text name;
	struct json_pair *pair;
	struct str ignored;
	bool is_text;

	if (!scan_any_name(&d->scan, &name))
		return false;
	pair = add_element(d, f, e);
	if (!pair)
		return !d->scan.err && scan_value(&d->scan, &ignored);
	here.name = name.raw;
	if (!meaning(d, &name, &pair->key) || !take_text(d, "text", &pair->value, &is_text, &here))
		return false;
	if (value_element(f, pair->key, 1, &d->faults, &here) && is_text)
		value_element(f, pair->value, 0, &d->faults, &here);
	return true;
}

static bool decode_map(struct decode *d, const struct json_field *f, void *object, const struct place *where)
{
	struct elements e = {0};
	uint32_t base = d->scan.keys.count;
	enum scan_step step;

	if (scan_peek(&d->scan) != '{')
		return mistyped(d, "an object of texts", where);
	for (step = scan_open(&d->scan, '}'); step == SCAN_MORE; step = scan_next(&d->scan, '}'))
		if (!decode_pair(d, f, &e, where))
			return false;
	if (step == SCAN_FAILED || !scan_names_distinct(&d->scan, base))
		return false;
	store_elements(d, f, &e, object, where);
	return true;
}

/* ---- objects ---- */

static bool decode_value(struct decode *d, const struct json_field *f, void *object, const struct place *where)
{
	void *at = field_at(f, object);

	switch (f->kind) {
	case JSON_BOOL:
		return decode_bool(d, at, where);
	case JSON_INT:
	case JSON_MS:
	case JSON_REAL:
		return decode_number(d, f, at, where);
	case JSON_TEXT:
	case JSON_ENUM:
	case JSON_TIME:
	case JSON_ID:
		return decode_text(d, f, at, where);
	case JSON_RAW:
		return decode_raw(d, f, at, where);
	case JSON_OBJECT:
		return decode_object(d, f->of, 0, at, where);
	case JSON_TEXTS:
	case JSON_ENUMS:
	case JSON_OBJECTS:
		return decode_array(d, f, object, where);
	case JSON_MAP:
		return decode_map(d, f, object, where);
	}
	UNREACHABLE();
}

/* The value of row i, or null where the row allows it. A raw value that may not be null may hold null all the same:
 * there it is a value like any other. */
static bool decode_field(struct decode *d, struct frame *fr, uint32_t i)
{
	const struct json_field *f = &fr->type->fields[i];
	struct place where = {.up = fr->where, .name = {f->name, f->name_length}};

	if (f->need == JSON_NULLABLE && scan_peek(&d->scan) == 'n') {
		*type_nulls_at(fr->type, fr->object) |= UINT64_C(1) << i;
		return scan_word(&d->scan, "null");
	}
	*type_seen_at(fr->type, fr->object) |= UINT64_C(1) << i;
	return decode_value(d, f, fr->object, &where);
}

static void suggest_member(const struct frame *fr, struct str name, char hint[FAULT_HINT])
{
	const char *names[64];
	unsigned count = 0;

	for (uint32_t i = 0; i < fr->type->field_count; i++)
		if (!(fr->skip >> i & 1))
			names[count++] = fr->type->fields[i].name;
	fault_suggest(hint, name, names, count);
}

/* Unknown names have no bit, so duplicates among them are found as in any other object. */
static bool unknown_member(struct decode *d, const struct frame *fr, const struct scan_text *text, struct str name)
{
	struct place where = {.up = fr->where, .name = text->raw};
	char hint[FAULT_HINT] = "";
	struct str value;

	keys_push(&d->scan.keys, text);
	if (!scan_value(&d->scan, &value))
		return false;
	if (d->lenient)
		return true;
	if (fault_wanted(&d->faults, ERR_UNKNOWN_FIELD))
		suggest_member(fr, name, hint);
	if (type_find(fr->type, name, 0) < fr->type->field_count)
		fault_add(&d->faults, ERR_UNKNOWN_FIELD, &where, "is given in the path or query, not here");
	else
		fault_add(&d->faults, ERR_UNKNOWN_FIELD, &where, "there is no such field%s", hint);
	return true;
}

/* Does the member that comes next, written without white space, belong to the row after the last one? */
static bool is_expected(const struct decode *d, const struct frame *fr)
{
	const struct json_field *f = &fr->type->fields[fr->expected];

	return fr->expected < fr->type->field_count && !(fr->skip >> fr->expected & 1) &&
	       (size_t)(d->scan.end - d->scan.at) > f->name_length + 3 &&
	       memcmp(d->scan.at, f->key + 1, f->name_length + 3) == 0;
}

static bool decode_member(struct decode *d, struct frame *fr)
{
	uint32_t i = fr->expected;
	struct scan_text text;
	struct str name;
	const char *start;

	scan_peek(&d->scan);
	start = d->scan.at;
	if (is_expected(d, fr)) {
		d->scan.at += fr->type->fields[i].name_length + 3;
	} else {
		if (!scan_name(&d->scan, &text) || !meaning(d, &text, &name))
			return false;
		i = type_find(fr->type, name, fr->expected);
		if (i == fr->type->field_count || fr->skip >> i & 1)
			return unknown_member(d, fr, &text, name);
	}
	if (fr->given >> i & 1)
		return scan_fail(&d->scan, start, "member \"%s\" stands twice in its object",
				 fr->type->fields[i].name);
	fr->given |= UINT64_C(1) << i;
	fr->expected = i + 1;
	return decode_field(d, fr, i);
}

static bool decode_object(struct decode *d, const struct json_type *t, uint64_t skip, void *object,
			  const struct place *where)
{
	struct frame fr = {.type = t, .object = object, .skip = skip, .where = where};
	uint32_t base = d->scan.keys.count;
	enum scan_step step;

	if (scan_peek(&d->scan) != '{')
		return mistyped(d, "an object", where);
	for (step = scan_open(&d->scan, '}'); step == SCAN_MORE; step = scan_next(&d->scan, '}'))
		if (!decode_member(d, &fr))
			return false;
	if (step == SCAN_FAILED || !scan_names_distinct(&d->scan, base))
		return false;
	finish_absent(t, type_all(t) & ~fr.given & ~skip, object, &d->faults, where);
	return true;
}

/* Clears all but the fields of `skip`, which the caller may have set. */
static void clear(const struct json_type *t, uint64_t skip, void *object)
{
	uint64_t seen = type_seen_in(t, object) & skip, nulls = type_nulls_in(t, object) & skip;

	for (uint32_t i = 0; i < t->field_count; i++)
		if (!(skip >> i & 1))
			field_clear(&t->fields[i], object);
	*type_seen_at(t, object) = seen;
	*type_nulls_at(t, object) = nulls;
}

static enum err decode(const struct json_type *t, struct str text, uint64_t skip, bool lenient, struct arena *a,
		       void *out, struct problem *p)
{
	struct decode d; /* not zeroed: the scanner holds room it seldom uses */
	struct place root = {0};
	enum err e;

	d.arena = a;
	d.faults = (struct faults){.problem = p};
	d.lenient = lenient;
	if (skip)
		clear(t, skip, out);
	else
		memset(out, 0, t->size);
	scan_init(&d.scan, text, p);
	if (!d.scan.err && decode_object(&d, t, skip, out, &root))
		scan_end(&d.scan);
	e = d.scan.err ? d.scan.err : d.faults.worst;
	scan_free(&d.scan);
	return e;
}

enum err json_decode(const struct json_type *t, struct str text, uint64_t skip, struct arena *a, void *out,
		     struct problem *p)
{
	return decode(t, text, skip, false, a, out, p);
}

enum err json_decode_answer(const struct json_type *t, struct str text, struct arena *a, void *out,
			    struct problem *p)
{
	return decode(t, text, 0, true, a, out, p);
}
