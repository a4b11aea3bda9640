/* A table of files, one of variables and one of commands; writes go step by step, so that they can be cut. */
#include "roles_kit/memory_files.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"

#include <string.h>

enum { TRIES = 3 };

/* A file, a variable or a command; the text is its content, its value or nothing. */
struct thing {
	struct str name, text;
	bool folder; /* an empty one */
	uint64_t inode;
	int64_t changed_ns;
	enum err spoilt;
	struct str why, replacement;
	unsigned replacements;
};

struct things {
	VEC(struct thing *) all;
	struct map by_name;
};

struct memory_files_inside {
	struct things paths, variables, commands;
	uint64_t inodes;
	int64_t changes;
	int steps_left; /* -1: no end */
	bool off;
};

/* ---- tables ---- */

static struct str copy_of(struct str s)
{
	char *p = must_alloc(s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	return (struct str){p, s.n};
}

static void release(struct str *s)
{
	free((void *)(uintptr_t)s->p);
	*s = (struct str){0};
}

static void put_text(struct str *at, struct str text)
{
	struct str copy = copy_of(text);

	release(at);
	*at = copy;
}

static struct thing *find(const struct things *t, struct str name)
{
	struct thing *found = map_get(&t->by_name, str_hash(name));

	CHECK(!found || str_eq(found->name, name)); /* 64 bits are enough for a test */
	return found;
}

static struct thing *find_or_add(struct things *t, struct str name)
{
	struct thing *thing = find(t, name);

	if (thing)
		return thing;
	thing = NEW(struct thing);
	thing->name = copy_of(name);
	*VEC_PUSH(&t->all) = thing;
	map_put(&t->by_name, str_hash(name), thing);
	return thing;
}

static void thing_free(struct thing *thing)
{
	release(&thing->name);
	release(&thing->text);
	release(&thing->why);
	release(&thing->replacement);
	free(thing);
}

static void take_away(struct things *t, struct str name)
{
	struct thing *gone = map_take(&t->by_name, str_hash(name));

	if (!gone)
		return;
	for (size_t i = 0; i < t->all.n; i++)
		if (t->all.v[i] == gone)
			t->all.v[i] = t->all.v[--t->all.n];
	thing_free(gone);
}

static void things_free(struct things *t)
{
	for (size_t i = 0; i < t->all.n; i++)
		thing_free(t->all.v[i]);
	VEC_FREE(&t->all);
	map_free(&t->by_name);
}

/* ---- setting the scene ---- */

static void change(struct memory_files *m, struct thing *file, struct str text)
{
	put_text(&file->text, text);
	file->folder = false;
	file->changed_ns = ++m->inside->changes;
	if (!file->inode)
		file->inode = ++m->inside->inodes;
}

void memory_files_put_str(struct memory_files *m, const char *path, struct str text)
{
	change(m, find_or_add(&m->inside->paths, str_of(path)), text);
}

void memory_files_put(struct memory_files *m, const char *path, const char *text)
{
	memory_files_put_str(m, path, str_of(text));
}

void memory_files_folder(struct memory_files *m, const char *path)
{
	find_or_add(&m->inside->paths, str_of(path))->folder = true;
}

void memory_files_remove(struct memory_files *m, const char *path)
{
	take_away(&m->inside->paths, str_of(path));
}

void memory_files_spoil(struct memory_files *m, const char *path, enum err e, const char *why)
{
	struct thing *file = find_or_add(&m->inside->paths, str_of(path));

	file->spoilt = e;
	put_text(&file->why, str_of(why));
}

struct str memory_files_text(struct memory_files *m, const char *path)
{
	const struct thing *file = find(&m->inside->paths, str_of(path));

