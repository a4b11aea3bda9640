/*
 * Where a command is found along PATH, as Go's exec.LookPath has it: the first that can be executed; one that is
 * found by way of a relative part of PATH is refused, and ends the search.
 *
 * What was found is remembered and only looked at again, one call instead of one for each part of PATH; what stands
 * earlier in PATH by now is noticed when PATH changes or that file goes. Within one question nothing is looked for
 * twice.
 */
#include "roles/town_priv.h"

#include <string.h>

enum { REMEMBERED_MAX = 1000 };

void commands_forget(struct town *t)
{
	struct found_command *c;

	for (size_t i = 0; (c = map_next(&t->commands, &i));)
		while (c) {
			struct found_command *next = c->same_hash;

			free(c->path);
			free(c);
			c = next;
		}
	map_free(&t->commands);
	free(t->search_path);
	t->search_path = NULL;
}

static struct found_command *find(const struct town *t, struct str name)
{
	struct found_command *c = map_get(&t->commands, str_hash(name));

	while (c && !str_eq((struct str){c->name, c->name_length}, name))
		c = c->same_hash;
	return c;
}

static const char *remember(struct town *t, struct str name, char *path)
{
	struct found_command *c = find(t, name);

	if (!c) {
		c = must_alloc(sizeof(*c) + name.n + 1);
		c->name_length = name.n;
		memcpy(c->name, name.p, name.n);
		c->same_hash = map_put(&t->commands, str_hash(name), c);
	}
	free(c->path);
	c->path = path;
	c->looked = t->generation;
	return path;
}

/* "DIR/NAME" as must_alloc() gives it; "./NAME" for an empty DIR. */
static char *joined(struct str dir, struct str name)
{
	char *p;

	while (dir.n > 1 && dir.p[dir.n - 1] == '/')
		dir.n--;
	if (dir.n == 0)
		dir = STR(".");
	p = must_alloc(dir.n + name.n + 2);
	memcpy(p, dir.p, dir.n);
	p[dir.n] = '/';
	memcpy(p + dir.n + (dir.p[dir.n - 1] != '/'), name.p, name.n);
	return p;
}

static const char *search(struct town *t, struct str name)
{
	struct str rest = str_of(t->search_path);

	while (rest.p) {
		char *path = joined(str_cut(rest, ':', &rest), name);

		if (t->files->executable(t->files, str_of(path))) {
			if (path[0] == '/')
				return remember(t, name, path);
			rest = (struct str){0};
		}
		free(path);
	}
	return remember(t, name, NULL);
}

static void note_search_path(struct town *t)
{
	struct str now = str_of(t->files->env(t->files, "PATH"));

	if (t->search_path && str_eqz(now, t->search_path) && t->commands.count < REMEMBERED_MAX)
		return;
	commands_forget(t);
	t->search_path = must_alloc(now.n + 1);
	if (now.n)
		memcpy(t->search_path, now.p, now.n);
}

static char *terminated(struct str s)
{
	char *z = must_alloc(s.n + 1);

	memcpy(z, s.p, s.n);
	return z;
}

const char *town_executable(struct town *t, struct str command)
{
	struct found_command *known;

	if (command.n == 0 || command.n >= TOWN_PATH_MAX || memchr(command.p, '\0', command.n))
		return NULL;
	note_search_path(t);
	known = find(t, command);
	if (known && known->looked == t->generation)
		return known->path;
	if (known && known->path && t->files->executable(t->files, str_of(known->path))) {
		known->looked = t->generation;
		return known->path;
	}
	if (!memchr(command.p, '/', command.n) && t->search_path[0])
		return search(t, command);
	return remember(t, command, t->files->executable(t->files, command) ? terminated(command) : NULL);
}
