/*
 * Struct -> JSON, driven by rows. Always the shortest form: no white space, members in the order of the rows.
 *
 * Each row carries its `,"name":` ready made, so an object costs one append per name and one per value.
 */
#include "json/json_priv.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/magic.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SHORT_REAL_PARTS = 10000, SHORT_REAL_MAX = 1000000000 };

/* Most text needs no escaping and goes over in one piece. */
static void encode_text(struct str s, struct buf *b)
{
	char *room;

	if (s.n == 0 || text_plain_run(s.p, s.p + s.n) != s.p + s.n) {
		buf_json_text(b, s);
		return;
	}
	room = buf_room(b, s.n + 2);
	if (!room)
		return;
	room[0] = '"';
	memcpy(room + 1, s.p, s.n);
	room[s.n + 1] = '"';
	buf_took(b, s.n + 2);
}

/* What has at most four decimals, as most numbers that people are shown: a quotient of two whole numbers is rounded as
 * its decimals are when they are read. False, and nothing is written, for any other. */
static bool encode_short_real(double v, struct buf *b)
{
	int64_t parts, fraction;

	if (signbit(v) || v >= SHORT_REAL_MAX)
		return false;
	parts = (int64_t)(v * SHORT_REAL_PARTS + 0.5);
	if ((double)parts / SHORT_REAL_PARTS != v)
		return false;
	buf_u64(b, (uint64_t)parts / SHORT_REAL_PARTS);
	fraction = parts % SHORT_REAL_PARTS;
	if (fraction)
		buf_c(b, '.');
	for (int64_t part = SHORT_REAL_PARTS / 10; fraction; fraction %= part, part /= 10)
		buf_c(b, (char)('0' + fraction / part));
	return true;
}

void json_real(double v, struct buf *b)
{
	char digits[32];
	int precision = 15;
	double back = 0;

	if (!isfinite(v)) {
		buf_z(b, "null");
		return;
	}
	if (encode_short_real(v, b))
		return;
	do
		snprintf(digits, sizeof(digits), "%.*g", precision, v);
	while (precision++ < 17 && !(str_to_f64(str_of(digits), &back) && back == v));
	buf_z(b, digits);
}

static void encode_enum(const struct json_enum *e, int v, struct buf *b)
{
	CHECK(v >= 0 && v < e->count);
	encode_text(str_of(e->values[v].text), b);
}

static void encode_time(int64_t ms, struct buf *b)
{
	char quoted[CLOCK_TEXT + 2];

	clock_format(ms, quoted + 1);
	quoted[0] = quoted[CLOCK_TEXT] = '"';
	buf_add(b, quoted, CLOCK_TEXT + 1);
}

static void encode_id(const char *prefix, int64_t id, struct buf *b)
{
	char quoted[ID_TEXT + 2];
	size_t n = id_format(quoted + 1, prefix, id);

	quoted[0] = quoted[n + 1] = '"';
	buf_add(b, quoted, n + 2);
}

static void encode_raw(struct str bytes, struct buf *b)
{
	if (bytes.n)
		buf_str_add(b, bytes);
	else
		buf_z(b, "null"); /* required, but never filled: still JSON */
}

static void encode_array(const struct json_field *f, const char *v, size_t count, struct buf *b)
{
	size_t each = field_element_size(f);

	buf_c(b, '[');
	for (size_t i = 0; i < count; i++) {
		const void *element = v + i * each;

		if (i)
			buf_c(b, ',');
		if (f->kind == JSON_OBJECTS)
			json_encode(f->of, element, 0, b);
		else if (f->kind == JSON_ENUMS)
			encode_enum(f->of, *(const int *)element, b);
		else
			encode_text(*(const struct str *)element, b);
	}
	buf_c(b, ']');
}

static void encode_map(const struct json_pair *pairs, size_t count, struct buf *b)
{
	buf_c(b, '{');
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_c(b, ',');
		encode_text(pairs[i].key, b);
		buf_c(b, ':');
		encode_text(pairs[i].value, b);
	}
	buf_c(b, '}');
}

void encode_value(const struct json_field *f, const void *object, struct buf *b)
{
	const void *at = field_in(f, object);

	switch (f->kind) {
	case JSON_BOOL:
		buf_z(b, *(const bool *)at ? "true" : "false");
		break;
	case JSON_INT:
	case JSON_MS:
		buf_i64(b, *(const int64_t *)at);
		break;
	case JSON_REAL:
		json_real(*(const double *)at, b);
		break;
	case JSON_TEXT:
		encode_text(*(const struct str *)at, b);
		break;
	case JSON_ENUM:
		encode_enum(f->of, *(const int *)at, b);
		break;
	case JSON_TIME:
		encode_time(*(const int64_t *)at, b);
		break;
	case JSON_ID:
		encode_id(f->of, *(const int64_t *)at, b);
		break;
	case JSON_RAW:
		encode_raw(*(const struct str *)at, b);
		break;
	case JSON_OBJECT:
		json_encode(f->of, at, 0, b);
		break;
	case JSON_TEXTS:
	case JSON_ENUMS:
	case JSON_OBJECTS:
		encode_array(f, *(const char *const *)at, field_count_in(f, object), b);
		break;
	case JSON_MAP:
		encode_map(*(const struct json_pair *const *)at, field_count_in(f, object), b);
		break;
	}
}

void json_encode(const struct json_type *t, const void *in, uint64_t skip, struct buf *b)
{
	uint64_t seen = type_seen_in(t, in);
	bool first = true;

	buf_c(b, '{');
	for (uint32_t i = 0; i < t->field_count; i++) {
		const struct json_field *f = &t->fields[i];
		bool there = f->need == JSON_REQUIRED || (seen >> i & 1);

		if ((skip >> i & 1) || (!there && f->need != JSON_NULLABLE))
			continue;
		buf_add(b, f->key + first, f->name_length + 4 - first);
		first = false;
		if (there)
			encode_value(f, in, b);
		else
			buf_add(b, "null", 4);
	}
	buf_c(b, '}');
}
