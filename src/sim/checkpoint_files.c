/*
 * Checkpoints on the disk. What is under a checkpoint's own name is whole, whenever the process or the machine stops:
 * see wholefile.h. The JSON is put last, and a checkpoint is what has a JSON; an .agents file without one is left over,
 * and so is what was being written when a process was killed: both are swept when the next is saved.
 */
#include "base/clock.h"
#include "base/magic.h"
#include "base/vec.h"
#include "sim/checkpoint_priv.h"
#include "sim/wholefile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct path {
	char z[PATH_MAX];
};

static struct path path_of(struct str dir, struct str stem, const char *ending)
{
	struct path p;

	snprintf(p.z, sizeof(p.z), "%.*s/%.*s%s", STRF(dir), STRF(stem), ending);
	return p;
}

/* ---- names ---- */

static bool take_number(struct str *s, uint64_t max, uint64_t *out)
{
	size_t n = 0;

	for (*out = 0; n < s->n && s->p[n] >= '0' && s->p[n] <= '9' && *out <= max; n++)
		*out = *out * 10 + (uint64_t)(s->p[n] - '0');
	if (n == 0 || *out > max)
		return false;
	*s = (struct str){s->p + n, s->n - n};
	return true;
}

static bool take_text(struct str *s, struct str text)
{
	if (!str_starts(*s, text))
		return false;
	*s = (struct str){s->p + text.n, s->n - text.n};
	return true;
}

bool checkpoint_name_parse(struct str file, struct checkpoint_name *out)
{
	static const char *const after[] = {"-", "-", "_", "-", "-", "_cycle_", CHECKPOINT_JSON};
	struct str rest = file;
	uint64_t v = 0;

	if (!take_text(&rest, STR("checkpoint_")))
		return false;
	for (unsigned i = 0; i < sizeof(after) / sizeof(after[0]); i++)
		if (!take_number(&rest, UINT32_MAX - 1, &v) || !take_text(&rest, str_of(after[i])))
			return false;
	if (rest.n || file.n - strlen(CHECKPOINT_JSON) >= sizeof(out->stem))
		return false;
	snprintf(out->stem, sizeof(out->stem), "%.*s", (int)(file.n - strlen(CHECKPOINT_JSON)), file.p);
	out->cycle = (uint32_t)v;
	return true;
}

void checkpoint_name_make(struct str dir, uint32_t cycle, int64_t saved_ms, struct checkpoint_name *out)
{
	char at[CLOCK_TEXT]; /* 2026-11-21T03:04:05.678Z */

	out->cycle = cycle;
	for (;; saved_ms += 1000) {
		clock_format(saved_ms, at);
		snprintf(out->stem, sizeof(out->stem), "checkpoint_%.10s_%.2s-%.2s-%.2s_cycle_%" PRIu32, at,
			 at + 11, at + 14, at + 17, cycle);
		if (access(path_of(dir, str_of(out->stem), CHECKPOINT_JSON).z, F_OK) != 0)
			return;
	}
}

static int newest_first(const void *a, const void *b)
{
	const struct checkpoint_name *x = a, *y = b;

	if (x->cycle != y->cycle)
		return x->cycle > y->cycle ? -1 : 1;
	return strcmp(y->stem, x->stem);
}

enum err checkpoint_names(struct str dir, struct arena *a, struct checkpoint_name **out, size_t *count,
			  struct problem *p)
{
	VEC(struct checkpoint_name) found = {0};
	DIR *folder = opendir(arena_z(a, dir));
	struct checkpoint_name name;

	*out = NULL;
	*count = 0;
	if (!folder && errno == ENOENT)
		return OK;
	if (!folder)
		return problem_set(p, ERR_USAGE, "cannot read the folder %.*s: %s", STRF(dir), strerror(errno));
	for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
		if (checkpoint_name_parse(str_of(entry->d_name), &name))
			*VEC_PUSH(&found) = name;
	closedir(folder);
	*count = found.n;
	*out = ARENA_ARRAY(a, struct checkpoint_name, found.n + 1);
	CHECK(*out);
	if (found.n) {
		memcpy(*out, found.v, found.n * sizeof(found.v[0]));
		qsort(*out, found.n, sizeof(found.v[0]), newest_first);
	}
	VEC_FREE(&found);
	return OK;
}

/* ---- writing ---- */

static enum err put_file(struct str dir, const char *stem, const char *ending, struct str bytes, struct problem *p)
{
	char name[NAME_MAX + 1];
	struct problem why = {0};
	enum err e;

