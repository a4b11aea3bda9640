/* Checkpoints: what was saved is loaded, whoever is killed when; what is none any more is told and passed over. */
#include "harness.h"

#include "base/clock.h"
#include "base/magic.h"
#include "sim/checkpoint.h"
#include "sim/checkpoint_priv.h"

#include <dirent.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { AGENTS = 100, KILLS = 200 };

static const int64_t start_ms = 1767225600000, hour_ms = 3600000; /* 2026-01-01 */

/* A folder of checkpoints, a run to save, and what was noted while loading. */
struct story {
	char dir[64], aside[80];
	struct arena *arena;
	struct checkpoint run, loaded;
	struct latencies endpoints[2];
	struct memory_of_agent memory[AGENTS];
	struct str names[4];
	char notes[4096];
};

static void fill(struct story *s)
{
	s->names[0] = STR("completed");
	s->names[1] = STR("total");
	s->names[2] = STR("GET /api/products/{{product.id}}");
	s->names[3] = STR("POST \"orders\"");
	for (uint32_t i = 0; i < 1000; i++)
		latency_add(&s->endpoints[i % 2].service, (int64_t)i * 37000);
	latency_add(&s->endpoints[1].throttle, INT64_C(6440000000));
	s->run = (struct checkpoint){
		.run_id = STR("run_01h2k3m4n5p6q"),
		.scenario_name = STR("shopping"),
		.seed_text = STR("7"),
		.seed = UINT64_MAX - 6,
		.scenario_hash = UINT64_C(0xfedcba9876543210),
		.agents = AGENTS,
		.start_ms = start_ms,
		.totals = {.sessions = 1234,
			   .requests = UINT64_C(1) << 60,
			   .kept_sum = {1.0 / 3},
			   .kept_count = {7}},
		.outcomes = &s->names[0],
		.kept = &s->names[1],
		.endpoint_names = &s->names[2],
		.outcome_count = 1,
		.kept_count = 1,
		.endpoint_count = 2,
		.endpoints = s->endpoints,
		.memory = s->memory,
	};
	s->run.totals.by_outcome[0] = 1200;
}

static struct story *story_new(void)
{
	struct story *s = NEW(struct story);

	snprintf(s->dir, sizeof(s->dir), "/tmp/tenfold-checkpoint-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->aside, sizeof(s->aside), "%s/aside", s->dir);
	assert_int_equal(mkdir(s->aside, 0755), 0);
	s->arena = arena_new(64 << 20);
	fill(s);
	return s;
}

static void empty_folder(const char *dir)
{
	DIR *folder = opendir(dir);
	char path[512];

	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		unlink(path);
	}
	closedir(folder);
}

static void story_free(struct story *s)
{
	checkpoint_release(&s->loaded);
	for (int i = 0; i < 2; i++) {
		latency_free(&s->endpoints[i].service);
		latency_free(&s->endpoints[i].response);
		latency_free(&s->endpoints[i].throttle);
	}
	empty_folder(s->aside);
	rmdir(s->aside);
	empty_folder(s->dir);
	rmdir(s->dir);
	arena_destroy(&s->arena);
	free(s);
}

/* What a run is at the end of a cycle: all of it says which one. */
static void at_cycle(struct story *s, uint32_t cycle)
{
	s->run.cycle = cycle;
	s->run.simulated_ms = start_ms + (int64_t)(cycle + 1) * hour_ms;
	s->run.saved_ms = start_ms + (int64_t)cycle * 1000;
	s->run.real_elapsed_ms = (int64_t)cycle * 75000;
	s->run.totals.agents_run = (uint64_t)cycle * AGENTS;
	for (uint32_t i = 0; i < AGENTS; i++)
		s->memory[i] = (struct memory_of_agent){.last_session = cycle + 1,
							.last_completed = i % 3 ? cycle : 0,
							.sessions = (cycle * 1000 + i) & INT32_MAX,
							.lacks_offers = i % 7 == 0};
}

static struct str save(struct story *s, uint32_t cycle)
{
	struct problem p = {0};
	struct str path;

	at_cycle(s, cycle);
	if (checkpoint_save(str_of(s->dir), &s->run, s->arena, &path, &p))
		fail_msg("%s", p.detail);
	return path;
}

static void note(void *ctx, const char *line)
{
	struct story *s = ctx;
	size_t n = strlen(s->notes);

	snprintf(s->notes + n, sizeof(s->notes) - n, "%s\n", line);
}

