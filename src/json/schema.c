/*
 * Rows -> JSON Schema (draft 2020-12). What a row says is what the decoder checks, so schema and server cannot
 * disagree; the tests validate encoded structs against what is written here.
 */
#include "json/json_priv.h"

#include <inttypes.h>

static void property(struct buf *b, const char *name, const char *value)
{
	buf_fmt(b, "\"%s\":", name);
	buf_json_text(b, str_of(value));
	buf_c(b, ',');
}

/* "type", with null where the row allows it. */
static void type_of(const struct json_field *f, const char *type, struct buf *b)
{
	buf_fmt(b, f->need == JSON_NULLABLE ? "\"type\":[\"%s\",\"null\"]," : "\"type\":\"%s\",", type);
}

/* Limits that any value of the kind keeps are none. */
static void range(const struct json_field *f, struct buf *b)
{
	if (f->min != INT64_MIN)
		buf_fmt(b, "\"minimum\":%" PRId64 ",", f->min);
	if (f->max != INT64_MAX)
		buf_fmt(b, "\"maximum\":%" PRId64 ",", f->max);
}

static void text_lengths(int64_t min, int64_t max, struct buf *b)
{
	if (min > 0)
		buf_fmt(b, "\"minLength\":%" PRId64 ",", min);
	buf_fmt(b, "\"maxLength\":%" PRId64 ",", max);
}

/* A member whose value is the array of the enum's texts or docs. */
static void enum_list(const struct json_enum *e, const char *name, bool docs, bool nullable, struct buf *b)
{
	buf_fmt(b, "\"%s\":[", name);
	for (int i = 0; i < e->count; i++) {
		if (i)
			buf_c(b, ',');
		buf_json_text(b, str_of(docs ? e->values[i].doc : e->values[i].text));
	}
	if (nullable)
		buf_z(b, docs ? ",\"Not set.\"" : ",null");
	buf_c(b, ']');
}

static void enum_lists(const struct json_enum *e, bool nullable, struct buf *b)
{
	enum_list(e, "enum", false, nullable, b);
	buf_c(b, ',');
	enum_list(e, "x-enum-descriptions", true, nullable, b);
}

/* Digits as id_parse() takes them: any letter but u, either case. */
static void id_pattern(const char *prefix, struct buf *b)
{
	buf_fmt(b, "\"pattern\":\"^%s[0-9A-TV-Za-tv-z]{13}$\",", prefix);
}

static void reference(const struct json_type *t, struct buf *b)
{
	buf_fmt(b, "\"$ref\":\"#/components/schemas/%s\"", t->name);
}

static void object_of(const struct json_field *f, struct buf *b)
{
	if (f->need == JSON_NULLABLE)
		buf_z(b, "\"anyOf\":[{");
	reference(f->of, b);
	buf_z(b, f->need == JSON_NULLABLE ? "},{\"type\":\"null\"}]," : ",");
}

static void array_of(const struct json_field *f, struct buf *b)
{
	type_of(f, "array", b);
	buf_fmt(b, "\"maxItems\":%u,%s\"items\":{", f->max_count,
		f->kind == JSON_ENUMS ? "\"uniqueItems\":true," : "");
	if (f->kind == JSON_OBJECTS) {
		reference(f->of, b);
	} else if (f->kind == JSON_ENUMS) {
		buf_z(b, "\"type\":\"string\",");
		enum_lists(f->of, false, b);
	} else {
		buf_fmt(b, "\"type\":\"string\",\"minLength\":%" PRId64 ",\"maxLength\":%" PRId64, f->min, f->max);
	}
	buf_z(b, "},");
}

static void map_of(const struct json_field *f, struct buf *b)
{
	type_of(f, "object", b);
	buf_fmt(b,
		"\"maxProperties\":%u,\"propertyNames\":{\"minLength\":1,\"maxLength\":%" PRId64
		"},\"additionalProperties\":{\"type\":\"string\",\"maxLength\":%" PRId64 "},",
		f->max_count, f->max, f->max);
}

static void kind_of(const struct json_field *f, struct buf *b)
{
	switch (f->kind) {
	case JSON_BOOL:
		type_of(f, "boolean", b);
		break;
	case JSON_INT:
	case JSON_MS:
		type_of(f, "integer", b);
		buf_z(b, "\"format\":\"int64\",");
		range(f, b);
		break;
	case JSON_REAL:
		type_of(f, "number", b);
		range(f, b);
		break;
	case JSON_TEXT:
		type_of(f, "string", b);
		if (f->of)
			property(b, "format", f->of);
		text_lengths(f->min, f->max, b);
		break;
	case JSON_ENUM:
		type_of(f, "string", b);
		enum_lists(f->of, f->need == JSON_NULLABLE, b);
		buf_c(b, ',');
		break;
	case JSON_TIME:
		type_of(f, "string", b);
		buf_z(b, "\"format\":\"date-time\",");
		break;
	case JSON_ID:
		type_of(f, "string", b);
		id_pattern(f->of, b);
		break;
	case JSON_RAW:
		buf_fmt(b, "\"x-max-bytes\":%" PRId64 ",", f->max);
		break;
	case JSON_OBJECT:
		object_of(f, b);
		break;
	case JSON_TEXTS:
	case JSON_ENUMS:
	case JSON_OBJECTS:
		array_of(f, b);
		break;
	case JSON_MAP:
		map_of(f, b);
		break;
	}
}

/* The fallback as JSON: text kinds quoted, numbers as the decoder would store them. */
static void fallback(const struct json_field *f, struct buf *b)
{
	union {
		bool yes;
		int64_t number;
		double real;
		struct str text;
		int value;
	} v = {0};
	struct json_field at_zero = *f;
	struct faults faults = {0};
	struct place root = {0};

	at_zero.offset = 0;
	plain_value(&at_zero, str_of(f->fallback), &v, &faults, &root);
	buf_z(b, "\"default\":");
	encode_value(&at_zero, &v, b);
	buf_c(b, ',');
}

void json_schema_field(const struct json_field *f, struct buf *b)
{
	buf_c(b, '{');
	kind_of(f, b);
	if (f->fallback)
		fallback(f, b);
	buf_z(b, "\"description\":");
	buf_json_text(b, str_of(f->doc));
	buf_c(b, '}');
}

static void required_list(const struct json_type *t, uint64_t skip, struct buf *b)
{
	bool first = true;

	for (uint32_t i = 0; i < t->field_count; i++) {
		if (t->fields[i].need != JSON_REQUIRED || (skip >> i & 1))
			continue;
		buf_z(b, first ? "\"required\":[" : ",");
		first = false;
		buf_fmt(b, "\"%s\"", t->fields[i].name);
	}
	if (!first)
		buf_z(b, "],");
}

void json_schema(const struct json_type *t, uint64_t skip, struct buf *b)
{
	bool first = true;

	buf_c(b, '{');
	property(b, "type", "object");
	property(b, "description", t->doc);
	required_list(t, skip, b);
	buf_z(b, "\"properties\":{");
	for (uint32_t i = 0; i < t->field_count; i++) {
		if (skip >> i & 1)
			continue;
		buf_add(b, t->fields[i].key + first, t->fields[i].name_length + 4 - first);
		first = false;
		json_schema_field(&t->fields[i], b);
	}
	buf_z(b, "},\"additionalProperties\":false}");
}
