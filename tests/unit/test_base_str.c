/* Text: comparing, cutting, numbers, durations, UTF-8, hashes and edit distance. */
#include "harness.h"

#include <float.h>
#include <inttypes.h>

static void texts_compare_by_their_bytes(void **state)
{
	(void)state;
	assert_true(str_eq(str_of(NULL), STR("")));
	assert_true(str_eqz((struct str){"abc", 2}, "ab"));
	assert_false(str_eqz(STR("ab"), "abc"));
	assert_true(str_eq_nocase(STR("Content-Type"), STR("content-tYPE")));
	assert_true(str_eq_nocase(STR("AZ"), STR("az")));
	assert_false(str_eq_nocase(STR("a"), STR("b")));
	assert_false(str_eq_nocase(STR("a"), STR("ab")));
	assert_false(str_eq_nocase(STR("["), STR("{"))); /* differ by 32 as letters do */
	assert_true(str_cmp(STR("a"), STR("b")) < 0);
	assert_true(str_cmp(STR("ab"), STR("a")) > 0);
	assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
	assert_true(str_cmp((struct str){0}, STR("")) == 0);
	assert_true(str_cmp((struct str){0}, STR("a")) < 0);
	assert_true(str_starts(STR("w_1"), STR("w_")));
	assert_true(str_starts(STR("w_1"), (struct str){0}));
	assert_true(str_starts(STR("w_"), STR("w_")));
	assert_false(str_starts(STR("w"), STR("w_")));
	assert_false(str_starts(STR("ag_1"), STR("w_")));
}

static void trimming_takes_space_from_both_ends_only(void **state)
{
	(void)state;
	assert_str(str_trim(STR(" \t\r\na b\n ")), "a b");
	assert_str(str_trim(STR(" \n ")), "");
	assert_str(str_trim((struct str){0}), "");
}

static void cutting_tells_an_empty_rest_from_none(void **state)
{
	struct str rest;

	(void)state;
	assert_str(str_cut(STR("key=value=x"), '=', &rest), "key");
	assert_str(rest, "value=x");
	assert_str(str_cut(STR("key="), '=', &rest), "key");
	assert_str(rest, "");
	assert_non_null(rest.p);
	assert_str(str_cut(STR("key"), '=', &rest), "key");
	assert_null(rest.p);
	assert_str(str_cut((struct str){0}, '=', &rest), "");
	assert_null(rest.p);
}

static void integers_are_read_whole_or_not_at_all(void **state)
{
	static const char *const wrong[] = {"",
					    "-",
					    "+1",
					    " 1",
					    "1 ",
					    "--1",
					    "1.0",
					    "0x1",
					    "1e3",
					    "-+1",
					    "9223372036854775808",
					    "-9223372036854775809",
					    "99999999999999999999"};
	int64_t v = 42;

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(wrong); i++)
		assert_false(str_to_i64(str_of(wrong[i]), &v));
	assert_false(str_to_i64((struct str){0}, &v));
	assert_false(str_to_i64((struct str){"1\0", 2}, &v));
	assert_int_equal(v, 42);
	assert_true(str_to_i64((struct str){"123", 2}, &v) && v == 12); /* not beyond the end */
	assert_true(str_to_i64(STR("-0"), &v) && v == 0);
	assert_true(str_to_i64(STR("007"), &v) && v == 7);
	assert_true(str_to_i64(STR("9223372036854775807"), &v) && v == INT64_MAX);
	assert_true(str_to_i64(STR("-9223372036854775808"), &v) && v == INT64_MIN);
}

static void any_integer_comes_back_from_its_text(void **state)
{
	struct rng r = test_seed();

	(void)state;
	for (int i = 0; i < 2000; i++) {
		int64_t v = (int64_t)rng_u64(&r) >> rng_below(&r, 64), back;
		char text[32];

		snprintf(text, sizeof(text), "%" PRId64, v);
		assert_true(str_to_i64(str_of(text), &back));
		assert_true(back == v);
	}
}

static void reals_are_decimal_and_finite(void **state)
{
	static const char *const wrong[] = {"",      "-",   ".",    "1.",  ".5",    "+1",  " 1",
					    "1 ",    "1e",  "1e+",  "0x1", "inf",   "nan", "-inf",
					    "1e999", "1,5", "1.5.", "--1", "1e5.5", "1.e5"};
	char many[600];
	double v = 42;

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(wrong); i++)
		assert_false(str_to_f64(str_of(wrong[i]), &v));
	memset(many, '1', sizeof(many));
	assert_false(str_to_f64((struct str){many, sizeof(many)}, &v));
	assert_false(str_to_f64((struct str){many, 400}, &v)); /* over DBL_MAX */
	assert_true(v == 42);
	assert_true(str_to_f64((struct str){"1.55", 3}, &v) && v == 1.5);
	assert_true(str_to_f64((struct str){"1.55", 1}, &v) && v == 1);
	assert_false(str_to_f64((struct str){"1.55", 2}, &v));
	memset(many, '0', 512);
	assert_true(str_to_f64((struct str){many, 511}, &v) && v == 0);
	assert_false(str_to_f64((struct str){many, 512}, &v)); /* our bound */
	assert_true(str_to_f64(STR("-0.25e+2"), &v) && v == -25);
	assert_true(str_to_f64(STR("1E-400"), &v) && v == 0);
	assert_true(str_to_f64(STR("7"), &v) && v == 7);
	assert_true(str_to_f64(STR("1.7976931348623157e308"), &v) && v == DBL_MAX);
}

