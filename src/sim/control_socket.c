/* See control_priv.h. */
#include "sim/control_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FOLDER_MAX = 3000 };

bool control_address(struct str dir, struct sockaddr_un *out, int *folder)
{
	char path[FOLDER_MAX + 1];

	*folder = -1;
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (dir.n == 0 || dir.n > FOLDER_MAX || memchr(dir.p, '\0', dir.n)) {
		errno = ENOENT;
		return false;
	}
	snprintf(path, sizeof(path), "%.*s", STRF(dir));
	*folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(out->sun_path, sizeof(out->sun_path), "/proc/self/fd/%d/run.sock", *folder);
	return *folder >= 0;
}

int control_connect(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), why;

	if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		return fd;
	why = errno;
	close(fd);
	errno = why;
	return -1;
}
