/*
 * The router on the real table, and on one made to confuse it.
 */
#include "tests/unit/harness.h"

#include "http/router.h"

static enum err find(const struct router *r, enum route_method method, const char *path, struct router_match *m)
{
	return router_find(r, method, str_of(path), m);
}

/* A path that the route has, with some id in it. */
static void path_of(const struct route *route, char out[128])
{
	const char *member = strchr(route->path, '{');

	if (member)
		snprintf(out, 128, "%.*sw_0123456789abc%s", (int)(member - route->path), route->path,
			 strchr(member, '}') + 1);
	else
		snprintf(out, 128, "%s", route->path);
}

static void every_route_is_found_by_its_path(void **state)
{
	struct router *r = router_new(spec_routes, ROUTE_COUNT);

	(void)state;
	for (unsigned i = 0; i < ROUTE_COUNT; i++) {
		const struct route *route = &spec_routes[i];
		struct router_match m;
		char path[128];

		path_of(route, path);
		assert_row(route->name, find(r, route->method, path, &m) == OK);
		assert_row(route->name, m.route == route);
		if (strchr(route->path, '{'))
			assert_row(route->name, str_eqz(m.id, "w_0123456789abc"));
		else
			assert_row(route->name, m.id.n == 0);
	}
	router_destroy(&r);
}

/* path_fields is worked out while compiling from where the member stands in its type. */
static void the_member_of_a_path_is_the_field_of_that_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUTE_COUNT; i++) {
		const struct route *route = &spec_routes[i];
		uint64_t expected = 0;

		for (uint32_t k = 0; k < route->in->field_count; k++) {
			char member[64];

			snprintf(member, sizeof(member), "{%s}", route->in->fields[k].name);
			if (strstr(route->path, member))
				expected |= UINT64_C(1) << k;
		}
		assert_row(route->name, (strchr(route->path, '{') != NULL) == (expected != 0));
		assert_row(route->name, route->path_fields == expected);
	}
}

static void what_is_no_path_is_not_found(void **state)
{
	static const char *const paths[] = {
		"",
		"/",
		"/v1",
		"/v1/",
		"/v1/work/",
		"/v1/work//cancel",
		"//v1/work",
		"/v1/work/x/cancel/",
		"/v1/work/x/y",
		"/v1/work/x/cancel/y",
		"/V1/work",
		"v1/work",
		"/health/live/",
		"*",
		"/v1/work/{id}/nope",
	};
	struct router *r = router_new(spec_routes, ROUTE_COUNT);
	struct router_match m;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(paths); i++)
		assert_int_equal(find(r, METHOD_GET, paths[i], &m), ERR_NO_ROUTE);
	assert_int_equal(router_find(r, METHOD_GET, (struct str){0}, &m), ERR_NO_ROUTE);
	router_destroy(&r);
}

static void a_path_with_other_methods_tells_them(void **state)
{
	struct router *r = router_new(spec_routes, ROUTE_COUNT);
	struct router_match m;

	(void)state;
	assert_int_equal(find(r, METHOD_DELETE, "/v1/work", &m), ERR_METHOD);
	assert_int_equal(m.allowed, 1u << METHOD_GET | 1u << METHOD_POST);
	assert_int_equal(find(r, METHOD_COUNT, "/v1/work/x/cancel", &m), ERR_METHOD);
	assert_int_equal(m.allowed, 1u << METHOD_POST);
	assert_int_equal(find(r, METHOD_GET, "/v1/work/claim", &m), ERR_METHOD); /* not the item "claim" */
	router_destroy(&r);
}

static const struct route confusing[] = {
	{.name = "a", .method = METHOD_GET, .path = "/{id}"},
	{.name = "b", .method = METHOD_GET, .path = "/a"},
	{.name = "c", .method = METHOD_GET, .path = "/a/{id}"},
	{.name = "d", .method = METHOD_GET, .path = "/a/{id}/c"},
	{.name = "e", .method = METHOD_GET, .path = "/{id}/b"},
	{.name = "f", .method = METHOD_GET, .path = "/a/b"},
	{.name = "g", .method = METHOD_PUT, .path = "/{id}"},
	{.name = "h", .method = METHOD_GET, .path = "/a/b/c/d/{id}"},
};

static void literal_paths_win_over_members(void **state)
{
	static const struct {
		const char *path, *name, *id;
	} expected[] = {
		{"/x", "a", "x"},     {"/a", "b", ""},      {"/a/x", "c", "x"},
		{"/a/x/c", "d", "x"}, {"/x/b", "e", "x"},   {"/a/b", "f", ""},
		{"/b", "a", "b"},     {"/a/b/c", "d", "b"}, {"/a/b/c/d/yz", "h", "yz"},
	};
	struct router *r = router_new(confusing, COUNT_OF(confusing));
	struct router_match m;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		assert_int_equal(find(r, METHOD_GET, expected[i].path, &m), OK);
		assert_string_equal(m.route->name, expected[i].name);
		assert_true(str_eqz(m.id, expected[i].id));
	}
	assert_int_equal(find(r, METHOD_PUT, "/x", &m), OK);
	assert_int_equal(find(r, METHOD_PUT, "/a", &m), ERR_METHOD);
	assert_int_equal(find(r, METHOD_GET, "/a/b/c/d/", &m), ERR_NO_ROUTE);
	router_destroy(&r);
}

static void add_twice(void *arg)
{
	const struct route twice[] = {confusing[0], confusing[0]};

	(void)arg;
	router_new(twice, 2);
}

static void two_routes_in_one_place_are_a_bug(void **state)
{
	(void)state;
	assert_true(dies(add_twice, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_is_found_by_its_path),
		cmocka_unit_test(the_member_of_a_path_is_the_field_of_that_name),
		cmocka_unit_test(what_is_no_path_is_not_found),
		cmocka_unit_test(a_path_with_other_methods_tells_them),
		cmocka_unit_test(literal_paths_win_over_members),
		cmocka_unit_test(two_routes_in_one_place_are_a_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
