/*
 * Any text as an expression: a fault that can be printed and says where, or a value that is the same again for the same
 * draws, whose numbers are finite, and which can be written as JSON.
 */
#include "tests/unit/sim_kit/expr_env.h"
#include "json/json.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_fault(enum err e, const struct problem *p)
{
	CHECK(e == ERR_INVALID || e == ERR_TOO_LARGE);
	CHECK(p->err == e && p->detail[0] && str_is_utf8(str_of(p->detail)));
}

/* The value as JSON, or why there is none. */
static void evaluate(struct kit *k, const struct expr *e, struct buf *out)
{
	struct value v;

	draws_begin(&k->draws, 7, DRAW_SESSION, 1, 2, 3);
	memory_clear(&k->memory);
	k->env.failed = false;
	v = expr_value(e, &k->env);
	if (k->env.failed) {
		CHECK(k->env.failure[0] && v.kind == VALUE_NULL);
		buf_z(out, k->env.failure);
		return;
	}
	CHECK(v.kind != VALUE_NUMBER || isfinite(v.number));
	value_json(&v, out);
	CHECK(!buf_ok(out) || json_check(buf_str(out), NULL) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct buf one = BUF_INIT(1 << 20), other = BUF_INIT(1 << 20);
	const struct expr *e = NULL;
	struct problem p = {0};
	struct kit k;
	enum err err;

	if (!str_is_utf8(text) || memchr(data, 0, size)) /* JSON, out of which expressions come, has no others */
		return 0;
	kit_begin(&k);
	err = expr_compile(text, &kit_names, k.arena, &e, &p);
	if (err) {
		check_fault(err, &p);
	} else {
		evaluate(&k, e, &one);
		evaluate(&k, e, &other);
		CHECK(str_eq(buf_str(&one), buf_str(&other)));
		if (expr_is_constant(e))
			CHECK(!k.env.failed);
	}
	buf_free(&one);
	buf_free(&other);
	kit_end(&k);
	return 0;
}
