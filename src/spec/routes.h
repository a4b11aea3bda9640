/*
 * The table of calls (api/routes.def) as C: what a client, the OpenAPI document and the server agree on.
 * Handlers are not here: the server adds them (http/http.h).
 */
#ifndef TENFOLD_SPEC_ROUTES_H
#define TENFOLD_SPEC_ROUTES_H

#include "spec/types.h"

enum route_id {
#define ROUTE(name, tag, method, path, in, out, scope, runs, status, max_body, flags, cache, doc) ROUTE_##name,
#include "api/routes.def"
#undef ROUTE
	ROUTE_COUNT
};

enum route_method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE, METHOD_COUNT };

enum route_runs {
	RUNS_HERE,
	RUNS_SLOT,
	RUNS_READ,
	RUNS_CACHED,
	RUNS_SLOT_READ,
	RUNS_SLOT_WRITE,
	RUNS_WRITE,
	RUNS_HASH_WRITE,
	RUNS_BULK,
	RUNS_COMPUTE,
	RUNS_STREAM
};

enum route_flags {
	ROUTE_CREATES = 1,
	ROUTE_WAITS = 2,
	ROUTE_TEXT = 4,
	ROUTE_MATCHES = 8,
	ROUTE_JSON = 16,
	ROUTE_PUBLIC = 32,
	ROUTE_OPEN = 64,
	ROUTE_SIGNED = 128,
	ROUTE_LOOKS = 256,
	ROUTE_FRESH = 512,
	ROUTE_TICKETS = 1024,
	ROUTE_TRIES = 2048,
	ROUTE_MANAGES = 4096
};

/* How long anybody may keep an answer that everybody may see, in seconds; or one of these. */
enum route_cache { ROUTE_NO_STORE = 0, ROUTE_REVALIDATE = -1 };

struct route {
	const char *name; /* also the operationId */
	enum tag tag;
	enum route_method method;
	const char *path; /* with {id} for the id in it; at most one such member */
	const struct json_type *in, *out;
	enum scope scope;
	enum route_runs runs;
	int status; /* when it went well and the handler does not say otherwise */
	uint32_t max_body;
	unsigned flags;
	int cache;            /* seconds, or an enum route_cache */
	uint64_t path_fields; /* members of `in` that stand in the path */
	const char *doc;
};

extern const struct route spec_routes[ROUTE_COUNT];
extern const char *const spec_method_names[METHOD_COUNT];

/* Do the members that are not in the path come from the query (else from the body)? */
bool route_in_query(const struct route *r);

/* The whole API as an OpenAPI 3.1 document. */
void spec_openapi(struct buf *b, const char *version);

#endif
