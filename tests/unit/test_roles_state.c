/*
 * What is remembered of a town: kept across processes, lost by none of them, bounded, and begun anew when its file
 * cannot be read. The files are the machine's, in a folder of the test; its clock stands until it is told.
 */
#include "harness.h"

#include "base/buf.h"
#include "roles/state_priv.h"

#include <dirent.h>
#include <math.h>

enum { NOON = 1795262400, DAY_S = 86400 }; /* 2026-11-21T12:00:00Z */

/* The machine's files with a clock that can be set, and writes that can be made to fail. */
struct machine {
	struct files files;
	int64_t ms;
	bool full;
};

static enum err machine_stat(struct files *f, const char *path, struct stamp *out, struct problem *p)
{
	(void)f;
	return files_of_system()->stat(files_of_system(), path, out, p);
}

static enum err machine_read(struct files *f, const char *path, size_t max_bytes, struct arena *a, struct str *out,
			     struct stamp *stamp, struct problem *p)
{
	(void)f;
	return files_of_system()->read(files_of_system(), path, max_bytes, a, out, stamp, p);
}

static enum err machine_write(struct files *f, const char *path, struct str text, const struct stamp *was,
			      struct problem *p)
{
	if (((struct machine *)f)->full)
		return problem_set(p, ERR_STORE_FULL, "the disk is full");
	return files_of_system()->write(files_of_system(), path, text, was, p);
}

static int64_t machine_now(struct files *f)
{
	return ((struct machine *)f)->ms;
}

static struct {
	struct machine machine;
	char folder[64];
	struct town_state *state;
	struct problem problem;
} the;

static struct files *files(void)
{
	return &the.machine.files;
}

static enum err open_it(void)
{
	the.problem = (struct problem){0};
	return town_state_open(files(), str_of(the.folder), STR("/gt"), &the.state, &the.problem);
}

static void open_again(void)
{
	town_state_close(&the.state);
	if (open_it() != OK)
		fail_msg("%s", the.problem.detail);
}

static int set_up(void **state)
{
	(void)state;
	memset(&the, 0, sizeof(the));
	the.machine = (struct machine){
		{.stat = machine_stat, .read = machine_read, .write = machine_write, .now_ms = machine_now},
		(int64_t)NOON * 1000,
		false};
	snprintf(the.folder, sizeof(the.folder), "/tmp/tenfold-state-XXXXXX");
	if (!mkdtemp(the.folder))
		return -1;
	open_again();
	return 0;
}

