/* The grammar alone: what is JSON and what is not, and where it stops being so. */
#include "harness.h"

#include "json/json_priv.h"

static enum err check(const char *text)
{
	return json_check(str_of(text), NULL);
}

static void what_rfc_8259_allows(void **state)
{
	static const char *const valid[] = {
		"0",
		"-0",
		"-0.0",
		"0e0",
		"1E+2",
		"1e-2",
		"123.456e7",
		"1e9999",
		"123456789012345678901234567890",
		"\"\"",
		"\"a\"",
		"\"\x7f\"",
		"\"\\u0001\"",
		"\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
		"\"\\uD834\\udd1e\"",
		"\"\xe2\x80\xa8\"",
		"true",
		"false",
		"null",
		"[]",
		"[ ]",
		"{}",
		"{\t}",
		"[[],{},\"\",0,null]",
		"{\"\":0}",
		"{\"a\":{\"a\":{\"a\":1}}}",
		"[{\"a\":1},{\"a\":1}]",
		"{\"a\":1,\"b\":{\"a\":2},\"c\":[{\"a\":3,\"b\":4}]}",
		" \t\r\n1 \t\r\n",
	};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(valid); i++)
		assert_int_equal(check(valid[i]), OK);
}

static void assert_malformed(const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (check(texts[i]) != ERR_MALFORMED)
			fail_msg("taken for JSON: %s", texts[i]);
}

static void what_is_no_scalar(void **state)
{
	static const char *const invalid[] = {
		"",
		" ",
		"+1",
		"01",
		"-01",
		"-",
		"1.",
		".5",
		"1.e2",
		"1e",
		"1e+",
		"0x10",
		"1_000",
		"Infinity",
		"NaN",
		"-Infinity",
		"tru",
		"trueish",
		"True",
		"nul",
		"'a'",
		"\"a",
		"\"",
		"\"\\",
		"\"\\\"",
		"\"\\u\"",
		"\"\\u12\"",
		"\"\\u123",
		"\"\\x41\"",
		"\"\\a\"",
		"\"\\\n\"",
		"\"\\\xc3\xa9\"",
		"\"\t\"",
		"\"\x01\"",
		"\"\\u0000\"",
		"{\"\\u0000\":1}",
		"\"\\ud800\"",
		"\"\\ud800x\"",
		"\"\\ud800\\n\"",
		"\"\\ud800\\u0041\"",
		"\"\\ud800\\ud800\"",
		"\"\\udc00\"",
		"\"\\udc00\\ud800\"",
		"\"\x80\"",
		"\"\xc3\"",
		"\"\xc0\x80\"",
		"\"\xe0\x9f\xbf\"",
		"\"\xed\xa0\x80\"",
		"\"\xf0\x8f\xbf\xbf\"",
		"\"\xf4\x90\x80\x80\"",
		"\"\xf5\x80\x80\x80\"",
		"\"\xff\"",
	};

	(void)state;
	assert_malformed(invalid, COUNT_OF(invalid));
	assert_int_equal(json_check((struct str){0}, NULL), ERR_MALFORMED);
	assert_int_equal(json_check((struct str){"1\0", 2}, NULL), ERR_MALFORMED);
	assert_int_equal(json_check((struct str){"\"\0\"", 3}, NULL), ERR_MALFORMED);
}

static void what_is_no_structure(void **state)
{
	static const char *const invalid[] = {
		"\xef\xbb\xbf{}",
		"\xc2\xa0 1",
		"[",
		"]",
		"[1",
		"[1,",
		"[1,]",
		"[,1]",
		"[1 2]",
		"[1}",
		"{",
		"}",
		"{\"a\"",
		"{\"a\":",
		"{\"a\":1",
		"{\"a\":1,",
		"{\"a\":1,}",
		"{,}",
		"{a:1}",
		"{'a':1}",
		"{1:1}",
		"{\"a\" 1}",
		"{\"a\"::1}",
		"{\"a\":1 \"b\":2}",
		"{\"a\":1]",
		"1 1",
		"{} {}",
		"[] x",
		"// x\n1",
		"/* x */1",
		"{\"a\":1,\"a\":1}",
		"{\"a\":1,\"b\":2,\"\\u0061\":1}",
		"{\"\\u0061\\n\":1,\"a\\u000a\":1}",
		"{\"\":1,\"\":2}",
		"[{\"x\":{\"a\":1,\"a\":1}}]",
		"{\"\xc3\xa9\":1,\"\\u00e9\":2}",
		"{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}",
	};

	(void)state;
	assert_malformed(invalid, COUNT_OF(invalid));
}

/* Each text stands at the very end of its memory, so that the sanitizers see a byte read too many. */
static void no_byte_beyond_the_end_is_read(void **state)
{
	static const char text[] =
		"{\"k\\u0061\":[-1.5e+3,true,\"\xf0\x9f\x98\x80\\ud83d\\ude00 and more text\"],\"b\":null}";

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		char *exact = malloc(n ? n : 1);

		memcpy(exact, text, n);
		assert_int_equal(json_check((struct str){exact, n}, NULL),
				 n == sizeof(text) - 1 ? OK : ERR_MALFORMED);
		free(exact);
	}
}

