/* The tables of api/types/, and the list of them. */
#include "spec/types.h"

#include "spec/expand_tables.h"

/* clang-format off */
#define TYPE(doc) &SPEC_JOIN(type_, T),
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
const struct json_type *const spec_types[] = {
#define SPEC_TYPES
#include SPEC_FILE
};
#include "spec/undef_types.h"
/* clang-format on */

const unsigned spec_type_count = sizeof(spec_types) / sizeof(spec_types[0]);
