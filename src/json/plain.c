/*
 * Values from plain text: flags, environment, query strings, and the fallbacks of the rows themselves.
 *
 * Here a kind is a way to read text, so what does not read is ERR_MISTYPED and what breaks a limit ERR_INVALID, as
 * in JSON. Text is kept, not copied: it must live as long as the struct.
 */
#include "json/json_priv.h"

#include "base/magic.h"

#include <string.h>

static bool is_clean(struct str s)
{
	return str_is_utf8(s) && !(s.n && memchr(s.p, '\0', s.n));
}

static void plain_raw(const struct json_field *f, struct str text, void *at, struct faults *faults,
		      const struct place *where)
{
	struct problem why = {0};

	if (json_check(text, &why))
		fault_add(faults, ERR_MALFORMED, where, "is not JSON: %s (line %d, column %d)", why.detail,
			  why.line, why.column);
	else
		value_raw(f, str_trim(text), at, faults, where); /* as from JSON: without the space around it */
}

/* Limits are told as they would be written here, too. */
static void duration_out_of_range(const struct json_field *f, const char *given, struct faults *faults,
				  const struct place *where)
{
	struct buf limits = BUF_INIT(0);

	json_show_duration(f->min, &limits);
	buf_z(&limits, " to ");
	json_show_duration(f->max, &limits);
	fault_add(faults, ERR_INVALID, where, "must be from %s%s", buf_cstr(&limits), given);
	buf_free(&limits);
}

static void plain_duration(const struct json_field *f, struct str text, int64_t *at, struct faults *faults,
			   const struct place *where)
{
	char given[FAULT_GIVEN];
	int64_t ms;
	bool is_one = str_to_ms(text, &ms);

	if (is_one && ms >= f->min && ms <= f->max) {
		*at = ms;
		return;
	}
	fault_given(given, text);
	if (is_one)
		duration_out_of_range(f, given, faults, where);
	else
		fault_add(faults, ERR_MISTYPED, where, "must be a duration such as 250ms, 30s or 5m%s", given);
}

static void plain_text(const struct json_field *f, struct str text, void *at, struct faults *faults,
		       const struct place *where)
{
	if (is_clean(text))
		value_text(f, text, at, faults, where);
	else
		fault_add(faults, ERR_MISTYPED, where, "must be UTF-8 text without NUL");
}

void plain_value(const struct json_field *f, struct str text, void *at, struct faults *faults,
		 const struct place *where)
{
	const char *wrong = NULL;
	char given[FAULT_GIVEN];
	int64_t number = 0;
	double real;

	switch (f->kind) {
	case JSON_BOOL:
		if (str_eqz(text, "true") || str_eqz(text, "false"))
			*(bool *)at = text.n == 4;
		else
			wrong = "must be true or false";
		break;
	case JSON_INT:
		wrong = str_to_i64(text, &number) ? NULL : "must be a whole number";
		if (!wrong)
			value_whole(f, number, at, faults, where);
		break;
	case JSON_MS:
		plain_duration(f, text, at, faults, where);
		break;
	case JSON_REAL:
		wrong = str_to_f64(text, &real) ? NULL : "must be a number";
		if (!wrong)
			value_real(f, text, at, faults, where);
		break;
	case JSON_TEXT:
	case JSON_ENUM:
	case JSON_TIME:
	case JSON_ID:
		plain_text(f, text, at, faults, where);
		break;
	case JSON_RAW:
		plain_raw(f, text, at, faults, where);
		break;
	case JSON_OBJECT:
	case JSON_TEXTS:
	case JSON_ENUMS:
	case JSON_OBJECTS:
	case JSON_MAP:
		fault_add(faults, ERR_MISTYPED, where, "cannot be given as text");
		break;
	}
	if (!wrong)
		return;
	fault_given(given, text);
	fault_add(faults, ERR_MISTYPED, where, "%s%s", wrong, given);
}

/* ---- one element a call ---- */

/* Makes room for one more at the end. The array is copied each time: such lists are short, and nobody has to know
 * how large it was made. NULL and a fault when it may not grow; NULL alone when the arena is full. */
static void *append(const struct json_field *f, struct arena *a, void *out, struct faults *faults,
		    const struct place *where)
{
	size_t each = field_element_size(f), *count = field_count_at(f, out);
	void **v = field_at(f, out);
	char *grown;

	if (*count >= f->max_count) {
		fault_add(faults, ERR_INVALID, where, "may have at most %u entries", f->max_count);
		return NULL;
	}
	grown = arena_array(a, *count + 1, each);
	if (!grown)
		return NULL;
	if (*count)
		memcpy(grown, *v, *count * each);
	*v = grown;
	return grown + each * (*count)++;
}