static void any_real_comes_back_from_its_text(void **state)
{
	struct rng r = test_seed();

	(void)state;
	for (int i = 0; i < 2000; i++) {
		uint64_t bits = rng_u64(&r) & ~((uint64_t)1 << 62); /* never all ones in the exponent: finite */
		double v, back;
		char text[64];

		memcpy(&v, &bits, sizeof(v));
		snprintf(text, sizeof(text), "%.17g", v);
		assert_true(str_to_f64(str_of(text), &back));
		assert_memory_equal(&back, &v, sizeof(v));
	}
}

static void durations_have_units(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {{"0", 0},       {"1500", 1500},  {"250ms", 250},   {"30s", 30000},
		     {"5m", 300000}, {"2h", 7200000}, {"1d", 86400000}, {"106751991167d", 106751991167 * 86400000}};
	static const char *const wrong[] = {"",
					    "s",
					    "-5s",
					    "+5s",
					    "5 s",
					    "5S",
					    "5min",
					    "1.5h",
					    "1h30m",
					    "5sm",
					    "ms",
					    "106751991168d",
					    "9223372036854775808"};
	int64_t ms = 42;

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		assert_true(str_to_ms(str_of(cases[i].text), &ms));
		assert_int_equal(ms, cases[i].ms);
	}
	for (unsigned i = 0; i < COUNT_OF(wrong); i++)
		assert_false(str_to_ms(str_of(wrong[i]), &ms));
	assert_false(str_to_ms((struct str){0}, &ms));
}

static void every_character_is_utf8_and_no_part_of_it(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		char bytes[4];
		struct str s = {bytes, str_utf8_put(c, bytes)};

		assert_true(str_utf8_step(s) == (str_is_surrogate((int32_t)c) ? 0 : s.n));
		for (size_t n = 1; n < s.n; n++)
			assert_true(str_utf8_step((struct str){s.p, n}) == 0);
	}
}

/* The examples of RFC 3629, and the edges of each length. */
static void code_points_are_written_as_utf8(void **state)
{
	static const struct {
		uint32_t c;
		const char *bytes;
	} cases[] = {{0x41, "A"},
		     {0x7f, "\x7f"},
		     {0x80, "\xc2\x80"},
		     {0x7ff, "\xdf\xbf"},
		     {0x800, "\xe0\xa0\x80"},
		     {0x2262, "\xe2\x89\xa2"},
		     {0xffff, "\xef\xbf\xbf"},
		     {0x10000, "\xf0\x90\x80\x80"},
		     {0x233b4, "\xf0\xa3\x8e\xb4"},
		     {0x10ffff, "\xf4\x8f\xbf\xbf"}};
	char bytes[4];

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(cases); i++)
		assert_true(str_eqz((struct str){bytes, str_utf8_put(cases[i].c, bytes)}, cases[i].bytes));
	assert_int_equal(str_utf8_put(0, bytes), 1);
	assert_int_equal(bytes[0], 0);
}

static void an_escape_is_one_code_point_or_half_a_pair(void **state)
{
	static const struct {
		const char *text;
		int32_t c;
		size_t bytes;
	} rows[] = {
		{"\\u0041", 0x41, 6},
		{"\\u00e9x", 0xe9, 6},
		{"\\uFfFd", 0xfffd, 6},
		{"\\u0000", 0, 6},
		{"\\ud83d\\ude00", 0x1f600, 12},
		{"\\udbff\\udfff", 0x10ffff, 12},
		{"\\ud800\\udc00x", 0x10000, 12},
		{"\\ud83d", 0xd83d, 6},
		{"\\ud83dude00", 0xd83d, 6},
		{"\\ud83d\\u0041", 0xd83d, 6},
		{"\\ud83d\\ud83d", 0xd83d, 6},
		{"\\ud83d\\ude0", 0xd83d, 6},
		{"\\ude00\\ud83d", 0xde00, 6},
	};
	static const char *const wrong[] = {"",        "\\",    "\\u",     "\\u004", "\\u00g1",
					    "\\U0041", "u0041", "\\u 041", "\\u+041"};
	size_t bytes;

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		assert_row(rows[i].text, str_unicode_escape(str_of(rows[i].text), &bytes) == rows[i].c);
		assert_row(rows[i].text, bytes == rows[i].bytes);
	}
	for (unsigned i = 0; i < COUNT_OF(wrong); i++)
		assert_row(wrong[i], str_unicode_escape(str_of(wrong[i]), &bytes) == -1);
	assert_int_equal(str_unicode_escape((struct str){"\\u0041", 5}, &bytes),
			 -1); /* what stands behind it is not ours */
}

