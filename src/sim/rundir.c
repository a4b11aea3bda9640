/* See rundir.h. The lock is flock(): it goes with the process, whatever ends that. */
#include "sim/rundir.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/rng.h"
#include "sim/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUN_PREFIX "run_"

enum { DIR_MAX = 3000 }; /* bytes of its path, so that all below it fit into PATH_MAX */

/* ---- folders ---- */

static enum err make_folder(const char *path, struct problem *p)
{
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return OK;
	return problem_set(p, ERR_USAGE, "cannot make the folder %s: %s; give another with --dir", path,
			   strerror(errno));
}

/* With those above it. */
static enum err make_folders(struct str dir, struct arena *a, struct problem *p)
{
	char *path = arena_z(a, dir);
	enum err e = OK;

	for (char *slash = strchr(path + 1, '/'); slash && !e; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		e = make_folder(path, p);
		*slash = '/';
	}
	return e ? e : make_folder(path, p);
}

static struct str below(const struct rundir *d, const char *name)
{
	return arena_fmt(d->arena, "%.*s/%s", STRF(d->dir), name);
}

/* ---- the lock ---- */

static enum err name_holder(int fd, const char *path, struct problem *p)
{
	char text[32];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	struct str pid = str_trim((struct str){text, n > 0 ? (size_t)n : 0});

	return problem_set(p, ERR_IN_USE,
			   "process %.*s runs in this folder (it holds %s); 'tenfold sim ctl' tells it to end, "
			   "--dir gives another",
			   STRF(pid), path);
}

static enum err write_holder(int fd, const char *path, struct problem *p)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) == n)
		return OK;
	return problem_set(p, errno == ENOSPC ? ERR_STORE_FULL : ERR_USAGE, "cannot write %s: %s", path,
			   strerror(errno));
}

static enum err take_lock(struct rundir *d, struct problem *p)
{
	const char *path = below(d, "lock").p;

	d->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (d->lock < 0)
		return problem_set(p, ERR_USAGE, "cannot open %s: %s; give another folder with --dir", path,
				   strerror(errno));
	if (flock(d->lock, LOCK_EX | LOCK_NB) == 0)
		return write_holder(d->lock, path, p);
	if (errno == EWOULDBLOCK)
		return name_holder(d->lock, path, p);
	return problem_set(p, ERR_USAGE, "cannot lock %s: %s", path, strerror(errno));
}

/* ---- life ---- */

enum err rundir_open(struct str dir, struct arena *a, struct rundir *out, struct problem *p)
{
	enum err e;

	*out = (struct rundir){.dir = arena_str(a, dir), .lock = -1, .log = -1, .arena = a};
	if (dir.n == 0 || dir.n > DIR_MAX || memchr(dir.p, '\0', dir.n))
		return problem_set(p, ERR_USAGE, "--dir must be a path of 1 to %d bytes", DIR_MAX);
	out->checkpoints = below(out, "checkpoints");
	out->socket = below(out, "run.sock");
	out->store_url = arena_fmt(a, "sqlite:%.*s/sim.db", STRF(dir));
	e = make_folders(out->checkpoints, a, p);
	if (!e)
		e = make_folder(below(out, "runs").p, p);
	if (!e)
		e = take_lock(out, p);
	if (e)
		rundir_close(out);
	return e;
}

void rundir_close(struct rundir *d)
{
	if (d->log >= 0)
		close(d->log);
	if (d->lock >= 0)
		close(d->lock);
	d->log = d->lock = -1;
}

static enum err enter(struct rundir *d, struct str run, struct problem *p)
{
	const char *log;
	enum err e;

	d->run = run;
	d->run_dir = arena_fmt(d->arena, "%.*s/runs/%.*s", STRF(d->dir), STRF(run));
	log = arena_fmt(d->arena, "%.*s/log", STRF(d->run_dir)).p;
	e = make_folder(d->run_dir.p, p);
	if (e)
		return e;
	d->log = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return d->log >= 0 ? OK : problem_set(p, ERR_USAGE, "cannot open %s: %s", log, strerror(errno));
}

static struct str make_run(struct rundir *d, int64_t now_ms)
{
	struct id_maker maker;
	char text[ID_TEXT];

	id_maker_init(&maker, 0);
	id_format(text, RUN_PREFIX, id_make(&maker, now_ms, (unsigned)(rng_system_word() % ID_SLOTS)));
	return arena_str(d->arena, str_of(text));
}

enum err rundir_begin(struct rundir *d, int64_t now_ms, struct problem *p)
{
	struct str before = rundir_latest(d->dir, d->arena);
	enum err e = OK;

	if (before.n)
		e = checkpoint_set_aside(d->checkpoints, 0,
					 arena_fmt(d->arena, "%.*s/runs/%.*s", STRF(d->dir), STRF(before)), p);
	return e ? e : enter(d, make_run(d, now_ms), p);
}

enum err rundir_resume(struct rundir *d, struct str run, struct problem *p)
{
	int64_t id;

	if (!id_parse(run, RUN_PREFIX, &id))
		return problem_set(p, ERR_INVALID, "\"%.*s\" is no id of a run: " RUN_PREFIX " and 13 characters",
				   STRF(run));
	return enter(d, arena_str(d->arena, run), p);
}

struct str rundir_latest(struct str dir, struct arena *a)
{
	DIR *folder = opendir(arena_fmt(a, "%.*s/runs", STRF(dir)).p);
	struct str latest = {0};
	int64_t id;

	if (!folder)
		return (struct str){0};
	for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
		if (id_parse(str_of(entry->d_name), RUN_PREFIX, &id) && str_cmp(str_of(entry->d_name), latest) > 0)
			latest = arena_str(a, str_of(entry->d_name));
	closedir(folder);
	return latest;
}

/* Whoever begins a run in the microseconds of this lock, which others can share, is told that one is under way. */
bool rundir_is_held(struct str dir)
{
	char path[DIR_MAX + 8];
	bool held;
	int fd;

	snprintf(path, sizeof(path), "%.*s/lock", STRF(dir));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	close(fd);
	return held;
}

/* ---- the log ---- */

void rundir_log(struct rundir *d, int64_t now_ms, const char *line)
{
	struct buf b = BUF_INIT(0);
	char at[CLOCK_TEXT];

	if (d->log < 0)
		return;
	clock_format(now_ms, at);
	buf_fmt(&b, "%s ", at);
	for (const char *c = line; *c; c++)
		buf_c(&b, *c == '\n' ? ' ' : *c);
	buf_c(&b, '\n');
	if (buf_ok(&b) && write(d->log, b.p, b.n) < 0) {
		close(d->log); /* the disk is full, or the folder gone: not tried at each line */
		d->log = -1;
	}
	buf_free(&b);
}
