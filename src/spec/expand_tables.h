/*
 * The rows of SPEC_FILE as the tables that decoder, encoder, schema and command line read. No include guard on
 * purpose: it is included once for each file of rows, in a C file that has the header of those rows.
 *
 * spec/expand_types.h made the structs from the same rows. That both sides agree is checked by the compiler: ROW()
 * names the C type it expects at its offset, and a member of another type does not compile.
 */
#define SPEC_TEXT_(a) #a
#define SPEC_TEXT(a)  SPEC_TEXT_(a)

/* clang-format off */

/* ---- enumerations ---- */

#define ENUM(text_) static const struct json_value_name SPEC_JOIN(values_of_, T)[] = {
#define VALUE(constant, text_, doc_) [constant] = {.text = text_, .doc = doc_},
#define VALUE_ALSO(constant, text_, also_, doc_) [constant] = {.text = text_, .also = also_, .doc = doc_},
#define END_ENUM }; \
	const struct json_enum SPEC_JOIN(enum_, T) = { \
		.name = SPEC_TEXT(T), \
		.values = SPEC_JOIN(values_of_, T), \
		.count = sizeof(SPEC_JOIN(values_of_, T)) / sizeof(SPEC_JOIN(values_of_, T)[0]), \
	};
#define SPEC_ENUMS
#include SPEC_FILE
#undef SPEC_ENUMS
#undef ENUM
#undef VALUE
#undef VALUE_ALSO
#undef END_ENUM

/* ---- types ---- */

#define REQUIRED       .need = JSON_REQUIRED
#define OPTIONAL       .need = JSON_OPTIONAL
#define NULLABLE       .need = JSON_NULLABLE
#define DEFAULT(text_) .need = JSON_OPTIONAL, .fallback = text_

/* The offset, if the member is of that type: _Generic has no other association. */
#define OFFSET(member, c_type) \
	(uint32_t)(offsetof(struct T, member) + 0 * sizeof(_Generic(((struct T *)0)->member, c_type : 1)))

#define ROW(member, c_type, kind_) \
	.name = #member, .key = ",\"" #member "\":", .name_length = sizeof(#member) - 1, .kind = kind_, \
	.offset = OFFSET(member, c_type)
#define ROW_OF_MANY(member, c_type, kind_) \
	ROW(member, c_type *, kind_), .count_offset = OFFSET(member##_count, size_t)

#define F_BOOL(member, need_, doc_) \
	{ROW(member, bool, JSON_BOOL), need_, .doc = doc_},
#define F_INT(member, need_, low, high, doc_) \
	{ROW(member, int64_t, JSON_INT), need_, .min = low, .max = high, .doc = doc_},
#define F_REAL(member, need_, low, high, doc_) \
	{ROW(member, double, JSON_REAL), need_, .min = low, .max = high, .doc = doc_},
#define F_TEXT(member, need_, low, high, doc_) \
	{ROW(member, struct str, JSON_TEXT), need_, .min = low, .max = high, .doc = doc_},
#define F_REF(member, need_, what_, low, high, doc_) \
	{ROW(member, struct str, JSON_TEXT), need_, .min = low, .max = high, .of = what_ "-ref", .doc = doc_},
#define F_ENUM(member, need_, of_, doc_) \
	{ROW(member, int, JSON_ENUM), need_, .of = &SPEC_JOIN(enum_, of_), .doc = doc_},
#define F_TIME(member, need_, doc_) \
	{ROW(member, int64_t, JSON_TIME), need_, .doc = doc_},
#define F_MS(member, need_, low, high, doc_) \
	{ROW(member, int64_t, JSON_MS), need_, .min = low, .max = high, .doc = doc_},
#define F_ID(member, need_, prefix, doc_) \
	{ROW(member, int64_t, JSON_ID), need_, .of = prefix, .doc = doc_},
#define F_RAW(member, need_, high, doc_) \
	{ROW(member, struct str, JSON_RAW), need_, .max = high, .doc = doc_},
#define F_OBJECT(member, need_, of_, doc_) \
	{ROW(member, struct of_, JSON_OBJECT), need_, .of = &SPEC_JOIN(type_, of_), .doc = doc_},
#define F_TEXTS(member, need_, count_high, high, doc_) \
	{ROW_OF_MANY(member, struct str, JSON_TEXTS), need_, .max_count = count_high, .min = 1, .max = high, \
	 .doc = doc_},
#define F_WORDS(member, need_, count_high, high, doc_) \
	{ROW_OF_MANY(member, struct str, JSON_TEXTS), need_, .max_count = count_high, .max = high, .doc = doc_},
#define F_ENUMS(member, need_, of_, count_high, doc_) \
	{ROW_OF_MANY(member, int, JSON_ENUMS), need_, .max_count = count_high, .of = &SPEC_JOIN(enum_, of_), \
	 .doc = doc_},
#define F_OBJECTS(member, need_, of_, count_high, doc_) \
	{ROW_OF_MANY(member, struct of_, JSON_OBJECTS), need_, .max_count = count_high, \
	 .of = &SPEC_JOIN(type_, of_), .doc = doc_},
#define F_MAP(member, need_, count_high, high, doc_) \
	{ROW_OF_MANY(member, struct json_pair, JSON_MAP), need_, .max_count = count_high, .max = high, .doc = doc_},

#define TYPE(text_) \
	static const char SPEC_JOIN(doc_of_, T)[] = text_; \
	static const struct json_field SPEC_JOIN(rows_of_, T)[] = {
/* The empty row at the end keeps types without fields from having an empty array. */
#define END_TYPE {0}}; \
	_Static_assert(SPEC_JOIN(T, __COUNT) <= 64, "a type has at most 64 fields: they are bits of `seen`"); \
	const struct json_type SPEC_JOIN(type_, T) = { \
		.name = SPEC_TEXT(T), \
		.doc = SPEC_JOIN(doc_of_, T), \
		.fields = SPEC_JOIN(rows_of_, T), \
		.field_count = SPEC_JOIN(T, __COUNT), \
		.size = sizeof(struct T), \
		.seen_offset = OFFSET(seen, uint64_t), \
		.nulls_offset = OFFSET(nulls, uint64_t), \
	};
#define SPEC_TYPES
#include SPEC_FILE
#include "spec/undef_types.h"
/* clang-format on */
