/* The SQL of the demo shop (sql/shop/), on each store: as "sqlite", "postgres" or "pooler". */
#include "store_kit.h"

#include "base/log.h"
#include "shop/queries.h"
#include "shop/schema.h"

static const char *url; /* of PostgreSQL */

static int empty_place(void **state)
{
	*state = kit_new_at(url, NULL);
	return 0;
}

static int done(void **state)
{
	kit_free(*state);
	return 0;
}

static void every_query_is_understood(void **state)
{
	struct kit *k = *state;

	kit_open_as(k, &SHOP_SCHEMA);
	for (unsigned i = 0; i < SHOP_QUERY_COUNT; i++)
		if (db_prepare(k->db, SHOP_QUERIES[i]) != OK)
			fail_msg("%s", SHOP_QUERIES[i]->name);
}

/* Behind the handlers, which look first. */
static void no_shelf_falls_below_nothing(void **state)
{
	struct kit *k = *state;
	struct shop_shelf_fill_in shelf = {.store = 1, .product = 1, .left_pieces = 3};
	struct shop_shelf_take_in some = {.store = 1, .product = 1, .pieces = 2};
	struct shop_shelf_lock_out left;

	kit_open_as(k, &SHOP_SCHEMA);
	assert_int_equal(db_begin(k->db), OK);
	assert_int_equal(q_shop_shelf_fill(k->db, &shelf, 1), OK);
	assert_int_equal(q_shop_shelf_take(k->db, &some, 1), OK);
	assert_int_equal(db_commit(k->db), OK);
	assert_int_equal(db_begin(k->db), OK);
	q_shop_shelf_take(k->db, &some, 1);
	assert_int_not_equal(db_commit(k->db), OK);
	assert_int_equal(q_shop_shelf_lock(k->db, &(struct shop_shelf_lock_in){1, 1}, k->arena, &left), OK);
	assert_int_equal(left.left_pieces, 1);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, empty_place, done)

int main(int argc, char **argv)
{
	const char *which = argc > 1 ? argv[1] : "sqlite";
	static const struct CMUnitTest tests[] = {
		ON(every_query_is_understood),
		ON(no_shelf_falls_below_nothing),
	};

	log_set_level(LOG_ERROR);
	url = kit_url_of(which);
	return cmocka_run_group_tests_name(which, tests, NULL, NULL);
}