	snprintf(name, sizeof(name), "%s%s", stem, ending);
	e = wholefile_put(dir, name, 0644, bytes, &why);
	if (e == ERR_STORE_FULL)
		return problem_set(
			p, e,
			"no checkpoint was written, for there is no room: %s; make room, those before it are whole",
			why.detail);
	return e ? problem_set(p, e, "no checkpoint was written: %s; those before it are whole", why.detail) : OK;
}

enum err checkpoint_put(struct str dir, const struct checkpoint_name *name, struct str json, struct str memory,
			struct problem *p)
{
	enum err e = put_file(dir, name->stem, CHECKPOINT_AGENTS, memory, p);

	return e ? e : put_file(dir, name->stem, CHECKPOINT_JSON, json, p);
}

void checkpoint_remove(struct str dir, const struct checkpoint_name *name)
{
	unlink(path_of(dir, str_of(name->stem), CHECKPOINT_JSON).z);
	unlink(path_of(dir, str_of(name->stem), CHECKPOINT_AGENTS).z);
}

static bool is_left_over(struct str dir, const char *entry)
{
	struct str name = str_of(entry);
	size_t ending = strlen(CHECKPOINT_AGENTS);

	if (str_starts(name, STR(WHOLEFILE_NEW "checkpoint_")))
		return true;
	if (!str_starts(name, STR("checkpoint_")) || name.n <= ending ||
	    !str_eqz((struct str){name.p + name.n - ending, ending}, CHECKPOINT_AGENTS))
		return false;
	return access(path_of(dir, (struct str){entry, name.n - ending}, CHECKPOINT_JSON).z, F_OK) != 0;
}

void checkpoint_sweep(struct str dir)
{
	DIR *folder = opendir(path_of(dir, STR("."), "").z);

	if (!folder)
		return;
	for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
		if (is_left_over(dir, entry->d_name))
			unlink(path_of(dir, str_of(entry->d_name), "").z);
	closedir(folder);
}

/* ---- reading ---- */

static enum err read_all(int fd, size_t size, const char *path, struct arena *a, struct str *out, struct problem *p)
{
	char *bytes = arena_alloc(a, size + 1);
	size_t n = 0;

	if (!bytes)
		return problem_set(p, ERR_TOO_LARGE, "%s does not fit into memory", path);
	while (n < size) {
		ssize_t more = read(fd, bytes + n, size - n);

		if (more < 0 && errno == EINTR)
			continue;
		if (more <= 0)
			break;
		n += (size_t)more;
	}
	*out = (struct str){bytes, n};
	return OK;
}

enum err checkpoint_get(struct str dir, struct str stem, const char *ending, size_t max, struct arena *a,
			struct str *out, struct problem *p)
{
	struct path path = path_of(dir, stem, ending);
	int fd = open(path.z, O_RDONLY | O_CLOEXEC);
	struct stat found;
	enum err e;

	if (fd < 0 && errno == ENOENT)
		return problem_set(p, ERR_NOT_FOUND, "there is no %s", path.z);
	if (fd < 0)
		return problem_set(p, ERR_USAGE, "cannot read %s: %s", path.z, strerror(errno));
	if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode))
		e = problem_set(p, ERR_USAGE, "%s is no file", path.z);
	else if ((uint64_t)found.st_size > max)
		e = problem_set(p, ERR_TOO_LARGE, "%s is over %zu bytes, and no checkpoint is", path.z, max);
	else
		e = read_all(fd, (size_t)found.st_size, path.z, a, out, p);
	close(fd);
	return e;
}

/* ---- setting aside ---- */

static enum err move(struct str dir, struct str to, const char *stem, const char *ending, struct problem *p)
{
	struct path from = path_of(dir, str_of(stem), ending), there = path_of(to, str_of(stem), ending);

	if (rename(from.z, there.z) == 0 || errno == ENOENT)
		return OK;
	return problem_set(p, ERR_USAGE, "cannot move %s to %s: %s", from.z, there.z, strerror(errno));
}

enum err checkpoint_set_aside(struct str dir, uint32_t first, struct str to, struct problem *p)
{
	struct arena *a = arena_new(16 << 20);
	struct checkpoint_name *names;
	size_t count;
	enum err e = checkpoint_names(dir, a, &names, &count, p);

	for (size_t i = 0; i < count && !e && names[i].cycle >= first; i++) {
		e = move(dir, to, names[i].stem, CHECKPOINT_JSON, p);
		if (!e)
			e = move(dir, to, names[i].stem, CHECKPOINT_AGENTS, p);
	}
	arena_destroy(&a);
	return e;
}
