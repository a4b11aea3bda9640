/* The rows of api/shop/routes.def as data, and their handlers behind one signature. */
#include "shop/routes.h"

#include "spec/route_row.h"

const struct route shop_routes[SHOP_ROUTE_COUNT] = {
#define ROUTE(name, method, path, in, out, scope, runs, status, max_body, doc) \
	[SHOP_ROUTE_##name] =                                                  \
		ROUTE_ROW(name, SYSTEM, method, path, in, out, scope, runs, status, max_body, 0, NO_STORE, doc),
#include "api/shop/routes.def"
#undef ROUTE
};

#define ROUTE(name, method, path, in_type, out_type, scope, runs, status, max_body, doc)   \
	static enum err run_##name(struct call *c, const void *in, void *out)              \
	{                                                                                  \
		return shop_##name(c, (const struct in_type *)in, (struct out_type *)out); \
	}
#include "api/shop/routes.def"
#undef ROUTE

http_handler_fn *const shop_handlers[SHOP_ROUTE_COUNT] = {
#define ROUTE(name, method, path, in, out, scope, runs, status, max_body, doc) [SHOP_ROUTE_##name] = run_##name,
#include "api/shop/routes.def"
#undef ROUTE
};
