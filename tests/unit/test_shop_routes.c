/* The tables of the shop's calls agree with each other. */
#include "harness.h"

#include "shop/routes.h"

/* spec/route_row.h takes it for granted. */
static void the_member_in_a_path_is_the_first_of_what_the_call_takes(void **state)
{
	(void)state;
	for (int i = 0; i < SHOP_ROUTE_COUNT; i++) {
		const struct route *r = &shop_routes[i];
		struct str rest, name;

		str_cut(str_of(r->path), '{', &rest);
		name = str_cut(rest, '}', &rest);
		assert_int_equal(r->path_fields, name.n ? 1 : 0);
		if (name.n && !str_eqz(name, r->in->fields[0].name))
			fail_msg("%s", r->name);
	}
}

static void only_calls_with_a_body_take_one(void **state)
{
	(void)state;
	for (int i = 0; i < SHOP_ROUTE_COUNT; i++) {
		const struct route *r = &shop_routes[i];

		if ((r->max_body > 0) == route_in_query(r))
			fail_msg("%s", r->name);
	}
}

/* What writes goes through the gather, and what waits at the gate is dispatched. */
static void calls_run_where_the_shop_has_something_to_run_them(void **state)
{
	(void)state;
	for (int i = 0; i < SHOP_ROUTE_COUNT; i++) {
		const struct route *r = &shop_routes[i];

		assert_true(r->runs == RUNS_HERE || r->runs == RUNS_READ || r->runs == RUNS_BULK);
		if (r->scope == SCOPE_AGENT && r->runs == RUNS_HERE)
			fail_msg("%s passes the gate by", r->name);
		assert_non_null(shop_handlers[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_member_in_a_path_is_the_first_of_what_the_call_takes),
		cmocka_unit_test(only_calls_with_a_body_take_one),
		cmocka_unit_test(calls_run_where_the_shop_has_something_to_run_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
