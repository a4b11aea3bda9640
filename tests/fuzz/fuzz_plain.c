/*
 * Values from plain text: what a field takes from a flag or a query string, encodes to JSON that it takes again.
 *
 * Each line of the input is tried on every field of `shape` (tests/unit/json_kit/shapes.def).
 */
#include "base/magic.h"
#include "spec/types.h"

enum { ARENA_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void set_every_field(struct shape *s, struct str text, struct arena *a)
{
	for (uint32_t i = 0; i < type_shape.field_count; i++) {
		struct problem p = {0};
		uint64_t seen = s->seen;
		enum err e = json_set_text(&type_shape, i, text, a, s, &p);

		if (e)
			CHECK(s->seen == seen && p.err == e && p.field_count == 1 && str_is_utf8(str_of(p.detail)));
		else
			CHECK(s->seen >> i & 1);
	}
}

static void there_and_back(const struct shape *s, struct arena *a)
{
	struct shape decoded;
	struct buf first = BUF_INIT(0), again = BUF_INIT(0);

	json_encode(&type_shape, s, 0, &first);
	CHECK(json_decode(&type_shape, buf_str(&first), 0, a, &decoded, NULL) == OK);
	json_encode(&type_shape, &decoded, 0, &again);
	CHECK(str_eq(buf_str(&first), buf_str(&again)));
	buf_free(&first);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *)data, size};
	struct arena *a = arena_new(ARENA_MAX);
	struct shape s = {.id = 1, .name = STR("n")};

	while (rest.p)
		set_every_field(&s, str_cut(rest, '\n', &rest), a);
	there_and_back(&s, a);
	arena_destroy(&a);
	return 0;
}
