/*
 * Finding things in JSON text without reading it into anything.
 *
 * These walk over any bytes without harm, and find what they are asked for when the text is JSON. Who must know whether
 * it is asks json_check(); what is taken out of a text that was not checked may itself be none.
 */
#ifndef TENFOLD_JSON_PICK_H
#define TENFOLD_JSON_PICK_H

#include "base/str.h"

/* The value that stands at p, after white space; its end, or NULL when there is none. */
const char *pick_value(const char *p, const char *end, struct str *out);

/* Walks an object or a list: from pick_open() (NULL: it is none, or empty) with pick_next() until that is NULL. */
struct pick {
	const char *at, *end;
	struct str name;  /* of a member, as the text spells it */
	struct str value; /* its bytes */
};
bool pick_first(struct str json, char bracket, struct pick *p); /* '{' or '[' */
bool pick_next(struct pick *p);

/* The member of an object; the first one of that name. Names with escapes are compared as they are meant. */
bool pick_member(struct str object, struct str name, struct str *out);

/* RFC 6901: "/items/0/id", "~1" for '/', "~0" for '~'; empty: all of it. */
bool pick_pointer(struct str json, struct str pointer, struct str *out);
bool pick_pointer_valid(struct str pointer);

/* By a path as faults name it, "states[3].steps[0].chance": as much of it as there is. */
struct str pick_path(struct str json, struct str path);

/* What a JSON string means, without its quotes; out has room for as many bytes as the string. */
size_t pick_unescape(struct str inside, char *out);

#endif
