/*
 * A command of a town: its folder, its environment and the names its agents go by, handed to spawn.c.
 */
#include "roles/command_priv.h"

enum err role_command(struct town *t, const struct role_query *q, const struct role_answer *answer,
		      const struct command_options *o, struct arena *a, struct role_command *out, struct problem *p)
{
	const struct spawn s = {
		.files = town_files(t),
		.town_dir = town_dir(t),
		.registry = answer->registry,
		.query = q,
		.answer = answer,
		.options = o,
		.arena = a,
	};

	return spawn_command(&s, out, p);
}
