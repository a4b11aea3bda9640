/*
 * A spawn without a town: the facts a command is made from, stated one by one, and looks at what was made of them.
 *
 * A polecat called toast in the rig alpha of the town /gt that runs Claude: what a test does not say is so.
 */
#ifndef TENFOLD_TESTS_ROLES_KIT_SPAWNING_H
#define TENFOLD_TESTS_ROLES_KIT_SPAWNING_H

#include "roles/command_priv.h"
#include "roles_kit/memory_files.h"

struct spawning {
	struct memory_files *files;
	struct arena *arena;
	struct role_query query;
	struct role_answer answer;
	struct command_options options;
	struct role_command command; /* the last one */
	struct problem problem;
};

/* One for each test of a file that has `static struct spawning the`: SPAWNING_TEST(name, the) in its list. */
int spawning_set_up(void **state);
int spawning_tear_down(void **state);
#define SPAWNING_TEST(name, the) \
	cmocka_unit_test_prestate_setup_teardown(name, spawning_set_up, spawning_tear_down, &(the))

/* ---- facts ---- */

void spawning_role(struct spawning *the, enum role role, const char *rig, const char *name);
void spawning_agent(struct spawning *the, const char *preset);
/* Not copied. */
void spawning_args(struct spawning *the, struct str *v, size_t n);
void spawning_env(struct spawning *the, struct pair *v, size_t n);

/* ---- the command ---- */

struct spawn spawning_facts(struct spawning *the);
enum err spawning_try(struct spawning *the);
void spawning_make(struct spawning *the); /* fails the test when it is refused */

/* "claude --resume x": the words of argv from the nth on, with a space between them. */
const char *spawning_words(const struct spawning *the, size_t n);
bool spawning_shell_has(const struct spawning *the, const char *part);
const char *spawning_variable(const struct spawning *the, const char *key); /* NULL: it is not set */
void assert_variable(const struct spawning *the, const char *key, const char *value);

#endif
