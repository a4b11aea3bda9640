/* Folders of their own under /tmp. */
#include "roles_kit/scene.h"

#include "harness.h"

enum { MAX_BYTES = 1 << 20 };

void scene_begin(struct scene *s)
{
	snprintf(s->root, sizeof(s->root), "/tmp/tenfold-roles-XXXXXX");
	assert_non_null(mkdtemp(s->root));
	s->real = files_of_system();
	s->memory = memory_files_new();
	s->arena = arena_new(16 << 20);
}

void scene_end(struct scene *s)
{
	struct str command = arena_fmt(s->arena, "chmod -R u+rwX %s; rm -rf %s", s->root, s->root);

	assert_int_equal(system(command.p), 0);
	memory_files_destroy(&s->memory);
	arena_destroy(&s->arena);
}

int scene_set_up(void **state)
{
	scene_begin(*state);
	return 0;
}

int scene_tear_down(void **state)
{
	scene_end(*state);
	return 0;
}

const char *scene_at(struct scene *s, const char *name)
{
	return arena_fmt(s->arena, "%s/%s", s->root, name).p;
}

void scene_put(struct scene *s, const char *name, const char *text)
{
	FILE *f = fopen(scene_at(s, name), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	memory_files_put(s->memory, scene_at(s, name), text);
}

struct str scene_text(struct scene *s, struct files *f, const char *name)
{
	struct problem p = {0};
	struct stamp stamp;
	struct str text;

	if (f->read(f, scene_at(s, name), MAX_BYTES, s->arena, &text, &stamp, &p))
		fail_msg("%s: %s", name, p.detail);
	return text;
}

void scene_write(struct scene *s, struct files *f, const char *name, const char *text, const struct stamp *was)
{
	struct problem p = {0};

	if (f->write(f, scene_at(s, name), str_of(text), was, &p))
		fail_msg("%s: %s", name, p.detail);
}

size_t scene_entries(struct scene *s)
{
	struct problem p = {0};
	struct str *names;
	size_t count;

	assert_int_equal(s->real->list(s->real, s->root, false, s->arena, &names, &count, &p), OK);
	return count;
}

int scene_in_a_child(int (*work)(void *arg), void *arg)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		_exit(work(arg));
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
