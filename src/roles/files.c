/*
 * The files of the machine: looking and reading. Nothing here blocks: pipes and devices are refused before a byte
 * is taken from them.
 *
 * A file that is written in place while it is read would be read half. So what was read counts only when the file
 * has the same stamp after as before, at the same path. Clocks of file systems tick in milliseconds, though: two
 * changes within a tick can leave one stamp. A stamp that young is `recent`, and stamp_holds() says no to it.
 */
#include "roles/files_priv.h"

#include "base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	TRIES = 3,
	NS_PER_S = 1000 * 1000 * 1000,
	TICK_NS = 20 * 1000 * 1000, /* the slowest kernels tick every 10 ms */
	SECONDS_ONLY = 2            /* ticks of file systems that keep whole seconds, in seconds */
};

/* ---- stamps ---- */

bool stamp_eq(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed_ns == b->changed_ns && a->status_ns == b->status_ns;
}

bool stamp_holds(const struct stamp *was, const struct stamp *now)
{
	return !was->recent && stamp_eq(was, now);
}

static int64_t in_ns(struct timespec t)
{
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return in_ns(now);
}

static bool is_recent(int64_t changed_ns)
{
	int64_t tick = changed_ns % NS_PER_S ? TICK_NS : (int64_t)SECONDS_ONLY * NS_PER_S;

	return wall_ns() - changed_ns < tick;
}

struct stamp file_stamp(const struct stat *st)
{
	return (struct stamp){.device = st->st_dev,
			      .inode = st->st_ino,
			      .size = (uint64_t)st->st_size,
			      .changed_ns = in_ns(st->st_mtim),
			      .status_ns = in_ns(st->st_ctim),
			      .recent = is_recent(in_ns(st->st_ctim))};
}

/* ---- faults ---- */

static enum err not_there(struct problem *p, const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n < 0)
		return problem_set(p, ERR_NOT_FOUND, "%s: there is no such file", path);
	return problem_set(p, ERR_INVALID, "%s: is a symbolic link to %.*s, which is not there", path, (int)n,
			   target);
}

enum err file_fault(struct problem *p, const char *path, int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return not_there(p, path);
	case ELOOP:
		return problem_set(p, ERR_INVALID, "%s: is a symbolic link that leads back to itself", path);
	case EACCES:
	case EPERM:
		return problem_set(p, ERR_INVALID, "%s: this user (uid %u) has no permission", path,
				   (unsigned)geteuid());
	case EROFS:
		return problem_set(p, ERR_INVALID, "%s: stands on a file system that is read-only", path);
	case ENOSPC:
	case EDQUOT:
		return problem_set(p, ERR_STORE_FULL, "%s: there is no room on its disk", path);
	default:
		return problem_set(p, ERR_INVALID, "%s: %s", path, strerror(error));
	}
}

enum err file_is_plain(struct problem *p, const char *path, const struct stat *st)
{
	const char *kind = S_ISDIR(st->st_mode)    ? "directory"
			   : S_ISFIFO(st->st_mode) ? "named pipe"
			   : S_ISSOCK(st->st_mode) ? "socket"
						   : "device";

	return S_ISREG(st->st_mode) ? OK : problem_set(p, ERR_INVALID, "%s: is a %s, not a file", path, kind);
}

/* ---- looking and reading ---- */

static enum err file_stat(struct files *f, const char *path, struct stamp *out, struct problem *p)
{
	struct stat st;
	enum err e;

	(void)f;
	if (stat(path, &st))
		return file_fault(p, path, errno);
	e = file_is_plain(p, path, &st);
	if (e == OK)
		*out = file_stamp(&st);
	return e;
}

/* Up to n bytes; fewer at the end of the file; -1 on error. */
static ssize_t read_all(int fd, char *to, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t now = read(fd, to + done, n - done);

		if (now < 0 && errno == EINTR)
			continue;
		if (now < 0)
			return -1;
		if (now == 0)
			break;
		done += (size_t)now;
	}
	return (ssize_t)done;
}

/* The bytes of an open file and the stamp from before; *whole is false when it had another length than it said. */
static enum err read_open(int fd, const char *path, size_t max_bytes, struct arena *a, struct str *out,
			  struct stamp *stamp, bool *whole, struct problem *p)
{
	struct stat st;
	ssize_t got;
	char *to;
	enum err e;

	if (fstat(fd, &st))
		return file_fault(p, path, errno);
	e = file_is_plain(p, path, &st);
	if (e)
		return e;
	*stamp = file_stamp(&st);
	if (stamp->size > max_bytes)
		return problem_set(p, ERR_TOO_LARGE, "%s: has %llu bytes; %zu are the most", path,
				   (unsigned long long)stamp->size, max_bytes);
	to = arena_alloc(a, stamp->size + 1); /* one more shows whether it has grown */
	if (!to)
		return problem_set(p, ERR_TOO_LARGE, "%s: there is no memory for its %llu bytes", path,
				   (unsigned long long)stamp->size);
	got = read_all(fd, to, stamp->size + 1);
	if (got < 0)
		return file_fault(p, path, errno);
	*out = (struct str){to, (size_t)got};
	*whole = out->n == stamp->size;
	return OK;
}

