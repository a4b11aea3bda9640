/*
 * Finding agents: by name through the layers, and by command.
 */
#include "roles/command_priv.h"

const struct agent *agents_find(const struct agents *a, struct str name)
{
	for (; a; a = a->under) {
		size_t low = 0, high = a->n;

		while (low < high) {
			size_t middle = low + (high - low) / 2;
			int order = str_cmp(a->v[middle].name, name);

			if (order == 0)
				return &a->v[middle];
			if (order < 0)
				low = middle + 1;
			else
				high = middle;
		}
	}
	return NULL;
}

static bool runs(const struct agent *one, struct str command)
{
	const struct runtime *r = &one->runtime;

	return r->tmux.process_names.n && r->command.n &&
	       (str_eq(r->command, command) || str_eq(path_base(r->command), path_base(command)));
}

const struct agent *agents_by_command(const struct agents *a, struct str command)
{
	for (; a && command.n; a = a->under)
		for (size_t i = 0; i < a->n; i++)
			if (runs(&a->v[i], command))
				return &a->v[i];
	return NULL;
}
