/* Values of expressions, and the memory they live in. */
#include "harness.h"

#include "sim/value.h"

struct place {
	struct memory_stock stock;
	struct memory session, step;
};

static void begin(struct place *p)
{
	*p = (struct place){0};
	p->session = p->step = (struct memory){.stock = &p->stock, .max = 1 << 20};
}

static void end(struct place *p)
{
	memory_clear(&p->session);
	memory_clear(&p->step);
	memory_stock_free(&p->stock);
}

static void assert_json(const struct value *v, const char *json)
{
	struct buf b = BUF_INIT(1 << 20);

	value_json(v, &b);
	assert_string_equal(buf_cstr(&b), json);
	buf_free(&b);
}

static void json_comes_back_as_it_was(void **state)
{
	static const char *const texts[] = {"null", "true", "-1.5", "\"a\\\"b\"", "[1,[\"x\",{}],{\"a\": 1 }]",
					    "{}",   "[]"};
	struct place p;

	(void)state;
	begin(&p);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct value v = value_of_json(str_of(texts[i]), false, &p.step);

		assert_json(&v, texts[i]);
		assert_true(value_equal(&v, &v));
	}
	end(&p);
}

static void what_is_kept_outlives_where_it_was_made(void **state)
{
	char made[] = "[\"a\\n\",{\"k\":[1,\"b\"]},[[]]]";
	struct place p;
	struct value v, kept, member;

	(void)state;
	begin(&p);
	v = value_of_json(str_of(made), false, &p.step);
	kept = value_keep(&v, &p.session);
	memory_clear(&p.step);
	memset(made, 'x', sizeof(made) - 1);
	assert_json(&kept, "[\"a\\n\",{\"k\":[1,\"b\"]},[[]]]");
	assert_true(kept.lasting);
	member = value_member(&kept.items[1], STR("k"), &p.step);
	assert_json(&member, "[1,\"b\"]");
	assert_true(value_keep(&kept, &p.session).items == kept.items);
	end(&p);
}

static void lists_have_ends(void **state)
{
	struct buf b = BUF_INIT(1 << 20);
	struct place p;
	struct value v;

	(void)state;
	begin(&p);
	for (int i = 0; i < VALUE_DEPTH_MAX + 1; i++)
		buf_c(&b, '[');
	for (int i = 0; i < VALUE_DEPTH_MAX + 1; i++)
		buf_c(&b, ']');
	v = value_of_json(buf_str(&b), false, &p.step);
	assert_int_equal(v.depth, VALUE_DEPTH_MAX);
	buf_reset(&b);
	buf_c(&b, '[');
	for (int i = 0; i < VALUE_LIST_MAX; i++)
		buf_z(&b, "1,");
	buf_z(&b, "1]");
	v = value_of_json(buf_str(&b), false, &p.step);
	assert_true(v.kind == VALUE_NULL && p.step.overflowed);
	buf_free(&b);
	end(&p);
}

static void memory_goes_back_to_its_mark(void **state)
{
	struct memory_mark mark;
	struct place p;
	char *kept;
	uint64_t most;

	(void)state;
	begin(&p);
	kept = memory_take(&p.session, 100);
	memset(kept, 'k', 100);
	mark = memory_mark(&p.session);
	for (int i = 0; i < 100; i++)
		memset(memory_take(&p.session, 1000), 'x', 1000);
	memory_back_to(&p.session, mark);
	assert_int_equal(p.session.used, 104);
	assert_true(kept[0] == 'k' && kept[99] == 'k');
	most = p.stock.bytes;
	for (int i = 0; i < 100; i++)
		memory_take(&p.session, 1000);
#ifndef ARENA_EMULATION
	assert_true(p.stock.bytes == most);
#else
	(void)most;
#endif
	assert_null(memory_take(&p.session, 1 << 20));
	assert_true(p.session.overflowed);
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_comes_back_as_it_was),
		cmocka_unit_test(what_is_kept_outlives_where_it_was_made),
		cmocka_unit_test(lists_have_ends),
		cmocka_unit_test(memory_goes_back_to_its_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
