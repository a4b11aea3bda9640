/*
 * Writing a file of the machine whole or not at all, also when the machine stops half-way.
 *
 *	temporary file beside it -> bytes -> flush -> is it still the one we read? -> rename -> flush the directory
 *
 * The temporary file has one name per file (.NAME.tenfold-new) and is locked while it is used. So two of us never
 * write the same file at once, and what a killed one left behind is taken over by the next. Others (editors, gt)
 * know nothing of that lock: what they write between our last look and the rename is lost, which is a few
 * microseconds.
 *
 * Owner, group and mode are kept or nothing is written. A hard link is broken by the rename, extended attributes
 * are not carried over.
 */
#include "roles/files_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { TRIES = 100, MODE_BITS = 07777 };

struct writing {
	const char *path; /* as the caller says it */
	const struct stamp *was;
	struct problem *problem;
	char target[PATH_MAX]; /* without symbolic links */
	char temporary[NAME_MAX + 1];
	const char *name; /* in target */
	bool exists;
	struct stat st; /* of the target */
	int folder, fd; /* -1: not open */
};

static enum err fault(const struct writing *w, int error)
{
	return file_fault(w->problem, w->path, error);
}

/* ---- where ---- */

static enum err check_target(struct writing *w)
{
	enum err e;

	if (stat(w->target, &w->st))
		return fault(w, errno);
	w->exists = true;
	e = file_is_plain(w->problem, w->path, &w->st);
	if (e == OK && faccessat(AT_FDCWD, w->target, W_OK, AT_EACCESS))
		return errno == EACCES ? problem_set(w->problem, ERR_INVALID, "%s: is read-only", w->path)
				       : fault(w, errno);
	return e;
}

/* A new file has the path that was given, if no link stands there. */
static enum err find_target(struct writing *w)
{
	int error;

	if (realpath(w->path, w->target))
		return check_target(w);
	error = errno;
	if (file_fault(NULL, w->path, error) != ERR_NOT_FOUND)
		return fault(w, error);
	if (strlen(w->path) >= sizeof(w->target))
		return fault(w, ENAMETOOLONG);
	snprintf(w->target, sizeof(w->target), "%s", w->path);
	return OK;
}

/* Also made when only it is missing: a rig that has no settings yet. */
static int open_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), parent;

	if (fd >= 0 || errno != ENOENT || mkdir(folder, 0755))
		return fd;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	parent = fd < 0 ? -1 : openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent >= 0) {
		fsync(parent); /* of no use on some file systems, and then no loss */
		close(parent);
	}
	return fd;
}

static enum err find_folder(struct writing *w)
{
	char *slash = strrchr(w->target, '/');
	size_t n;

	w->name = slash ? slash + 1 : w->target;
	n = (size_t)snprintf(w->temporary, sizeof(w->temporary), ".%s.tenfold-new", w->name);
	if (n >= sizeof(w->temporary) || *w->name == '\0')
		return fault(w, *w->name ? ENAMETOOLONG : EISDIR);
	if (slash)
		*slash = '\0';
	w->folder = open_folder(!slash ? "." : slash == w->target ? "/" : w->target);
	if (slash)
		*slash = '/';
	if (w->folder < 0 && (errno == ENOENT || errno == ENOTDIR))
		return problem_set(w->problem, ERR_NOT_FOUND, "%s: there is no such directory", w->path);
	return w->folder < 0 ? fault(w, errno) : OK;
}

/* ---- the temporary file ---- */

/* Whether what we hold the lock of still is the file of that name, and nobody else's. */
static bool is_ours(const struct writing *w, bool *foreign)
{
	struct stat open_one, named;

	*foreign = false;
	if (fstat(w->fd, &open_one) || fstatat(w->folder, w->temporary, &named, AT_SYMLINK_NOFOLLOW) ||
	    open_one.st_dev != named.st_dev || open_one.st_ino != named.st_ino)
		return false;
	*foreign = !S_ISREG(named.st_mode) || named.st_nlink != 1 || named.st_uid != geteuid();
	return !*foreign;
}

/* On a file system without locks the last one wins, whole. */
static void lock(int fd)
{
	while (flock(fd, LOCK_EX) && errno == EINTR)
		;
}

/* A link, a pipe or somebody's file under our name: out of the way with it. */
static int refuse_temporary(const struct writing *w, int error)
{
	return unlinkat(w->folder, w->temporary, 0) ? error : EAGAIN;
}

