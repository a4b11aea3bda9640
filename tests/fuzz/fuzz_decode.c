/*
 * What decodes, encodes, and decodes again to the same bytes; and the decoder calls malformed just what
 * json_check() calls malformed.
 *
 * The first byte, a digit, chooses the type (of tests/unit/json_kit/shapes.def), the rest is the text.
 */
#include "base/magic.h"
#include "spec/types.h"

#include <string.h>

enum { STRUCT_MAX = 2048, ARENA_MAX = 1 << 22 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Encodes, decodes and encodes again. The first struct owns its text by then, so nothing hangs on the input. */
static void there_and_back(const struct json_type *t, const void *in, struct arena *a)
{
	_Alignas(16) char out[STRUCT_MAX];
	struct buf first = BUF_INIT(0), again = BUF_INIT(0), shown = BUF_INIT(0);

	json_encode(t, in, 0, &first);
	CHECK(buf_ok(&first));
	CHECK(json_check(buf_str(&first), NULL) == OK);
	CHECK(json_decode(t, buf_str(&first), 0, a, out, NULL) == OK);
	json_encode(t, out, 0, &again);
	CHECK(str_eq(buf_str(&first), buf_str(&again)));
	for (uint32_t i = 0; i < t->field_count; i++)
		json_show_field(t, i, in, &shown);
	CHECK(str_is_utf8(buf_str(&shown)));
	buf_free(&first);
	buf_free(&again);
	buf_free(&shown);
}

static void check_problem(enum err e, const struct problem *p)
{
	CHECK(p->err == e && p->detail[0]);
	CHECK(str_is_utf8(str_of(p->detail)));
	for (unsigned i = 0; i < p->field_count; i++)
		CHECK(str_is_utf8(str_of(p->fields[i].field)) && str_is_utf8(str_of(p->fields[i].detail)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_Alignas(16) char out[STRUCT_MAX];
	const struct json_type *t = spec_types[size ? (uint8_t)(data[0] - '0') % spec_type_count : 0];
	struct str text = {(const char *)data + (size != 0), size - (size != 0)};
	struct arena *a = arena_new(ARENA_MAX);
	struct problem p = {0};
	enum err e, checked = json_check(text, NULL);

	CHECK(t->size <= sizeof(out));
	memset(out, 0x5a, sizeof(out));
	e = json_decode(t, text, 0, a, out, &p);
	CHECK(e == ERR_TOO_LARGE || (e == ERR_MALFORMED) == (checked == ERR_MALFORMED));
	if (e)
		check_problem(e, &p);
	if (e == OK) {
		json_own(t, a, out);
		there_and_back(t, out, a);
	}
	arena_destroy(&a);
	return 0;
}
