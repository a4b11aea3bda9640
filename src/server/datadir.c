/* See datadir.h. Files are written beside and renamed, so that a reader finds the old one or the new one. */
#include "server/datadir.h"

#include "base/buf.h"
#include "base/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *path_in(struct datadir *d, const char *name)
{
	return arena_fmt(d->arena, "%s/%s", d->path.p, name).p;
}

static enum err make_directories(struct datadir *d, struct problem *p)
{
	char *path = arena_z(d->arena, d->path);
	for (char *c = path + 1;; c++) {
		char was = *c;
		if (was != '/' && was != '\0')
			continue;
		*c = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return problem_set(p, ERR_USAGE,
					   "cannot make the data directory %s: %s; give another with --data", path,
					   strerror(errno));
		*c = was;
		if (was == '\0')
			return OK;
	}
}

/* ---- small files ---- */

static bool read_small(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, out, size - 1);
	close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static bool write_all(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s.p += n;
		s.n -= (size_t)n;
	}
	return true;
}

static enum err write_small(struct datadir *d, const char *name, mode_t mode, struct str text, struct problem *p)
{
	const char *path = path_in(d, name);
	const char *beside = arena_fmt(d->arena, "%s.new", path).p;
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	bool good = fd >= 0 && fchmod(fd, mode) == 0 && write_all(fd, text) && fsync(fd) == 0;
	int why = errno;
	if (fd >= 0)
		close(fd);
	if (good && rename(beside, path) == 0)
		return OK;
	unlink(beside);
	return problem_set(p, ERR_USAGE, "cannot write %s: %s", path, strerror(good ? errno : why));
}

/* ---- locks ---- */

/* flock: goes with the process, whatever ends it. */
static enum err take_lock(const char *path, const char *what, int *out, struct problem *p)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return problem_set(p, ERR_USAGE, "cannot open %s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		char holder[64] = "unknown";
		read_small(path, holder, sizeof holder);
		close(fd);
		struct str pid = str_trim(str_of(holder));
		return problem_set(p, ERR_IN_USE,
				   "%s is served by process %.*s; stop it first, or give another --data", what,
				   STRF(pid));
	}
	struct buf b = BUF_INIT(32);
	buf_fmt(&b, "%ld\n", (long)getpid());
	bool written = ftruncate(fd, 0) == 0 && write_all(fd, buf_str(&b));
	buf_free(&b);
	if (!written) {
		enum err err = problem_set(p, ERR_STORE_FULL, "cannot write %s: %s", path, strerror(errno));
		close(fd);
		return err;
	}
	*out = fd;
	return OK;
}

static bool is_missing(const char *path)
{
	return access(path, F_OK) != 0 && errno == ENOENT;
}

static enum err lock_store(struct datadir *d, struct problem *p)
{
	if (!str_starts(d->url, STR("sqlite:")))
		return OK;
	const char *file = d->url.p + strlen("sqlite:");
	const char *end = strrchr(file, '/');
	if (end && end > file && is_missing(arena_str(d->arena, (struct str){file, (size_t)(end - file)}).p))
		return problem_set(p, ERR_USAGE, "the directory of --store %s does not exist; make it", d->url.p);
	return take_lock(arena_fmt(d->arena, "%s.lock", file).p, file, &d->store_lock, p);
}

static enum err read_process_id(struct datadir *d, struct problem *p)
{
	char text[32];
	if (read_small(path_in(d, "process.id"), text, sizeof text)) {
		if (str_to_i64(str_trim(str_of(text)), &d->process_id) && d->process_id > 0)
			return OK;
		return problem_set(p, ERR_USAGE,
				   "%s does not hold a number; remove it to be a new process to the store",
				   path_in(d, "process.id"));
	}
	struct rng rng;
	rng_system_init(&rng);
	d->process_id = (int64_t)(rng_u64(&rng) >> 1) | 1;
	struct buf b = BUF_INIT(32);
	buf_i64(&b, d->process_id);
	buf_c(&b, '\n');
	enum err err = write_small(d, "process.id", 0600, buf_str(&b), p);
	buf_free(&b);
	return err;
}

/* ---- the directory ---- */

static struct str store_url(struct datadir *d, struct str store)
{
	if (store.n == 0)
		return arena_fmt(d->arena, "sqlite:%s", path_in(d, "tenfold.db"));
	return arena_str(d->arena, store);
}

enum err datadir_open(struct str path, struct str store, struct arena *a, struct datadir *out, struct problem *p)
{
	*out = (struct datadir){.path = arena_str(a, path), .lock = -1, .store_lock = -1, .arena = a};
	out->url = store_url(out, store);
	enum err err = make_directories(out, p);
	if (!err)
		err = take_lock(path_in(out, "serve.lock"), out->path.p, &out->lock, p);
	if (!err)
		err = lock_store(out, p);
	if (!err)
		err = read_process_id(out, p);
	if (err)
		datadir_close(out);
	return err;
}

void datadir_close(struct datadir *d)
{
	if (d->lock >= 0) {
		unlink(path_in(d, "server.json"));
		close(d->lock);
	}
	if (d->store_lock >= 0)
		close(d->store_lock);
	d->lock = d->store_lock = -1;
}

enum err datadir_write_server(struct datadir *d, const char *url, struct problem *p)
{
	struct buf b = BUF_INIT(8192);
	buf_z(&b, "{\"url\":");
	buf_json_text(&b, str_of(url));
	buf_fmt(&b, ",\"pid\":%ld}\n", (long)getpid());
	enum err err = write_small(d, "server.json", 0600, buf_str(&b), p);
	buf_free(&b);
	return err;
}

bool datadir_has_admin_key(struct datadir *d)
{
	char text[8];
	return read_small(path_in(d, "admin.key"), text, sizeof text);
}

enum err datadir_write_admin_key(struct datadir *d, const char *secret, struct problem *p)
{
	struct str line = arena_fmt(d->arena, "%s\n", secret);
	return write_small(d, "admin.key", 0600, line, p);
}
