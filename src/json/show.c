/*
 * Values as people read them in a table or a sentence. What a terminal would obey instead of showing (control
 * characters, which anybody can put into a title) is written as an escape.
 */
#include "json/json_priv.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/magic.h"

#include <inttypes.h>
#include <string.h>

/* C0, DEL, and C1, which in UTF-8 is 0xc2 and a byte below 0xa0. */
static bool is_control(struct str s)
{
	unsigned char c = (unsigned char)s.p[0];

	return c < 0x20 || c == 0x7f || (c == 0xc2 && s.n > 1 && (unsigned char)s.p[1] < 0xa0);
}

static void show_control(struct str s, size_t step, struct buf *b)
{
	unsigned char c = (unsigned char)s.p[step - 1];

	if (c == '\n')
		buf_z(b, "\\n");
	else if (c == '\t')
		buf_z(b, "\\t");
	else
		buf_fmt(b, "\\u%04x", c);
}

void json_show_text(struct str s, struct buf *b)
{
	while (s.n) {
		size_t step = str_utf8_step(s);

		if (step == 0) {
			buf_z(b, "\xEF\xBF\xBD"); /* U+FFFD */
			step = 1;
		} else if (is_control(s)) {
			show_control(s, step, b);
		} else {
			buf_add(b, s.p, step);
		}
		s = (struct str){s.p + step, s.n - step};
	}
}

void json_show_duration(int64_t ms, struct buf *b)
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = {{24 * 3600 * 1000, "d"}, {3600 * 1000, "h"}, {60 * 1000, "m"}, {1000, "s"}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (ms && ms % units[i].ms == 0) {
			buf_fmt(b, "%" PRId64 "%s", ms / units[i].ms, units[i].unit);
			return;
		}
	buf_fmt(b, "%" PRId64 "ms", ms);
}

static void show_time(int64_t ms, struct buf *b)
{
	char text[CLOCK_TEXT];

	clock_format(ms, text);
	buf_z(b, text);
}

static void show_id(const char *prefix, int64_t id, struct buf *b)
{
	char text[ID_TEXT];

	id_format(text, prefix, id);
	buf_z(b, text);
}

static void show_texts(const struct str *v, size_t count, struct buf *b)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_c(b, ',');
		json_show_text(v[i], b);
	}
}

static void show_enums(const struct json_enum *e, const int *v, size_t count, struct buf *b)
{
	for (size_t i = 0; i < count; i++)
		buf_fmt(b, "%s%s", i ? "," : "", e->values[v[i]].text);
}

static void show_pairs(const struct json_pair *v, size_t count, struct buf *b)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_c(b, ',');
		json_show_text(v[i].key, b);
		buf_c(b, '=');
		json_show_text(v[i].value, b);
	}
}

/* As a person writes it in a flag: NAME=VALUE,NAME=VALUE. */
static void show_object(const struct json_type *t, const void *object, struct buf *b)
{
	const char *between = "";

	for (uint32_t i = 0; i < t->field_count; i++) {
		if (t->fields[i].need != JSON_REQUIRED && !(type_seen_in(t, object) >> i & 1))
			continue;
		buf_fmt(b, "%s%s=", between, t->fields[i].name);
		json_show_field(t, i, object, b);
		between = ",";
	}
}

static void show_value(const struct json_field *f, const void *in, struct buf *b)
{
	const void *at = field_in(f, in);

	switch (f->kind) {
	case JSON_BOOL:
	case JSON_INT:
	case JSON_REAL:
	case JSON_OBJECTS:
		encode_value(f, in, b);
		break;
	case JSON_OBJECT:
		show_object(f->of, at, b);
		break;
	case JSON_TEXT:
	case JSON_RAW:
		json_show_text(*(const struct str *)at, b);
		break;
	case JSON_ENUM:
		buf_z(b, ((const struct json_enum *)f->of)->values[*(const int *)at].text);
		break;
	case JSON_TIME:
		show_time(*(const int64_t *)at, b);
		break;
	case JSON_MS:
		json_show_duration(*(const int64_t *)at, b);
		break;
	case JSON_ID:
		show_id(f->of, *(const int64_t *)at, b);
		break;
	case JSON_TEXTS:
		show_texts(*(const struct str *const *)at, field_count_in(f, in), b);
		break;
	case JSON_ENUMS:
		show_enums(f->of, *(const int *const *)at, field_count_in(f, in), b);
		break;
	case JSON_MAP:
		show_pairs(*(const struct json_pair *const *)at, field_count_in(f, in), b);
		break;
	}
}

void json_show_field(const struct json_type *t, uint32_t field, const void *in, struct buf *b)
{
	const struct json_field *f = &t->fields[field];
	size_t before = b->n;

	if (f->need == JSON_REQUIRED || (type_seen_in(t, in) >> field & 1))
		show_value(f, in, b);
	if (b->n == before)
		buf_c(b, '-'); /* absent or empty: a column is never blank */
}

static bool is_of_many(const struct json_field *f)
{
	return f->kind == JSON_TEXTS || f->kind == JSON_ENUMS || f->kind == JSON_MAP;
}

size_t json_plain_count(const struct json_type *t, uint32_t field, const void *in)
{
	const struct json_field *f = &t->fields[field];

	if (f->need != JSON_REQUIRED && !(type_seen_in(t, in) >> field & 1))
		return 0;
	return is_of_many(f) ? field_count_in(f, in) : 1;
}

void json_plain(const struct json_type *t, uint32_t field, size_t index, const void *in, struct buf *b)
{
	const struct json_field *f = &t->fields[field];
	const char *element = field_in(f, in);

	CHECK(f->kind != JSON_OBJECT && f->kind != JSON_OBJECTS && index < json_plain_count(t, field, in));
	if (is_of_many(f))
		element = *(const char *const *)(const void *)element + index * field_element_size(f);
	if (f->kind == JSON_ENUMS) {
		show_enums(f->of, (const int *)(const void *)element, 1, b);
	} else if (f->kind == JSON_MAP) {
		buf_str_add(b, ((const struct json_pair *)(const void *)element)->key);
		buf_c(b, '=');
		buf_str_add(b, ((const struct json_pair *)(const void *)element)->value);
	} else if (f->kind == JSON_TEXT || f->kind == JSON_RAW || f->kind == JSON_TEXTS) {
		buf_str_add(b, *(const struct str *)(const void *)element);
	} else {
		show_value(f, in, b);
	}
}

struct str json_text(const struct json_type *t, uint32_t field, const void *in)
{
	const struct json_field *f = &t->fields[field];
	bool there = f->need == JSON_REQUIRED || (type_seen_in(t, in) >> field & 1);

	CHECK(f->kind == JSON_TEXT);
	return there ? *(const struct str *)field_in(f, in) : (struct str){0};
}