static void remove_tree(const char *path)
{
	char inside[512];
	DIR *d = opendir(path);

	for (struct dirent *e; d && (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(inside, sizeof(inside), "%s/%s", path, e->d_name);
		if (unlink(inside) != 0)
			remove_tree(inside);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

static int tear_down(void **state)
{
	(void)state;
	town_state_close(&the.state);
	remove_tree(the.folder);
	return 0;
}

/* The path of the one file in towns/ that ends so. */
static const char *file_of(const char *ending)
{
	static char path[512];
	char towns[128];
	DIR *d;

	snprintf(towns, sizeof(towns), "%s/towns", the.folder);
	d = opendir(towns);
	path[0] = '\0';
	for (struct dirent *e; d && (e = readdir(d));) {
		size_t n = strlen(e->d_name), m = strlen(ending);

		if (n >= m && !strcmp(e->d_name + n - m, ending))
			snprintf(path, sizeof(path), "%s/%s", towns, e->d_name);
	}
	if (d)
		closedir(d);
	return path[0] ? path : NULL;
}

static void put_file(const char *path, const char *text, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void spend(const char *rig, const char *role, double usd)
{
	const struct spent one = {
		.rig = str_of(rig), .role = str_of(role), .agent = STR("claude"), .output = 10, .usd = usd};

	if (town_state_spend(the.state, &one, &the.problem))
		fail_msg("%s", the.problem.detail);
}

static double spent_today(const char *rig, const char *role)
{
	char day[DAY_TEXT];

	day_of_ms(the.machine.ms, day);
	return town_state_spent_usd(the.state, str_of(day), str_of(rig), str_of(role));
}

static void cool(const char *agent, int64_t for_s)
{
	int64_t until = for_s ? the.machine.ms + for_s * 1000 : 0;

	assert_int_equal(town_state_cool(the.state, str_of(agent), until, STR("quota"), &the.problem), OK);
}

static bool cools(const char *agent)
{
	return town_state_cooling_until(the.state, str_of(agent)) != 0;
}

/* ---- remembering ---- */

static void nothing_is_written_before_something_changes(void **state)
{
	(void)state;
	assert_false(cools("claude"));
	assert_int_equal(town_state_next_turn(the.state, STR("fast")), 0);
	assert_true(spent_today("", "") == 0);
	assert_null(file_of(".json"));
}

static void what_was_told_is_there_when_it_is_opened_again(void **state)
{
	(void)state;
	cool("gemini", 3600);
	assert_int_equal(town_state_turn(the.state, STR("fast")), 0);
	assert_int_equal(town_state_turn(the.state, STR("fast")), 1);
	spend("alpha", "polecat", 1.25);
	spend("alpha", "polecat", 0.1);
	spend("", "mayor", 2);
	open_again();
	assert_int_equal(town_state_cooling_until(the.state, STR("gemini")), the.machine.ms + 3600000);
	assert_str(town_state_cooling(the.state, 0)->reason, "quota");
	assert_int_equal(town_state_next_turn(the.state, STR("fast")), 2);
	assert_true(spent_today("alpha", "polecat") == 1.25 + 0.1);
	assert_true(spent_today("alpha", "") == 1.25 + 0.1);
	assert_true(spent_today("", "polecat") == 1.25 + 0.1);
	assert_true(spent_today("", "") == 1.25 + 0.1 + 2);
	assert_true(spent_today("beta", "") == 0);
	assert_int_equal(town_state_spent_count(the.state), 2);
	assert_int_equal(town_state_spent(the.state, 1)->runs, 2);
	assert_int_equal(town_state_spent(the.state, 1)->output, 20);
	assert_str(town_state_spent(the.state, 1)->day, "2026-11-21");
}

static void two_towns_have_two_files(void **state)
{
	struct town_state *other;

	(void)state;
	cool("gemini", 3600);
	assert_int_equal(town_state_open(files(), str_of(the.folder), STR("/other"), &other, NULL), OK);
	assert_int_equal(town_state_cooling_until(other, STR("gemini")), 0);
	town_state_close(&other);
}

static void without_a_folder_it_is_kept_in_memory(void **state)
{
	struct town_state *s;

	(void)state;
	assert_int_equal(town_state_open(files(), (struct str){0}, STR("/gt"), &s, NULL), OK);
	assert_int_equal(town_state_cool(s, STR("gemini"), the.machine.ms + 1000, STR("x"), NULL), OK);
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(town_state_turn(s, STR("fast")), i);
	assert_int_equal(town_state_refresh(s, NULL), OK);
	assert_true(town_state_cooling_until(s, STR("gemini")) != 0);
	town_state_close(&s);
	assert_null(file_of(".json"));
}

static void an_account_is_not_an_agent(void **state)
{
	(void)state;
	assert_int_equal(town_state_cool_account(the.state, STR("work"), the.machine.ms + 1000, STR("limit"), NULL),
			 OK);
	assert_false(cools("work"));
	assert_true(town_state_account_cooling_until(the.state, STR("work")) != 0);
	cool("work", 60);
	open_again();
	assert_int_equal(town_state_cooling_count(the.state), 2);
	assert_int_equal(town_state_account_cooling_until(the.state, STR("work")), the.machine.ms + 1000);
	assert_int_equal(town_state_cool_account(the.state, STR("work"), 0, STR(""), NULL), OK);
	assert_int_equal(town_state_account_cooling_until(the.state, STR("work")), 0);
	assert_true(cools("work"));
}

static void what_another_process_changed_is_seen_after_a_refresh(void **state)
{
	struct town_state *other;

	(void)state;
	spend("alpha", "crew", 1);
	assert_int_equal(town_state_open(files(), str_of(the.folder), STR("/gt"), &other, NULL), OK);
	assert_int_equal(town_state_cool(other, STR("gemini"), the.machine.ms + 1000, STR("x"), NULL), OK);
	assert_false(cools("gemini"));
	assert_int_equal(town_state_refresh(the.state, NULL), OK);
	assert_true(cools("gemini"));
	spend("alpha", "crew", 1); /* keeps what the other one wrote */
	assert_int_equal(town_state_refresh(other, NULL), OK);
	assert_true(town_state_spent_usd(other, STR("2026-11-21"), STR("alpha"), (struct str){0}) == 2);
	assert_true(town_state_cooling_until(other, STR("gemini")) != 0);
	town_state_close(&other);
}

static void a_name_that_was_read_may_be_told_again(void **state)
{
	(void)state;
	cool("gemini", 60);
	assert_int_equal(town_state_cool(the.state, town_state_cooling(the.state, 0)->name, the.machine.ms + 9000,
					 town_state_cooling(the.state, 0)->reason, NULL),
			 OK);
	assert_int_equal(town_state_cooling_until(the.state, STR("gemini")), the.machine.ms + 9000);
	spend("alpha", "crew", 1);
	assert_int_equal(town_state_spend(the.state, town_state_spent(the.state, 0), NULL), OK);
	assert_true(spent_today("alpha", "crew") == 2);
}

/* ---- clocks ---- */

static void cooling_ends_by_itself_or_when_told(void **state)
{
	(void)state;
	cool("gemini", 60);
	the.machine.ms += 59999;
	assert_true(cools("gemini"));
	the.machine.ms += 1;
	assert_false(cools("gemini"));
	cool("gemini", 60);
	cool("gemini", 0);
	assert_false(cools("gemini"));
	spend("a", "crew", 0);
	assert_int_equal(town_state_cooling_count(the.state), 0); /* what is over is not kept */
}

static void cooling_lasts_a_month_at_most(void **state)
{
	(void)state;
	assert_int_equal(town_state_cool(the.state, STR("gemini"), INT64_MAX, STR("x"), NULL), OK);
	assert_int_equal(town_state_cooling_until(the.state, STR("gemini")), the.machine.ms + 31LL * DAY_S * 1000);
}

static void a_clock_set_back_ends_cooling_and_a_small_step_does_not(void **state)
{
	(void)state;
	cool("gemini", 600);
	the.machine.ms -= 30 * 1000;
	assert_true(cools("gemini"));
	the.machine.ms -= 365LL * DAY_S * 1000;
	assert_false(cools("gemini"));
}

static void a_clock_that_jumped_ahead_for_a_while_loses_no_day(void **state)
{
	int64_t now = the.machine.ms;

	(void)state;
	spend("alpha", "crew", 1);
	the.machine.ms += 20 * 365LL * DAY_S * 1000;
	spend("alpha", "crew", 5);
	the.machine.ms = now;
	spend("alpha", "crew", 1);
	assert_true(spent_today("alpha", "crew") == 2);
	assert_int_equal(town_state_spent_count(the.state), 2);
}

static void a_day_is_one_of_utc(void **state)
{
	char day[DAY_TEXT];

	(void)state;
	day_of_ms(1795262400000, day);
	assert_string_equal(day, "2026-11-21");
	day_of_ms(1795305599999, day);
	assert_string_equal(day, "2026-11-21");
	day_of_ms(1795305600000, day);
	assert_string_equal(day, "2026-11-22");
}

/* ---- bounds ---- */

static void the_last_31_days_are_kept(void **state)
{
	char day[DAY_TEXT];

	(void)state;
	for (int i = 0; i < 35; i++, the.machine.ms += DAY_S * 1000LL)
		spend("alpha", "crew", 1);
	assert_int_equal(town_state_spent_count(the.state), TOWN_STATE_DAYS);
	day_of_ms(the.machine.ms - 31LL * DAY_S * 1000, day);
	assert_true(str_eqz(town_state_spent(the.state, 0)->day, day));
}

static struct str numbered(struct arena *a, const char *what, size_t i)
{
	return arena_fmt(a, "%s%zu", what, i);
}

static void a_day_of_many_agents_forgets_which_and_keeps_the_sum(void **state)
{
	struct arena *a = arena_new(16 << 20);
	struct state_tables t = {0};
	double usd = 0;

	(void)state;
	for (size_t i = 0; i < TOWN_STATE_ROWS + 5; i++)
		*VEC_PUSH(&t.spent) = (struct spent){.day = STR("2026-11-21"),
						     .rig = numbered(a, "r", i % 50),
						     .agent = numbered(a, "a", i),
						     .usd = 1};
	*VEC_PUSH(&t.spent) = (struct spent){.day = STR("2026-11-20"), .usd = 1000};
	assert_int_equal(state_bound(&t, 0, NULL), OK);
	assert_int_equal(t.spent.n, 50);
	for (size_t i = 0; i < t.spent.n; i++)
		usd += t.spent.v[i].usd;
	assert_true(usd == TOWN_STATE_ROWS + 5); /* the older day went first */
	state_tables_free(&t);
	arena_destroy(&a);
}

static void a_day_of_too_many_rigs_is_refused(void **state)
{
	struct arena *a = arena_new(16 << 20);
	struct state_tables t = {0};

	(void)state;
	for (size_t i = 0; i <= TOWN_STATE_ROWS; i++)
		*VEC_PUSH(&t.spent) = (struct spent){.day = STR("2026-11-21"), .rig = numbered(a, "r", i)};
	assert_int_equal(state_bound(&t, 0, &the.problem), ERR_TOO_LARGE);
	state_tables_free(&t);
	arena_destroy(&a);
}

static void names_that_were_used_last_stay(void **state)
{
	struct arena *a = arena_new(16 << 20);
	struct state_tables t = {0};

	(void)state;
	for (size_t i = 0; i < TOWN_STATE_NAMES + 3; i++) {
		*VEC_PUSH(&t.turns) = (struct turn){numbered(a, "p", i), i};
		*VEC_PUSH(&t.cooling) = (struct cooling){.name = numbered(a, "a", i), .until_ms = 1000};
	}
	assert_int_equal(state_bound(&t, 500, NULL), OK);
	assert_int_equal(t.turns.n, TOWN_STATE_NAMES);
	assert_int_equal(t.cooling.n, TOWN_STATE_NAMES);
	assert_str(t.turns.v[0].pool, "p3");
	assert_str(t.cooling.v[0].name, "a3");
	state_tables_free(&t);
	arena_destroy(&a);
}

static void what_cannot_be_is_refused_and_changes_nothing(void **state)
{
	static char long_name[TOWN_STATE_NAME_BYTES + 1];
	static const struct spent wrong[] = {
		{.output = -1},
		{.usd = -0.5},
		{.usd = (double)NAN},
		{.guessed_usd = (double)INFINITY},
		{.day = {"yesterday!", 10}},
		{.day = {"2026-1-1", 8}},
		{.rig = {long_name, sizeof(long_name)}},
	};

	(void)state;
	memset(long_name, 'x', sizeof(long_name));
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(town_state_spend(the.state, &wrong[i], &the.problem), ERR_INVALID);
	assert_int_equal(town_state_cool(the.state, (struct str){0}, 5, STR("x"), NULL), ERR_INVALID);
	assert_int_equal(town_state_cool(the.state, STR("a"), -5, STR("x"), NULL), ERR_INVALID);
	assert_int_equal(town_state_cool(the.state, wrong[6].rig, 5, STR("x"), NULL), ERR_INVALID);
	assert_int_equal(town_state_turn(the.state, wrong[6].rig), 0);
	assert_null(file_of(".json"));
}

static void sums_stop_at_the_largest_number(void **state)
{
	const struct spent most = {.rig = STR("a"), .output = INT64_MAX};

	(void)state;
	assert_int_equal(town_state_spend(the.state, &most, NULL), OK);
	assert_int_equal(town_state_spend(the.state, &most, NULL), OK);
	open_again();
	assert_true(town_state_spent(the.state, 0)->output == INT64_MAX);
}

/* ---- files that are not as they should be ---- */

static void a_file_that_cannot_be_read_is_set_aside_with_a_warning(void **state)
{
	static const char *const broken[] = {
		"{",
		"[]",
		"null",
		"{}",
		"\xff\xfe",
		"{\"version\": \"1\"}",
		"{\"version\": 1, \"cooling\": {}}",
		"{\"version\": 1, \"cooling\": [1]}",
		"{\"version\": 1, \"cooling\": [{\"agent\": 5}]}",
		"{\"version\": 1, \"cooling\": [{\"until_ms\": 5}]}",
		"{\"version\": 1, \"turns\": {\"a\": -1}}",
		"{\"version\": 1, \"turns\": {\"a\": 1e400}}",
		"{\"version\": 1, \"spent\": [{\"day\": \"today\"}]}",
		"{\"version\": 1, \"spent\": [{\"day\": \"2026-11-21\", \"usd\": -1}]}",
		"{\"version\": 1, \"spent\": [{\"day\": \"2026-11-21\", \"output\": 99999999999999999999}]}",
		"{\"version\": 1} {\"version\": 1}",
	};
	char path[512], text[256];

	(void)state;
	spend("alpha", "crew", 1);
	snprintf(path, sizeof(path), "%s", file_of(".json"));
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		FILE *f;
		size_t n;

		put_file(path, broken[i], strlen(broken[i]));
		open_again();
		assert_non_null(strstr(town_state_warning(the.state).p, "begun anew"));
		f = fopen(file_of(".json.broken"), "rb");
		n = fread(text, 1, sizeof(text), f);
		fclose(f);
		assert_true(str_eqz((struct str){text, n}, broken[i]));
		spend("alpha", "crew", 2);
		open_again();
		assert_true(spent_today("alpha", "crew") == 2);
		assert_int_equal(town_state_warning(the.state).n, 0);
	}
}

static void a_file_that_breaks_meanwhile_is_set_aside_by_the_next_change(void **state)
{
	(void)state;
	spend("alpha", "crew", 1);
	put_file(file_of(".json"), "{{", 2);
	spend("alpha", "crew", 2);
	assert_true(spent_today("alpha", "crew") == 2);
	assert_true(town_state_warning(the.state).n > 0);
}

static void a_file_that_is_too_large_is_set_aside(void **state)
{
	size_t n = DOC_MAX_BYTES + 1;
	char *text = malloc(n);

	(void)state;
	memset(text, ' ', n);
	spend("alpha", "crew", 1);
	put_file(file_of(".json"), text, n);
	free(text);
	open_again();
	assert_true(town_state_warning(the.state).n > 0);
	spend("alpha", "crew", 2);
	assert_true(spent_today("alpha", "crew") == 2);
}

static void a_file_of_a_newer_tenfold_is_left_alone(void **state)
{
	(void)state;
	spend("alpha", "crew", 1);
	town_state_close(&the.state);
	put_file(file_of(".json"), "{\"version\": 2}", 14);
	assert_int_equal(open_it(), ERR_SCHEMA);
	assert_null(the.state);
	assert_non_null(strstr(the.problem.detail, "newer"));
	assert_null(file_of(".broken"));
}

static void a_full_disk_is_said_and_changes_nothing(void **state)
{
	const struct spent one = {.rig = STR("alpha"), .usd = 5};

	(void)state;
	spend("alpha", "crew", 1);
	the.machine.full = true;
	assert_int_equal(town_state_spend(the.state, &one, &the.problem), ERR_STORE_FULL);
	assert_true(spent_today("alpha", "") == 1);
	assert_int_equal(town_state_turn(the.state, STR("fast")), 0);
	assert_int_equal(town_state_turn(the.state, STR("fast")), 0 + 1); /* this process goes on taking turns */
	the.machine.full = false;
	open_again();
	assert_true(spent_today("alpha", "") == 1);
}

static void texts_come_back_as_they_were(void **state)
{
	static const char *const texts[] = {"a b", "\"", "\\", "\n", "\x01", "caf\xc3\xa9", "$(x)", "../..", "'"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		cool(texts[i], 60);
		assert_int_equal(town_state_turn(the.state, str_of(texts[i])), 0);
		spend(texts[i], texts[i], 1);
	}
	open_again();
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		assert_true(cools(texts[i]));
		assert_int_equal(town_state_next_turn(the.state, str_of(texts[i])), 1);
		assert_true(spent_today(texts[i], texts[i]) == 1);
	}
}

/* ---- processes at once ---- */

enum { PROCESSES = 4, CHANGES = 25 };

/* Tells the parent each turn it was given, and spends a dollar for each. */
static void child_takes_turns(int out)
{
	struct town_state *s;
	const struct spent one = {.rig = STR("alpha"), .role = STR("polecat"), .usd = 1};

	if (town_state_open(files(), str_of(the.folder), STR("/gt"), &s, NULL))
		_exit(1);
	for (int i = 0; i < CHANGES; i++) {
		uint64_t turn = town_state_turn(s, STR("fast"));

		if (town_state_spend(s, &one, NULL) || write(out, &turn, sizeof(turn)) != sizeof(turn))
			_exit(1);
	}
	town_state_close(&s);
	_exit(0);
}

static void processes_at_once_lose_nothing(void **state)
{
	bool seen[PROCESSES * CHANGES] = {false};
	int ends[2], status, children = 0;
	uint64_t turn;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	for (; children < PROCESSES; children++)
		if (fork() == 0)
			child_takes_turns(ends[1]);
	close(ends[1]);
	while (read(ends[0], &turn, sizeof(turn)) == sizeof(turn)) {
		assert_true(turn < COUNT_OF(seen) && !seen[turn]); /* nobody else was given it */
		seen[turn] = true;
	}
	close(ends[0]);
	while (children-- && wait(&status) > 0)
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	open_again();
	assert_int_equal(town_state_next_turn(the.state, STR("fast")), PROCESSES * CHANGES);
	assert_true(spent_today("alpha", "polecat") == PROCESSES * CHANGES);
	assert_int_equal(town_state_warning(the.state).n, 0);
}

static void child_spends_until_it_is_killed(int out)
{
	struct town_state *s;
	const struct spent one = {.rig = STR("alpha"), .usd = 1};

	if (town_state_open(files(), str_of(the.folder), STR("/gt"), &s, NULL))
		_exit(1);
	while (town_state_spend(s, &one, NULL) == OK && write(out, "+", 1) == 1)
		;
	_exit(1);
}

static void a_killed_process_leaves_a_whole_file_and_no_lock(void **state)
{
	(void)state;
	for (int round = 0; round < 5; round++) {
		double told = spent_today("alpha", "");
		int ends[2];
		pid_t child;
		char byte;

		assert_int_equal(pipe(ends), 0);
		fflush(NULL);
		child = fork();
		if (child == 0)
			child_spends_until_it_is_killed(ends[1]);
		close(ends[1]);
		for (int i = 0; i < 5 + round && read(ends[0], &byte, 1) == 1; i++)
			told++;
		kill(child, SIGKILL);
		while (read(ends[0], &byte, 1) == 1)
			told++;
		waitpid(child, NULL, 0);
		close(ends[0]);
		open_again();
		assert_int_equal(town_state_warning(the.state).n, 0);
		assert_true(spent_today("alpha", "") >= told);     /* what was told had been written */
		assert_true(spent_today("alpha", "") <= told + 1); /* and at most one more */
		spend("beta", "crew", 1);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_written_before_something_changes),
		TEST(what_was_told_is_there_when_it_is_opened_again),
		TEST(two_towns_have_two_files),
		TEST(without_a_folder_it_is_kept_in_memory),
		TEST(an_account_is_not_an_agent),
		TEST(what_another_process_changed_is_seen_after_a_refresh),
		TEST(a_name_that_was_read_may_be_told_again),
		TEST(cooling_ends_by_itself_or_when_told),
		TEST(cooling_lasts_a_month_at_most),
		TEST(a_clock_set_back_ends_cooling_and_a_small_step_does_not),
		TEST(a_clock_that_jumped_ahead_for_a_while_loses_no_day),
		TEST(a_day_is_one_of_utc),
		TEST(the_last_31_days_are_kept),
		TEST(a_day_of_many_agents_forgets_which_and_keeps_the_sum),
		TEST(a_day_of_too_many_rigs_is_refused),
		TEST(names_that_were_used_last_stay),
		TEST(what_cannot_be_is_refused_and_changes_nothing),
		TEST(sums_stop_at_the_largest_number),
		TEST(a_file_that_cannot_be_read_is_set_aside_with_a_warning),
		TEST(a_file_that_breaks_meanwhile_is_set_aside_by_the_next_change),
		TEST(a_file_that_is_too_large_is_set_aside),
		TEST(a_file_of_a_newer_tenfold_is_left_alone),
		TEST(a_full_disk_is_said_and_changes_nothing),
		TEST(texts_come_back_as_they_were),
		TEST(processes_at_once_lose_nothing),
		TEST(a_killed_process_leaves_a_whole_file_and_no_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
