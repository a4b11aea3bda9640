/* Ids: their parts, their order, their text, and what is not accepted as text. */
#include "harness.h"

#include "base/id.h"

#include <ctype.h>

static const int64_t START = 1735689600000; /* 2025-01-01T00:00:00Z */

static void an_id_tells_its_time_and_slot(void **state)
{
	struct id_maker m;
	int64_t id;

	(void)state;
	id_maker_init(&m, 0);
	id = id_make(&m, START + 86400000, 1023);
	assert_int_equal(id_time_ms(id), START + 86400000);
	assert_int_equal(id_slot(id), 1023);
	assert_int_equal(id, (int64_t)86400000 << 22 | 1023 << 12);
	id = id_make(&m, START + 86400000, 0);
	assert_int_equal(id, (int64_t)86400000 << 22 | 1);
}

static void ids_are_positive_even_before_their_epoch(void **state)
{
	struct id_maker m;

	(void)state;
	id_maker_init(&m, 0);
	assert_true(id_make(&m, START, 0) > 0);
	id_maker_init(&m, 0);
	assert_true(id_make(&m, 0, 0) > 0);
}

static void a_full_millisecond_begins_the_next_one_early(void **state)
{
	struct id_maker m;

	(void)state;
	id_maker_init(&m, 0);
	for (int i = 0; i < 4096; i++)
		assert_int_equal(id_time_ms(id_make(&m, START + 1000, 7)), START + 1000);
	assert_int_equal(id_time_ms(id_make(&m, START + 1000, 7)), START + 1001);
	assert_int_equal(id_time_ms(id_make(&m, START + 1001, 7)), START + 1001);
	assert_int_equal(id_time_ms(id_make(&m, START + 1002, 7)), START + 1002);
}

/* Within one slot ids only grow; over all slots none comes twice, which (time, sequence) alone already tells. */
static void ids_never_repeat_whatever_the_clock_does(void **state)
{
	struct rng r = test_seed();
	struct id_maker m;
	int64_t now = START + 5000, last_moment = -1;

	(void)state;
	id_maker_init(&m, 0);
	for (int i = 0; i < 50000; i++) {
		int64_t id, moment;

		if (rng_below(&r, 200) == 0)
			now += (int64_t)rng_below(&r, 9) - 3;
		id = id_make(&m, now, (unsigned)rng_below(&r, ID_SLOTS));
		moment = (id >> 22) << 12 | (id & 4095);
		assert_true(moment > last_moment);
		last_moment = moment;
	}
}

static void new_ids_are_above_the_highest_stored_in_any_slot(void **state)
{
	struct rng r = test_seed();

	(void)state;
	for (int i = 0; i < 2000; i++) {
		int64_t highest = (int64_t)(rng_u64(&r) >> 2); /* leaves room above it */
		struct id_maker m;

		id_maker_init(&m, highest);
		assert_true(id_make(&m, START, 0) > highest); /* although the clock is far behind */
	}
}

static void text_is_a_prefix_and_thirteen_digits(void **state)
{
	char text[ID_TEXT];

	(void)state;
	assert_int_equal(id_format(text, "w_", 1), 15);
	assert_string_equal(text, "w_0000000000001");
	assert_int_equal(id_format(text, "att_", 0x0123456789abcdef), 17);
	assert_string_equal(text, "att_028t5cy4tqkff");
	id_format(text, "", INT64_MAX);
	assert_string_equal(text, "7zzzzzzzzzzzz");
}

