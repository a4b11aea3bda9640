/*
 * The files of a town, and everything else the resolver takes from outside: so that tests can serve files, count
 * reads, tear writes and set the environment. Nothing in roles/ opens a file, reads a clock or the environment
 * by itself.
 */
#ifndef TENFOLD_ROLES_FILES_H
#define TENFOLD_ROLES_FILES_H

#include "base/arena.h"
#include "base/problem.h"

/* What tells one version of a file from the next. */
struct stamp {
	uint64_t device, inode, size;
	int64_t changed_ns, status_ns; /* mtime, ctime */
	bool recent; /* so new that a further change could leave the same stamp: to be read again next time */
};

bool stamp_eq(const struct stamp *a, const struct stamp *b); /* whatever `recent` says */
/* Whether what was read with the stamp `was` is surely what stands there under `now`. */
bool stamp_holds(const struct stamp *was, const struct stamp *now);

struct files {
	/* ERR_NOT_FOUND: there is none. Follows symbolic links; a cycle, a directory, a device or no permission is
	 * ERR_INVALID with the reason in p. */
	enum err (*stat)(struct files *f, const char *path, struct stamp *out, struct problem *p);
	/* The whole file and the stamp it had before and after (reading again when they differ, three times; then
	 * ERR_CONFLICT "is being written"). More than max_bytes: ERR_TOO_LARGE with its size. */
	enum err (*read)(struct files *f, const char *path, size_t max_bytes, struct arena *a, struct str *out,
			 struct stamp *stamp, struct problem *p);
	/* Names of a directory's entries, sorted; directories only if `folders`. */
	enum err (*list)(struct files *f, const char *path, bool folders, struct arena *a, struct str **names,
			 size_t *count, struct problem *p);
	/* All or nothing, also for a crash: a temporary file beside it, flushed, renamed over it (over what a
	 * symbolic link points to), the directory flushed; mode and owner are kept, new files are 0644 and their
	 * directory is made when only that is missing. When `was` is given and the file has another stamp:
	 * ERR_CONFLICT, nothing is written; all zero says that there was none. Read-only files are left alone. */
	enum err (*write)(struct files *f, const char *path, struct str text, const struct stamp *was,
			  struct problem *p);
	/* Is there something this process could execute: a path, or a name to be found along PATH? */
	bool (*executable)(struct files *f, struct str command);
	const char *(*env)(struct files *f, const char *name); /* NULL: not set */
	int64_t (*now_ms)(struct files *f);
};

struct files *files_of_system(void); /* one without state; not to be freed */

#endif
