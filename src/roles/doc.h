/*
 * A JSON file that a person wrote, with the place of everything in it.
 *
 * Unlike json/ (which decodes what programs send, by table, and is strict) this keeps the text: who reads can say
 * line and column of any value, and who edits changes that value's bytes and no others. It is as forgiving as Gas
 * Town's reader (Go's encoding/json): members are found whatever their case, unknown ones are ignored, duplicates
 * are allowed, half a surrogate pair becomes U+FFFD. A byte order mark, comments, trailing commas and what follows
 * the value are errors that say so; so are bytes that are not UTF-8 and \u0000, which Go takes.
 */
#ifndef TENFOLD_ROLES_DOC_H
#define TENFOLD_ROLES_DOC_H

#include "base/arena.h"
#include "base/problem.h"

enum { DOC_MAX_BYTES = 8 << 20, DOC_DEPTH_MAX = 64 };

enum node_kind { NODE_NULL, NODE_BOOL, NODE_NUMBER, NODE_STRING, NODE_ARRAY, NODE_OBJECT };

/* A value. Members and elements are a list in the order of the text. */
struct node {
	enum node_kind kind;
	uint32_t from, to;         /* its bytes in doc->text, quotes and brackets included */
	uint32_t key_from, key_to; /* of a member: its name's bytes, quotes included */
	struct str key;            /* of a member: its name, decoded */
	struct str text;           /* STRING decoded; NUMBER and BOOL as written */
	struct node *first, *next, *parent;
	uint32_t count; /* of members or elements */
};

struct doc {
	struct str path; /* as shown to people */
	struct str text; /* kept, not copied */
	struct node *root;
	uint32_t *lines; /* where each line begins, for doc_place() */
	size_t line_count;
};

/* text must live as long as the doc. On failure p has path, line and column (both from 1, the column in bytes), and
 * says what was met and what to do: "settings/config.json:12:3: a comma before }; take it away". Empty text, a file
 * that is not UTF-8, more than DOC_MAX_BYTES or DOC_DEPTH_MAX are failures too. ERR_MALFORMED, ERR_TOO_LARGE. */
enum err doc_parse(struct str path, struct str text, struct arena *a, struct doc *out, struct problem *p);

struct place {
	int line, column;
};
struct place doc_place(const struct doc *d, const struct node *n);     /* of the value */
struct place doc_key_place(const struct doc *d, const struct node *n); /* of a member's name */

/*
 * Members as encoding/json pairs them with the fields of a struct (measured with go1.26): in the order of the text,
 * any case (ASCII, and U+212A for k, U+017F for s), so the last one of them counts, exact or not. NULL: none.
 */
const struct node *node_member(const struct node *object, struct str key);
bool node_is_field(const struct node *member, struct str field); /* the same comparison for one */
/* A key of a map, such as a role or an agent: exact, and the last one counts; values of the same key are replaced,
 * not merged. NULL: none. */
const struct node *node_entry(const struct node *object, struct str key);

#endif
