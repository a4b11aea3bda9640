/*
 * A row of a table of calls as a struct route, and the words that stand in such rows. For the C file of each table.
 *
 * The member that a path holds is always the first of the route's `in` type (a test checks it by name), so which
 * fields the path gives is known while compiling and the table can be constant.
 */
#ifndef TENFOLD_SPEC_ROUTE_ROW_H
#define TENFOLD_SPEC_ROUTE_ROW_H

#include "spec/routes.h"

#define KiB(n)  ((uint32_t)(n) << 10)
#define MiB(n)  ((uint32_t)(n) << 20)
#define CREATES ROUTE_CREATES
#define WAITS   ROUTE_WAITS
#define MATCHES ROUTE_MATCHES
#define PUBLIC  ROUTE_PUBLIC
#define OPEN    ROUTE_OPEN
#define SIGNED  ROUTE_SIGNED
#define LOOKS   ROUTE_LOOKS
#define FRESH   ROUTE_FRESH
#define TICKETS ROUTE_TICKETS
#define TRIES   ROUTE_TRIES
#define MANAGES ROUTE_MANAGES
#define JSON    ROUTE_JSON
#define TEXT    ROUTE_TEXT

#define NO_STORE        ROUTE_NO_STORE
#define REVALIDATE      ROUTE_REVALIDATE
#define SHARED(seconds) (seconds)

#define FIELDS_IN(path) (__builtin_strchr(path, '{') ? UINT64_C(1) : UINT64_C(0))

#define ROUTE_ROW(name_, tag_, method_, path_, in_, out_, scope_, runs_, status_, max_body_, flags_, cache_, doc_) \
	{                                                                                                          \
		.name = #name_, .tag = TAG_##tag_, .method = METHOD_##method_, .path = path_, .in = &type_##in_,   \
		.out = &type_##out_, .scope = SCOPE_##scope_, .runs = RUNS_##runs_, .status = status_,             \
		.max_body = max_body_, .flags = flags_, .cache = cache_, .path_fields = FIELDS_IN(path_),          \
		.doc = doc_                                                                                        \
	}

#endif
