/*
 * A town told in a few lines: what tests of the ladder, the checks and the edits of src/roles/ begin with.
 *
 * The town is /t with the rig alpha, the home is /u, PATH is /bin, and every preset's command is installed.
 * Texts of files are written with ' for ", so that they can be read.
 */
#ifndef TENFOLD_TESTS_TOWN_KIT_STORY_H
#define TENFOLD_TESTS_TOWN_KIT_STORY_H

#include "roles/resolve.h"
#include "roles/state.h"
#include "roles_kit/memory_files.h"

struct story {
	struct memory_files *m;
	struct town *town;
	struct town_state *state; /* in memory */
	struct arena *arena;
	struct role_answer answer; /* the last one */
	struct problem problem;
};

struct story *story_new(void);
void story_end(struct story **s);

/* path: below the town, or absolute. */
void story_put(struct story *s, const char *path, const char *text);
void story_put_raw(struct story *s, const char *path, const char *text); /* ' stays ' */
void story_remove(struct story *s, const char *path);
void story_env(struct story *s, const char *name, const char *value);
void story_install(struct story *s, const char *command);
void story_uninstall(struct story *s, const char *command);

/* Asks anew, as a spawn would. */
enum err story_ask(struct story *s, struct role_query q);

const struct step *story_step(const struct story *s, enum rule rule); /* the last of the rule; NULL: none */
bool story_warned(const struct story *s, const char *part);           /* a warning holds that text */
bool story_found(struct story *s, const char *part);                  /* a fault of the files does */
bool story_has_arg(const struct story *s, const char *arg);
struct str story_env_of(const struct story *s, const char *name); /* of the runtime; empty: not there */

/* A query in one line: ASK(.role = STR("witness"), .rig = STR("alpha")). */
#define ASK(s, ...) story_ask((s), (struct role_query){__VA_ARGS__})

#endif
