/*
 * Finding things in JSON that nobody has checked: what is found lies in the text, a walk ends, and of text that is JSON
 * what is found is JSON, and is the same by a pointer as by a walk.
 *
 * The first line is a JSON pointer, and a path as faults name it; the rest is the text.
 */
#include "base/magic.h"
#include "json/json.h"
#include "json/pick.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct str part, struct str whole)
{
	CHECK(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static bool is_json(struct str text)
{
	return json_check(text, NULL) == OK;
}

/* Elements and members, one level deep, and each by its own pointer. */
static void walk(struct str text, char bracket, bool sound)
{
	struct pick p;
	struct str again;
	char pointer[32];
	size_t count = 0;

	for (bool more = pick_first(text, bracket, &p); more; more = pick_next(&p)) {
		check_inside(p.value, text);
		check_inside(p.name, text);
		CHECK(p.value.n > 0);
		if (sound)
			CHECK(is_json(p.value));
		if (sound && bracket == '[') {
			snprintf(pointer, sizeof(pointer), "/%zu", count);
			CHECK(pick_pointer(text, str_of(pointer), &again) && again.p == p.value.p &&
			      again.n == p.value.n);
		}
		CHECK(++count <= text.n);
	}
}

static void find(struct str text, struct str pointer)
{
	char *room = must_alloc(text.n + 1);
	bool sound = is_json(text);
	struct str found = {0};

	if (pick_value(text.p, text.p + text.n, &found))
		check_inside(found, text);
	if (sound)
		CHECK(found.n > 0 && is_json(found));
	if (pick_pointer_valid(pointer) && pick_pointer(text, pointer, &found)) {
		check_inside(found, text);
		if (sound)
			CHECK(is_json(found));
		if (found.n >= 2 && found.p[0] == '"')
			CHECK(pick_unescape((struct str){found.p + 1, found.n - 2}, room) <= found.n);
	}
	check_inside(pick_path(text, pointer), text);
	if (pick_member(text, pointer, &found))
		check_inside(found, text);
	walk(text, '{', sound);
	walk(text, '[', sound);
	free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = {(const char *)data, size};
	const char *line = size ? memchr(data, '\n', size) : NULL;
	size_t n = line ? (size_t)(line - all.p) : 0;

	if (line)
		find((struct str){line + 1, size - n - 1}, (struct str){all.p, n});
	return 0;
}
