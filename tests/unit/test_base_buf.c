/* Buffers: sticky failure, exact bounds, and what the appenders write. */
#include "harness.h"

#include "base/buf.h"

#include <inttypes.h>

static void a_buffer_holds_exactly_its_bound(void **state)
{
	struct buf b = BUF_INIT(5);

	(void)state;
	buf_z(&b, "abc");
	buf_c(&b, 'd');
	buf_str_add(&b, STR("e"));
	assert_true(buf_ok(&b));
	assert_string_equal(buf_cstr(&b), "abcde");
	buf_add(&b, "", 0);
	assert_true(buf_ok(&b));
	buf_c(&b, 'f');
	assert_false(buf_ok(&b));
	buf_free(&b);
}

static void once_failed_nothing_is_added_until_a_reset(void **state)
{
	struct buf b = BUF_INIT(5);

	(void)state;
	buf_z(&b, "abc");
	buf_z(&b, "def");
	assert_false(buf_ok(&b));
	buf_z(&b, "d"); /* would fit */
	buf_u64(&b, 1);
	buf_fmt(&b, "%d", 1);
	buf_json_text(&b, STR(""));
	assert_null(buf_room(&b, 0));
	assert_str(buf_str(&b), "abc");
	assert_false(buf_ok(&b));

	buf_reset(&b);
	assert_true(buf_ok(&b));
	assert_string_equal(buf_cstr(&b), "");
	buf_z(&b, "defgh");
	assert_string_equal(buf_cstr(&b), "defgh");

	buf_free(&b);
	assert_null(b.p);
	buf_z(&b, "sixsix");
	assert_false(buf_ok(&b)); /* freeing kept the bound */
	buf_free(&b);
}

static void text_is_terminated_at_every_length(void **state)
{
	struct buf b = BUF_INIT(0);

	(void)state;
	assert_string_equal(buf_cstr(&b), "");
	for (size_t n = 1; n < 1000; n++) {
		buf_c(&b, 'x');
		assert_int_equal(strlen(buf_cstr(&b)), n);
	}
	buf_free(&b);
}

static void room_can_be_filled_by_hand(void **state)
{
	struct buf b = BUF_INIT(300);
	char *room;

	(void)state;
	buf_z(&b, "<");
	room = buf_room(&b, 200);
	assert_non_null(room);
	memset(room, 'r', 200);
	assert_str(buf_str(&b), "<"); /* not yet counted */
	buf_took(&b, 2);
	assert_string_equal(buf_cstr(&b), "<rr");
	assert_null(buf_room(&b, 298));
	assert_false(buf_ok(&b));
	buf_free(&b);
}

static void take_too_much(void *arg)
{
	struct buf b = BUF_INIT(300);

	(void)arg;
	buf_room(&b, 10);
	buf_took(&b, b.cap);
}

static void taking_more_than_the_room_dies(void **state)
{
	(void)state;
	assert_true(dies(take_too_much, NULL));
}

static void numbers_are_written_as_printf_writes_them(void **state)
{
	struct rng r = test_seed();
	int64_t edges[] = {0, 1, -1, 9, 10, -10, INT64_MAX, INT64_MIN};

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		int64_t v = i < COUNT_OF(edges) ? edges[i] : (int64_t)(rng_u64(&r) >> rng_below(&r, 64));
		struct buf b = BUF_INIT(0);
		char expected[64];

		snprintf(expected, sizeof(expected), "%" PRId64 " %" PRIu64, v, (uint64_t)v);
		buf_i64(&b, v);
		buf_c(&b, ' ');
		buf_u64(&b, (uint64_t)v);
		assert_string_equal(buf_cstr(&b), expected);
		buf_free(&b);
	}
}

static void formatted_text_may_be_longer_than_what_was_there(void **state)
{
	struct buf b = BUF_INIT(1010);

	(void)state;
	buf_fmt(&b, "%s=%0*d.", "n", 1000, 42);
	assert_int_equal(b.n, 1003);
	assert_string_equal(buf_cstr(&b) + 1000, "42.");
	buf_fmt(&b, "%s", "12345678");
	assert_false(buf_ok(&b));
	assert_int_equal(b.n, 1003);
	buf_free(&b);
}