static enum err load(struct story *s, struct str file, struct problem *p)
{
	checkpoint_release(&s->loaded);
	s->notes[0] = '\0';
	return checkpoint_load(str_of(s->dir), file, start_ms + 24 * hour_ms, s->arena, &s->loaded, note, s, p);
}

static void assert_same_as_saved(const struct story *s)
{
	const struct checkpoint *a = &s->run, *b = &s->loaded;

	assert_true(str_eq(a->run_id, b->run_id) && str_eq(a->scenario_name, b->scenario_name));
	assert_true(str_eq(a->seed_text, b->seed_text) && a->seed == b->seed &&
		    a->scenario_hash == b->scenario_hash);
	assert_int_equal(a->agents, b->agents);
	assert_int_equal(a->attempt, b->attempt);
	assert_int_equal(a->start_ms, b->start_ms);
	assert_int_equal(a->simulated_ms, b->simulated_ms);
	assert_int_equal(a->saved_ms, b->saved_ms);
	assert_int_equal(a->real_elapsed_ms, b->real_elapsed_ms);
	assert_memory_equal(&a->totals, &b->totals, sizeof(a->totals));
	assert_memory_equal(a->memory, b->memory, sizeof(s->memory));
	assert_int_equal(b->endpoint_count, 2);
	for (int i = 0; i < 2; i++) {
		assert_true(str_eq(a->endpoint_names[i], b->endpoint_names[i]));
		assert_int_equal(a->endpoints[i].service.count, b->endpoints[i].service.count);
		assert_int_equal(latency_at_us(&a->endpoints[i].service, 99),
				 latency_at_us(&b->endpoints[i].service, 99));
		assert_int_equal(latency_at_us(&a->endpoints[i].throttle, 50),
				 latency_at_us(&b->endpoints[i].throttle, 50));
	}
}

static void loads(struct story *s, uint32_t cycle)
{
	struct problem p = {0};

	if (load(s, (struct str){0}, &p))
		fail_msg("%s", p.detail);
	assert_int_equal(s->loaded.cycle, cycle);
	at_cycle(s, cycle);
	assert_same_as_saved(s);
}

static void refuses(struct story *s, struct str file, const char *words)
{
	struct problem p = {0};

	assert_int_not_equal(load(s, file, &p), OK);
	if (!strstr(p.detail, words))
		fail_msg("%s", p.detail);
}

static void assert_noted(const struct story *s, const char *words)
{
	if (!strstr(s->notes, words))
		fail_msg("noted: %s", s->notes);
}

/* ---- files by hand ---- */

static size_t get(struct str path, char *out, size_t size)
{
	FILE *f = fopen(path.p, "rb");
	size_t n;

	assert_non_null(f);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	fclose(f);
	return n;
}

