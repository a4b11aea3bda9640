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
#define MATCHES ROUTE_MATCHES
#define PUBLIC  ROUTE_PUBLIC
#define OPEN    ROUTE_OPEN
#define JSON    ROUTE_JSON
#define TEXT    ROUTE_TEXT

#define NO_STORE        ROUTE_NO_STORE
#define REVALIDATE      ROUTE_REVALIDATE
#define SHARED(seconds) (seconds)

#define FIELDS_IN(path) (__builtin_strchr(path, '{') ? UINT64_C(1) : UINT64_C(0))

const struct route spec_routes[ROUTE_COUNT] = {
#define ROUTE(name_, tag_, method_, path_, in_, out_, scope_, runs_, status_, max_body_, flags_, cache_, doc_) \
	[ROUTE_##name_] = {.name = #name_,                                                                     \
			   .tag = TAG_##tag_,                                                                  \
			   .method = METHOD_##method_,                                                         \
			   .path = path_,                                                                      \
			   .in = &type_##in_,                                                                  \
			   .out = &type_##out_,                                                                \
			   .scope = SCOPE_##scope_,                                                            \
			   .runs = RUNS_##runs_,                                                               \
			   .status = status_,                                                                  \
			   .max_body = max_body_,                                                              \
			   .flags = flags_,                                                                    \
			   .cache = cache_,                                                                    \
			   .path_fields = FIELDS_IN(path_),                                                    \
			   .doc = doc_},
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
