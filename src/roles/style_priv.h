/*
 * How a person has laid out a file, seen from one place of it: what edit_text.c goes by when it puts something
 * there.
 */
#ifndef TENFOLD_ROLES_STYLE_PRIV_H
#define TENFOLD_ROLES_STYLE_PRIV_H

#include "base/buf.h"
#include "roles/doc.h"

struct style {
	bool one_line;      /* what is put there must not break the line */
	struct str newline; /* "\n" or "\r\n", as the file has it */
	struct str indent;  /* of the line on which the member begins */
	struct str unit;    /* by which what is inside stands further in */
	struct str colon;   /* with the spaces about it */
	struct str gap;     /* between a comma and what follows on the same line */
};

struct style style_of_member(const struct doc *d, const struct node *member); /* one that is there */
struct style style_of_new(const struct doc *d, const struct node *object);    /* one that would be its last */
struct style style_of_new_file(const struct doc *d);                          /* nothing is there yet, or null */

/* Where the white space before the member's name begins: behind the comma or the bracket. */
uint32_t style_lead(const struct doc *d, const struct node *member);
/* Whether the member is the first on its line. */
bool style_has_own_line(const struct doc *d, const struct node *member);
/* The indentation of the line that a byte stands on. */
struct str style_line_indent(const struct doc *d, uint32_t at);

/* JSON that stands as it would at the root, two spaces a level; laid out for that place. */
void style_put(const struct style *style, struct str json, struct buf *b);

#endif