static void json_text_escapes_what_json_wants_escaped(void **state)
{
	static const struct {
		struct str text;
		const char *json;
	} cases[] = {
		{{"", 0}, "\"\""},
		{{NULL, 0}, "\"\""},
		{{"plain text", 10}, "\"plain text\""},
		{{"a\"b\\c/", 6}, "\"a\\\"b\\\\c/\""},
		{{"\b\f\n\r\t", 5}, "\"\\b\\f\\n\\r\\t\""},
		{{"\0\x01\x1f\x7f", 4}, "\"\\u0000\\u0001\\u001f\x7f\""},
		{{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9}, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
		{{"a\xff"
		  "b",
		  3},
		 "\"a\xef\xbf\xbd"
		 "b\""},
		{{"\xc3", 1}, "\"\xef\xbf\xbd\""},
		{{"\xe2\x82\"", 3}, "\"\xef\xbf\xbd\xef\xbf\xbd\\\"\""},
		{{"\xc0\x80", 2}, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
		{{"\xed\xa0\x80", 3}, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		struct buf b = BUF_INIT(0);

		buf_json_text(&b, cases[i].text);
		assert_string_equal(buf_cstr(&b), cases[i].json);
		buf_free(&b);
	}
}

static void json_text_of_any_bytes_is_utf8_without_control_characters(void **state)
{
	struct rng r = test_seed();

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		struct buf b = BUF_INIT(0);
		char bytes[24];
		struct str s = {bytes, rng_below(&r, sizeof(bytes))};

		for (size_t j = 0; j < s.n; j++)
			bytes[j] = (char)(rng_below(&r, 2) ? rng_u64(&r) : 0xc0 | rng_below(&r, 64));
		buf_json_text(&b, s);
		assert_true(str_is_utf8(buf_str(&b)));
		for (size_t j = 0; j < b.n; j++)
			assert_true((unsigned char)b.p[j] >= 0x20);
		buf_free(&b);
	}
}

static void a_shell_word_is_quoted_only_when_it_must_be(void **state)
{
	static const char *const cases[][2] = {
		{"", "''"},
		{"w_01h2k3m4n5p6q", "w_01h2k3m4n5p6q"},
		{"--name=a/b:c,d", "--name=a/b:c,d"},
		{"two words", "'two words'"},
		{"it's", "'it'\\''s'"},
		{"=ls", "'=ls'"},
		{"$HOME", "'$HOME'"},
		{"azAZ09", "azAZ09"},
		{"~", "'~'"},
		{"\xc3\xa9", "'\xc3\xa9'"},
	};
	struct buf b = BUF_INIT(0);

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		buf_reset(&b);
		buf_shell_word(&b, str_of(cases[i][0]));
		assert_string_equal(buf_cstr(&b), cases[i][1]);
	}
	buf_shell_word(&b, (struct str){"a\0b", 3});
	assert_false(buf_ok(&b));
	buf_free(&b);
}

enum { WORDS = 200, WORD_MAX = 12 };

static void random_word(struct rng *r, struct buf *word)
{
	static const char nasty[] = "'\"\\$`!*?[]{}()<>|&;#~=% \t\n\r-";

	buf_reset(word);
	for (uint64_t n = rng_below(r, WORD_MAX); n > 0; n--)
		buf_c(word,
		      rng_below(r, 2) ? nasty[rng_below(r, sizeof(nasty) - 1)] : (char)(1 + rng_below(r, 255)));
}

/* Runs the script; what it printed must be `expected`. */
static void assert_shell_prints(struct buf *script, struct str expected)
{
	FILE *shell = popen(buf_cstr(script), "r"); /* which is sh -c */
	struct buf printed = BUF_INIT(0);
	char piece[512];
	size_t n;

	assert_non_null(shell);
	while ((n = fread(piece, 1, sizeof(piece), shell)) > 0)
		buf_add(&printed, piece, n);
	assert_int_equal(pclose(shell), 0);
	assert_int_equal(printed.n, expected.n);
	assert_memory_equal(printed.p, expected.p, expected.n);
	buf_free(&printed);
}

static void a_real_shell_reads_back_every_word(void **state)
{
	struct rng r = test_seed();
	struct buf script = BUF_INIT(0), expected = BUF_INIT(0), word = BUF_INIT(0);

	(void)state;
	buf_z(&script, "LC_ALL=C; printf '%s\\0'");
	for (unsigned i = 0; i < WORDS; i++) {
		random_word(&r, &word);
		buf_c(&script, ' ');
		buf_shell_word(&script, buf_str(&word));
		buf_str_add(&expected, buf_str(&word));
		buf_c(&expected, '\0');
	}
	assert_true(buf_ok(&script));
	assert_shell_prints(&script, buf_str(&expected));
	buf_free(&script);
	buf_free(&expected);
	buf_free(&word);
}

static void varints_come_back_whole_and_leave_the_rest(void **state)
{
	struct rng r = test_seed();
	uint64_t edges[] = {0, 1, 127, 128, 16383, 16384, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
	struct buf b = BUF_INIT(0);

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t v = i < COUNT_OF(edges) ? edges[i] : rng_u64(&r) >> rng_below(&r, 64), back;
		int64_t signed_back;
		struct str s;

		buf_reset(&b);
		buf_varint(&b, v);
		buf_svarint(&b, (int64_t)v);
		buf_svarint(&b, -(int64_t)(v >> 1));
		buf_c(&b, '.');
		s = buf_str(&b);
		assert_true(take_varint(&s, &back));
		assert_true(back == v);
		assert_true(take_svarint(&s, &signed_back));
		assert_true(signed_back == (int64_t)v);
		assert_true(take_svarint(&s, &signed_back));
		assert_true(signed_back == -(int64_t)(v >> 1));
		assert_str(s, ".");
	}
	buf_free(&b);
}

static void small_magnitudes_take_one_byte(void **state)
{
	struct buf b = BUF_INIT(0);

	(void)state;
	for (int v = -64; v < 64; v++)
		buf_svarint(&b, v);
	assert_int_equal(b.n, 128);
	buf_varint(&b, 300);
	assert_memory_equal(b.p + 128, "\xac\x02", 3);
	buf_free(&b);
}

static void bytes_that_hold_no_varint_are_left_alone(void **state)
{
	static const struct str broken[] = {
		{NULL, 0},
		{"\x80", 1},                                          /* cut off */
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9},          /* likewise */
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10},     /* 65 bits */
		{"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11}, /* 71 bits */
		{"\x81\x00", 2},                                      /* not the shortest form of 1 */
	};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(broken); i++) {
		struct str s = broken[i], text = STR("kept");
		uint64_t v = 42;
		int64_t w = 42;

		assert_false(take_varint(&s, &v));
		assert_false(take_svarint(&s, &w));
		assert_false(take_lenstr(&s, &text));
		assert_true(s.p == broken[i].p && s.n == broken[i].n && v == 42 && w == 42);
		assert_str(text, "kept");
	}
}

