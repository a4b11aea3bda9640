/*
 * The canonical form of whatever is JSON: it is JSON, and its own canonical form. And a merge patch, the first line
 * of the input being the target and the rest the patch: what comes out is JSON, and merging it again changes
 * nothing where the patch is the empty object.
 */
#include "base/magic.h"
#include "json/json.h"

enum { ARENA_MAX = 8 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void canonical(struct str text, struct arena *a)
{
	struct buf once = {0}, twice = {0};

	if (json_canonical(text, a, &once, NULL) == OK) {
		CHECK(json_check(text, NULL) == OK);
		CHECK(json_canonical(buf_str(&once), a, &twice, NULL) == OK);
		CHECK(str_eq(buf_str(&once), buf_str(&twice)));
	}
	buf_free(&once);
	buf_free(&twice);
}

static void merged(struct str target, struct str patch, struct arena *a)
{
	struct buf out = {0};

	if (json_check(target, NULL) != OK || json_check(patch, NULL) != OK)
		return;
	CHECK(json_merge(target, patch, a, &out) == OK);
	CHECK(json_check(buf_str(&out), NULL) == OK);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size}, rest;
	struct str line = str_cut(text, '\n', &rest);
	struct arena *a = arena_new(ARENA_MAX);

	canonical(text, a);
	merged(line, rest, a);
	arena_destroy(&a);
	return 0;
}
