/*
 * A write is whole or not at all wherever it is killed, a read never gives a mixture, and of several writers none
 * is lost.
 */
#include "harness.h"

#include "roles_kit/scene.h"
#include "roles_kit/steps.h"

#include <sys/syscall.h>

enum { MAX_BYTES = 1 << 20 };

static struct scene s;

static const char *at(const char *name)
{
	return scene_at(&s, name);
}

/* ---- cut anywhere ---- */

enum { LENGTH = 40000 };

/* Contents that show a mixture: one letter throughout. */
static struct str letters(char c)
{
	char *p = arena_alloc(s.arena, LENGTH + 1);

	memset(p, c, LENGTH);
	return (struct str){p, LENGTH};
}

static int write_b(void *unused)
{
	struct problem p = {0};

	(void)unused;
	return (int)s.real->write(s.real, at("a"), letters('b'), NULL, &p);
}

static bool kill_at(void *context, const struct step_at *step)
{
	return step->stop < *(unsigned *)context;
}

static void a_write_killed_at_any_system_call_is_whole_or_not_at_all(void **state)
{
	struct str before = letters('a'), after = letters('b');
	int ended = STEPS_KILLED;
	bool changed = false;
	unsigned stop = 0;

	(void)state;
	for (; ended == STEPS_KILLED; stop++) {
		struct str found;

		scene_put(&s, "a", before.p);
		ended = steps_run(write_b, NULL, kill_at, &stop);
		assert_true(ended == STEPS_KILLED || ended == OK);
		found = scene_text(&s, s.real, "a");
		assert_true(str_eq(found, before) || str_eq(found, after));
		assert_true(!changed || str_eq(found, after)); /* once renamed, it stays */
		changed = str_eq(found, after);
		scene_write(&s, s.real, "a", "next", NULL); /* what was left behind hinders nobody */
		assert_str(scene_text(&s, s.real, "a"), "next");
		assert_int_equal(scene_entries(&s), 1);
		arena_reset(s.arena);
		before = letters('a'), after = letters('b');
	}
	assert_int_equal(ended, OK);
	assert_true(changed && stop > 20);
}

struct order {
	unsigned wrote, flushed, renamed, flushed_folder; /* at which stop last */
};

static bool note_order(void *context, const struct step_at *step)
{
	struct order *o = context;

	if (step->call == SYS_write)
		o->wrote = step->stop;
	if (step->call == SYS_fsync && o->renamed == 0)
		o->flushed = step->stop;
	if (step->call == SYS_renameat || step->call == SYS_renameat2)
		o->renamed = step->stop;
	if (step->call == SYS_fsync && o->renamed)
		o->flushed_folder = step->stop;
	return true;
}

static void bytes_are_flushed_before_the_rename_and_the_folder_after_it(void **state)
{
	struct order o = {0};

	(void)state;
	scene_put(&s, "a", "x");
	assert_int_equal(steps_run(write_b, NULL, note_order, &o), OK);
	assert_true(0 < o.wrote && o.wrote < o.flushed && o.flushed < o.renamed && o.renamed < o.flushed_folder);
}

/* Without the tracer, as it happens in life: writers that are killed in the middle of their work. */
static _Noreturn void write_for_ever(int tell)
{
	struct str a = letters('a'), b = letters('b');

	for (bool odd = false;; odd = !odd)
		if (s.real->write(s.real, at("a"), odd ? a : b, NULL, NULL) || write(tell, "w", 1) != 1)
			_exit(1);
}

