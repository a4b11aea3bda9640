/* See readfile.h. */
#include "sim/readfile.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err cannot(struct str path, const char *what, const char *why, struct problem *p)
{
	return problem_set(p, ERR_USAGE, "cannot read %s %.*s: %s", what, STRF(str_clip(path, 100)), why);
}

static enum err read_whole(int fd, struct str path, const char *what, size_t size, struct arena *a, struct str *out,
			   struct problem *p)
{
	char *bytes = ARENA_ARRAY(a, char, size + 1);
	size_t n = 0;
	ssize_t got = 1;

	if (!bytes)
		return problem_set(p, ERR_TOO_LARGE, "%s %.*s needs more memory than there is", what, STRF(path));
	while (got > 0 && n < size) {
		got = read(fd, bytes + n, size - n);
		n += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		return cannot(path, what, strerror(errno), p);
	*out = (struct str){bytes, n};
	return OK;
}

enum err readfile(struct str path, const char *what, size_t max, struct arena *a, struct str *out,
		  struct problem *p)
{
	/* without waiting for who would write to a pipe */
	int fd = open(arena_z(a, path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	enum err e;

	if (fd < 0 && errno == ENOENT)
		return ERR_NOT_FOUND;
	if (fd < 0)
		return cannot(path, what, strerror(errno), p);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		e = cannot(path, what, "not a file", p);
	else if ((size_t)st.st_size > max)
		e = problem_set(p, ERR_TOO_LARGE, "%s %.*s has more than %zu bytes", what,
				STRF(str_clip(path, 100)), max);
	else
		e = read_whole(fd, path, what, (size_t)st.st_size, a, out, p);
	close(fd);
	return e;
}

enum err readfile_there(struct str path, const char *what, size_t max, struct arena *a, struct str *out,
			struct problem *p)
{
	enum err e = readfile(path, what, max, a, out, p);

	return e == ERR_NOT_FOUND ? cannot(path, what, "there is no such file", p) : e;
}
