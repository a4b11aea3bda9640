/*
 * One folder of the machine and one in memory, side by side: what the tests of roles/files.h start from.
 */
#ifndef TENFOLD_TESTS_ROLES_KIT_SCENE_H
#define TENFOLD_TESTS_ROLES_KIT_SCENE_H

#include "roles_kit/memory_files.h"

struct scene {
	char root[64]; /* a folder of its own, gone with the scene */
	struct files *real;
	struct memory_files *memory;
	struct arena *arena;
};

void scene_begin(struct scene *s);
void scene_end(struct scene *s);

/* One for each test of a file that has `static struct scene s`: SCENE_TEST(name, s) in its list. */
int scene_set_up(void **state);
int scene_tear_down(void **state);
#define SCENE_TEST(name, scene) \
	cmocka_unit_test_prestate_setup_teardown(name, scene_set_up, scene_tear_down, &(scene))

const char *scene_at(struct scene *s, const char *name); /* its path, in both */
/* As other programs write it: in place, in both. */
void scene_put(struct scene *s, const char *name, const char *text);
/* Both fail the test when they cannot. */
struct str scene_text(struct scene *s, struct files *f, const char *name);
void scene_write(struct scene *s, struct files *f, const char *name, const char *text, const struct stamp *was);
size_t scene_entries(struct scene *s); /* of the folder of the machine, hidden ones too */
/* The result of work(arg) in a child; -1: it was killed. */
int scene_in_a_child(int (*work)(void *arg), void *arg);

#endif
