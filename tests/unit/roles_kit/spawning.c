/* Facts of a spawn, and what was made of them. */
#include "roles_kit/spawning.h"

#include "harness.h"

int spawning_set_up(void **state)
{
	struct spawning *the = *state;

	*the = (struct spawning){
		.files = memory_files_new(),
		.arena = arena_new(16 << 20),
		.query = {.role = STR("polecat"), .rig = STR("alpha"), .name = STR("toast")},
		.answer = {.role = ROLE_POLECAT},
	};
	spawning_agent(the, "claude");
	return 0;
}

int spawning_tear_down(void **state)
{
	struct spawning *the = *state;

	memory_files_destroy(&the->files);
	arena_destroy(&the->arena);
	return 0;
}

/* ---- facts ---- */

void spawning_role(struct spawning *the, enum role role, const char *rig, const char *name)
{
	the->answer.role = role;
	the->query.role = str_of(role_texts[role]);
	the->query.rig = str_of(rig);
	the->query.name = str_of(name);
}

void spawning_agent(struct spawning *the, const char *preset)
{
	the->answer.agent = the->answer.runs = the->answer.exported = str_of(preset);
	the->answer.runtime = agents_find(presets_builtin(), str_of(preset))->runtime;
	the->answer.claude = str_eqz(the->answer.runtime.command, "claude");
}

void spawning_args(struct spawning *the, struct str *v, size_t n)
{
	the->answer.runtime.args = (struct texts){v, n, true};
}

void spawning_env(struct spawning *the, struct pair *v, size_t n)
{
	the->answer.runtime.env = (struct pairs){v, n};
}

/* ---- the command ---- */

struct spawn spawning_facts(struct spawning *the)
{
	return (struct spawn){
		.files = &the->files->files,
		.town_dir = STR("/gt"),
		.registry = presets_builtin(),
		.query = &the->query,
		.answer = &the->answer,
		.options = &the->options,
		.arena = the->arena,
	};
}

enum err spawning_try(struct spawning *the)
{
	const struct spawn s = spawning_facts(the);

	problem_clear(&the->problem);
	return spawn_command(&s, &the->command, &the->problem);
}

void spawning_make(struct spawning *the)
{
	if (spawning_try(the) != OK)
		fail_msg("%s", the->problem.detail);
}

const char *spawning_words(const struct spawning *the, size_t n)
{
	struct str text = {0};

	for (size_t i = n; i < the->command.argv.n; i++)
		text = arena_fmt(the->arena, "%.*s%s%.*s", STRF(text), i > n ? " " : "",
				 STRF(the->command.argv.v[i]));
	return arena_z(the->arena, text);
}

bool spawning_shell_has(const struct spawning *the, const char *part)
{
	return strstr(arena_z(the->arena, the->command.shell), part) != NULL;
}

const char *spawning_variable(const struct spawning *the, const char *key)
{
	for (size_t i = 0; i < the->command.env.n; i++)
		if (str_eqz(the->command.env.v[i].key, key))
			return arena_z(the->arena, the->command.env.v[i].value);
	return NULL;
}

void assert_variable(const struct spawning *the, const char *key, const char *value)
{
	const char *is = spawning_variable(the, key);

	if ((is == NULL) != (value == NULL) || (is && strcmp(is, value) != 0))
		fail_msg("%s is \"%s\", not \"%s\"", key, is ? is : "(unset)", value ? value : "(unset)");
}
