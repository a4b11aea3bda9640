/*
 * Whatever the text is: the importer ends, items stand after what they wait for, keys can be parts of paths, and
 * what it makes is what the server would take.
 */
#include "base/magic.h"
#include "import/import.h"

enum { ARENA_MAX = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_item(const struct import_result *r, size_t i, struct arena *a)
{
	const struct work_new *w = &r->items[i].work;
	struct buf b = BUF_INIT(0);
	struct work_new again;

	CHECK(r->items[i].line > 0);
	for (size_t k = 0; k < w->key.n; k++)
		CHECK(w->key.p[k] != '/' && w->key.p[k] != '\0');
	for (size_t k = 0; k < w->depends_on_count; k++)
		CHECK(r->items[i].waits_for[k] < i);
	json_encode(&type_work_new, w, 0, &b);
	CHECK(json_decode(&type_work_new, buf_str(&b), 0, a, &again, NULL) == OK);
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct import_options none = {0};
	struct arena *a = arena_new(ARENA_MAX);
	struct import_result r;

	if (import_dpkg((struct str){(const char *)data, size}, &none, a, &r) == OK)
		for (size_t i = 0; i < r.item_count; i++)
			check_item(&r, i, a);
	arena_destroy(&a);
	return 0;
}
