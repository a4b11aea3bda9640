/* Pages against an array that is looked through from end to end. */
#include "harness.h"

#include "base/id.h"
#include "base/magic.h"
#include "store/page.h"

enum { ROWS = 300, LIMIT_MAX = 20 };

struct row {
	int64_t id;
	bool wanted;
};

/* A table, newest first, and what was kept of it for one page. */
struct table {
	struct row rows[ROWS];
	size_t count, read;
	int64_t kept[LIMIT_MAX + 1];
	size_t kept_count, room;
	enum err fails;
};

static enum err read_rows(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	struct table *t = ctx;
	enum err err = t->fails;
	for (size_t i = 0; i < t->count && visit > 0 && !err; i++) {
		if (t->rows[i].id >= below)
			continue;
		visit--;
		t->read++;
		err = each(each_ctx, &t->rows[i]);
	}
	return err;
}

static bool keep_row(void *ctx, const void *row)
{
	struct table *t = ctx;
	const struct row *r = row;
	if (!r->wanted)
		return false;
	assert_true(t->kept_count < t->room);
	t->kept[t->kept_count++] = r->id;
	return true;
}

static void fill(struct table *t, struct rng *r)
{
	int64_t id = ROWS * 10;
	uint64_t wanted_of_ten = rng_below(r, 11);
	*t = (struct table){.count = rng_below(r, ROWS + 1)};
	for (size_t i = 0; i < t->count; i++) {
		id -= 1 + (int64_t)rng_below(r, 9);
		t->rows[i] = (struct row){id, rng_below(r, 10) < wanted_of_ten};
	}
}

static enum err take(struct table *t, const struct page_want *want, struct arena *a, struct page_end *end)
{
	struct problem problem = {0};
	t->kept_count = t->read = 0;
	t->room = want->limit + 1;
	return page_take(&(struct page_source){read_rows, keep_row, t}, want, a, &problem, end);
}

/* ---- */

static void pages_one_after_another_hold_each_wanted_row_once_and_in_order(void **state)
{
	struct rng r = test_seed();
	struct arena *a = arena_new(1 << 20);
	struct table t;
	(void)state;
	for (int round = 0; round < 500; round++) {
		struct page_want want = {.limit = 1 + rng_below(&r, LIMIT_MAX), .visit_max = 1 + rng_below(&r, 60)};
		struct page_end end = {0};
		size_t at = 0;
		fill(&t, &r);
		do {
			assert_int_equal(take(&t, &want, a, &end), OK);
			assert_true(t.read <= want.visit_max && end.count <= want.limit);
			for (size_t i = 0; i < end.count; i++, at++) {
				while (at < t.count && !t.rows[at].wanted)
					at++;
				assert_true(at < t.count);
				assert_int_equal(t.kept[i], t.rows[at].id);
			}
			want.resumes = true;
			want.cursor = end.next;
		} while (end.next.p);
		while (at < t.count)
			assert_false(t.rows[at++].wanted);
		arena_reset(a);
	}
	arena_destroy(&a);
}

static void a_page_that_ends_with_the_last_row_is_the_last_one(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct table t = {.rows = {{30, true}, {20, false}, {10, true}}, .count = 3};
	struct page_end end;
	(void)state;
	assert_int_equal(take(&t, &(struct page_want){.limit = 2}, a, &end), OK);
	assert_int_equal(end.count, 2);
	assert_null(end.next.p);
	assert_int_equal(take(&t, &(struct page_want){.limit = 1}, a, &end), OK);
	assert_int_equal(end.count, 1);
	assert_true(str_eq(end.next, page_cursor(a, 30)));
	arena_destroy(&a);
}

static void a_page_of_nothing_wanted_goes_on_where_it_stopped_looking(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct table t = {.rows = {{30, false}, {20, false}, {10, true}}, .count = 3};
	struct page_end end;
	(void)state;
	assert_int_equal(take(&t, &(struct page_want){.limit = 5, .visit_max = 2}, a, &end), OK);
	assert_int_equal(end.count, 0);
	assert_true(str_eq(end.next, page_cursor(a, 20)));
	arena_destroy(&a);
}

static void what_fails_is_said_and_gives_no_page(void **state)
{
	struct arena *a = arena_new(256);
	struct table t = {.rows = {{30, true}}, .count = 1, .fails = ERR_STORE_UNAVAILABLE};
	struct page_end end;
	(void)state;
	assert_int_equal(take(&t, &(struct page_want){.limit = 5}, a, &end), ERR_STORE_UNAVAILABLE);
	t.fails = OK;
	assert_int_equal(take(&t, &(struct page_want){.limit = 5, .resumes = true, .cursor = STR("w_1")}, a, &end),
			 ERR_INVALID);
	assert_null(arena_alloc(a, 257)); /* as the array of a handler whose arena is full */
	assert_int_equal(take(&t, &(struct page_want){.limit = 5}, a, &end), ERR_INTERNAL);
	assert_int_equal(t.read, 0);
	arena_destroy(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_one_after_another_hold_each_wanted_row_once_and_in_order),
		cmocka_unit_test(a_page_that_ends_with_the_last_row_is_the_last_one),
		cmocka_unit_test(a_page_of_nothing_wanted_goes_on_where_it_stopped_looking),
		cmocka_unit_test(what_fails_is_said_and_gives_no_page),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