static void texts_with_a_length_come_back_and_may_hold_anything(void **state)
{
	struct buf b = BUF_INIT(0);
	struct str s, out, before;

	(void)state;
	buf_lenstr(&b, (struct str){"a\0b", 3});
	buf_lenstr(&b, (struct str){0});
	buf_lenstr(&b, STR("cut off"));
	s = (struct str){b.p, b.n - 1};
	assert_true(take_lenstr(&s, &out));
	assert_int_equal(out.n, 3);
	assert_memory_equal(out.p, "a\0b", 3);
	assert_true(take_lenstr(&s, &out));
	assert_int_equal(out.n, 0);
	before = (struct str){s.p, s.n + 1};
	assert_true(take_lenstr(&before, &out));
	assert_str(out, "cut off");
	assert_int_equal(before.n, 0);
	before = s;
	assert_false(take_lenstr(&s, &out));
	assert_true(s.p == before.p && s.n == before.n);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_holds_exactly_its_bound),
		cmocka_unit_test(once_failed_nothing_is_added_until_a_reset),
		cmocka_unit_test(text_is_terminated_at_every_length),
		cmocka_unit_test(room_can_be_filled_by_hand),
		cmocka_unit_test(taking_more_than_the_room_dies),
		cmocka_unit_test(numbers_are_written_as_printf_writes_them),
		cmocka_unit_test(formatted_text_may_be_longer_than_what_was_there),
		cmocka_unit_test(json_text_escapes_what_json_wants_escaped),
		cmocka_unit_test(json_text_of_any_bytes_is_utf8_without_control_characters),
		cmocka_unit_test(a_shell_word_is_quoted_only_when_it_must_be),
		cmocka_unit_test(a_real_shell_reads_back_every_word),
		cmocka_unit_test(varints_come_back_whole_and_leave_the_rest),
		cmocka_unit_test(small_magnitudes_take_one_byte),
		cmocka_unit_test(bytes_that_hold_no_varint_are_left_alone),
		cmocka_unit_test(texts_with_a_length_come_back_and_may_hold_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
