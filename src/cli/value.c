/*
 * A field from a word of the command line. Scalars, texts and maps are json_set_text()'s; what is added here are
 * objects, which a person writes as NAME=VALUE,NAME=VALUE, beginning with a bare id where the object does, or, when
 * that is not enough, as JSON.
 */
#include "cli/parse.h"

#include <string.h>

static uint32_t find_member(const struct json_type *t, struct str name)
{
	uint32_t i = 0;

	while (i < t->field_count && !str_eqz(name, t->fields[i].name))
		i++;
	return i;
}

/* Where an object begins with an id, that alone tells which thing is meant. */
static bool is_bare_id(const struct json_type *t, struct str text)
{
	return t->fields[0].kind == JSON_ID && str_starts(text, str_of(t->fields[0].of));
}

static enum err not_an_object(const struct json_type *t, struct str given, struct problem *p)
{
	if (t->fields[0].kind == JSON_ID)
		return problem_set(p, ERR_INVALID, "must be %s…, NAME=VALUE,… or JSON, not '%.*s'",
				   (const char *)t->fields[0].of, STRF(given));
	return problem_set(p, ERR_INVALID, "must be NAME=VALUE,… or JSON, not '%.*s'", STRF(given));
}

static enum err set_members(const struct json_type *t, struct str text, struct arena *a, void *object,
			    struct problem *p)
{
	bool first = true;

	while (text.n) {
		struct str value, name = str_cut(str_cut(text, ',', &text), '=', &value);
		uint32_t i = find_member(t, name);
		enum err e;

		if (first && !value.p && i == t->field_count && is_bare_id(t, name)) {
			value = name;
			i = 0;
		}
		first = false;
		if (i == t->field_count || !value.p)
			return not_an_object(t, name, p);
		e = json_set_text(t, i, value, a, object, p);
		if (e)
			return e;
	}
	return json_finish(t, 0, object, p);
}

static enum err set_object(const struct json_type *t, struct str text, struct arena *a, void *object,
			   struct problem *p)
{
	if (text.n && text.p[0] == '{')
		return json_decode(t, text, 0, a, object, p);
	return set_members(t, text, a, object, p);
}

/* Appends an element; the array is copied, since the words of a command line are few. */
static enum err add_object(const struct json_field *f, struct str text, struct arena *a, void *out,
			   struct problem *p)
{
	const struct json_type *t = f->of;
	char *member = (char *)out + f->offset, *grown;
	size_t count;
	void *v;

	memcpy(&v, member, sizeof(v));
	memcpy(&count, (char *)out + f->count_offset, sizeof(count));
	if (count >= f->max_count)
		return problem_set(p, ERR_INVALID, "may be given at most %u times", f->max_count);
	grown = arena_array(a, count + 1, t->size);
	if (!grown)
		return problem_set(p, ERR_TOO_LARGE, "needs too much memory");
	if (count)
		memcpy(grown, v, count * t->size);
	memcpy(member, &grown, sizeof(grown));
	count++;
	memcpy((char *)out + f->count_offset, &count, sizeof(count));
	return set_object(t, text, a, grown + (count - 1) * t->size, p);
}

enum err cli_set(const struct json_type *t, uint32_t field, struct str text, struct arena *a, void *object,
		 struct problem *p)
{
	const struct json_field *f = &t->fields[field];
	enum err e;

	if (f->kind == JSON_OBJECT)
		e = set_object(f->of, text, a, (char *)object + f->offset, p);
	else if (f->kind == JSON_OBJECTS)
		e = add_object(f, text, a, object, p);
	else
		return json_set_text(t, field, text, a, object, p);
	if (!e)
		cli_mark_seen(t, field, object);
	return e;
}

static bool is_marked(uint32_t bits_offset, uint32_t field, const void *object)
{
	uint64_t bits;

	memcpy(&bits, (const char *)object + bits_offset, sizeof(bits));
	return bits >> field & 1;
}

static void mark(uint32_t bits_offset, uint32_t field, void *object)
{
	uint64_t bits;

	memcpy(&bits, (char *)object + bits_offset, sizeof(bits));
	bits |= UINT64_C(1) << field;
	memcpy((char *)object + bits_offset, &bits, sizeof(bits));
}

bool cli_is_seen(const struct json_type *t, uint32_t field, const void *object)
{
	return is_marked(t->seen_offset, field, object);
}

void cli_mark_seen(const struct json_type *t, uint32_t field, void *object)
{
	mark(t->seen_offset, field, object);
}

bool cli_is_null(const struct json_type *t, uint32_t field, const void *object)
{
	return is_marked(t->nulls_offset, field, object);
}

void cli_mark_null(const struct json_type *t, uint32_t field, void *object)
{
	mark(t->nulls_offset, field, object);
}
