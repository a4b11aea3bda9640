/*
 * Changing a file of a town: what comes out is read back as the change that was meant, and every byte outside it is
 * as it was.
 *
 * Input: the way on the first line ("role_agents/:witness", a colon marks a key of a map), the value on the second,
 * the file behind them.
 */
#include "base/magic.h"
#include "tests/unit/roles_kit/edits.h"

#include <stdio.h>

enum { ARENA_MAX = 256 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const char *wrong, const struct doc *d, struct str out)
{
	if (wrong)
		fprintf(stderr, "%s:\n%.*s\nbecame\n%.*s\n", wrong, STRF(d->text), STRF(out));
	CHECK(!wrong);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size}, way, value, out;
	struct arena *a = arena_new(ARENA_MAX);
	struct doc d = {.path = STR("f.json")};
	struct way w;

	way = str_cut(text, '\n', &text);
	value = str_cut(text, '\n', &text);
	w = way_of(way);
	if (text.n == 0 || doc_parse(STR("f.json"), text, a, &d, NULL) == OK) {
		judge(judge_set(&d, &w, value, a, &out), &d, out);
		judge(d.root ? judge_unset(&d, &w, a, &out) : NULL, &d, out);
	}
	arena_destroy(&a);
	return 0;
}
