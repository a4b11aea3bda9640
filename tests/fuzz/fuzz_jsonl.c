/*
 * Whatever the lines are: each one that is not blank is either an item or a fault, and the order holds.
 */
#include "base/magic.h"
#include "import/import.h"

enum { ARENA_MAX = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_lines(struct str text)
{
	size_t n = 0;

	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = (struct str){text.p + 3, text.n - 3};
	while (text.n)
		n += str_trim(str_cut(text, '\n', &text)).n > 0;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct import_options options = {.type = STR("given")};
	struct str text = {(const char *)data, size};
	struct arena *a = arena_new(ARENA_MAX);
	struct import_result r;

	if (import_jsonl(text, &options, a, &r) == OK) {
		CHECK(r.item_count + r.fault_count == count_lines(text));
		for (size_t i = 0; i < r.item_count; i++)
			for (size_t k = 0; k < r.items[i].work.depends_on_count; k++)
				CHECK(r.items[i].waits_for[k] < i || r.items[i].waits_for[k] == IMPORT_OUTSIDE);
	}
	arena_destroy(&a);
	return 0;
}
