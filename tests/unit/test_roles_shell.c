/*
 * Real shells read back what we print: whatever stands in the files, in the prompt, in names or in a secret arrives
 * in the agent as it was, as one argument or one variable, and nothing of it is run.
 *
 * argv[1] is the stand-in for an agent (command_kit/stand_in.c). Many strings go into one run of a shell, each in
 * parentheses; a run of its own for each string is tried with a few.
 */
#include "harness.h"

#include "base/buf.h"
#include "roles/command_priv.h"
#include "roles_kit/memory_files.h"

#include <sys/stat.h>

enum { ROUNDS = 400, BATCH_BYTES = 60 << 10, ARGS_MAX = 6, OWN_MAX = 4 };

static char *stand_in;
static char folder[] = "/tmp/tenfold-shell-XXXXXX";

static struct {
	struct memory_files *files;
	struct arena *arena;
	struct rng rng;
} the;

/* ---- hostile texts ---- */

static const char *const pieces[] = {
	" ",
	"'",
	"\"",
	"`touch pwned`",
	"$(touch pwned)",
	"$HOME",
	"${IFS}",
	"$((1+1))",
	"\\",
	"\n",
	"\t",
	"\r",
	"..",
	"!",
	"!!",
	"\xc3\xa9",
	"\xe6\xbc\xa2",
	"\xf0\x9f\x98\x80",
	"-",
	"--x",
	"~",
	"~root",
	"=",
	"^",
	"%",
	"*",
	"?",
	"[a]",
	"{a,b}",
	"#",
	"&",
	";",
	"|",
	"<",
	">",
	"&&",
	"\x01",
	"\x7f",
	"\x81\x88",
	"\xff",
	"a",
	"B7",
	"'\\''",
	"\\n",
	"(",
	")",
	"\"'\"",
	"/",
	":",
	",",
	"@",
	"\\\n",
	"$'x'",
	"\v\f",
	"$@",
};

static bool names_a_variable(struct str s)
{
	const struct spawn look = {.files = &the.files->files, .arena = the.arena};

	return word_path(&look, s).name.n || str_starts(s, STR("~/"));
}

/* Not one that is meant to be looked up: those are a test of their own. */
static struct str hostile(size_t most)
{
	struct buf b = BUF_INIT(0);
	struct str text;

	for (size_t n = rng_below(&the.rng, most + 1); n > 0; n--)
		buf_z(&b, pieces[rng_below(&the.rng, COUNT_OF(pieces))]);
	text = arena_str(the.arena, buf_str(&b));
	buf_free(&b);
	return names_a_variable(text) ? arena_fmt(the.arena, "x%.*s", STRF(text)) : text;
}

static struct str hostile_key(size_t i)
{
	struct buf b = BUF_INIT(0);
	struct str text;

	if (rng_below(&the.rng, 2))
		buf_str_add(&b, hostile(2));
	buf_fmt(&b, "K%zu", i);
	for (size_t k = 0; k < b.n; k++)
		if (b.p[k] == '=')
			b.p[k] = '+';
	text = arena_str(the.arena, buf_str(&b));
	buf_free(&b);
	return text;
}

/* A name of the stand-in that does its worst: a link to it in our folder, which is on the PATH. */
static struct str hostile_command(void)
{
	struct str name = hostile(4);
	char *path;

	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == '/')
			return arena_fmt(the.arena, "%s/plain", folder);
	if (name.n == 0 || str_eqz(name, ".") || str_eqz(name, ".."))
		return STR("plain");
	path = arena_z(the.arena, arena_fmt(the.arena, "%s/%.*s", folder, STRF(name)));
	if (symlink(stand_in, path) != 0 && access(path, X_OK) != 0)
		return STR("plain");
	return rng_below(&the.rng, 2) ? name : str_of(path);
}

/* ---- spawns ---- */

struct case_of {
	struct str string;
	struct role_command command;
	struct str args[ARGS_MAX];
	struct pair own[OWN_MAX];
	size_t arg_count, own_count;
	struct str prompt;
};

static void fill_values(struct case_of *c)
{
	c->arg_count = rng_below(&the.rng, ARGS_MAX + 1);
	c->own_count = rng_below(&the.rng, OWN_MAX + 1);
	for (size_t i = 0; i < c->arg_count; i++)
		c->args[i] = hostile(6);
	for (size_t i = 0; i < c->own_count; i++)
		c->own[i] = (struct pair){hostile_key(i), hostile(6), {0}};
	if (c->own_count && rng_below(&the.rng, 4) == 0)
		c->own[0].value = STR("$SECRET");
	c->prompt = hostile(8);
}

