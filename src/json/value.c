/*
 * A value against the limits of its row. The scanner knows that the text is JSON, and the decoder that its kind is
 * right; what is left is whether this value is allowed. If so it is stored; if not, the fault is ERR_INVALID and
 * what was there stays.
 */
#include "json/json_priv.h"

#include "base/id.h"
#include "base/magic.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER_SHOWN_MAX = 40 };

void value_out_of_range(const struct json_field *f, struct str number, struct faults *faults,
			const struct place *where)
{
	fault_add(faults, ERR_INVALID, where, "must be from %" PRId64 " to %" PRId64 ", not %.*s", f->min, f->max,
		  number.n < NUMBER_SHOWN_MAX ? (int)number.n : NUMBER_SHOWN_MAX, number.p);
}

void value_whole(const struct json_field *f, int64_t v, void *at, struct faults *faults, const struct place *where)
{
	char number[24];

	if (v >= f->min && v <= f->max) {
		*(int64_t *)at = v;
		return;
	}
	snprintf(number, sizeof(number), "%" PRId64, v);
	value_out_of_range(f, str_of(number), faults, where);
}

void value_real(const struct json_field *f, struct str number, void *at, struct faults *faults,
		const struct place *where)
{
	double v;

	if (str_to_f64(number, &v) && v >= (double)f->min && v <= (double)f->max)
		*(double *)at = v;
	else
		value_out_of_range(f, number, faults, where);
}

/* Counts characters only when the number of bytes leaves it open whether they fit. */
static bool fits(struct str s, uint64_t min, uint64_t max, size_t *characters)
{
	*characters = s.n;
	if (s.n <= max && s.n / 4 >= min)
		return true;
	*characters = text_characters(s);
	return *characters >= min && *characters <= max;
}

static void wrong_length(size_t has, uint64_t min, uint64_t max, struct faults *faults, const struct place *where)
{
	if (has == 0)
		fault_add(faults, ERR_INVALID, where, "may not be empty");
	else if (has < min)
		fault_add(faults, ERR_INVALID, where, "must have at least %" PRIu64 " characters, not %zu", min,
			  has);
	else
		fault_add(faults, ERR_INVALID, where, "must have at most %" PRIu64 " characters, not %zu", max,
			  has);
}

bool value_element(const struct json_field *f, struct str text, size_t min, struct faults *faults,
		   const struct place *where)
{
	size_t characters;

	if (fits(text, min, (uint64_t)f->max, &characters))
		return true;
	wrong_length(characters, min, (uint64_t)f->max, faults, where);
	return false;
}

/* "must be one of a, b, c"; of many only a guess at what was meant, or else the first. */
static void not_in_enum(const struct json_enum *e, struct str text, struct faults *faults,
			const struct place *where)
{
	const char *names[64];
	char list[FAULT_HINT] = "", hint[FAULT_HINT], given[FAULT_GIVEN];
	size_t n = 0;
	unsigned count = 0;
	bool whole = true;

	for (; count < 64 && count < (unsigned)e->count; count++) {
		names[count] = e->values[count].text;
		whole = whole && n + strlen(", ") + strlen(names[count]) < sizeof(list);
		if (whole)
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", count ? ", " : "", names[count]);
	}
	fault_suggest(hint, text, names, count);
	fault_given(given, text);
	if (whole || !*hint)
		fault_add(faults, ERR_INVALID, where, "must be one of %s%s%s%s", list, whole ? "" : ", …", given,
			  hint);
	else
		fault_add(faults, ERR_INVALID, where, "must be a value of %s%s%s", e->name, given, hint);
}

static void value_enum(const struct json_field *f, struct str text, int *at, struct faults *faults,
		       const struct place *where)
{
	int v = json_enum_by_text(f->of, text);

	if (v >= 0)
		*at = v;
	else if (fault_wanted(faults, ERR_INVALID))
		not_in_enum(f->of, text, faults, where);
	else
		fault_add(faults, ERR_INVALID, where, "must be a value of the enum");
}

bool value_choice(const struct json_field *f, struct str text, const int *there, size_t count, int *out,
		  struct faults *faults, const struct place *where)
{
	int v = -1;

	value_enum(f, text, &v, faults, where);
	for (size_t i = 0; v >= 0 && i < count; i++)
		if (there[i] == v) {
			fault_add(faults, ERR_INVALID, where, "'%.*s' is there already", STRF(text));
			return false;
		}
	*out = v;
	return v >= 0;
}

static void value_plain_text(const struct json_field *f, struct str text, struct str *at, struct faults *faults,
			     const struct place *where)
{
	size_t characters;

	if (fits(text, (uint64_t)f->min, (uint64_t)f->max, &characters))
		*at = text;
	else
		wrong_length(characters, (uint64_t)f->min, (uint64_t)f->max, faults, where);
}

static void value_time(struct str text, int64_t *at, struct faults *faults, const struct place *where)
{
	char given[FAULT_GIVEN];
	int64_t ms;

	if (text_to_time(text, &ms)) {
		*at = ms;
		return;
	}
	fault_given(given, text);
	fault_add(faults, ERR_INVALID, where, "must be a time such as 2026-01-31T12:00:00Z%s", given);
}

static void value_id(const char *prefix, struct str text, int64_t *at, struct faults *faults,
		     const struct place *where)
{
	char given[FAULT_GIVEN];
	int64_t id;

	if (id_parse(text, prefix, &id)) {
		*at = id;
		return;
	}
	fault_given(given, text);
	fault_add(faults, ERR_INVALID, where, "must be an id: %s and 13 characters%s", prefix, given);
}

void value_text(const struct json_field *f, struct str text, void *at, struct faults *faults,
		const struct place *where)
{
	if (f->kind == JSON_TEXT) {
		value_plain_text(f, text, at, faults, where);
	} else if (f->kind == JSON_ENUM) {
		value_enum(f, text, at, faults, where);
	} else if (f->kind == JSON_TIME) {
		value_time(text, at, faults, where);
	} else {
		CHECK(f->kind == JSON_ID);
		value_id(f->of, text, at, faults, where);
	}
}

void value_raw(const struct json_field *f, struct str bytes, void *at, struct faults *faults,
	       const struct place *where)
{
	if (bytes.n <= (uint64_t)f->max)
		*(struct str *)at = bytes;
	else
		fault_add(faults, ERR_INVALID, where, "must have at most %" PRId64 " bytes, not %zu", f->max,
			  bytes.n);
}
