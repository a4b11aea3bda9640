/*
 * The town of the stories.
 */
#include "town_kit/story.h"

#include "harness.h"

#include "base/magic.h"

static const char *below_town(const struct story *s, const char *path)
{
	return path[0] == '/' ? path : arena_fmt(s->arena, "/t/%s", path).p;
}

struct story *story_new(void)
{
	static const char *const commands[] = {"claude",   "gemini",  "codex", "cursor-agent", "auggie", "amp",
					       "opencode", "copilot", "pi",    "omp",          "vibe"};
	struct story *s = NEW(struct story);

	s->m = memory_files_new();
	s->m->ms = 1795000000000;
	s->arena = arena_new((size_t)64 << 20);
	memory_files_put(s->m, "/t/mayor/town.json", "{\"type\":\"town\",\"version\":2,\"name\":\"t\"}");
	memory_files_folder(s->m, "/t/alpha");
	memory_files_folder(s->m, "/t/beta");
	story_env(s, "HOME", "/u");
	story_env(s, "PATH", "/bin");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		story_install(s, commands[i]);
	CHECK(town_open(&s->m->files, STR("/t"), (struct str){0}, &s->town, &s->problem) == OK);
	CHECK(town_state_open(&s->m->files, (struct str){0}, STR("/t"), &s->state, &s->problem) == OK);
	return s;
}

void story_end(struct story **s)
{
	town_state_close(&(*s)->state);
	town_close(&(*s)->town);
	memory_files_destroy(&(*s)->m);
	arena_destroy(&(*s)->arena);
	free(*s);
	*s = NULL;
}

int story_set_up(void **state)
{
	struct story **s = *state;

	*s = story_new();
	return 0;
}

int story_tear_down(void **state)
{
	story_end(*state);
	return 0;
}

void story_put_raw(struct story *s, const char *path, const char *text)
{
	memory_files_put(s->m, below_town(s, path), text);
}

void story_put(struct story *s, const char *path, const char *text)
{
	char *copy = arena_z(s->arena, str_of(text));

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	story_put_raw(s, path, copy);
}

void story_remove(struct story *s, const char *path)
{
	memory_files_remove(s->m, below_town(s, path));
}

void story_env(struct story *s, const char *name, const char *value)
{
	memory_files_env(s->m, name, value);
}

void story_install(struct story *s, const char *command)
{
	struct str path = arena_fmt(s->arena, "/bin/%s", command);

	memory_files_install(s->m, command[0] == '/' ? command : path.p);
}

void story_uninstall(struct story *s, const char *command)
{
	memory_files_uninstall(s->m, arena_fmt(s->arena, "/bin/%s", command).p);
}

enum err story_ask(struct story *s, struct role_query q)
{
	problem_clear(&s->problem);
	town_refresh(s->town);
	return role_resolve(s->town, &q, s->state, s->arena, &s->answer, &s->problem);
}

void story_ask_compat(struct story *s, const char *role, const char *rig)
{
	assert_int_equal(ASK(s, .role = str_of(role), .rig = str_of(rig), .compat = true), OK);
}

void story_expect(const struct story *s, const char *agent, enum rule rule)
{
	assert_str(s->answer.agent, agent);
	assert_int_equal(s->answer.rule, rule);
}

const struct step *story_step(const struct story *s, enum rule rule)
{
	const struct step *found = NULL;

	for (size_t i = 0; i < s->answer.step_count; i++)
		if (s->answer.steps[i].rule == rule)
			found = &s->answer.steps[i];
	return found;
}

static bool holds(struct str text, const char *part)
{
	return text.n && memmem(text.p, text.n, part, strlen(part));
}

bool story_warned(const struct story *s, const char *part)
{
	for (size_t i = 0; i < s->answer.warning_count; i++)
		if (holds(s->answer.warnings[i].text, part))
			return true;
	return false;
}

bool story_found(struct story *s, const char *part)
{
	for (size_t i = 0; i < town_fault_count(s->town); i++)
		if (holds(town_fault(s->town, i)->text, part))
			return true;
	return false;
}

bool story_has_arg(const struct story *s, const char *arg)
{
	for (size_t i = 0; i < s->answer.runtime.args.n; i++)
		if (str_eqz(s->answer.runtime.args.v[i], arg))
			return true;
	return false;
}

struct str story_env_of(const struct story *s, const char *name)
{
	for (size_t i = 0; i < s->answer.runtime.env.n; i++)
		if (str_eqz(s->answer.runtime.env.v[i].key, name))
			return s->answer.runtime.env.v[i].value;
	return (struct str){0};
}