	return file && !file->folder ? file->text : (struct str){0};
}

void memory_files_env(struct memory_files *m, const char *name, const char *value)
{
	if (value)
		put_text(&find_or_add(&m->inside->variables, str_of(name))->text, str_of(value));
	else
		take_away(&m->inside->variables, str_of(name));
}

void memory_files_install(struct memory_files *m, const char *command)
{
	find_or_add(&m->inside->commands, str_of(command));
}

void memory_files_uninstall(struct memory_files *m, const char *command)
{
	take_away(&m->inside->commands, str_of(command));
}

void memory_files_replace_while_read(struct memory_files *m, const char *path, const char *text, unsigned times)
{
	struct thing *file = find_or_add(&m->inside->paths, str_of(path));

	put_text(&file->replacement, str_of(text));
	file->replacements = times;
}

void memory_files_cut(struct memory_files *m, int steps)
{
	m->inside->steps_left = steps;
}

void memory_files_restart(struct memory_files *m)
{
	m->inside->off = false;
	m->inside->steps_left = -1;
}

bool memory_files_is_off(const struct memory_files *m)
{
	return m->inside->off;
}

static bool try_with_cut(struct memory_files *m, const struct memory_files_trial *t, int steps)
{
	bool done;

	t->begin(t->arg);
	memory_files_cut(m, steps);
	t->change(t->arg);
	done = !m->inside->off;
	memory_files_restart(m);
	t->look(t->arg, done);
	return done;
}

unsigned memory_files_cut_everywhere(struct memory_files *m, const struct memory_files_trial *t)
{
	unsigned cuts = 0;

	for (int lost = 0; lost < 2; lost++) {
		m->loses_unflushed = lost;
		for (int steps = 0; !try_with_cut(m, t, steps); steps++)
			cuts++;
	}
	return cuts;
}

/* ---- reading ---- */

static enum err is_off(const struct memory_files *m, struct problem *p)
{
	return m->inside->off ? problem_set(p, ERR_INTERNAL, "the machine is off") : OK;
}

/* Whether `path` stands somewhere under `folder`; *name is the first part of the way. */
static bool is_below(struct str path, struct str folder, struct str *name)
{
	struct str rest;

	if (path.n <= folder.n + 1 || !str_starts(path, folder) || path.p[folder.n] != '/')
		return false;
	*name = str_cut((struct str){path.p + folder.n + 1, path.n - folder.n - 1}, '/', &rest);
	return true;
}

static bool is_folder(const struct things *paths, struct str path)
{
	const struct thing *itself = find(paths, path);
	struct str name;

	if (itself)
		return itself->folder;
	for (size_t i = 0; i < paths->all.n; i++)
		if (is_below(paths->all.v[i]->name, path, &name))
			return true;
	return false;
}

static enum err find_file(const struct memory_files *m, const char *path, struct thing **out, struct problem *p)
{
	enum err e = is_off(m, p);

	if (e)
		return e;
	*out = find(&m->inside->paths, str_of(path));
	if (*out && (*out)->spoilt)
		return problem_set(p, (*out)->spoilt, "%s: %.*s", path, STRF((*out)->why));
	if (is_folder(&m->inside->paths, str_of(path)))
		return problem_set(p, ERR_INVALID, "%s: is a directory, not a file", path);
	return *out ? OK : problem_set(p, ERR_NOT_FOUND, "%s: there is no such file", path);
}

static struct stamp stamp_of(const struct memory_files *m, const struct thing *file)
{
	return (struct stamp){.device = 1,
			      .inode = file->inode,
			      .size = file->text.n,
			      .changed_ns = file->changed_ns,
			      .status_ns = file->changed_ns,
			      .recent = m->recent};
}

static enum err memory_stat(struct files *f, const char *path, struct stamp *out, struct problem *p)
{
	struct memory_files *m = CONTAINER_OF(f, struct memory_files, files);
	struct thing *file;
	enum err e = find_file(m, path, &file, p);

	m->stats++;
	if (e == OK)
		*out = stamp_of(m, file);
	return e;
}

/* One try. Whoever replaces the file does so after its bytes were taken. */
static enum err try_read(struct memory_files *m, struct thing *file, size_t max_bytes, struct arena *a,
			 struct str *out, struct problem *p)
{
	m->reads++;
	if (file->text.n > max_bytes)
		return problem_set(p, ERR_TOO_LARGE, "%.*s: has %zu bytes; %zu are the most", STRF(file->name),
				   file->text.n, max_bytes);
	*out = arena_str(a, file->text);
	if (!out->p)
		return problem_set(p, ERR_TOO_LARGE, "%.*s: there is no room for it", STRF(file->name));
	if (file->replacements) {
		file->replacements--;
		change(m, file, file->replacement);
	}
	return OK;
}

static enum err memory_read(struct files *f, const char *path, size_t max_bytes, struct arena *a, struct str *out,
			    struct stamp *stamp, struct problem *p)
{
	struct memory_files *m = CONTAINER_OF(f, struct memory_files, files);
	struct thing *file;
	struct stamp after;
	enum err e = find_file(m, path, &file, p);

