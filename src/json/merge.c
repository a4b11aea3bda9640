/*
 * JSON Merge Patch (RFC 7396) on texts: what the patch does not name keeps its bytes.
 *
 * Both texts have been checked, so scanning them again cannot fail; their nesting is bounded, and so is what comes
 * out.
 */
#include "json/json_priv.h"

#include "base/magic.h"
#include "base/map.h"

#include <string.h>

struct merge_member {
	struct str written; /* the name with its quotes */
	struct str name;    /* what it means */
	struct str value;
	struct merge_member *same; /* of the same hash */
	bool met;
};

struct merge_object {
	struct merge_member *v;
	size_t n;
	struct map by_name;
};

static bool is_object(struct str json)
{
	return str_starts(str_trim(json), STR("{"));
}

static bool is_null(struct str json)
{
	return str_eqz(str_trim(json), "null");
}

static struct str meaning_of(struct scan_text text, struct arena *a)
{
	char *copy = text.escaped ? arena_alloc(a, text.raw.n) : NULL;

	return copy ? (struct str){copy, text_unescape(text.raw, copy)} : text.raw;
}

/* A member takes at least five bytes of text: "":0, */
static void read_members(struct str json, struct arena *a, struct merge_object *o)
{
	struct scan s;
	struct scan_text name;

	*o = (struct merge_object){.v = ARENA_ARRAY(a, struct merge_member, json.n / 5 + 1)};
	if (!o->v || !is_object(json))
		return;
	scan_init(&s, json, NULL);
	scan_peek(&s);
	for (enum scan_step step = scan_open(&s, '}'); step == SCAN_MORE; step = scan_next(&s, '}')) {
		struct merge_member *m = &o->v[o->n++];

		CHECK(scan_name(&s, &name) && scan_value(&s, &m->value));
		m->written = (struct str){name.raw.p - 1, name.raw.n + 2};
		m->name = meaning_of(name, a);
		m->same = map_put(&o->by_name, str_hash(m->name), m);
	}
	scan_free(&s);
}

static struct merge_member *find(const struct merge_object *o, struct str name)
{
	struct merge_member *m = map_get(&o->by_name, str_hash(name));

	while (m && !str_eq(m->name, name))
		m = m->same;
	return m;
}

static void merge(struct str target, struct str patch, struct arena *a, struct buf *to);

static void put_name(struct str name, struct buf *to)
{
	if (to->n && to->p[to->n - 1] != '{')
		buf_c(to, ',');
	buf_str_add(to, name);
	buf_c(to, ':');
}

static void put_merged(struct str name, struct str target, struct str patch, struct arena *a, struct buf *to)
{
	if (is_null(patch))
		return;
	put_name(name, to);
	merge(target, patch, a, to);
}

static void merge_objects(struct merge_object *target, struct merge_object *patch, struct arena *a, struct buf *to)
{
	buf_c(to, '{');
	for (size_t i = 0; i < target->n; i++) {
		const struct merge_member *was = &target->v[i];
		struct merge_member *now = find(patch, was->name);

		if (now) {
			now->met = true;
			put_merged(was->written, was->value, now->value, a, to);
		} else {
			put_name(was->written, to);
			buf_str_add(to, was->value);
		}
	}
	for (size_t i = 0; i < patch->n; i++)
		if (!patch->v[i].met)
			put_merged(patch->v[i].written, (struct str){0}, patch->v[i].value, a, to);
	buf_c(to, '}');
}

static void merge(struct str target, struct str patch, struct arena *a, struct buf *to)
{
	struct merge_object was, given;

	if (!is_object(patch)) {
		buf_str_add(to, str_trim(patch));
		return;
	}
	read_members(target, a, &was);
	read_members(patch, a, &given);
	merge_objects(&was, &given, a, to);
	map_free(&was.by_name);
	map_free(&given.by_name);
}

enum err json_merge(struct str target, struct str patch, struct arena *a, struct buf *to)
{
	merge(target, patch, a, to);
	return arena_overflowed(a) || !buf_ok(to) ? ERR_TOO_LARGE : OK;
}