static void make_case(struct case_of *c)
{
	const struct role_query query = {.role = STR("polecat"), .rig = hostile(2), .name = hostile(3)};
	struct role_answer answer = {.role = ROLE_POLECAT, .runs = STR("x"), .exported = hostile(3)};
	struct command_options options = {.session = hostile(3)};
	const struct spawn s = {&the.files->files, STR("/gt"), presets_builtin(), &query,
				&answer,           &options,   the.arena};
	struct str wrapper[] = {STR("env"), STR("--"), arena_fmt(the.arena, "W=%.*s", STRF(hostile(3)))};
	struct problem p = {0};

	fill_values(c);
	answer.runtime = (struct runtime){
		.command = hostile_command(), .args = {c->args, c->arg_count, true}, .env = {c->own, c->own_count}};
	if (!memchr(answer.runtime.command.p, '=', answer.runtime.command.n) && rng_below(&the.rng, 4) == 0)
		answer.runtime.exec_wrapper = (struct texts){wrapper, 3, true};
	options.prompt = c->prompt;
	options.reveal = rng_below(&the.rng, 2);
	if (spawn_command(&s, &c->command, &p))
		fail_msg("%s", p.detail);
	c->string = c->command.shell;
}

/* What was put in is what is to be started: the shell's part is checked against c->command then. */
static void assert_values_kept(const struct case_of *c)
{
	size_t n = c->command.argv.n, prompts = c->prompt.n ? 1 : 0, from = n - prompts - c->arg_count;

	for (size_t i = 0; i < c->arg_count; i++)
		assert_true(str_eq(c->command.argv.v[from + i], c->args[i]));
	if (prompts && c->prompt.p[0] == '-')
		assert_true(str_eq((struct str){c->command.argv.v[n - 1].p + 1, c->command.argv.v[n - 1].n - 1},
				   c->prompt));
	else if (prompts)
		assert_true(str_eq(c->command.argv.v[n - 1], c->prompt));
}

/* ---- shells ---- */

static const char *const shells[][3] = {{"dash", "-c"}, {"bash", "-c"}, {"busybox", "sh", "-c"}};

static bool is_there(const char *program)
{
	char path[64];

	snprintf(path, sizeof(path), "/usr/bin/%s", program);
	if (access(path, X_OK) == 0)
		return true;
	snprintf(path, sizeof(path), "/bin/%s", program);
	return access(path, X_OK) == 0;
}

static void run_in_child(const char *const shell[3], const char *script, int out)
{
	const char *argv[] = {shell[0], shell[1], shell[2] ? shell[2] : script, shell[2] ? script : NULL, NULL};
	char path[256];
	const char *env[] = {path, "HOME=/nowhere", "SECRET= s3 '$(touch pwned)' \xc3\xa9", NULL};

	snprintf(path, sizeof(path), "PATH=%s:/usr/bin:/bin", folder);
	dup2(out, STDOUT_FILENO);
	if (chdir(folder) == 0)
		execvpe(shell[0], (char **)(uintptr_t)argv, (char **)(uintptr_t)env);
	_exit(127);
}

static struct str run_shell(const char *const shell[3], struct str script)
{
	struct buf out = BUF_INIT(0);
	struct str text;
	int ends[2], status;
	pid_t child;
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		run_in_child(shell, arena_z(the.arena, script), ends[1]);
	close(ends[1]);
	while ((n = read(ends[0], buf_room(&out, 65536), 65536)) > 0)
		buf_took(&out, (size_t)n);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("%s ended with %d", shell[0], status);
	text = arena_str(the.arena, buf_str(&out));
	buf_free(&out);
	return text;
}

/* ---- what the stand-in says ---- */

static struct str take_text(struct str *s)
{
	struct str rest, text = str_cut(*s, '\0', &rest);

	assert_non_null(rest.p); /* it said less than a whole record */
	*s = rest;
	return text;
}

static void assert_argv(struct str *said, const struct case_of *c, size_t skipped)
{
	for (size_t i = skipped; i < c->command.argv.n; i++)
		if (!str_eq(take_text(said), c->command.argv.v[i]))
			fail_msg("argument %zu of %.*s", i, STRF(c->string));
	assert_str(take_text(said), "\1");
}

static bool is_own(struct str key)
{
	static const char *const shells_own[] = {"PATH", "HOME", "SECRET", "PWD", "OLDPWD", "SHLVL", "_", "W"};

	for (size_t i = 0; i < COUNT_OF(shells_own); i++)
		if (str_eqz(key, shells_own[i]))
			return true;
	return false;
}

