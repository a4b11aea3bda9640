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

/* One for each test of a file that has `static struct story *s`: STORY_TEST(name, s) in its list. */
int story_set_up(void **state);
int story_tear_down(void **state);
#define STORY_TEST(name, story) \
	cmocka_unit_test_prestate_setup_teardown(name, story_set_up, story_tear_down, &(story))

/* path: below the town, or absolute. */
void story_put(struct story *s, const char *path, const char *text);
void story_put_raw(struct story *s, const char *path, const char *text); /* ' stays ' */
void story_remove(struct story *s, const char *path);
void story_env(struct story *s, const char *name, const char *value);
void story_install(struct story *s, const char *command);
void story_uninstall(struct story *s, const char *command);

/* Asks anew, as a spawn would. */
enum err story_ask(struct story *s, struct role_query q);

/* As Gas Town answers; rig empty: none. Fails the test when it is refused. */
void story_ask_compat(struct story *s, const char *role, const char *rig);
/* The last answer is that agent, by that rule. */
void story_expect(const struct story *s, const char *agent, enum rule rule);

const struct step *story_step(const struct story *s, enum rule rule); /* the last of the rule; NULL: none */
bool story_warned(const struct story *s, const char *part);           /* a warning holds that text */
bool story_found(struct story *s, const char *part);                  /* a fault of the files does */
bool story_has_arg(const struct story *s, const char *arg);
struct str story_env_of(const struct story *s, const char *name); /* of the runtime; empty: not there */

/* A query in one line: ASK(.role = STR("witness"), .rig = STR("alpha")). */
#define ASK(s, ...) story_ask((s), (struct role_query){__VA_ARGS__})

#endif