	for (int i = 0; e == OK && i < TRIES; i++) {
		*stamp = stamp_of(m, file);
		e = try_read(m, file, max_bytes, a, out, p);
		after = stamp_of(m, file);
		if (e || stamp_eq(stamp, &after))
			return e;
	}
	return e ? e : problem_set(p, ERR_CONFLICT, "%s: is being written; try again in a moment", path);
}

static int by_text(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static bool is_listed(const struct str *names, size_t count, struct str name)
{
	while (count--)
		if (str_eq(names[count], name))
			return true;
	return false;
}

static enum err memory_list(struct files *f, const char *path, bool folders, struct arena *a, struct str **names,
			    size_t *count, struct problem *p)
{
	struct memory_files *m = CONTAINER_OF(f, struct memory_files, files);
	const struct things *paths = &m->inside->paths;
	enum err e = is_off(m, p);
	struct str name;

	m->lists++;
	if (e)
		return e;
	if (!is_folder(paths, str_of(path)))
		return problem_set(p, ERR_NOT_FOUND, "%s: there is no such directory", path);
	*names = ARENA_ARRAY(a, struct str, paths->all.n + 1);
	CHECK(*names);
	*count = 0;
	for (size_t i = 0; i < paths->all.n; i++) {
		const struct thing *t = paths->all.v[i];
		bool below = is_below(t->name, str_of(path), &name);

		if (below && !is_listed(*names, *count, name) &&
		    (!folders || t->folder || str_of(path).n + 1 + name.n < t->name.n))
			(*names)[(*count)++] = arena_str(a, name);
	}
	qsort(*names, *count, sizeof(**names), by_text);
	return OK;
}

/* ---- writing ---- */

/* One step of a write happens, unless the machine goes off before it. */
static bool step(struct memory_files *m)
{
	if (m->inside->steps_left == 0)
		m->inside->off = true;
	else if (m->inside->steps_left > 0)
		m->inside->steps_left--;
	return !m->inside->off;
}

static void put_inode(struct memory_files *m, struct str path, struct str text)
{
	struct thing *file = find_or_add(&m->inside->paths, path);

	file->inode = 0;
	change(m, file, text);
}

/* The temporary file grows as it is written, for whoever looks at the folder after a cut. */
static bool fill_temporary(struct memory_files *m, struct str path, struct str text)
{
	size_t parts[] = {0, text.n / 2, text.n};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!step(m))
			return false;
		put_inode(m, path, (struct str){text.p, parts[i]});
	}
	return step(m);
}

static void undo_rename(struct memory_files *m, struct str path, struct str old)
{
	if (old.p)
		put_inode(m, path, old);
	else
		take_away(&m->inside->paths, path);
}

static void rename_and_flush(struct memory_files *m, struct str from, struct str to, struct str text)
{
	const struct thing *before = find(&m->inside->paths, to);
	struct str old = before ? copy_of(before->text) : (struct str){0};

	if (step(m)) {
		put_inode(m, to, text);
		take_away(&m->inside->paths, from);
		if (!step(m) && m->loses_unflushed)
			undo_rename(m, to, old);
	}
	release(&old);
}

static struct str temporary_name(struct str path, struct buf *b)
{
	size_t folder = path.n;

	while (folder && path.p[folder - 1] != '/')
		folder--;
	buf_fmt(b, "%.*s.%.*s.tenfold-new", (int)folder, path.p, (int)(path.n - folder), path.p + folder);
	return buf_str(b);
}

/* None where one was expected is a change too. */
static bool has_changed(const struct memory_files *m, const char *path, const struct stamp *was)
{
	static const struct stamp none;
	const struct thing *file = find(&m->inside->paths, str_of(path));
	struct stamp now = file ? stamp_of(m, file) : none;

	return was && !stamp_eq(was, &now);
}

static enum err memory_write(struct files *f, const char *path, struct str text, const struct stamp *was,
			     struct problem *p)
{
	struct memory_files *m = CONTAINER_OF(f, struct memory_files, files);
	struct buf temporary = BUF_INIT(0);
	struct thing *file;
	enum err e = find_file(m, path, &file, p);

	m->writes++;
	if (e && e != ERR_NOT_FOUND)
		return e;
	if (has_changed(m, path, was))
		return problem_set(p, ERR_CONFLICT, "%s: was changed meanwhile; look at it and try again", path);
	if (fill_temporary(m, temporary_name(str_of(path), &temporary), text))
		rename_and_flush(m, buf_str(&temporary), str_of(path), text);
	buf_free(&temporary);
	return is_off(m, p);
}

/* ---- the rest ---- */

static bool memory_executable(struct files *f, struct str command)
{
	return find(&CONTAINER_OF(f, struct memory_files, files)->inside->commands, command) != NULL;
}

static const char *memory_env(struct files *f, const char *name)
{
	struct memory_files *m = CONTAINER_OF(f, struct memory_files, files);
	const struct thing *variable = find(&m->inside->variables, str_of(name));

	return variable ? variable->text.p : NULL;
}

static int64_t memory_now_ms(struct files *f)
{
	return CONTAINER_OF(f, struct memory_files, files)->ms;
}

struct memory_files *memory_files_new(void)
{
	struct memory_files *m = NEW(struct memory_files);

	m->files = (struct files){.stat = memory_stat,
				  .read = memory_read,
				  .list = memory_list,
				  .write = memory_write,
				  .executable = memory_executable,
				  .env = memory_env,
				  .now_ms = memory_now_ms};
	m->inside = NEW(struct memory_files_inside);
	m->inside->steps_left = -1;
	return m;
}

void memory_files_destroy(struct memory_files **m)
{
	if (!*m)
		return;
	things_free(&(*m)->inside->paths);
	things_free(&(*m)->inside->variables);
	things_free(&(*m)->inside->commands);
	free((*m)->inside);
	free(*m);
	*m = NULL;
}