/* Eight bytes are looked at together: a special one must be seen at each place of the word. */
static void special_bytes_are_seen_anywhere(void **state)
{
	static const char *const wrong[] = {"\x01", "\x1f", "\n", "\xff", "\x80", "\\x", "\""};
	char text[64];

	(void)state;
	for (unsigned w = 0; w < COUNT_OF(wrong); w++)
		for (int before = 0; before < 20; before++)
			for (int after = 0; after < 12; after++) {
				snprintf(text, sizeof(text), "\"%.*s%s%.*s\"", before, "abcdefgh~!jklmnopqrst",
					 wrong[w], after, "\x7f yz01234567890");
				assert_int_equal(check(text), ERR_MALFORMED);
			}
	assert_int_equal(check("\"abcdefgh~!jklmnopqrst\x7f yz01234567890\""), OK);
}

static void depth_is_bounded(void **state)
{
	struct problem p = {0};
	char text[2 * JSON_DEPTH_MAX + 8] = "";
	char *middle = text + JSON_DEPTH_MAX;

	(void)state;
	memset(text, '[', JSON_DEPTH_MAX);
	memset(middle, ']', JSON_DEPTH_MAX);
	assert_int_equal(json_check((struct str){text, 2 * JSON_DEPTH_MAX}, &p), OK);
	memset(text, '[', JSON_DEPTH_MAX + 1);
	assert_int_equal(json_check((struct str){text, sizeof(text)}, &p), ERR_MALFORMED);
	assert_string_equal(p.detail, "nested deeper than 64");
	assert_int_equal(p.column, JSON_DEPTH_MAX + 1);
	/* Siblings do not add up. */
	assert_int_equal(check("[[[]],[[]],{\"a\":[]},[[[]]]]"), OK);
}

static void add_members(struct buf *b, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		buf_fmt(b, i % 3 ? "%s\"m%u\":%u" : "%s\"\\u006d%u\":%u", i ? "," : "", i, i);
}

/* Few names are compared pair by pair, many through a table: the limit lies between these counts. */
static void duplicates_are_found_among_any_number(void **state)
{
	static const unsigned counts[] = {1, 2, 15, 16, 17, 31, 32, 33, 64, 65, 1000, 20000};
	struct buf b = BUF_INIT(0);

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(counts); i++) {
		struct problem p = {0};
		unsigned twice = counts[i] / 2;

		buf_reset(&b);
		buf_z(&b, "[{");
		add_members(&b, 0, counts[i]);
		buf_z(&b, "},{");
		add_members(&b, 0, counts[i]);
		buf_z(&b, "}]");
		assert_int_equal(json_check(buf_str(&b), &p), OK);
		b.n -= 2;
		buf_fmt(&b, ",\n \"m%u\":{}}]", twice);
		assert_int_equal(json_check(buf_str(&b), &p), ERR_MALFORMED);
		assert_int_equal(p.line, 2);
		assert_int_equal(p.column, 2);
	}
	buf_free(&b);
}

/* Names "00", "01" … of one object, told apart. What seed did it take? */
static uint64_t seed_for(uint32_t count)
{
	static const char text[] = "0001020304050607080910111213141516171819";
	struct keys k;
	uint64_t seed;
	uint32_t again;

	keys_init(&k, str_of(text));
	for (uint32_t i = 0; i < count; i++)
		keys_push(&k, &(struct scan_text){.raw = {text + 2 * i, 2}});
	assert_true(keys_pop_distinct(&k, 0, &again));
	seed = k.seed;
	keys_free(&k);
	return seed;
}

static void nobody_can_know_the_seed_of_a_table(void **state)
{
	uint64_t one = seed_for(20), two = seed_for(20);

	(void)state;
	assert_true(one != 0 && two != 0 && one != two);
	assert_int_equal(seed_for(5), 0); /* few names need none */
}

static void names_of_outer_objects_are_kept_while_inner_ones_come_and_go(void **state)
{
	struct buf b = BUF_INIT(0);

	(void)state;
	buf_z(&b, "{");
	for (unsigned i = 0; i < 50; i++)
		buf_fmt(&b, "%s\"outer%u\":{\"a\":{\"b\":1,\"c\":2},\"outer%u\":[{\"a\":1}]}", i ? "," : "", i, i);
	buf_z(&b, "}");
	assert_int_equal(json_check(buf_str(&b), NULL), OK);
	b.n--;
	buf_z(&b, ",\"outer0\":0}");
	assert_int_equal(json_check(buf_str(&b), NULL), ERR_MALFORMED);
	buf_free(&b);
}

static void places_are_lines_and_bytes_from_1(void **state)
{
	struct problem p = {0};

	(void)state;
	assert_int_equal(json_check(STR("{\n  \"caf\xc3\xa9\": x}"), &p), ERR_MALFORMED);
	assert_int_equal(p.line, 2);
	assert_int_equal(p.column, 12);
	assert_int_equal(json_check(STR("[1,\r\n2,\r\n"), &p), ERR_MALFORMED);
	assert_int_equal(p.line, 3);
	assert_int_equal(p.column, 1);
	assert_int_equal(json_check(STR("\"\n\""), &p), ERR_MALFORMED);
	assert_int_equal(p.line, 1);
	assert_int_equal(p.column, 2);
	assert_int_equal(json_check(STR("\x01"), &p), ERR_MALFORMED);
	assert_string_equal(p.detail, "expected a value, not byte 0x01");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_rfc_8259_allows),
		cmocka_unit_test(what_is_no_scalar),
		cmocka_unit_test(what_is_no_structure),
		cmocka_unit_test(no_byte_beyond_the_end_is_read),
		cmocka_unit_test(special_bytes_are_seen_anywhere),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(duplicates_are_found_among_any_number),
		cmocka_unit_test(nobody_can_know_the_seed_of_a_table),
		cmocka_unit_test(names_of_outer_objects_are_kept_while_inner_ones_come_and_go),
		cmocka_unit_test(places_are_lines_and_bytes_from_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
