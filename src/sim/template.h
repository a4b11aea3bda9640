/*
 * Texts with expressions in them: "/api/products/{{product.id}}". Compiled once, written for each request.
 *
 * What stands for itself is kept as it is; "{{'{{'}}" writes two braces.
 */
#ifndef TENFOLD_SIM_TEMPLATE_H
#define TENFOLD_SIM_TEMPLATE_H

#include "sim/expr.h"

enum template_use {
	TEMPLATE_PATH,   /* values are percent-encoded, all but RFC 3986's unreserved characters */
	TEMPLATE_HEADER, /* a value with a control character is a failure: it would end the header */
	TEMPLATE_JSON,   /* values are written as JSON */
};

struct template_part;

struct template
{
	struct template_part *parts;
	unsigned count, room;
};

/* Appends to t, in memory of the arena; `text` and the names must live as long. ERR_INVALID says what is wrong. */
enum err template_add(struct template *t, struct str text, enum template_use use, const struct expr_names *names,
		      struct arena *a, struct problem *p);
enum err template_add_literal(struct template *t, struct str text, struct arena *a);
/* JSON that is well formed, whose strings are templates: one that is a single {{…}} becomes the value, of any kind. */
enum err template_add_json(struct template *t, struct str json, const struct expr_names *names, struct arena *a,
			   struct problem *p);

/* Appends; env tells when something failed. */
void template_write(const struct template *t, struct expr_env *env, struct buf *b);

#endif