static void put(struct str path, const char *bytes, size_t n)
{
	FILE *f = fopen(path.p, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static void replace(struct str path, const char *old, const char *new, bool sealed)
{
	static char text[1 << 16];
	size_t n = get(path, text, sizeof(text));
	char *found = strstr(text, old);

	assert_non_null(found);
	assert_int_equal(strlen(old), strlen(new));
	memcpy(found, new, strlen(new));
	assert_true(!sealed || checkpoint_seal(text, n));
	put(path, text, n);
}

static unsigned files_in(const char *dir, const char *ending)
{
	DIR *folder = opendir(dir);
	unsigned n = 0;

	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		size_t length = strlen(entry->d_name), want = strlen(ending);

		n += length > want && strcmp(entry->d_name + length - want, ending) == 0;
	}
	closedir(folder);
	return n;
}

/* ---- the stories ---- */

static void what_was_saved_is_loaded(void **state)
{
	struct story *s = story_new();
	struct str path = save(s, 9);
	struct problem p = {0};

	(void)state;
	assert_non_null(strstr(path.p, "/checkpoint_2026-01-01_00-00-09_cycle_9.json"));
	loads(s, 9);
	assert_string_equal(s->notes, "");
	assert_int_equal(load(s, path, &p), OK); /* the same by its name */
	assert_same_as_saved(s);
	story_free(s);
}

static void five_are_kept_by_their_cycles(void **state)
{
	struct story *s = story_new();

	(void)state;
	for (uint32_t cycle = 9; cycle < 100; cycle += 10) /* 9, 19 … 99: as text 9 would come last */
		save(s, cycle);
	assert_int_equal(files_in(s->dir, ".json"), 5);
	assert_int_equal(files_in(s->dir, ".agents"), 5);
	loads(s, 99);
	save(s, 3); /* after a resume from an old one: the one just made stays whatever its number */
	assert_int_equal(files_in(s->dir, ".json"), 5);
	assert_int_equal(checkpoint_set_aside(str_of(s->dir), 4, str_of(s->aside), NULL), OK);
	assert_int_equal(files_in(s->aside, ".json"), 4);
	loads(s, 3);
	story_free(s);
}

static void the_same_cycle_twice_in_a_second_are_two_files(void **state)
{
	struct story *s = story_new();

	(void)state;
	save(s, 1);
	save(s, 1);
	assert_int_equal(files_in(s->dir, ".json"), 2);
	loads(s, 1);
	story_free(s);
}

static void no_checkpoint_is_said(void **state)
{
	struct story *s = story_new();

	(void)state;
	refuses(s, (struct str){0}, "there is no checkpoint in");
	refuses(s, STR("/nowhere/checkpoint_1.json"), "there is no /nowhere/checkpoint_1.json");
	refuses(s, STR("run.txt"), "name its file, which ends in .json");
	story_free(s);
}

/* Each cut of the newest falls back to the one before and says so; by its name it is refused. */
static void a_torn_one_is_passed_over(void **state)
{
	struct story *s = story_new();
	static char text[1 << 16];
	struct str path;
	size_t n;

	(void)state;
	save(s, 9);
	path = save(s, 19);
	n = get(path, text, sizeof(text));
	for (size_t cut = 0; cut < n - 1; cut += 97) {
		put(path, text, cut);
		loads(s, 9);
		assert_noted(s, "cycle_19.json: it is torn");
	}
	refuses(s, path, "cannot be resumed: it is torn");
	story_free(s);
}

static void edited_counters_are_noticed(void **state)
{
	struct story *s = story_new();
	struct str path;

	(void)state;
	save(s, 9);
	path = save(s, 19);
	replace(path, "\"sessions\":1234", "\"sessions\":9234", false);
	loads(s, 9);
	assert_noted(s, "changed after it was written: its checksum does not fit");
	refuses(s, path, "its checksum does not fit");
	story_free(s);
}

static void another_version_is_named(void **state)
{
	struct story *s = story_new();
	struct str path;

	(void)state;
	save(s, 9);
	path = save(s, 19);
	replace(path, "\"tenfold_checkpoint\":1", "\"tenfold_checkpoint\":2", true);
	loads(s, 9);
	assert_noted(s, "is of version 2, and this program reads version 1");
	story_free(s);
}

static void a_checkpoint_without_its_agents_is_passed_over(void **state)
{
	struct story *s = story_new();
	struct str path;
	char agents[256];

	(void)state;
	save(s, 9);
	path = save(s, 19);
	snprintf(agents, sizeof(agents), "%.*s.agents", (int)(path.n - strlen(".json")), path.p);
	put(str_of(agents), "short", 5);
	loads(s, 9);
	assert_noted(s, "what its agents remember, in the file beside it, is torn or changed");
	unlink(agents);
	loads(s, 9);
	assert_noted(s, "there is no ");
	story_free(s);
}

static void one_from_the_future_is_taken_and_told(void **state)
{
	struct story *s = story_new();

	(void)state;
	save(s, 48 * 3600);
	loads(s, 48 * 3600);
	assert_noted(s, "saved at 2026-01-03T00:00:00.000Z, which is yet to come");
	story_free(s);
}

static void what_is_well_formed_and_makes_no_sense_is_refused(void **state)
{
	static const struct {
		const char *old, *new, *words;
	} rows[] = {
		{"\"agents\":100", "\"agents\":101", "memory_bytes and its agents"},
		{"\"cycle\":9", "\"cycle\":-", "torn"},
		{"\"seed_number\":\"f", "\"seed_number\":\"x", "16 hexadecimal digits"},
		{"\"attempt\"", "\"attempd\"", "it is no checkpoint: attempd"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		struct story *s = story_new();
		struct str path = save(s, 9);

		replace(path, rows[i].old, rows[i].new, true);
		refuses(s, path, rows[i].words);
		story_free(s);
	}
}

static void another_scenario_is_a_conflict(void **state)
{
	struct story *s = story_new();
	struct problem p = {0};

	(void)state;
	save(s, 9);
	loads(s, 9);
	assert_int_equal(checkpoint_fits(&s->loaded, STR("shopping"), s->run.scenario_hash, &p), OK);
	assert_int_equal(checkpoint_fits(&s->loaded, STR("grocery"), s->run.scenario_hash, &p), ERR_CONFLICT);
	assert_non_null(strstr(p.detail, "is of the scenario shopping, and this is grocery"));
	assert_int_equal(checkpoint_fits(&s->loaded, STR("shopping"), 1, &p), ERR_CONFLICT);
	assert_non_null(strstr(p.detail, "were changed since"));
	story_free(s);
}

/* No file may grow past some bytes: as when the disk is full, at each place of the writing. */
static void save_without_room(struct story *s, rlim_t room)
{
	struct problem p = {0};
	struct str path;
	enum err e;

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){room, room});
	at_cycle(s, 19);
	e = checkpoint_save(str_of(s->dir), &s->run, s->arena, &path, &p);
	_exit(e == ERR_STORE_FULL && strstr(p.detail, "make room") ? 0 : 1);
}

