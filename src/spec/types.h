/*
 * The tables of api/types/ as C: a struct and a json_type for each type, an enum and a json_enum for each enum.
 *
 * For `#define T work_ref` and its rows there are: `struct work_ref`, `extern const struct json_type type_work_ref`
 * and one `work_ref__NAME` per field (its index). Use HAS() and PUT() instead of touching the seen bits.
 */
#ifndef TENFOLD_SPEC_TYPES_H
#define TENFOLD_SPEC_TYPES_H

#include "json/json.h"

/* Where the rows stand. Tests of the machinery have rows of their own. */
#ifndef SPEC_FILE
#define SPEC_FILE "api/types.def"
#endif

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

/* clang-format off */
/* Enumerations. */
#define ENUM(doc) enum T {
#define VALUE(constant, text, doc) constant,
#define END_ENUM };
#define SPEC_ENUMS
#include SPEC_FILE
#undef SPEC_ENUMS
#undef ENUM
#undef VALUE
#undef END_ENUM

/* Structs. */
#define TYPE(doc) struct T {
#define F_BOOL(name, need, doc)                        bool name;
#define F_INT(name, need, min, max, doc)               int64_t name;
#define F_REAL(name, need, min, max, doc)              double name;
#define F_TEXT(name, need, min, max, doc)              struct str name;
#define F_REF(name, need, what, min, max, doc)         struct str name;
#define F_ENUM(name, need, of, doc)                    int name;
#define F_TIME(name, need, doc)                        int64_t name;
#define F_MS(name, need, min, max, doc)                int64_t name;
#define F_ID(name, need, prefix, doc)                  int64_t name;
#define F_RAW(name, need, max, doc)                    struct str name;
#define F_OBJECT(name, need, of, doc)                  struct of name;
#define F_TEXTS(name, need, max_count, max, doc)       struct str *name; size_t name##_count;
#define F_WORDS(name, need, max_count, max, doc)       struct str *name; size_t name##_count;
#define F_ENUMS(name, need, of, max_count, doc)        int *name; size_t name##_count;
#define F_OBJECTS(name, need, of, max_count, doc)      struct of *name; size_t name##_count;
#define F_MAP(name, need, max_count, max, doc)         struct json_pair *name; size_t name##_count;
#define END_TYPE uint64_t seen, nulls; };
#define SPEC_TYPES
#include SPEC_FILE
#include "spec/undef_types.h"

/* Field indexes. */
#define TYPE(doc) enum {
#define SPEC_INDEX(name) SPEC_JOIN(T, SPEC_JOIN(__, name)),
#define F_BOOL(name, need, doc)                        SPEC_INDEX(name)
#define F_INT(name, need, min, max, doc)               SPEC_INDEX(name)
#define F_REAL(name, need, min, max, doc)              SPEC_INDEX(name)
#define F_TEXT(name, need, min, max, doc)              SPEC_INDEX(name)
#define F_REF(name, need, what, min, max, doc)         SPEC_INDEX(name)
#define F_ENUM(name, need, of, doc)                    SPEC_INDEX(name)
#define F_TIME(name, need, doc)                        SPEC_INDEX(name)
#define F_MS(name, need, min, max, doc)                SPEC_INDEX(name)
#define F_ID(name, need, prefix, doc)                  SPEC_INDEX(name)
#define F_RAW(name, need, max, doc)                    SPEC_INDEX(name)
#define F_OBJECT(name, need, of, doc)                  SPEC_INDEX(name)
#define F_TEXTS(name, need, max_count, max, doc)       SPEC_INDEX(name)
#define F_WORDS(name, need, max_count, max, doc)       SPEC_INDEX(name)
#define F_ENUMS(name, need, of, max_count, doc)        SPEC_INDEX(name)
#define F_OBJECTS(name, need, of, max_count, doc)      SPEC_INDEX(name)
#define F_MAP(name, need, max_count, max, doc)         SPEC_INDEX(name)
#define END_TYPE SPEC_JOIN(T, __COUNT) };
#define SPEC_TYPES
#include SPEC_FILE
#include "spec/undef_types.h"
#undef SPEC_INDEX

/* The tables themselves (src/spec/types.c). */
#define ENUM(doc) extern const struct json_enum SPEC_JOIN(enum_, T);
#define VALUE(constant, text, doc)
#define END_ENUM
#define SPEC_ENUMS
#include SPEC_FILE
#undef SPEC_ENUMS
#undef ENUM
#undef VALUE
#undef END_ENUM

#define TYPE(doc) extern const struct json_type SPEC_JOIN(type_, T);
#define F_BOOL(name, need, doc)
#define F_INT(name, need, min, max, doc)
#define F_REAL(name, need, min, max, doc)
#define F_TEXT(name, need, min, max, doc)
#define F_REF(name, need, what, min, max, doc)
#define F_ENUM(name, need, of, doc)
#define F_TIME(name, need, doc)
#define F_MS(name, need, min, max, doc)
#define F_ID(name, need, prefix, doc)
#define F_RAW(name, need, max, doc)
#define F_OBJECT(name, need, of, doc)
#define F_TEXTS(name, need, max_count, max, doc)
#define F_WORDS(name, need, max_count, max, doc)
#define F_ENUMS(name, need, of, max_count, doc)
#define F_OBJECTS(name, need, of, max_count, doc)
#define F_MAP(name, need, max_count, max, doc)
#define END_TYPE
#define SPEC_TYPES
#include SPEC_FILE
#include "spec/undef_types.h"
/* clang-format on */

/* Every type that stands in the API, for OpenAPI and the round-trip test. */
extern const struct json_type *const spec_types[];
extern const unsigned spec_type_count;

#endif