/* Readable by nobody else until its mode is known; a new file's mode is 0644 less the umask. 0, EAGAIN or what went
 * wrong. */
static int open_temporary(struct writing *w)
{
	bool foreign;

	w->fd = openat(w->folder, w->temporary, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		       w->exists ? 0600 : 0644);
	if (w->fd < 0)
		return errno == ELOOP || errno == ENXIO || errno == EACCES ? refuse_temporary(w, errno) : errno;
	lock(w->fd);
	if (is_ours(w, &foreign))
		return 0;
	close(w->fd);
	w->fd = -1;
	return foreign ? refuse_temporary(w, EACCES) : EAGAIN;
}

static enum err is_contended(const struct writing *w)
{
	return problem_set(w->problem, ERR_CONFLICT, "%s: is being written by others; try again in a moment",
			   w->path);
}

static enum err take_temporary(struct writing *w)
{
	for (int i = 0; i < TRIES; i++) {
		int error = open_temporary(w);

		if (error == 0)
			return ftruncate(w->fd, 0) ? fault(w, errno) : OK;
		if (error != EAGAIN)
			return fault(w, error);
	}
	return is_contended(w);
}

static enum err keep_owner_and_mode(const struct writing *w)
{
	struct stat st;

	if (!w->exists)
		return OK;
	if (fstat(w->fd, &st))
		return fault(w, errno);
	if ((st.st_uid != w->st.st_uid || st.st_gid != w->st.st_gid) && fchown(w->fd, w->st.st_uid, w->st.st_gid))
		return problem_set(
			w->problem, ERR_INVALID,
			"%s: belongs to user %u and group %u, which could not be kept; write it as that user",
			w->path, (unsigned)w->st.st_uid, (unsigned)w->st.st_gid);
	return fchmod(w->fd, w->st.st_mode & MODE_BITS) ? fault(w, errno) : OK;
}

static enum err put_bytes(const struct writing *w, struct str text)
{
	while (text.n) {
		ssize_t n = write(w->fd, text.p, text.n);

		if (n < 0 && errno != EINTR)
			return fault(w, errno);
		if (n > 0)
			text = (struct str){text.p + n, text.n - (size_t)n};
	}
	return fsync(w->fd) ? fault(w, errno) : OK;
}

/* ---- the change ---- */

/* None where one was expected, or one where none was, is a change too. */
static enum err check_unchanged(const struct writing *w)
{
	struct stamp now = {0};
	struct stat st;

	if (!w->was)
		return OK;
	if (stat(w->target, &st) == 0)
		now = file_stamp(&st);
	else if (errno != ENOENT)
		return fault(w, errno);
	return stamp_eq(w->was, &now) ? OK
				      : problem_set(w->problem, ERR_CONFLICT,
						    "%s: was changed meanwhile; look at it and try again", w->path);
}

static enum err put_in_place(const struct writing *w)
{
	enum err e = check_unchanged(w);

	if (e)
		return e;
	if (renameat(w->folder, w->temporary, w->folder, w->name) == 0)
		return OK;
	return errno == ENOENT ? is_contended(w) : fault(w, errno);
}

/* It is there already; whether it outlasts a power cut is what this is about. */
static enum err flush_folder(const struct writing *w)
{
	if (fsync(w->folder) == 0 || errno == EINVAL)
		return OK;
	return problem_set(w->problem, ERR_OUTCOME_UNKNOWN,
			   "%s: is written, but its directory could not be flushed: %s", w->path, strerror(errno));
}

static enum err fill_and_place(struct writing *w, struct str text)
{
	enum err e = take_temporary(w);

	if (e)
		return e;
	e = keep_owner_and_mode(w);
	if (e == OK)
		e = put_bytes(w, text);
	if (e == OK)
		e = put_in_place(w);
	if (e == OK)
		return flush_folder(w);
	unlinkat(w->folder, w->temporary, 0);
	return e;
}

enum err file_write(struct files *f, const char *path, struct str text, const struct stamp *was, struct problem *p)
{
	struct writing w = {.path = path, .was = was, .problem = p, .folder = -1, .fd = -1};
	enum err e = find_target(&w);

	(void)f;
	if (e == OK)
		e = find_folder(&w);
	if (e == OK)
		e = fill_and_place(&w, text);
	if (w.fd >= 0)
		close(w.fd);
	if (w.folder >= 0)
		close(w.folder);
	return e;
}
