/*
 * Reading a document: what doc.c (structure) and doc_text.c (texts, numbers, words) share. Every take_… begins at
 * its first byte, leaves `at` behind its last one, and returns false once the problem is set.
 */
#ifndef TENFOLD_ROLES_DOC_PRIV_H
#define TENFOLD_ROLES_DOC_PRIV_H

#include "roles/doc.h"

struct parse {
	struct doc *doc;
	struct arena *arena;
	struct problem *problem;
	const char *at, *end;
	const struct node *open; /* the innermost array or object that is not closed yet */
	int depth;
	enum err err;
};

/* "PATH:LINE:COLUMN: …" for the byte `at` of the text, ERR_MALFORMED; returns false. */
bool parse_fail(struct parse *s, const char *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool parse_no_room(struct parse *s); /* ERR_TOO_LARGE: the arena is full */
struct place parse_place(const struct parse *s, const char *at);

/* Skips white space; '\0' at the end: the text itself has no NUL. */
char parse_peek(struct parse *s);

bool take_text(struct parse *s, struct str *out);
bool take_number(struct parse *s, struct str *out);
bool take_word(struct parse *s, struct node *out); /* true, false, null */

/* What stands there instead of a value or a name, if that is a comment, a wrong quote or a bare word: sets the
 * problem and returns true. */
bool is_known_mistake(struct parse *s);

#endif
