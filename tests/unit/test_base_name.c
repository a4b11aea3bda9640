/* Interned names: one object per text, as long as somebody uses it. */
#include "harness.h"

#include "base/magic.h"
#include "base/name.h"

static void the_same_text_is_the_same_name(void **state)
{
	struct name_table t = {0};
	char other[] = "coder";
	struct name *a = name_get(&t, STR("coder")), *b = name_get(&t, str_of(other)),
		    *c = name_get(&t, STR("code"));

	(void)state;
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	assert_int_equal(a->users, 2);
	assert_str(name_str(a), "coder");
	assert_string_equal(a->text, "coder");
	assert_str(name_str(c), "code");
	name_table_free(&t);
}

static void a_name_lives_until_its_last_user_drops_it(void **state)
{
	struct name_table t = {0};
	struct name *a = name_get(&t, STR("coder")), *b = name_keep(a);

	(void)state;
	assert_ptr_equal(name_find(&t, STR("coder")), a);
	assert_int_equal(a->users, 2); /* finding is not using */
	name_drop(&t, &a);
	assert_null(a);
	assert_ptr_equal(name_find(&t, STR("coder")), b);
	name_drop(&t, &b);
	assert_null(name_find(&t, STR("coder")));
	assert_int_equal(t.by_hash.count, 0);
	name_table_free(&t);
}

static void the_empty_text_is_no_name(void **state)
{
	struct name_table t = {0};
	struct name *none = name_get(&t, (struct str){0});

	(void)state;
	assert_null(none);
	assert_null(name_find(&t, STR("")));
	assert_null(name_keep(none));
	assert_int_equal(name_str(none).n, 0);
	name_drop(&t, &none);
	name_table_free(&t);
}

/* A name whose hash happens to be that of another text, put in by hand. */
static struct name *collide(struct name_table *t, const char *text, struct str with)
{
	struct name *n = must_alloc(sizeof(*n) + strlen(text) + 1);

	n->hash = str_hash(with);
	n->users = 1;
	n->length = (uint32_t)strlen(text);
	memcpy(n->text, text, strlen(text));
	n->next = map_put(&t->by_hash, n->hash, n);
	return n;
}

static void names_with_the_same_hash_are_told_apart_and_dropped_in_any_order(void **state)
{
	(void)state;
	for (int first = 0; first < 3; first++) {
		struct name_table t = {0};
		struct name *names[3] = {collide(&t, "one", STR("real")), collide(&t, "two", STR("real")),
					 name_get(&t, STR("real"))};

		assert_str(name_str(names[2]), "real");
		assert_ptr_equal(name_find(&t, STR("real")), names[2]);
		for (int i = first; i < first + 3; i++)
			name_drop(&t, &names[i % 3]);
		assert_null(name_find(&t, STR("real")));
		assert_int_equal(t.by_hash.count, 0);
		name_table_free(&t);
	}
}

static void dropping_one_of_a_hash_leaves_the_others(void **state)
{
	struct name_table t = {0};
	struct name *one = collide(&t, "one", STR("real")), *two = collide(&t, "two", STR("real"));
	struct name *real = name_get(&t, STR("real"));

	(void)state;
	name_drop(&t, &two); /* in the middle */
	assert_ptr_equal(name_find(&t, STR("real")), real);
	name_drop(&t, &one); /* at the end */
	assert_ptr_equal(name_find(&t, STR("real")), real);
	assert_null(real->next);
	name_table_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_text_is_the_same_name),
		cmocka_unit_test(a_name_lives_until_its_last_user_drops_it),
		cmocka_unit_test(the_empty_text_is_no_name),
		cmocka_unit_test(names_with_the_same_hash_are_told_apart_and_dropped_in_any_order),
		cmocka_unit_test(dropping_one_of_a_hash_leaves_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