/* One try; *settled: nothing happened to the file meanwhile, nor was it replaced. */
static enum err try_read(const char *path, size_t max_bytes, struct arena *a, struct str *out, struct stamp *stamp,
			 bool *settled, struct problem *p)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stamp after;
	enum err e;

	if (fd < 0)
		return file_fault(p, path, errno);
	e = read_open(fd, path, max_bytes, a, out, stamp, settled, p);
	close(fd);
	*settled = *settled && file_stat(NULL, path, &after, NULL) == OK && stamp_eq(stamp, &after);
	return e;
}

static enum err file_read(struct files *f, const char *path, size_t max_bytes, struct arena *a, struct str *out,
			  struct stamp *stamp, struct problem *p)
{
	(void)f;
	for (int i = 0; i < TRIES; i++) {
		bool settled = false;
		enum err e = try_read(path, max_bytes, a, out, stamp, &settled, p);

		if (e || settled)
			return e;
	}
	return problem_set(p, ERR_CONFLICT, "%s: is being written; try again in a moment", path);
}

/* ---- directories ---- */

static bool is_folder(DIR *folder, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dirfd(folder), entry->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static int by_text(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Gathered first, because how many they are is known only at the end. */
struct names {
	VEC(struct str) list;
	bool folders, full;
};

static void gather(DIR *folder, struct arena *a, struct names *names)
{
	const struct dirent *entry;

	while (!names->full && (entry = readdir(folder))) {
		struct str name = str_of(entry->d_name), kept;

		if (str_eqz(name, ".") || str_eqz(name, "..") || (names->folders && !is_folder(folder, entry)))
			continue;
		kept = arena_str(a, name);
		names->full = !kept.p;
		*VEC_PUSH(&names->list) = kept;
	}
}

static enum err hand_over(struct names *names, const char *path, struct arena *a, struct str **out, size_t *count,
			  struct problem *p)
{
	size_t bytes = names->list.n * sizeof(struct str);

	*count = names->list.n;
	*out = names->full ? NULL : arena_alloc(a, bytes);
	if (!*out)
		return problem_set(p, ERR_TOO_LARGE, "%s: has more entries than there is memory for", path);
	if (bytes)
		memcpy(*out, names->list.v, bytes);
	qsort(*out, *count, sizeof(**out), by_text);
	return OK;
}

static enum err file_list(struct files *f, const char *path, bool folders, struct arena *a, struct str **names,
			  size_t *count, struct problem *p)
{
	struct names found = {.folders = folders};
	DIR *folder = opendir(path);
	enum err e;

	(void)f;
	if (!folder)
		return file_fault(p, path, errno);
	gather(folder, a, &found);
	closedir(folder);
	e = hand_over(&found, path, a, names, count, p);
	VEC_FREE(&found.list);
	return e;
}

/* ---- commands, environment, clock ---- */

static bool can_run(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

/* Entries that are empty or relative are passed over, as Go does: what starts would depend on where it starts. */
static bool is_along(struct str path, struct str command)
{
	char whole[PATH_MAX];
	struct str folder;

	while (path.p) {
		folder = str_cut(path, ':', &path);
		if (folder.n == 0 || folder.p[0] != '/' || folder.n + 1 + command.n >= sizeof(whole))
			continue;
		snprintf(whole, sizeof(whole), "%.*s/%.*s", STRF(folder), STRF(command));
		if (can_run(whole))
			return true;
	}
	return false;
}

static bool file_executable(struct files *f, struct str command)
{
	char whole[PATH_MAX];

	if (command.n == 0 || command.n >= sizeof(whole) || memchr(command.p, '\0', command.n))
		return false;
	if (!memchr(command.p, '/', command.n))
		return is_along(str_of(f->env(f, "PATH")), command);
	snprintf(whole, sizeof(whole), "%.*s", STRF(command));
	return can_run(whole);
}

static const char *file_env(struct files *f, const char *name)
{
	(void)f;
	return getenv(name);
}

static int64_t file_now_ms(struct files *f)
{
	(void)f;
	return wall_ns() / (1000 * 1000);
}

struct files *files_of_system(void)
{
	static const struct files of_system = {.stat = file_stat,
					       .read = file_read,
					       .list = file_list,
					       .write = file_write,
					       .executable = file_executable,
					       .env = file_env,
					       .now_ms = file_now_ms};

	return (struct files *)(uintptr_t)&of_system;
}
