/* The rows of api/routes.def as data. */
#include "spec/route_row.h"

const struct route spec_routes[ROUTE_COUNT] = {
#define ROUTE(name, ...) [ROUTE_##name] = ROUTE_ROW(name, __VA_ARGS__),
#include "api/routes.def"
#undef ROUTE
};

const char *const spec_method_names[METHOD_COUNT] = {
	[METHOD_GET] = "GET",     [METHOD_POST] = "POST",     [METHOD_PUT] = "PUT",
	[METHOD_PATCH] = "PATCH", [METHOD_DELETE] = "DELETE",
};

bool route_in_query(const struct route *r)
{
	return r->method == METHOD_GET || r->method == METHOD_DELETE;
}
