/* Templates that ship with the program: the members of a squad, and the steps of its executions. */
#ifndef TENFOLD_SQUADS_TEMPLATE_H
#define TENFOLD_SQUADS_TEMPLATE_H

#include "base/arena.h"
#include "base/problem.h"
#include "spec/types.h"

struct template_text {
	const char *name, *about;
	struct str text; /* a squad_template */
};

/* NULL past the last. */
const struct template_text *template_built_in(unsigned i);

/* The i-th; ERR_NOT_FOUND past the last. */
enum err template_read(unsigned i, struct arena *a, struct squad_template *out);
/* ERR_INVALID naming `template`, with the names there are. */
enum err template_find(struct str name, struct arena *a, struct squad_template *out, struct problem *p);

#endif
