/* See private_file.h. */
#include "cli/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err cannot_write(const char *path, struct problem *p)
{
	return problem_set(p, ERR_USAGE, "cannot write %s: %s", path, strerror(errno));
}

static enum err make_folders(const char *path, struct arena *a, struct problem *p)
{
	char *copy = arena_z(a, str_of(path));

	for (char *slash = copy ? strchr(copy + 1, '/') : NULL; slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0700) < 0 && errno != EEXIST)
			return cannot_write(copy, p);
		*slash = '/';
	}
	return copy ? OK : ERR_TOO_LARGE;
}

static bool write_text(int fd, struct str text)
{
	while (text.n) {
		ssize_t n = write(fd, text.p, text.n);

		if (n < 0 && errno != EINTR)
			return false;
		text = (struct str){text.p + (n > 0 ? n : 0), text.n - (size_t)(n > 0 ? n : 0)};
	}
	return fsync(fd) == 0;
}

/* Onto its name; a link fails when there is one. */
static enum err put_in_place(const char *beside, const char *path, bool fresh, struct problem *p)
{
	int done = fresh ? link(beside, path) : rename(beside, path);
	int why = errno;

	if (fresh)
		unlink(beside);
	errno = why;
	if (done == 0)
		return OK;
	return fresh && why == EEXIST ? ERR_ALREADY_EXISTS : cannot_write(path, p);
}

enum err private_file_write(const char *path, struct str text, bool fresh, struct arena *a, struct problem *p)
{
	struct str beside = arena_fmt(a, "%s.%ld", path, (long)getpid());
	enum err e = beside.p ? make_folders(path, a, p) : ERR_TOO_LARGE;
	bool good;
	int fd;

	if (e)
		return e;
	fd = open(beside.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	good = fd >= 0 && write_text(fd, text);
	if (fd >= 0)
		close(fd);
	return good ? put_in_place(beside.p, path, fresh, p) : cannot_write(path, p);
}
