/* Tokens: each kind is told by its prefix, no two are alike, and only a hash of the whole text is kept. */
#include "harness.h"

#include "access/token.h"

#include <string.h>

enum { MANY = 1000 };

static void each_kind_is_told_by_its_prefix(void **state)
{
	char text[TOKEN_TEXT];

	(void)state;
	for (enum token_kind kind = TOKEN_KEY; kind < TOKEN_KINDS; kind++) {
		token_new(kind, text);
		assert_int_equal(strlen(text), TOKEN_TEXT - 1);
		assert_int_equal(token_kind_of(str_of(text)), kind);
		for (enum token_kind other = TOKEN_KEY; other < kind; other++)
			assert_string_not_equal(token_kind_name(other), token_kind_name(kind));
	}
	assert_int_equal(token_kind_of(STR("")), TOKEN_KINDS);
	assert_int_equal(token_kind_of(STR("t")), TOKEN_KINDS);
	assert_int_equal(token_kind_of(STR("TA_x")), TOKEN_KINDS);
}

static void no_two_are_alike(void **state)
{
	static char texts[MANY][TOKEN_TEXT];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		token_new(TOKEN_ACCESS, texts[i]);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(texts[k], texts[i]);
	}
}

static void the_hash_is_of_the_whole_text(void **state)
{
	unsigned char a[TOKEN_HASH_BYTES], b[TOKEN_HASH_BYTES];

	(void)state;
	token_hash(STR("ta_x"), a);
	token_hash(STR("ta_x"), b);
	assert_memory_equal(a, b, sizeof(a));
	token_hash(STR("tr_x"), b);
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_told_by_its_prefix),
		cmocka_unit_test(no_two_are_alike),
		cmocka_unit_test(the_hash_is_of_the_whole_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
