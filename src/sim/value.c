/*
 * Values from JSON and to it, compared, and copied where they must last.
 */
#include "sim/value.h"

#include "json/json.h"
#include "json/pick.h"

#include <string.h>

const char *value_kind_name(enum value_kind k)
{
	static const char *const names[] = {
		[VALUE_NULL] = "nothing", [VALUE_BOOL] = "true or false", [VALUE_NUMBER] = "a number",
		[VALUE_TEXT] = "a text",  [VALUE_LIST] = "a list",        [VALUE_RECORD] = "a record",
	};

	return names[k];
}

static struct value nested(enum value_kind kind, const struct value *items, uint32_t count, bool lasting)
{
	uint8_t depth = 1;

	for (uint32_t i = 0; i < count; i++)
		if (items[i].count && items[i].depth >= depth)
			depth = (uint8_t)(items[i].depth + 1);
	if (depth > VALUE_DEPTH_MAX)
		return (struct value){0};
	return (struct value){.kind = kind, .lasting = lasting, .depth = depth, .count = count, .items = items};
}

struct value value_list(const struct value *items, uint32_t count, bool lasting)
{
	return nested(VALUE_LIST, items, count, lasting);
}

struct value value_record(const struct value *items, uint32_t count, bool lasting)
{
	static const struct str empty = {"{}", 2};

	if (count == 0)
		return (struct value){.kind = VALUE_RECORD, .lasting = true, .text = empty};
	return nested(VALUE_RECORD, items, count, lasting);
}

bool value_truth(const struct value *v)
{
	switch (v->kind) {
	case VALUE_NULL:
		return false;
	case VALUE_BOOL:
		return v->boolean;
	case VALUE_NUMBER:
		return v->number != 0;
	case VALUE_TEXT:
		return v->text.n != 0;
	case VALUE_RECORD:
		return true;
	case VALUE_LIST:
		return v->count != 0;
	}
	return false;
}

static bool same_items(const struct value *a, const struct value *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (!value_equal(&a->items[i], &b->items[i]))
			return false;
	return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case VALUE_NULL:
		return true;
	case VALUE_BOOL:
		return a->boolean == b->boolean;
	case VALUE_NUMBER:
		return a->number == b->number;
	case VALUE_TEXT:
		return str_eq(a->text, b->text);
	case VALUE_RECORD:
		return a->count || b->count ? same_items(a, b) : str_eq(a->text, b->text);
	case VALUE_LIST:
		return same_items(a, b);
	}
	return false;
}

/* ---- from JSON ---- */

static struct value text_of_json(struct str quoted, bool lasting, struct memory *m)
{
	struct str inside = {quoted.p + 1, quoted.n - 2};
	char *room;

	if (!inside.n || !memchr(inside.p, '\\', inside.n))
		return value_text(inside, lasting);
	room = memory_take(m, inside.n);
	if (!room)
		return (struct value){0};
	return value_text((struct str){room, pick_unescape(inside, room)}, lasting);
}

/* How JSON is read. */
struct reading {
	struct memory *memory;
	bool lasting, made; /* made: records become values */
};

static struct value value_at(const struct reading *r, struct str json, unsigned depth);

static uint32_t count_elements(struct str json)
{
	struct pick p;
	uint32_t n = 0;

	for (bool more = pick_first(json, json.p[0], &p); more && n <= VALUE_LIST_MAX; more = pick_next(&p))
		n++;
	return n;
}

/* Elements of a list, or names and values of a record. NULL without room. */
static struct value *items_of_json(const struct reading *r, struct str json, unsigned depth, uint32_t *count)
{
	uint32_t elements = count_elements(json), i = 0;
	struct value *items;
	struct pick p;

	*count = json.p[0] == '{' ? 2 * elements : elements;
	items = elements > VALUE_LIST_MAX ? NULL : memory_take(r->memory, *count * sizeof(*items));
	if (!items) {
		r->memory->overflowed = true;
		return NULL;
	}
	for (bool more = pick_first(json, json.p[0], &p); more && i < *count; more = pick_next(&p)) {
		if (json.p[0] == '{')
			items[i++] = text_of_json((struct str){p.name.p - 1, p.name.n + 2}, r->lasting, r->memory);
		items[i++] = value_at(r, p.value, depth + 1);
	}
	return items;
}

static struct value list_of_json(const struct reading *r, struct str json, unsigned depth)
{
	uint32_t count;
	struct value *items = depth < VALUE_DEPTH_MAX ? items_of_json(r, json, depth, &count) : NULL;

	return items ? value_list(items, count, r->lasting) : (struct value){0};
}

static struct value record_of_json(const struct reading *r, struct str json, unsigned depth)
{
	struct value *items;
	uint32_t count;

