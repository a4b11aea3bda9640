/*
 * The rows of api/routes.def as data.
 *
 * The member that a path holds is always the first of the route's `in` type (a test checks it by name), so which
 * fields the path gives is known while compiling and the table can be constant.
 */
#include "spec/routes.h"

#define KiB(n)  ((uint32_t)(n) << 10)
#define MiB(n)  ((uint32_t)(n) << 20)
#define CREATES ROUTE_CREATES
#define WAITS   ROUTE_WAITS
#define TEXT    ROUTE_TEXT

#define FIELDS_IN(path) (__builtin_strchr(path, '{') ? UINT64_C(1) : UINT64_C(0))

const struct route spec_routes[ROUTE_COUNT] = {
#define ROUTE(name, tag, method, path, in, out, scope, runs, status, max_body, flags, doc)                   \
	[ROUTE_##name] = {                                                                                   \
		#name,       TAG_##tag, METHOD_##method, path,  &type_##in,      &type_##out, SCOPE_##scope, \
		RUNS_##runs, status,    max_body,        flags, FIELDS_IN(path), doc},
#include "api/routes.def"
#undef ROUTE
};

const char *const spec_method_names[METHOD_COUNT] = {
	[METHOD_GET] = "GET",
	[METHOD_POST] = "POST",
	[METHOD_PUT] = "PUT",
	[METHOD_PATCH] = "PATCH",
	[METHOD_DELETE] = "DELETE",
};

bool route_in_query(const struct route *r)
{
	return r->method == METHOD_GET || r->method == METHOD_DELETE;
}
