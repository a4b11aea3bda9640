/* See wholefile.h. */
#include "sim/wholefile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct path {
	char z[PATH_MAX];
};

static struct path path_of(struct str folder, const char *before, const char *name)
{
	struct path p;

	snprintf(p.z, sizeof(p.z), "%.*s/%s%s", STRF(folder), before, name);
	return p;
}

static enum err cannot_write(const char *path, int error, struct problem *p)
{
	bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;

	return problem_set(p, full ? ERR_STORE_FULL : ERR_STORE_UNAVAILABLE, "cannot write %s: %s", path,
			   strerror(error));
}

/* errno says why not. */
static bool write_all(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s = (struct str){s.p + n, s.n - (size_t)n};
	}
	return true;
}

static enum err write_beside(const char *path, unsigned mode, struct str bytes, struct problem *p)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode), error = errno;
	bool good = fd >= 0 && write_all(fd, bytes) && fsync(fd) == 0;

	if (fd >= 0) {
		error = errno;
		close(fd);
	}
	if (good)
		return OK;
	unlink(path);
	return cannot_write(path, error, p);
}

static enum err sync_folder(struct str folder, struct problem *p)
{
	struct path path = path_of(folder, "", ".");
	int fd = open(path.z, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* EINVAL: a file system that has nothing to sync there. */
	bool good = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
	int error = errno;

	if (fd >= 0)
		close(fd);
	return good ? OK : cannot_write(path.z, error, p);
}

enum err wholefile_put(struct str folder, const char *name, unsigned mode, struct str bytes, struct problem *p)
{
	struct path path = path_of(folder, "", name), beside = path_of(folder, WHOLEFILE_NEW, name);
	enum err e = write_beside(beside.z, mode, bytes, p);

	if (!e && rename(beside.z, path.z) != 0)
		e = cannot_write(path.z, errno, p);
	return e ? e : sync_folder(folder, p);
}
