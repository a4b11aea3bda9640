/*
 * What expressions of a scenario compute with.
 *
 * Numbers are doubles, text points into memory of the session, the scenario or the population. A record is a JSON
 * object as it came, whose members are found when they are asked for, or made of values: names and values in turn.
 * Values are plain data and are copied freely; who made one says how long what it points to lives.
 */
#ifndef TENFOLD_SIM_VALUE_H
#define TENFOLD_SIM_VALUE_H

#include "base/arena.h"
#include "base/buf.h"
#include "sim/memory.h"

enum value_kind { VALUE_NULL, VALUE_BOOL, VALUE_NUMBER, VALUE_TEXT, VALUE_LIST, VALUE_RECORD };

struct value {
	enum value_kind kind : 8;
	bool lasting;   /* what it points to, and what that points to, lives as long as the session */
	uint8_t depth;  /* of a list: 1 when it holds no list */
	uint32_t count; /* of a list */
	union {
		bool boolean;
		double number;
		struct str text; /* of a text, and of a record as it came: its JSON */
		const struct value *items;
	};
};

enum { VALUE_LIST_MAX = 10000, VALUE_DEPTH_MAX = 32 };

static inline struct value value_number(double v)
{
	return (struct value){.kind = VALUE_NUMBER, .number = v};
}

static inline struct value value_bool(bool v)
{
	return (struct value){.kind = VALUE_BOOL, .boolean = v};
}

/* The text must live as long as the session when `lasting`. */
static inline struct value value_text(struct str s, bool lasting)
{
	return (struct value){.kind = VALUE_TEXT, .lasting = lasting, .text = s};
}

/* null when it would be nested deeper than VALUE_DEPTH_MAX. Of a record, items are name and value in turn. */
struct value value_list(const struct value *items, uint32_t count, bool lasting);
struct value value_record(const struct value *items, uint32_t count, bool lasting);

const char *value_kind_name(enum value_kind k); /* "a number" */

/* False, 0, the empty text, the empty list and null are false. */
bool value_truth(const struct value *v);
/* Of the same kind and the same content. Records are equal when they came with the same bytes, or were made of equal
 * members in the same order. */
bool value_equal(const struct value *a, const struct value *b);

/* A JSON value that is well formed (pick.h). Text without escapes, records and what is in lists point into it; lists
 * and text with escapes are made in m. null when there is no room, or a list has more than VALUE_LIST_MAX elements
 * (m->overflowed is set), or lists are nested too deep. `lasting`: json and m both last. */
struct value value_of_json(struct str json, bool lasting, struct memory *m);
/* Likewise, with all records in it made of values: for what is looked at often. */
struct value value_made_of_json(struct str json, bool lasting, struct memory *m);
/* A member of a record; null when it has none such. Lists and text with escapes are made in m. */
struct value value_member(const struct value *record, struct str name, struct memory *m);

/* A copy that lasts as long as m. What lasts already is not copied. null, and m->overflowed, without room. */
struct value value_keep(const struct value *v, struct memory *m);

/* Likewise, with all texts copied, in an arena; null without room. */
struct value value_own(const struct value *v, struct arena *a);

void value_json(const struct value *v, struct buf *b);
/* As text: of text its characters, of null nothing, else its JSON. */
void value_show(const struct value *v, struct buf *b);

#endif
