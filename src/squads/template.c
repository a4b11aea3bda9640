/* See template.h. */
#include "squads/template.h"

#include "json/json.h"

enum err template_read(unsigned i, struct arena *a, struct squad_template *out)
{
	const struct template_text *t = template_built_in(i);
	return t ? json_decode(&type_squad_template, t->text, 0, a, out, NULL) : ERR_NOT_FOUND;
}

enum err template_find(struct str name, struct arena *a, struct squad_template *out, struct problem *p)
{
	for (unsigned i = 0; template_built_in(i); i++)
		if (str_eqz(name, template_built_in(i)->name))
			return template_read(i, a, out);
	return problem_field(p, ERR_INVALID, "template",
			     "there is no such template; 'tenfold squad templates' lists them");
}
