/*
 * The lock of a state's file: a file beside it, because the state itself is replaced by each change.
 *
 * The one place of roles/ that goes to the machine past struct files: a lock held in memory would hold nobody off.
 * Holders do one read and one write, so waiting is short; it ends by itself when a holder dies.
 */
#include "roles/state_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* All folders of the path that are missing, for nobody else to look into. */
static int make_folders(const char *folder)
{
	char path[TOWN_PATH_MAX];
	size_t n = strlen(folder);

	if (n >= sizeof(path))
		return ENAMETOOLONG;
	memcpy(path, folder, n + 1);
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		path[i] = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
			return errno;
		path[i] = i < n ? '/' : '\0';
	}
	return 0;
}

static enum err cannot(const char *what, const char *path, int why, struct problem *p)
{
	return problem_set(p, ERR_INVALID, "cannot %s %s: %s; give another data directory with --data", what, path,
			   strerror(why));
}

enum err state_lock(const char *folder, const char *path, int *fd, struct problem *p)
{
	int why = make_folders(folder);

	if (why)
		return cannot("make", folder, why, p);
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd < 0)
		return cannot("open", path, errno, p);
	while (flock(*fd, LOCK_EX) != 0) {
		why = errno;
		if (why == EINTR)
			continue;
		close(*fd);
		return cannot("lock", path, why, p);
	}
	return OK;
}

void state_unlock(int fd)
{
	close(fd);
}

enum err state_move(const char *from, const char *to, struct problem *p)
{
	return rename(from, to) == 0 || errno == ENOENT ? OK : cannot("set aside", from, errno, p);
}