static void assert_env(struct str *said, const struct case_of *c)
{
	size_t found = 0;

	for (struct str one = take_text(said); !str_eqz(one, "\1"); one = take_text(said)) {
		struct str value, key = str_cut(one, '=', &value);
		const struct pair *p = NULL;

		for (size_t i = 0; i < c->command.env.n && !p; i++)
			if (str_eq(c->command.env.v[i].key, key))
				p = &c->command.env.v[i];
		if (p ? !str_eq(p->value, value) : !is_own(key))
			fail_msg("variable %.*s of %.*s", STRF(key), STRF(c->string));
		found += p != NULL;
	}
	assert_int_equal(found, c->command.env.n);
	assert_str(take_text(said), "\2");
}

static size_t wrapper_words(const struct case_of *c)
{
	return str_eqz(c->command.argv.v[0], "env") ? 3 : 0;
}

static void assert_said(struct str *said, const struct case_of *c)
{
	assert_argv(said, c, wrapper_words(c));
	assert_env(said, c);
	assert_values_kept(c);
}

static void assert_nothing_ran(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/pwned", folder);
	assert_int_equal(access(path, F_OK), -1);
}

/* ---- the promise ---- */

static void check_batch(const struct case_of *cases, size_t n, struct str script)
{
	for (size_t k = 0; k < COUNT_OF(shells); k++) {
		struct str said;

		if (!is_there(shells[k][0]))
			continue;
		said = run_shell(shells[k], script);
		for (size_t i = 0; i < n; i++)
			assert_said(&said, &cases[i]);
		assert_int_equal(said.n, 0);
		assert_nothing_ran();
	}
}

static void every_hostile_value_arrives_whole_in_every_shell(void **state)
{
	static struct case_of cases[ROUNDS];
	struct buf script = BUF_INIT(0);
	size_t from = 0;

	(void)state;
	for (size_t i = 0; i < ROUNDS; i++) {
		make_case(&cases[i]);
		buf_fmt(&script, "(%.*s)\n", STRF(cases[i].string));
		if (script.n < BATCH_BYTES && i + 1 < ROUNDS)
			continue;
		check_batch(cases + from, i + 1 - from, buf_str(&script));
		buf_reset(&script);
		from = i + 1;
	}
	buf_free(&script);
}

static void a_string_alone_replaces_the_shell(void **state)
{
	static struct case_of one;

	(void)state;
	for (size_t i = 0; i < 10; i++) {
		make_case(&one);
		check_batch(&one, 1, one.string);
	}
}

/* Gas Town's own string does not: what compat keeps is known, and stays inside the compat mode. */
static void gas_towns_string_loses_what_research_says(void **state)
{
	struct str args[] = {STR("a"), STR(""), STR("~")};
	const struct role_query query = {.role = STR("mayor"), .compat = true};
	const struct command_options options = {0};
	const struct role_answer answer = {.role = ROLE_MAYOR,
					   .runs = STR("x"),
					   .runtime = {.command = STR("plain"), .args = {args, 3, true}}};
	const struct spawn s = {&the.files->files, STR("/gt"), presets_builtin(), &query,
				&answer,           &options,   the.arena};
	struct role_command c;
	struct str said;

	(void)state;
	assert_int_equal(spawn_command(&s, &c, NULL), OK);
	said = run_shell(shells[0], c.shell);
	assert_str(take_text(&said), "plain");
	assert_str(take_text(&said), "a");
	assert_str(take_text(&said), "/nowhere"); /* the empty one is gone, ~ is HOME */
	assert_str(take_text(&said), "\1");
}

static int set_up(void **state)
{
	char path[256];

	(void)state;
	the.files = memory_files_new();
	the.arena = arena_new(256 << 20);
	the.rng = test_seed();
	memory_files_env(the.files, "SECRET", " s3 '$(touch pwned)' \xc3\xa9");
	memory_files_env(the.files, "HOME", "/nowhere");
	snprintf(path, sizeof(path), "%s/plain", folder);
	return symlink(stand_in, path) == 0 || access(path, X_OK) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	memory_files_destroy(&the.files);
	arena_destroy(&the.arena);
	return 0;
}

static void remove_folder(void)
{
	const char *const argv[] = {"rm", "-rf", folder, NULL};
	pid_t child = fork();

	if (child == 0) {
		execvp("rm", (char **)(uintptr_t)argv);
		_exit(127);
	}
	waitpid(child, NULL, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_hostile_value_arrives_whole_in_every_shell, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_string_alone_replaces_the_shell, set_up, tear_down),
		cmocka_unit_test_setup_teardown(gas_towns_string_loses_what_research_says, set_up, tear_down),
	};
	int failed;

	stand_in = argc < 2 ? NULL : realpath(argv[1], NULL);
	if (!stand_in || !mkdtemp(folder)) {
		fprintf(stderr, "usage: test_roles_shell STAND_IN\n");
		return 2;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	remove_folder();
	free(stand_in);
	return failed;
}