static void append_text(const struct json_field *f, struct str text, struct arena *a, void *out,
			struct faults *faults, const struct place *where)
{
	struct str *element;

	if (!is_clean(text)) {
		fault_add(faults, ERR_MISTYPED, where, "must be UTF-8 text without NUL");
		return;
	}
	if (!value_element(f, text, (size_t)f->min, faults, where))
		return;
	element = append(f, a, out, faults, where);
	if (element)
		*element = text;
}

static void append_choice(const struct json_field *f, struct str text, struct arena *a, void *out,
			  struct faults *faults, const struct place *where)
{
	int *element, v;

	if (!is_clean(text)) {
		fault_add(faults, ERR_MISTYPED, where, "must be UTF-8 text without NUL");
		return;
	}
	if (!value_choice(f, text, *(int **)field_at(f, out), *field_count_at(f, out), &v, faults, where))
		return;
	element = append(f, a, out, faults, where);
	if (element)
		*element = v;
}

static bool has_key(const struct json_field *f, struct str key, void *out)
{
	const struct json_pair *pairs = *(struct json_pair **)field_at(f, out);

	for (size_t i = 0; i < *field_count_at(f, out); i++)
		if (str_eq(pairs[i].key, key))
			return true;
	return false;
}

static void append_pair(const struct json_field *f, struct str text, struct arena *a, void *out,
			struct faults *faults, const struct place *where)
{
	struct json_pair *element, pair;
	char given[FAULT_GIVEN];

	pair.key = str_cut(text, '=', &pair.value);
	if (!is_clean(text) || !pair.value.p) {
		fault_given(given, text);
		fault_add(faults, ERR_MISTYPED, where, "must be NAME=VALUE%s", given);
		return;
	}
	if (has_key(f, pair.key, out)) {
		fault_add(faults, ERR_INVALID, where, "has the same name twice");
		return;
	}
	if (!value_element(f, pair.key, 1, faults, where) || !value_element(f, pair.value, 0, faults, where))
		return;
	element = append(f, a, out, faults, where);
	if (element)
		*element = pair;
}

enum err json_set_text(const struct json_type *t, uint32_t field, struct str text, struct arena *a, void *out,
		       struct problem *p)
{
	const struct json_field *f = &t->fields[field];
	struct faults faults = {.problem = p};
	struct place root = {0}, where = {.up = &root, .name = {f->name, f->name_length}};

	CHECK(field < t->field_count);
	if (f->kind == JSON_TEXTS)
		append_text(f, text, a, out, &faults, &where);
	else if (f->kind == JSON_ENUMS)
		append_choice(f, text, a, out, &faults, &where);
	else if (f->kind == JSON_MAP)
		append_pair(f, text, a, out, &faults, &where);
	else
		plain_value(f, text, field_at(f, out), &faults, &where);
	if (faults.worst)
		return faults.worst;
	if (arena_overflowed(a))
		return problem_set(p, ERR_TOO_LARGE, "The request needs more memory than one may use");
	*type_seen_at(t, out) |= UINT64_C(1) << field;
	*type_nulls_at(t, out) &= ~(UINT64_C(1) << field);
	return OK;
}

/* ---- what was not given ---- */

/* An object that is not there still has the fallbacks of its own fields, so that its reader need not know. */
static void set_fallback(const struct json_field *f, void *object)
{
	const struct json_type *inner = f->of;
	struct faults faults = {0};
	struct place root = {0};

	if (f->fallback) {
		plain_value(f, str_of(f->fallback), field_at(f, object), &faults, &root);
		CHECK(!faults.worst); /* the row itself is wrong */
	} else if (f->kind == JSON_OBJECT) {
		for (uint32_t i = 0; i < inner->field_count; i++)
			set_fallback(&inner->fields[i], field_at(f, object));
	}
}

void finish_absent(const struct json_type *t, uint64_t absent, void *object, struct faults *faults,
		   const struct place *where)
{
	for (; absent; absent &= absent - 1) {
		const struct json_field *f = &t->fields[__builtin_ctzll(absent)];
		struct place here = {.up = where, .name = {f->name, f->name_length}};

		if (f->need == JSON_REQUIRED)
			fault_add(faults, ERR_MISSING_FIELD, &here, "is required");
		else
			set_fallback(f, object);
	}
}

enum err json_finish(const struct json_type *t, uint64_t skip, void *out, struct problem *p)
{
	uint64_t given = type_seen_in(t, out) | type_nulls_in(t, out);
	struct faults faults = {.problem = p};
	struct place root = {0};

	finish_absent(t, type_all(t) & ~given & ~skip, out, &faults, &root);
	return faults.worst;
}