/* Since all characters pass, counting what passes shows that nothing else does: overlong forms, for one. */
static void nothing_but_a_character_is_utf8(void **state)
{
	static const unsigned char edge[] = {0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff};
	unsigned passed[5] = {0};
	unsigned char b[4];

	(void)state;
	for (unsigned first = 0; first < 256; first++)
		for (unsigned second = 0; second < 256; second++)
			for (unsigned i = 0; i < COUNT_OF(edge) * COUNT_OF(edge); i++) {
				b[0] = (unsigned char)first;
				b[1] = (unsigned char)second;
				b[2] = edge[i / COUNT_OF(edge)];
				b[3] = edge[i % COUNT_OF(edge)];
				passed[str_utf8_step((struct str){(char *)b, 4})]++;
			}
	assert_int_equal(passed[1], 128 * 256 * 36);
	assert_int_equal(passed[2], (0x800 - 0x80) * 36);
	assert_int_equal(passed[3], (0x10000 - 0x800 - 0x800) / 64 * 2 * 6); /* two of 64 third bytes were tried */
	assert_int_equal(passed[4], 0x100000 / 64 / 64 * 4);
}

static void a_fault_is_found_at_any_place_of_a_long_text(void **state)
{
	(void)state;
	for (size_t at = 0; at < 40; at++) {
		char text[40];

		memset(text, 'a', sizeof(text));
		assert_true(str_is_utf8((struct str){text, sizeof(text)}));
		text[at] = '\xe9';
		assert_false(str_is_utf8((struct str){text, sizeof(text)}));
		if (at + 2 < sizeof(text)) {
			memcpy(text + at, "\xe2\x82\xac", 3);
			assert_true(str_is_utf8((struct str){text, sizeof(text)}));
			assert_false(str_is_utf8((struct str){text, at + 2}));
		}
	}
	assert_true(str_is_utf8((struct str){0}));
	assert_false(str_is_utf8(STR("\xc0\xaf")));         /* overlong '/' */
	assert_false(str_is_utf8(STR("\xed\xa0\xbd")));     /* half a surrogate pair */
	assert_false(str_is_utf8(STR("\xf4\x90\x80\x80"))); /* past U+10FFFF */
}

static void hashes_are_xxh3(void **state)
{
	(void)state;
	assert_true(str_hash((struct str){0}) == 0x2d06800538d394c2); /* of no bytes, by the specification */
	assert_true(str_hash(STR("a")) != str_hash(STR("b")));
	assert_true(str_hash_seed(STR("a"), 0) == str_hash(STR("a")));
	assert_true(str_hash_seed(STR("a"), 1) != str_hash(STR("a")));
}

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* By the definition. */
static size_t naive_distance(struct str a, struct str b)
{
	struct str a1 = {a.p + 1, a.n - 1}, b1 = {b.p + 1, b.n - 1};

	if (a.n == 0 || b.n == 0)
		return a.n + b.n;
	if (a.p[0] == b.p[0])
		return naive_distance(a1, b1);
	return 1 + min(naive_distance(a1, b1), min(naive_distance(a, b1), naive_distance(a1, b)));
}

static void edit_distance_matches_its_definition_up_to_the_limit(void **state)
{
	struct rng r = test_seed();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char x[7], y[7];
		struct str a = {x, rng_below(&r, sizeof(x))}, b = {y, rng_below(&r, sizeof(y))};
		unsigned limit = (unsigned)rng_below(&r, 8);

		for (size_t j = 0; j < sizeof(x); j++) {
			x[j] = (char)('a' + rng_below(&r, 3));
			y[j] = (char)('a' + rng_below(&r, 3));
		}
		assert_int_equal(str_distance(a, b, limit), min(naive_distance(a, b), limit + 1));
	}
	assert_int_equal(str_distance(STR("priorty"), STR("priority"), 2), 1);
	assert_int_equal(str_distance((struct str){0}, (struct str){0}, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_compare_by_their_bytes),
		cmocka_unit_test(trimming_takes_space_from_both_ends_only),
		cmocka_unit_test(cutting_tells_an_empty_rest_from_none),
		cmocka_unit_test(integers_are_read_whole_or_not_at_all),
		cmocka_unit_test(any_integer_comes_back_from_its_text),
		cmocka_unit_test(reals_are_decimal_and_finite),
		cmocka_unit_test(any_real_comes_back_from_its_text),
		cmocka_unit_test(durations_have_units),
		cmocka_unit_test(every_character_is_utf8_and_no_part_of_it),
		cmocka_unit_test(code_points_are_written_as_utf8),
		cmocka_unit_test(an_escape_is_one_code_point_or_half_a_pair),
		cmocka_unit_test(nothing_but_a_character_is_utf8),
		cmocka_unit_test(a_fault_is_found_at_any_place_of_a_long_text),
		cmocka_unit_test(hashes_are_xxh3),
		cmocka_unit_test(edit_distance_matches_its_definition_up_to_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