static void text_comes_back_in_either_case_with_look_alikes(void **state)
{
	struct rng r = test_seed();

	(void)state;
	for (int i = 0; i < 5000; i++) {
		int64_t id = (int64_t)(rng_u64(&r) >> (1 + rng_below(&r, 62))) | 1, back;
		char text[ID_TEXT];
		size_t n = id_format(text, "ag_", id);

		assert_true(id_parse((struct str){text, n}, "ag_", &back));
		assert_true(back == id);
		for (size_t j = 3; j < n; j++) {
			if (text[j] == '1')
				text[j] = "1iIlL"[rng_below(&r, 5)];
			else if (text[j] == '0')
				text[j] = "0oO"[rng_below(&r, 3)];
			else if (rng_below(&r, 2))
				text[j] = (char)toupper((unsigned char)text[j]);
		}
		back = 0;
		assert_true(id_parse((struct str){text, n}, "ag_", &back));
		assert_true(back == id);
	}
}

static void what_is_no_id_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"w_",
		"x_0000000000001",       /* another's prefix */
		"w-0000000000001",       /* no prefix at all */
		"w_000000000001",        /* too short */
		"w_00000000000001",      /* too long */
		"w_000000000000u",       /* not in the alphabet */
		"w_00000 0000001",       /* likewise */
		"w_8000000000000",       /* 64 bits */
		"w_zzzzzzzzzzzzz",       /* 65 bits */
		"w_0000000000000",       /* zero is nobody */
		"w_00000000000\xc3\xa9", /* not ASCII */
		"0000000000001w_",
	};
	int64_t id;

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(wrong); i++)
		assert_false(id_parse(str_of(wrong[i]), "w_", &id));
	assert_false(id_parse((struct str){"w_\0"
					   "000000000001",
					   15},
			      "w_", &id));
	assert_true(id_parse(STR("W_0000000000001"), "w_", &id));
	assert_true(id_parse(STR("w_7zzzzzzzzzzzz"), "w_", &id));
	assert_true(id == INT64_MAX);
}

static void bytes_become_base32_and_come_back(void **state)
{
	struct rng r = test_seed();

	(void)state;
	for (size_t n = 0; n <= 40; n++) {
		unsigned char bytes[40], back[40];
		char text[65];
		size_t length;

		for (size_t i = 0; i < n; i++)
			bytes[i] = (unsigned char)rng_u64(&r);
		length = id_base32(text, bytes, n);
		assert_int_equal(length, (n * 8 + 4) / 5);
		assert_int_equal(strlen(text), length);
		assert_true(id_unbase32((struct str){text, length}, back, n));
		assert_memory_equal(back, bytes, n);
		assert_false(id_unbase32((struct str){text, length}, back, n + 1));
	}
}

static void base32_has_one_text_for_the_same_bytes(void **state)
{
	char text[16];
	unsigned char byte;

	(void)state;
	assert_int_equal(id_base32(text, "\xff", 1), 2);
	assert_string_equal(text, "zw");
	assert_int_equal(id_base32(text, "\x00\x44\x32\x14\xc7\x42\x54\xb6\x35", 9), 15);
	assert_string_equal(text, "0123456789abcd8"); /* the alphabet in order; the last digit is half filled */
	assert_true(id_unbase32(STR("ZW"), &byte, 1));
	assert_int_equal(byte, 0xff);
	assert_false(id_unbase32(STR("zx"), &byte, 1)); /* the same byte but for its padding */
	assert_false(id_unbase32(STR("zu"), &byte, 1));
	assert_false(id_unbase32(STR("zw0"), &byte, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_tells_its_time_and_slot),
		cmocka_unit_test(ids_are_positive_even_before_their_epoch),
		cmocka_unit_test(a_full_millisecond_begins_the_next_one_early),
		cmocka_unit_test(ids_never_repeat_whatever_the_clock_does),
		cmocka_unit_test(new_ids_are_above_the_highest_stored_in_any_slot),
		cmocka_unit_test(text_is_a_prefix_and_thirteen_digits),
		cmocka_unit_test(text_comes_back_in_either_case_with_look_alikes),
		cmocka_unit_test(what_is_no_id_is_refused),
		cmocka_unit_test(bytes_become_base32_and_come_back),
		cmocka_unit_test(base32_has_one_text_for_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
