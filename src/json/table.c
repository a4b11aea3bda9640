/*
 * Look-ups in rows, and deep copies by them.
 */
#include "json/json_priv.h"

#include "base/magic.h"

#include <string.h>

uint32_t type_find(const struct json_type *t, struct str name, uint32_t first)
{
	for (uint32_t k = 0; k < t->field_count; k++) {
		uint32_t i = first + k < t->field_count ? first + k : first + k - t->field_count;
		const struct json_field *f = &t->fields[i];

		if (f->name_length == name.n && memcmp(f->name, name.p, name.n) == 0)
			return i;
	}
	return t->field_count;
}

const struct json_field *json_field_by_name(const struct json_type *t, struct str name)
{
	uint32_t i = type_find(t, name, 0);

	return i < t->field_count ? &t->fields[i] : NULL;
}

static bool is_word(const char *word, struct str text)
{
	return word && str_eq(str_of(word), text);
}

int json_enum_by_text(const struct json_enum *e, struct str text)
{
	for (int i = 0; i < e->count; i++)
		if (is_word(e->values[i].text, text) || is_word(e->values[i].also, text))
			return i;
	return -1;
}

size_t field_element_size(const struct json_field *f)
{
	if (f->kind == JSON_TEXTS)
		return sizeof(struct str);
	if (f->kind == JSON_ENUMS)
		return sizeof(int);
	if (f->kind == JSON_MAP)
		return sizeof(struct json_pair);
	CHECK(f->kind == JSON_OBJECTS);
	return ((const struct json_type *)f->of)->size;
}

void field_clear(const struct json_field *f, void *object)
{
	void *at = field_at(f, object);

	switch (f->kind) {
	case JSON_BOOL:
		*(bool *)at = false;
		break;
	case JSON_ENUM:
		*(int *)at = 0;
		break;
	case JSON_INT:
	case JSON_TIME:
	case JSON_MS:
	case JSON_ID:
		*(int64_t *)at = 0;
		break;
	case JSON_REAL:
		*(double *)at = 0;
		break;
	case JSON_TEXT:
	case JSON_RAW:
		*(struct str *)at = (struct str){0};
		break;
	case JSON_OBJECT:
		memset(at, 0, ((const struct json_type *)f->of)->size);
		break;
	case JSON_TEXTS:
	case JSON_ENUMS:
	case JSON_OBJECTS:
	case JSON_MAP:
		*(void **)at = NULL;
		*field_count_at(f, object) = 0;
		break;
	}
}

static void own_text(struct arena *a, struct str *s)
{
	*s = arena_str(a, *s);
}

/* Copies the array itself and returns where it now is. */
static void *own_array(const struct json_field *f, struct arena *a, void **v, size_t *count)
{
	size_t each = field_element_size(f);
	void *copy = *count ? arena_array(a, *count, each) : NULL;

	if (copy)
		memcpy(copy, *v, *count * each);
	else
		*count = 0;
	return *v = copy;
}

static void own_elements(const struct json_field *f, struct arena *a, void *object)
{
	size_t *count = field_count_at(f, object);
	char *v = own_array(f, a, field_at(f, object), count);

	for (size_t i = 0; i < *count; i++) {
		void *element = v + i * field_element_size(f);

		if (f->kind == JSON_OBJECTS) {
			json_own(f->of, a, element);
			continue;
		}
		own_text(a, element);
		if (f->kind == JSON_MAP)
			own_text(a, &((struct json_pair *)element)->value);
	}
}

void json_own(const struct json_type *t, struct arena *a, void *out)
{
	for (const struct json_field *f = t->fields; f < t->fields + t->field_count; f++) {
		switch (f->kind) {
		case JSON_TEXT:
		case JSON_RAW:
			own_text(a, field_at(f, out));
			break;
		case JSON_OBJECT:
			json_own(f->of, a, field_at(f, out));
			break;
		case JSON_TEXTS:
		case JSON_OBJECTS:
		case JSON_MAP:
			own_elements(f, a, out);
			break;
		case JSON_ENUMS:
			own_array(f, a, field_at(f, out), field_count_at(f, out));
			break;
		case JSON_BOOL:
		case JSON_INT:
		case JSON_REAL:
		case JSON_ENUM:
		case JSON_TIME:
		case JSON_MS:
		case JSON_ID:
			break;
		}
	}
}
