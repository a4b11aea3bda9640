/* Checks that cannot be switched off, and memory that must be there. */
#include "harness.h"

#include "base/magic.h"

struct object {
	unsigned magic;
	int payload;
	char member;
};

static void check(void *condition)
{
	CHECK(*(int *)condition == 1);
}

static void check_object(void *pointer)
{
	struct object *o = pointer;

	CHECK_OBJ(o, 0x1234u);
}

static void unreachable(void *arg)
{
	(void)arg;
	UNREACHABLE();
}

static void a_check_that_fails_aborts(void **state)
{
	int yes = 1, no = 0;

	(void)state;
	assert_false(dies(check, &yes));
	assert_true(dies(check, &no));
	assert_true(dies(unreachable, NULL));
}

static void an_object_is_checked_by_its_magic(void **state)
{
	struct object right = {.magic = 0x1234}, wrong = {.magic = 0x4321};

	(void)state;
	assert_false(dies(check_object, &right));
	assert_true(dies(check_object, &wrong));
	assert_true(dies(check_object, NULL));
}

static void a_failed_check_says_what_and_where(void **state)
{
	int ends[2], no = 0;
	char said[256];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	if (fork() == 0) {
		dup2(ends[1], STDERR_FILENO);
		check(&no);
	}
	close(ends[1]);
	n = read(ends[0], said, sizeof(said) - 1);
	assert_true(n > 0);
	said[n] = '\0';
	close(ends[0]);
	wait(NULL);
	assert_non_null(strstr(said, "*(int *)condition == 1"));
	assert_non_null(strstr(said, "test_base_magic.c:"));
}

static void memory_comes_zeroed_and_even_of_no_bytes(void **state)
{
	static const char zero[1000];
	char *p = must_alloc(sizeof(zero)), *none = must_alloc(0), *grown = must_realloc(NULL, 0);

	(void)state;
	assert_memory_equal(p, zero, sizeof(zero));
	assert_non_null(none);
	assert_non_null(grown);
	p[0] = 'p';
	p = must_realloc(p, 100000);
	assert_int_equal(p[0], 'p');
	free(p);
	free(none);
	free(grown);
}

#if !HAS_ASAN && !HAS_TSAN /* which ends the program in its own way */
static void ask_for_too_much(void *bytes)
{
	free(must_alloc(*(size_t *)bytes));
}

static void memory_that_is_not_there_aborts(void **state)
{
	size_t bytes = PTRDIFF_MAX;

	(void)state;
	assert_true(dies(ask_for_too_much, &bytes));
}
#endif

static void a_member_leads_to_its_object(void **state)
{
	struct object o = {.payload = 7};
	char *member = &o.member;

	(void)state;
	assert_ptr_equal(CONTAINER_OF(member, struct object, member), &o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_check_that_fails_aborts),
		cmocka_unit_test(an_object_is_checked_by_its_magic),
		cmocka_unit_test(a_failed_check_says_what_and_where),
		cmocka_unit_test(memory_comes_zeroed_and_even_of_no_bytes),
#if !HAS_ASAN && !HAS_TSAN
		cmocka_unit_test(memory_that_is_not_there_aborts),
#endif
		cmocka_unit_test(a_member_leads_to_its_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
