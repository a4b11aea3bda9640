/* The folder of runs: one run at a time, each with its own folder and log. */
#include "harness.h"

#include "base/id.h"
#include "base/magic.h"
#include "sim/checkpoint.h"
#include "sim/rundir.h"

#include <ftw.h>
#include <sys/stat.h>

static const int64_t now_ms = 1767225600000;

struct story {
	char top[64];
	struct str dir;
	struct arena *arena;
	struct rundir runs;
};

static struct story *story_new(void)
{
	struct story *s = NEW(struct story);
	struct problem p = {0};

	snprintf(s->top, sizeof(s->top), "/tmp/tenfold-rundir-XXXXXX");
	assert_non_null(mkdtemp(s->top));
	s->arena = arena_new(16 << 20);
	s->dir = arena_fmt(s->arena, "%s/a/data", s->top); /* nothing of it is there yet */
	if (rundir_open(s->dir, s->arena, &s->runs, &p))
		fail_msg("%s", p.detail);
	return s;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static void story_free(struct story *s)
{
	rundir_close(&s->runs);
	nftw(s->top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	arena_destroy(&s->arena);
	free(s);
}

static bool is_there(struct story *s, const char *name)
{
	return access(arena_fmt(s->arena, "%.*s/%s", STRF(s->dir), name).p, F_OK) == 0;
}

static void begin(struct story *s, int64_t at_ms)
{
	struct problem p = {0};

	if (rundir_begin(&s->runs, at_ms, &p))
		fail_msg("%s", p.detail);
}

static void a_new_folder_has_what_a_run_needs(void **state)
{
	struct story *s = story_new();
	int64_t id;

	(void)state;
	assert_int_equal(rundir_latest(s->dir, s->arena).n, 0);
	begin(s, now_ms);
	assert_true(is_there(s, "lock") && is_there(s, "checkpoints") && is_there(s, "runs"));
	assert_true(id_parse(s->runs.run, "run_", &id));
	assert_int_equal(s->runs.run.n, strlen("run_") + 13);
	assert_true(str_eq(rundir_latest(s->dir, s->arena), s->runs.run));
	assert_true(str_starts(s->runs.store_url, STR("sqlite:/tmp/tenfold-rundir-")));
	story_free(s);
}

static void a_second_run_names_the_process_of_the_first(void **state)
{
	struct story *s = story_new();
	struct rundir other;
	struct problem p = {0};
	char pid[32];

	(void)state;
	assert_int_equal(rundir_open(s->dir, s->arena, &other, &p), ERR_IN_USE);
	snprintf(pid, sizeof(pid), "process %d runs in this folder", (int)getpid());
	assert_non_null(strstr(p.detail, pid));
	rundir_close(&s->runs);
	assert_int_equal(rundir_open(s->dir, s->arena, &s->runs, &p), OK);
	story_free(s);
}

/* A child that ends without a word, with the lock in its hands. */
static void a_lock_goes_with_its_process(void **state)
{
	struct story *s = story_new();
	struct problem p = {0};
	pid_t child;

	(void)state;
	rundir_close(&s->runs);
	child = fork();
	if (child == 0) {
		struct rundir theirs;

		rundir_open(s->dir, s->arena, &theirs, &p);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(rundir_open(s->dir, s->arena, &s->runs, &p), OK);
	story_free(s);
}

static void save_checkpoint(struct story *s)
{
	struct memory_of_agent memory = {1, 0, 1};
	const struct checkpoint c = {.run_id = s->runs.run,
				     .scenario_name = STR("shopping"),
				     .agents = 1,
				     .cycle = 9,
				     .saved_ms = now_ms,
				     .memory = &memory};
	struct problem p = {0};
	struct str path;

	if (checkpoint_save(s->runs.checkpoints, &c, s->arena, &path, &p))
		fail_msg("%s", p.detail);
}

static void nobody(void *ctx, const char *line)
{
	(void)ctx, (void)line;
}

static void checkpoints_go_with_the_run_they_are_of(void **state)
{
	struct story *s = story_new();
	struct checkpoint loaded = {0};
	struct problem p = {0};
	struct str first;

	(void)state;
	begin(s, now_ms);
	first = s->runs.run;
	save_checkpoint(s);
	rundir_close(&s->runs);
	assert_int_equal(rundir_open(s->dir, s->arena, &s->runs, &p), OK);
	begin(s, now_ms + 1000);
	assert_true(str_eq(rundir_latest(s->dir, s->arena), s->runs.run));
	assert_false(str_eq(s->runs.run, first));
	assert_int_equal(
		checkpoint_load(s->runs.checkpoints, (struct str){0}, now_ms, s->arena, &loaded, nobody, NULL, &p),
		ERR_NOT_FOUND); /* not that of the run before */
	assert_int_equal(checkpoint_load(arena_fmt(s->arena, "%.*s/runs/%.*s", STRF(s->dir), STRF(first)),
					 (struct str){0}, now_ms, s->arena, &loaded, nobody, NULL, &p),
			 OK);
	assert_true(str_eq(loaded.run_id, first));
	checkpoint_release(&loaded);
	story_free(s);
}

static void a_resumed_run_goes_on_in_its_log(void **state)
{
	struct story *s = story_new();
	struct problem p = {0};
	char text[256] = "";
	struct str run;
	FILE *f;

	(void)state;
	begin(s, now_ms);
	run = s->runs.run;
	rundir_log(&s->runs, now_ms, "cycle 0\nbegins");
	rundir_close(&s->runs);
	assert_int_equal(rundir_open(s->dir, s->arena, &s->runs, &p), OK);
	assert_int_equal(rundir_resume(&s->runs, run, &p), OK);
	rundir_log(&s->runs, now_ms + 1000, "resumed");
	f = fopen(arena_fmt(s->arena, "%.*s/log", STRF(s->runs.run_dir)).p, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_string_equal(text, "2026-01-01T00:00:00.000Z cycle 0 begins\n2026-01-01T00:00:01.000Z resumed\n");
	story_free(s);
}

static void what_is_no_run_is_refused(void **state)
{
	struct story *s = story_new();
	struct problem p = {0};

	(void)state;
	assert_int_equal(rundir_resume(&s->runs, STR("../../etc"), &p), ERR_INVALID);
	assert_non_null(strstr(p.detail, "is no id of a run"));
	story_free(s);
}

static void a_folder_that_cannot_be_made_is_told(void **state)
{
	struct story *s = story_new();
	struct rundir other;
	struct problem p = {0};

	(void)state;
	assert_int_equal(rundir_open(arena_fmt(s->arena, "%.*s/lock/x", STRF(s->dir)), s->arena, &other, &p),
			 ERR_USAGE);
	assert_non_null(strstr(p.detail, "give another with --dir"));
	assert_int_equal(rundir_open(STR(""), s->arena, &other, &p), ERR_USAGE);
	story_free(s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_folder_has_what_a_run_needs),
		cmocka_unit_test(a_second_run_names_the_process_of_the_first),
		cmocka_unit_test(a_lock_goes_with_its_process),
		cmocka_unit_test(checkpoints_go_with_the_run_they_are_of),
		cmocka_unit_test(a_resumed_run_goes_on_in_its_log),
		cmocka_unit_test(what_is_no_run_is_refused),
		cmocka_unit_test(a_folder_that_cannot_be_made_is_told),
	};

	return cmocka_run_group_tests_name("sim_rundir", tests, NULL, NULL);
}
