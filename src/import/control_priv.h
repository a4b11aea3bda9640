/*
 * Debian's control files (deb-control(5)): stanzas of fields, a blank line between two.
 *
 * "Name: value" begins a field, lines beginning with white space go on with the value. Names count in any case; of
 * a field that stands twice the first counts. Fields that nobody asked for are passed over.
 */
#ifndef TENFOLD_IMPORT_CONTROL_PRIV_H
#define TENFOLD_IMPORT_CONTROL_PRIV_H

#include "base/arena.h"

enum { CONTROL_FIELDS_MAX = 16 };

/* An oddity of one line; the rest of its stanza still counts. */
typedef void control_remark_fn(void *ctx, size_t line, struct str what);

struct control {
	const char *const *names; /* the fields that are wanted; their order is that of stanza.fields */
	int name_count;
	struct arena *arena; /* for remarks */
	control_remark_fn *remark;
	void *ctx;
};

/* What the text says about one thing; values span their continuation lines and point into the text. */
struct stanza {
	size_t line; /* of its first field; 0 while there is none */
	struct str fields[CONTROL_FIELDS_MAX];
};

/* Reads up to a blank line or the end; false when there was nothing at all. *line is the number of the last line
 * read. */
bool control_next(const struct control *c, struct str *rest, size_t *line, struct stanza *out);

/* The value of a Description: its first line, and the lines below as they are meant. control_details() is NULL when
 * the arena is full. */
struct str control_synopsis(struct str description);
struct str control_details(struct str description, struct arena *a);

/* "install ok installed", the value of Status: is it there? */
bool control_is_installed(struct str status);

#endif
