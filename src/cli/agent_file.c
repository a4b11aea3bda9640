/* See agent_file.h. */
#include "cli/agent_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char helper_path[] = "/usr/lib/apt/apt-helper";

/* ---- which ---- */

/* Sorted by name, so that another run reads them in the same order. */
static void add_matches(const char *pattern, struct arena *a, struct path_list *to)
{
	glob_t found = {0};

	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			*VEC_PUSH(to) = arena_z(a, str_of(found.gl_pathv[i]));
	globfree(&found);
}

static enum err add_directory(const char *path, struct arena *a, struct path_list *to, struct problem *p)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);

	if (count < 0)
		return problem_set(p, ERR_USAGE, "cannot read %s: %s", path, strerror(errno));
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		size_t n = strlen(name);

		if (n > 5 && name[0] != '.' && strcmp(name + n - 5, ".json") == 0)
			*VEC_PUSH(to) = arena_fmt(a, "%s/%s", path, name).p;
		free(entries[i]);
	}
	free(entries);
	return OK;
}

static enum err add_named(struct str name, struct arena *a, struct path_list *to, struct problem *p)
{
	const char *path = arena_z(a, name);
	struct stat st;

	if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return add_directory(path, a, to, p);
	*VEC_PUSH(to) = path;
	return OK;
}

static void add_lists_of_machine(struct arena *a, struct agent_paths *out)
{
	add_matches("/var/lib/apt/lists/*_Translation-en*", a, &out->details);
	add_matches("/var/lib/dpkg/status", a, &out->details);
	add_matches("/var/lib/apt/lists/*_Packages*", a, &out->agents);
	add_matches("/var/lib/dpkg/status", a, &out->agents);
}

enum err agent_paths_find(enum agent_format format, const struct str *named, size_t count, struct arena *a,
			  struct agent_paths *out, struct problem *p)
{
	enum err e = OK;

	for (size_t i = 0; i < count && !e; i++)
		e = add_named(named[i], a, &out->agents, p);
	if (!e && count == 0 && format == AGENTS_DEBIAN)
		add_lists_of_machine(a, out);
	if (!e && out->agents.n == 0)
		e = problem_set(p, ERR_USAGE, "there is no file to read; name one, or - for standard input");
	return e;
}

void agent_paths_free(struct agent_paths *paths)
{
	VEC_FREE(&paths->details);
	VEC_FREE(&paths->agents);
}

/* ---- one ---- */

static bool is_compressed(const char *path)
{
	static const char *const ends[] = {".gz", ".xz", ".lz4", ".zst", ".bz2"};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(ends) / sizeof(ends[0]); i++)
		if (strcmp(dot, ends[i]) == 0)
			return true;
	return false;
}

/* Its standard output becomes what is read. */
static enum err start_helper(struct agent_file *f, struct problem *p)
{
	const char *argv[] = {helper_path, "cat-file", f->path, NULL};
	posix_spawn_file_actions_t actions;
	int ends[2], failed;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return problem_set(p, ERR_USAGE, "cannot read %s: %s", f->path, strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	failed = posix_spawn(&f->helper, helper_path, &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	f->fd = ends[0];
	if (!failed)
		return OK;
	close(f->fd);
	return problem_set(
		p, ERR_USAGE,
		"%s is compressed, and apt is not here to read it; unpack it, or pipe it in with - for its name",
		f->path);
}

enum err agent_file_open(struct agent_file *f, const char *path, struct problem *p)
{
	*f = (struct agent_file){.path = path, .fd = STDIN_FILENO};
	if (strcmp(path, "-") == 0)
		return OK;
	if (access(path, R_OK) < 0)
		return problem_set(p, ERR_USAGE, "cannot read %s: %s", path, strerror(errno));
	if (is_compressed(path))
		return start_helper(f, p);
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	return f->fd >= 0 ? OK : problem_set(p, ERR_USAGE, "cannot read %s: %s", path, strerror(errno));
}

size_t agent_file_read(void *file, char *to, size_t n)
{
	struct agent_file *f = file;
	ssize_t got;

	do {
		got = read(f->fd, to, n);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		f->error = errno;
	return got > 0 ? (size_t)got : 0;
}

enum err agent_file_close(struct agent_file *f, bool to_the_end, struct problem *p)
{
	int status = 0;

	if (f->fd != STDIN_FILENO)
		close(f->fd);
	if (f->helper)
		while (waitpid(f->helper, &status, 0) < 0 && errno == EINTR)
			continue;
	if (f->error)
		return problem_set(p, ERR_USAGE, "cannot read %s: %s", f->path, strerror(f->error));
	if (to_the_end && status)
		return problem_set(p, ERR_USAGE, "cannot unpack %s; see what apt says above", f->path);
	return OK;
}
