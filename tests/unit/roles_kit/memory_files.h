/*
 * The files of a town in memory: what tests of src/roles/ hand in instead of the machine.
 *
 * Paths are texts, compared as they are; "a/b" makes the folder "a" be there too. Nothing is there at first: no
 * file, no variable, no command, and the clock stands at `ms`. Not thread-safe. Whatever a test sets is copied.
 */
#ifndef TENFOLD_TESTS_ROLES_KIT_MEMORY_FILES_H
#define TENFOLD_TESTS_ROLES_KIT_MEMORY_FILES_H

#include "roles/files.h"

struct memory_files {
	struct files files;                   /* hand in &m->files */
	unsigned stats, reads, lists, writes; /* calls so far, those that failed too; each try of a read counts */
	int64_t ms;                           /* now */
	bool recent;                          /* every stamp says so */
	bool loses_unflushed;                 /* a cut between rename and flush undoes the rename */
	struct memory_files_inside *inside;
};

struct memory_files *memory_files_new(void);
void memory_files_destroy(struct memory_files **m);

/* ---- what is there ---- */

void memory_files_put(struct memory_files *m, const char *path, const char *text); /* same inode, new stamp */
void memory_files_put_str(struct memory_files *m, const char *path, struct str text);
void memory_files_folder(struct memory_files *m, const char *path); /* an empty one */
void memory_files_remove(struct memory_files *m, const char *path);
/* stat and read of it, and write over it, fail so ("is a symbolic link that leads back to itself"). OK heals it. */
void memory_files_spoil(struct memory_files *m, const char *path, enum err e, const char *why);
struct str memory_files_text(struct memory_files *m, const char *path); /* p NULL: no such file; until it changes */

void memory_files_env(struct memory_files *m, const char *name, const char *value); /* NULL unsets */
void memory_files_install(struct memory_files *m, const char *command);             /* a name, or a path with '/' */
void memory_files_uninstall(struct memory_files *m, const char *command);

/* ---- what goes wrong meanwhile ---- */

/* The next `times` reads of the file find it replaced by `text` once they are through. Two or less are survived. */
void memory_files_replace_while_read(struct memory_files *m, const char *path, const char *text, unsigned times);

/*
 * The machine goes off after `steps` more steps of writing; -1: never. A write has MEMORY_WRITE_STEPS: the
 * temporary file is made, half of it written, the rest, flushed, renamed over the file, its folder flushed. From
 * then on every call fails, until memory_files_restart(). A write whose steps all happened has succeeded.
 */
enum { MEMORY_WRITE_STEPS = 6 };
void memory_files_cut(struct memory_files *m, int steps);
void memory_files_restart(struct memory_files *m);
bool memory_files_is_off(const struct memory_files *m);

/* A change that may write several files, cut one step later each time until it is cut no more, with and without
 * losing what was not flushed. Each time: begin() sets the scene, change() makes it, and after a restart look()
 * sees what is there; `done`: it was not cut. Returns how often it was cut. */
struct memory_files_trial {
	void (*begin)(void *arg);
	void (*change)(void *arg);
	void (*look)(void *arg, bool done);
	void *arg;
};
unsigned memory_files_cut_everywhere(struct memory_files *m, const struct memory_files_trial *t);

#endif
