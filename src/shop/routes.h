/* The calls of the demo shop, api/shop/routes.def, as C; their handlers, and the table that finds them. */
#ifndef TENFOLD_SHOP_ROUTES_H
#define TENFOLD_SHOP_ROUTES_H

#include "http/http.h"
#include "shop/types.h"

enum shop_route_id {
#define ROUTE(name, method, path, in, out, scope, runs, status, max_body, doc) SHOP_ROUTE_##name,
#include "api/shop/routes.def"
#undef ROUTE
	SHOP_ROUTE_COUNT
};

extern const struct route shop_routes[SHOP_ROUTE_COUNT];
extern http_handler_fn *const shop_handlers[SHOP_ROUTE_COUNT];

#define ROUTE(name, method, path, in_type, out_type, scope, runs, status, max_body, doc) \
	enum err shop_##name(struct call *c, const struct in_type *in, struct out_type *out);
#include "api/shop/routes.def"
#undef ROUTE

#endif
