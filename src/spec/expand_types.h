/*
 * The rows of SPEC_FILE as C: structs, enums, indexes of fields, and the names of their tables. No include guard on
 * purpose: each file of rows is expanded once by a header of its own.
 */
/* clang-format off */
/* Enumerations. */
#define ENUM(doc) enum T {
#define VALUE(constant, text, doc) constant,
#define VALUE_ALSO(constant, text, also, doc) constant,
#define END_ENUM };
#define SPEC_ENUMS
#include SPEC_FILE
#undef SPEC_ENUMS
#undef ENUM
#undef VALUE
#undef VALUE_ALSO
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

/* The tables themselves (spec/expand_tables.h). */
#define ENUM(doc) extern const struct json_enum SPEC_JOIN(enum_, T);
#define VALUE(constant, text, doc)
#define VALUE_ALSO(constant, text, also, doc)
#define END_ENUM
#define SPEC_ENUMS
#include SPEC_FILE
#undef SPEC_ENUMS
#undef ENUM
#undef VALUE
#undef VALUE_ALSO
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