static void a_writer_killed_in_its_work_leaves_a_whole_file(void **state)
{
	struct rng r = test_seed();

	(void)state;
	scene_put(&s, "a", letters('a').p);
	for (int round = 0; round < 30; round++) {
		char ticks[16];
		int tell[2], status;
		struct str found;
		pid_t child;

		assert_int_equal(pipe(tell), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			write_for_ever(tell[1]);
		close(tell[1]);
		for (size_t wait = 1 + rng_below(&r, 5); wait--;)
			assert_int_equal(read(tell[0], ticks, 1), 1);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		close(tell[0]);
		found = scene_text(&s, s.real, "a");
		assert_int_equal(found.n, LENGTH);
		assert_true(str_eq(found, letters(found.p[0])));
		arena_reset(s.arena);
	}
}

/* ---- replaced while it is read ---- */

struct replacing {
	unsigned at;    /* which stop */
	unsigned every; /* each read() there is; `at` does not count then */
	bool done;
	char letter;
};

/* In place, as most programs do, the other content at once. */
static bool replace(void *context, const struct step_at *step)
{
	struct replacing *r = context;
	bool now = r->every ? step->call == SYS_read && !step->entering : step->stop == r->at;

	if (now) {
		if (r->every)
			r->letter = r->letter == 'b' ? 'c' : 'b';
		scene_put(&s, "a", letters(r->letter).p);
		r->done = true;
	}
	return true;
}

/* 10 + an error; 0: one of both contents, whole, and its stamp is that of the file as long as it has that content.
 */
static int read_it(void *unused)
{
	struct stamp stamp, now;
	struct problem p = {0};
	struct str text;
	enum err e = s.real->read(s.real, at("a"), MAX_BYTES, s.arena, &text, &stamp, &p);

	(void)unused;
	if (e)
		return 10 + (int)e;
	if (text.n != LENGTH || !str_eq(text, letters(text.p[0])))
		return 1;
	if (s.real->stat(s.real, at("a"), &now, &p))
		return 2;
	return (text.p[0] == 'b' ? stamp_eq(&stamp, &now) : !stamp_holds(&stamp, &now)) ? 0 : 3;
}

static void a_file_replaced_while_it_is_read_is_read_again(void **state)
{
	struct replacing r = {.done = true};

	(void)state;
	for (; r.done; r.at++) {
		r = (struct replacing){.at = r.at, .letter = 'b'};
		scene_put(&s, "a", letters('a').p);
		/* At the last stops the old content was returned already, with a stamp that does not hold any more.
		 */
		assert_true(steps_run(read_it, NULL, replace, &r) == 0 || !r.done);
		arena_reset(s.arena);
	}
	assert_true(r.at > 10);
}

static void a_file_that_never_rests_is_told(void **state)
{
	struct replacing r = {.every = 1};

	(void)state;
	scene_put(&s, "a", letters('a').p);
	assert_int_equal(steps_run(read_it, NULL, replace, &r), 10 + ERR_CONFLICT);
}

/* ---- several at once ---- */

enum { WRITERS = 4, ROUNDS = 50 };

/* Counts up by reading and writing back; a conflict means to look again. */
static int count_up(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS;) {
		struct problem p = {0};
		struct stamp stamp;
		struct str text;
		int64_t n;
		enum err e = s.real->read(s.real, at("a"), MAX_BYTES, s.arena, &text, &stamp, &p);

		if (e == OK && str_to_i64(text, &n))
			e = s.real->write(s.real, at("a"), arena_fmt(s.arena, "%d", (int)n + 1), &stamp, &p);
		if (e && e != ERR_CONFLICT)
			return 1;
		i += e == OK;
	}
	return 0;
}

static void of_several_writers_none_is_lost(void **state)
{
	pid_t children[WRITERS];
	int status;

	(void)state;
	scene_put(&s, "a", "0");
	for (int i = 0; i < WRITERS; i++)
		if ((children[i] = fork()) == 0)
			_exit(count_up(NULL));
	for (int i = 0; i < WRITERS; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	assert_str(scene_text(&s, s.real, "a"), "200");
	assert_int_equal(scene_entries(&s), 1);
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static bool go_on(void *context, const struct step_at *step)
{
	(void)context, (void)step;
	return true;
}

int main(void)
{
	if (steps_run(nothing, NULL, go_on, NULL) == STEPS_CANNOT) {
		printf("1..0 # SKIP this machine lets nobody trace its own child\n");
		return 0;
	}
#define TEST(name) SCENE_TEST(name, s)
	const struct CMUnitTest tests[] = {
		TEST(a_write_killed_at_any_system_call_is_whole_or_not_at_all),
		TEST(bytes_are_flushed_before_the_rename_and_the_folder_after_it),
		TEST(a_writer_killed_in_its_work_leaves_a_whole_file),
		TEST(a_file_replaced_while_it_is_read_is_read_again),
		TEST(a_file_that_never_rests_is_told),
		TEST(of_several_writers_none_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
