/* The error table: each row is found again, and says something a program and a person can use. */
#include "harness.h"

#include "base/err.h"

static void every_row_is_found_by_its_code(void **state)
{
	(void)state;
	for (int e = OK + 1; e < ERR_COUNT; e++) {
		const struct err_info *info = err_info((enum err)e);

		assert_int_equal(err_by_code(info->code, strlen(info->code)), e); /* so no two have the same */
		assert_true(info->name[0] && info->title[0]);
		assert_in_range(info->status, 400, 599);
		assert_in_range(info->exit_code, 1, 6);
	}
}

static void a_row_has_its_columns_in_their_places(void **state)
{
	const struct err_info *info = err_info(ERR_NOT_FOUND);

	(void)state;
	assert_string_equal(info->name, "NOT_FOUND");
	assert_string_equal(info->code, "not_found");
	assert_int_equal(info->status, 404);
	assert_int_equal(info->exit_code, 4);
	assert_false(info->retryable);
	assert_true(err_info(ERR_OVERLOADED)->retryable);
}

static void only_a_whole_code_is_one(void **state)
{
	(void)state;
	assert_int_equal(err_by_code("not_found_", 9), ERR_NOT_FOUND);
	assert_int_equal(err_by_code("not_found_", 10), ERR_INTERNAL);
	assert_int_equal(err_by_code("not_foun", 8), ERR_INTERNAL);
	assert_int_equal(err_by_code("", 0), ERR_INTERNAL);
}

static void ask_about(void *e)
{
	(void)err_info(*(enum err *)e);
}

static void ok_is_no_error(void **state)
{
	enum err e = OK;

	(void)state;
	assert_true(dies(ask_about, &e));
	e = ERR_COUNT;
	assert_true(dies(ask_about, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_found_by_its_code),
		cmocka_unit_test(a_row_has_its_columns_in_their_places),
		cmocka_unit_test(only_a_whole_code_is_one),
		cmocka_unit_test(ok_is_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
