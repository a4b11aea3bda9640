/*
 * Method and path → route. Literal paths win over those with a member in them.
 */
#ifndef TENFOLD_HTTP_ROUTER_H
#define TENFOLD_HTTP_ROUTER_H

#include "spec/routes.h"

struct router;

struct router_match {
	const struct route *route;
	struct str id;    /* what stands for the member in the path; empty when it has none */
	unsigned allowed; /* with ERR_METHOD: a bit for each method the path takes */
};

struct router *router_new(const struct route *routes, unsigned count);
void router_destroy(struct router **r);

/* ERR_NO_ROUTE: no such path. ERR_METHOD: it takes other methods. METHOD_COUNT stands for a method no path takes.
 */
enum err router_find(const struct router *r, enum route_method method, struct str path, struct router_match *out);

#endif
