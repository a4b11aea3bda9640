/*
 * Values from JSON and to it, compared, and copied where they must last.
 */
#include "sim/value.h"

#include "sim/pick.h"
#include "json/json.h"

#include <string.h>

const char *value_kind_name(enum value_kind k)
{
	static const char *const names[] = {
		[VALUE_NULL] = "nothing", [VALUE_BOOL] = "true or false", [VALUE_NUMBER] = "a number",
		[VALUE_TEXT] = "a text",  [VALUE_LIST] = "a list",        [VALUE_RECORD] = "a record",
	};

	return names[k];
}

struct value value_list(const struct value *items, uint32_t count, bool lasting)
{
	uint8_t depth = 1;

	for (uint32_t i = 0; i < count; i++)
		if (items[i].kind == VALUE_LIST && items[i].depth >= depth)
			depth = (uint8_t)(items[i].depth + 1);
	if (depth > VALUE_DEPTH_MAX)
		return (struct value){0};
	return (struct value){
		.kind = VALUE_LIST, .lasting = lasting, .depth = depth, .count = count, .items = items};
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
	case VALUE_RECORD:
		return v->text.n != 0;
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
	case VALUE_RECORD:
		return str_eq(a->text, b->text);
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

static uint32_t count_elements(struct str json)
{
	struct pick p;
	uint32_t n = 0;

	for (bool more = pick_first(json, '[', &p); more && n <= VALUE_LIST_MAX; more = pick_next(&p))
		n++;
	return n;
}

static struct value value_at(struct str json, bool lasting, unsigned depth, struct memory *m);

static struct value list_of_json(struct str json, bool lasting, unsigned depth, struct memory *m)
{
	uint32_t count = count_elements(json), i = 0;
	struct value *items;
	struct pick p;

	if (depth == VALUE_DEPTH_MAX)
		return (struct value){0};
	if (count > VALUE_LIST_MAX) {
		m->overflowed = true;
		return (struct value){0};
	}
	items = memory_take(m, count * sizeof(*items));
	if (!items)
		return (struct value){0};
	for (bool more = pick_first(json, '[', &p); more && i < count; more = pick_next(&p))
		items[i++] = value_at(p.value, lasting, depth + 1, m);
	return value_list(items, count, lasting);
}

static struct value value_at(struct str json, bool lasting, unsigned depth, struct memory *m)
{
	double number;

	switch (json.n ? json.p[0] : 'n') {
	case '{':
		return (struct value){.kind = VALUE_RECORD, .lasting = lasting, .text = json};
	case '[':
		return list_of_json(json, lasting, depth, m);
	case '"':
		return text_of_json(json, lasting, m);
	case 't':
	case 'f':
		return value_bool(json.p[0] == 't');
	default:
		return str_to_f64(json, &number) ? value_number(number) : (struct value){0};
	}
}

struct value value_of_json(struct str json, bool lasting, struct memory *m)
{
	return value_at(json, lasting, 0, m);
}

struct value value_member(const struct value *record, struct str name, struct memory *m)
{
	struct value v = {0};
	struct str found;

	if (record->kind != VALUE_RECORD || !pick_member(record->text, name, &found))
		return v;
	v = value_of_json(found, false, m);
	/* What was made in m does not last; what points into the record does if that does. */
	if (v.kind == VALUE_RECORD || (v.kind == VALUE_TEXT && v.text.p == found.p + 1))
		v.lasting = record->lasting;
	return v;
}

/* ---- kept ---- */

static struct value keep_list(const struct value *v, struct memory *m)
{
	struct value *items = memory_take(m, v->count * sizeof(*items));

	if (!items)
		return (struct value){0};
	for (uint32_t i = 0; i < v->count; i++)
		items[i] = value_keep(&v->items[i], m);
	return value_list(items, v->count, true);
}

struct value value_keep(const struct value *v, struct memory *m)
{
	struct value kept = *v;

	switch (v->kind) {
	case VALUE_NULL:
	case VALUE_BOOL:
	case VALUE_NUMBER:
		return kept;
	case VALUE_TEXT:
	case VALUE_RECORD:
		if (v->lasting)
			return kept;
		kept.text = memory_str(m, v->text);
		kept.lasting = true;
		return m->overflowed ? (struct value){0} : kept;
	case VALUE_LIST:
		return v->lasting ? kept : keep_list(v, m);
	}
	return kept;
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
		json_real(v->number, b);
		return;
	case VALUE_TEXT:
		buf_json_text(b, v->text);
		return;
	case VALUE_RECORD:
		buf_str_add(b, v->text);
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