static void a_full_disk_leaves_those_before(void **state)
{
	static const rlim_t rooms[] = {0, 100, AGENTS * 12, AGENTS * 12 + 100};
	struct story *s = story_new();
	int status;

	(void)state;
	save(s, 9);
	for (unsigned i = 0; i < COUNT_OF(rooms); i++) {
		pid_t child = fork();

		if (child == 0)
			save_without_room(s, rooms[i]);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		loads(s, 9);
		assert_string_equal(s->notes, "");
	}
	save(s, 29); /* and there is room again: what was left lying is swept */
	assert_int_equal(files_in(s->dir, ".agents"), 2);
	assert_int_equal(files_in(s->dir, ".json"), 2);
	story_free(s);
}

/* Cycle after cycle, each told when it is saved. */
static void save_until_killed(struct story *s, uint32_t cycle, int told)
{
	for (;; cycle++) {
		save(s, cycle);
		if (write(told, &cycle, sizeof(cycle)) != sizeof(cycle))
			_exit(1);
	}
}

/* A child saves, and is killed at some moment of the second checkpoint it makes, or the third. Which it told last. */
static uint32_t killed_while_saving(struct story *s, uint32_t first, struct rng *rng)
{
	int64_t began_ns = clock_mono_ns(), moment_ns;
	uint32_t told;
	int pipes[2];
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0)
		save_until_killed(s, first, pipes[1]);
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &told, sizeof(told)), sizeof(told));
	moment_ns = clock_mono_ns();
	moment_ns += (int64_t)rng_below(rng, (uint64_t)(moment_ns - began_ns));
	while (clock_mono_ns() < moment_ns)
		;
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	while (read(pipes[0], &told, sizeof(told)) == sizeof(told))
		;
	close(pipes[0]);
	return told;
}

static void two_hundred_kills_leave_the_last_one_or_the_next(void **state)
{
	struct story *s = story_new();
	struct rng rng = test_seed();
	uint32_t cycle = 0, unsaid = 0;

	(void)state;
	for (int i = 0; i < KILLS; i++) {
		uint32_t told = killed_while_saving(s, cycle + 1, &rng);
		struct problem p = {0};

		arena_reset(s->arena);
		if (load(s, (struct str){0}, &p))
			fail_msg("after kill %d: %s", i, p.detail);
		assert_in_range(s->loaded.cycle, told, told + 1);
		assert_string_equal(s->notes, ""); /* nothing was torn */
		unsaid += s->loaded.cycle != told;
		cycle = s->loaded.cycle;
		at_cycle(s, cycle);
		assert_same_as_saved(s);
	}
	printf("# %u of %d were killed with a checkpoint made and not told\n", unsaid, KILLS);
	story_free(s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_saved_is_loaded),
		cmocka_unit_test(five_are_kept_by_their_cycles),
		cmocka_unit_test(the_same_cycle_twice_in_a_second_are_two_files),
		cmocka_unit_test(no_checkpoint_is_said),
		cmocka_unit_test(a_torn_one_is_passed_over),
		cmocka_unit_test(edited_counters_are_noticed),
		cmocka_unit_test(another_version_is_named),
		cmocka_unit_test(a_checkpoint_without_its_agents_is_passed_over),
		cmocka_unit_test(one_from_the_future_is_taken_and_told),
		cmocka_unit_test(what_is_well_formed_and_makes_no_sense_is_refused),
		cmocka_unit_test(another_scenario_is_a_conflict),
		cmocka_unit_test(a_full_disk_leaves_those_before),
		cmocka_unit_test(two_hundred_kills_leave_the_last_one_or_the_next),
	};

	return cmocka_run_group_tests_name("sim_checkpoint", tests, NULL, NULL);
}
