/*
 * Finding agents: by name through the layers, and by command.
 */
#include "roles/command_priv.h"

const struct town_agent *agents_find(const struct agents *a, struct str name)
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

static bool runs(const struct town_agent *one, struct str command)
{
	const struct runtime *r = &one->runtime;

	return r->tmux.process_names.n && r->command.n &&
	       (str_eq(r->command, command) || str_eq(path_base(r->command), path_base(command)));
}

/* Those of the built-in names first: they know best what their programs look like. */
static const struct town_agent *known_by_command(const struct agents *a, struct str command)
{
	const struct agents *known = presets_builtin();

	for (size_t i = 0; i < known->n; i++) {
		const struct town_agent *one = agents_find(a, known->v[i].name);

		if (one && runs(one, command))
			return one;
	}
	return NULL;
}

const struct town_agent *agents_by_command(const struct agents *a, struct str command)
{
	const struct town_agent *known = command.n ? known_by_command(a, command) : NULL;

	for (const struct agents *layer = a; layer && command.n && !known; layer = layer->under)
		for (size_t i = 0; i < layer->n && !known; i++)
			if (runs(&layer->v[i], command) && agents_find(a, layer->v[i].name) == &layer->v[i])
				known = &layer->v[i];
	return known;
}
