/*
 * The canonical form and the merge patch: the examples of their RFCs, and what must not come in.
 * tests/unit/test_json_canon.py holds the canonical form beside Python's own.
 */
#include "harness.h"

#include "json/json.h"

#include "json_kit/fill.h"

struct kit {
	struct arena *arena;
	struct buf buf;
};

static int open_kit(void **state)
{
	struct kit *k = calloc(1, sizeof(*k));

	k->arena = arena_new(1 << 20);
	*state = k;
	return 0;
}

static int close_kit(void **state)
{
	struct kit *k = *state;

	buf_free(&k->buf);
	arena_destroy(&k->arena);
	free(k);
	return 0;
}

static void canonical(struct kit *k, const char *text, const char *expected)
{
	struct problem p = {0};

	buf_reset(&k->buf);
	if (json_canonical(str_of(text), k->arena, &k->buf, &p) != OK)
		fail_msg("%s: %s", text, p.detail);
	if (!str_eqz(buf_str(&k->buf), expected))
		fail_msg("%s became %s, not %s", text, buf_cstr(&k->buf), expected);
}

static void the_example_of_rfc_8785(void **state)
{
	canonical(*state,
		  "{\n \"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],\n"
		  " \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\n"
		  " \"literals\": [null, true, false]\n}",
		  "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
		  "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

/* The test of its section 3.2.3: a pair of surrogates stands before U+FB33, though its bytes stand behind. */
static void members_stand_in_the_order_of_utf_16(void **state)
{
	canonical(
		*state,
		"{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}",
		"{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,\"\xf0\x9f\x98\x80\":5,"
		"\"\xef\xac\xb3\":3}");
	canonical(*state, "{\"aa\":1,\"a\":{\"c\":[{}],\"b\":2},\"\":3}",
		  "{\"\":3,\"a\":{\"b\":2,\"c\":[{}]},\"aa\":1}");
}

static void numbers_as_ecmascript_writes_them(void **state)
{
	static const char *const pairs[][2] = {
		{"0", "0"},
		{"-0", "0"},
		{"-0.0e5", "0"},
		{"10.0", "10"},
		{"1e2", "100"},
		{"100000000000000000000", "100000000000000000000"},
		{"1e21", "1e+21"},
		{"123456789012345678901", "123456789012345680000"},
		{"0.000001", "0.000001"},
		{"0.0000001", "1e-7"},
		{"-1.5e-9", "-1.5e-9"},
		{"5e-324", "5e-324"},
		{"1.7976931348623157e308", "1.7976931348623157e+308"},
		{"9007199254740993", "9007199254740992"},
		{"0.1", "0.1"},
		{"12.5", "12.5"},
	};

	for (unsigned i = 0; i < COUNT_OF(pairs); i++)
		canonical(*state, pairs[i][0], pairs[i][1]);
}

static void what_has_no_canonical_form(void **state)
{
	static const char *const refused[] = {
		"",    "1e999", "-1e999", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "[1,]", "\"\\u0000\"",
		"nul", "1 2",   "{",
	};
	struct kit *k = *state;

	for (unsigned i = 0; i < COUNT_OF(refused); i++)
		assert_row(refused[i],
			   json_canonical(str_of(refused[i]), k->arena, &k->buf, NULL) == ERR_MALFORMED);
}

static void a_canonical_text_stays_what_it_is(void **state)
{
	struct kit *k = *state;
	struct rng r = test_seed();
	struct buf again = {0};

	for (unsigned i = 0; i < 3000; i++) {
		buf_reset(&k->buf);
		buf_reset(&again);
		if (json_canonical(fill_json(&r, k->arena, 2000), k->arena, &k->buf, NULL) != OK)
			continue; /* a number past a double's range */
		assert_int_equal(json_canonical(buf_str(&k->buf), k->arena, &again, NULL), OK);
		assert_true(str_eq(buf_str(&k->buf), buf_str(&again)));
		arena_reset(k->arena);
	}
	buf_free(&again);
}

static void a_full_buffer_is_said(void **state)
{
	struct kit *k = *state;
	struct buf small = BUF_INIT(8);

	assert_int_equal(json_canonical(STR("{\"a\":\"long enough\",\"b\":1}"), k->arena, &small, NULL),
			 ERR_TOO_LARGE);
	buf_free(&small);
}

/* ---- merge patches ---- */

/* Appendix A of RFC 7396, and the last rows: what is not named keeps its bytes, names with escapes are names. */
static void the_examples_of_rfc_7396(void **state)
{
	static const char *const rows[][3] = {
		{"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
		{"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
		{"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
		{"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
		{"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
		{"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
		{"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
		{"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
		{"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
		{"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
		{"{\"a\":\"foo\"}", "null", "null"},
		{"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
		{"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
		{"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
		{"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
		{"", "{\"a\":null,\"b\":{\"c\":null}}", "{\"b\":{}}"},
		{"{ \"x\" : [ 1.0 , {\"y\":null} ] }", "{}", "{\"x\":[ 1.0 , {\"y\":null} ]}"},
		{"{\"a\\u0062\":1}", "{\"\\u0061b\":2}", "{\"a\\u0062\":2}"},
	};
	struct kit *k = *state;

	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		buf_reset(&k->buf);
		assert_int_equal(json_merge(str_of(rows[i][0]), str_of(rows[i][1]), k->arena, &k->buf), OK);
		if (!str_eqz(buf_str(&k->buf), rows[i][2]))
			fail_msg("%s patched with %s is %s", rows[i][0], rows[i][1], buf_cstr(&k->buf));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_example_of_rfc_8785, open_kit, close_kit),
		cmocka_unit_test_setup_teardown(members_stand_in_the_order_of_utf_16, open_kit, close_kit),
		cmocka_unit_test_setup_teardown(numbers_as_ecmascript_writes_them, open_kit, close_kit),
		cmocka_unit_test_setup_teardown(what_has_no_canonical_form, open_kit, close_kit),
		cmocka_unit_test_setup_teardown(a_canonical_text_stays_what_it_is, open_kit, close_kit),
		cmocka_unit_test_setup_teardown(a_full_buffer_is_said, open_kit, close_kit),
		cmocka_unit_test_setup_teardown(the_examples_of_rfc_7396, open_kit, close_kit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