	if (!r->made || depth >= VALUE_DEPTH_MAX)
		return (struct value){.kind = VALUE_RECORD, .lasting = r->lasting, .text = json};
	items = items_of_json(r, json, depth, &count);
	return items ? value_record(items, count, r->lasting) : (struct value){0};
}

static struct value value_at(const struct reading *r, struct str json, unsigned depth)
{
	double number;

	switch (json.n ? json.p[0] : 'n') {
	case '{':
		return record_of_json(r, json, depth);
	case '[':
		return list_of_json(r, json, depth);
	case '"':
		return text_of_json(json, r->lasting, r->memory);
	case 't':
	case 'f':
		return value_bool(json.p[0] == 't');
	default:
		return str_to_f64(json, &number) ? value_number(number) : (struct value){0};
	}
}

struct value value_of_json(struct str json, bool lasting, struct memory *m)
{
	return value_at(&(struct reading){m, lasting, false}, json, 0);
}

struct value value_made_of_json(struct str json, bool lasting, struct memory *m)
{
	return value_at(&(struct reading){m, lasting, true}, json, 0);
}

static struct value made_member(const struct value *record, struct str name)
{
	for (uint32_t i = 0; i < record->count; i += 2)
		if (str_eq(record->items[i].text, name))
			return record->items[i + 1];
	return (struct value){0};
}

struct value value_member(const struct value *record, struct str name, struct memory *m)
{
	struct value v = {0};
	struct str found;

	if (record->kind == VALUE_RECORD && record->count)
		return made_member(record, name);
	if (record->kind != VALUE_RECORD || !pick_member(record->text, name, &found))
		return v;
	v = value_of_json(found, false, m);
	/* What was made in m does not last; what points into the record does if that does. */
	if (v.kind == VALUE_RECORD || (v.kind == VALUE_TEXT && v.text.p == found.p + 1))
		v.lasting = record->lasting;
	return v;
}

/* ---- kept ---- */

static struct value keep_items(const struct value *v, struct memory *m)
{
	struct value *items = memory_take(m, v->count * sizeof(*items));

	if (!items)
		return (struct value){0};
	for (uint32_t i = 0; i < v->count; i++)
		items[i] = value_keep(&v->items[i], m);
	return nested(v->kind, items, v->count, true);
}

struct value value_keep(const struct value *v, struct memory *m)
{
	struct value kept = *v;

	if (v->lasting || v->kind == VALUE_NULL || v->kind == VALUE_BOOL || v->kind == VALUE_NUMBER)
		return kept;
	if (v->kind == VALUE_LIST || v->count)
		return keep_items(v, m);
	kept.text = memory_str(m, v->text);
	kept.lasting = true;
	return m->overflowed ? (struct value){0} : kept;
}

static struct value own_items(const struct value *v, struct arena *a)
{
	struct value *items = ARENA_ARRAY(a, struct value, v->count);

	if (!items)
		return (struct value){0};
	for (uint32_t i = 0; i < v->count; i++)
		items[i] = value_own(&v->items[i], a);
	return nested(v->kind, items, v->count, true);
}

struct value value_own(const struct value *v, struct arena *a)
{
	struct value own = *v;

	if (v->kind == VALUE_LIST || v->count)
		return own_items(v, a);
	if (v->kind == VALUE_TEXT || v->kind == VALUE_RECORD) {
		own.text = arena_str(a, v->text);
		own.lasting = true;
	}
	return own;
}

/* ---- written ---- */

static void list_json(const struct value *v, struct buf *b)
{
	buf_c(b, '[');
	for (uint32_t i = 0; i < v->count; i++) {
		if (i)
			buf_c(b, ',');
		value_json(&v->items[i], b);
	}
	buf_c(b, ']');
}

static void record_json(const struct value *v, struct buf *b)
{
	if (v->count == 0)
		buf_str_add(b, v->text);
	for (uint32_t i = 0; i < v->count; i++) {
		buf_c(b, i % 2 ? ':' : i ? ',' : '{');
		value_json(&v->items[i], b);
	}
	if (v->count)
		buf_c(b, '}');
}

void value_json(const struct value *v, struct buf *b)
{
	switch (v->kind) {
	case VALUE_NULL:
		buf_z(b, "null");
		return;
	case VALUE_BOOL:
		buf_z(b, v->boolean ? "true" : "false");
		return;
	case VALUE_NUMBER:
		json_real(v->number == 0 ? 0 : v->number, b); /* of -0 the sign is no news */
		return;
	case VALUE_TEXT:
		buf_json_text(b, v->text);
		return;
	case VALUE_RECORD:
		record_json(v, b);
		return;
	case VALUE_LIST:
		list_json(v, b);
		return;
	}
}

void value_show(const struct value *v, struct buf *b)
{
	if (v->kind == VALUE_TEXT)
		buf_str_add(b, v->text);
	else if (v->kind != VALUE_NULL)
		value_json(v, b);
}
