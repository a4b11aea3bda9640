/*
 * The tables of api/types/ as C: a struct and a json_type for each type, an enum and a json_enum for each enum.
 *
 * For `#define T work_ref` and its rows there are: `struct work_ref`, `extern const struct json_type type_work_ref`
 * and one `work_ref__NAME` per field (its index). Use HAS() and PUT() instead of touching the seen bits.
 */
#ifndef TENFOLD_SPEC_TYPES_H
#define TENFOLD_SPEC_TYPES_H

#include "json/json.h"

/* Was this field given (not absent, not null)? HAS(in, work_new, key) */
#define HAS(object, type, field) (((object)->seen >> type##__##field & 1) != 0)
/* Was it given as null? */
#define IS_NULL(object, type, field) (((object)->nulls >> type##__##field & 1) != 0)
/* Gives a value and marks it seen: PUT(out, work_item, title, body.title) */
#define PUT(object, type, field, value) \
	((object)->field = (value), (void)((object)->seen |= UINT64_C(1) << type##__##field))
/* The bit of one field, for skip masks. */
#define BIT(type, field) (UINT64_C(1) << type##__##field)

#define SPEC_JOIN_(a, b) a##b
#define SPEC_JOIN(a, b)  SPEC_JOIN_(a, b)

/* Where the rows stand. Tests of the machinery have rows of their own; what has rows besides includes
 * spec/expand_types.h again (shop/types.h does). */
#ifndef SPEC_FILE
#define SPEC_FILE "api/types.def"
#endif
#include "spec/expand_types.h"

/* Every type that stands in the API, for OpenAPI and the round-trip test. */
extern const struct json_type *const spec_types[];
extern const unsigned spec_type_count;

#endif
