/* Command lines: what they mean, and what is said about those that mean nothing. */
#include "harness_arena.h"

#include "cli/parse.h"

enum { WORDS_MAX = 32 };

static struct arena *arena;
static struct cli_line line;
static struct problem problem;

static const char *no_env(const char *name)
{
	(void)name;
	return NULL;
}

static const char *some_env(const char *name)
{
	static const char *const values[][2] = {{"TENFOLD_URL", "http://env"}, {"TENFOLD_KEY", "tf_env"},
						{"TENFOLD_HOME", "/env"},      {"TENFOLD_LISTEN", "0.0.0.0:1"},
						{"TENFOLD_LOOPS", "many"},     {"TENFOLD_TYPE", "never"}};

	for (size_t i = 0; i < COUNT_OF(values); i++)
		if (strcmp(name, values[i][0]) == 0)
			return values[i][1];
	return NULL;
}

static enum err read_file(struct str path, size_t max, struct arena *a, struct str *out, struct problem *p)
{
	(void)max;
	if (str_eqz(path, "absent"))
		return problem_set(p, ERR_USAGE, "cannot read absent");
	*out = arena_fmt(a, "\"of %.*s\"\n", STRF(path));
	return OK;
}

/* Words with spaces between; 'single quotes' hold spaces. */
static enum err parse_with(const char *(*env)(const char *), const char *command)
{
	const struct cli_sources from = {env, read_file};
	char *argv[WORDS_MAX] = {(char *)(uintptr_t) "tenfold"};
	struct str rest = str_of(command);
	int argc = 1;

	arena_reset(arena);
	memset(&problem, 0, sizeof(problem));
	while (rest.n && argc < WORDS_MAX) {
		bool quoted = rest.p[0] == '\'';
		struct str word;

		if (quoted)
			rest = (struct str){rest.p + 1, rest.n - 1};
		word = str_cut(rest, quoted ? '\'' : ' ', &rest);
		if (quoted && rest.n)
			rest = (struct str){rest.p + 1, rest.n - 1};
		argv[argc++] = arena_z(arena, word);
	}
	return cli_parse(&from, argc, argv, arena, &line, &problem);
}

static enum err parse(const char *command)
{
	return parse_with(no_env, command);
}

static void good(const char *command)
{
	if (parse(command) != OK)
		fail_msg("%s: %s", command, problem.detail);
}

static void bad(const char *command, const char *sentence)
{
	assert_int_equal(parse(command), ERR_USAGE);
	assert_string_equal(problem.detail, sentence);
	assert_int_equal(err_info(ERR_USAGE)->exit_code, 2);
}

static void flags_are_fields(void **state)
{
	const struct work_new *w;

	(void)state;
	good("work add --type build --title=Nightly --priority high --delay-ms 5m --max-attempts 3 --labels a=1 "
	     "--labels b=2");
	w = line.args;
	assert_string_equal(line.verb->name, "work add");
	assert_str(w->type, "build");
	assert_str(w->title, "Nightly");
	assert_int_equal(w->priority, PRIORITY_HIGH);
	assert_int_equal(w->delay_ms, 300000);
	assert_int_equal(w->max_attempts, 3);
	assert_int_equal(w->lease_ms, 60000); /* a fallback */
	assert_int_equal(w->labels_count, 2);
	assert_str(w->labels[1].key, "b");
	assert_false(HAS(w, work_new, lease_ms));
}

static void positionals_come_in_order_and_leave_out_what_is_given(void **state)
{
	const struct work_new *w;

	(void)state;
	good("work add build 'a title'");
	w = line.args;
	assert_str(w->type, "build");
	assert_str(w->title, "a title");
	good("work add --type build 'a title'");
	w = line.args;
	assert_str(w->title, "a title");
	bad("work add build title more", "work add: does not take the word 'more'; see 'tenfold work add --help'");
}

static void a_squad_is_an_id_or_a_name_to_look_up(void **state)
{
	const struct execution_new *x;

	(void)state;
	good("execution add sq_0000000000001 Nightly --template t");
	x = line.args;
	assert_int_equal(x->squad, 1);
	assert_int_equal(line.named_count, 0);
	good("execution add 'the builders' Nightly --template t");
	x = line.args;
	assert_str(x->name, "Nightly");
	assert_int_equal(line.named_count, 1);
	assert_str(line.named[0].name, "the builders");
	assert_string_equal(line.named[0].label, "squad");
	assert_ptr_equal(&cli_verb_args(line.verb)->fields[line.named[0].field],
			 json_field_by_name(&type_execution_new, STR("squad")));
	good("execution list --squad builders");
	assert_string_equal(line.named[0].label, "--squad");
	bad("execution list --squad builders --squad others",
	    "execution list: --squad is given twice; see 'tenfold execution list --help'");
	bad("execution list --squad sq_1",
	    "execution list: --squad: must be an id: sq_ and 13 characters, not 'sq_1'; "
	    "see 'tenfold execution list --help'");
	bad("execution show builders",
	    "execution show: id: must be an id: ex_ and 13 characters, not 'builders'; see "
	    "'tenfold execution show --help'");
}

static void words_of_a_search_are_one_text(void **state)
{
	const struct agent_search_in *f;

	(void)state;
	good("agent find reads  'pull requests' --limit 3 well");
	f = line.args;
	assert_str(f->q, "reads  pull requests well");
	assert_int_equal(f->limit, 3);
	good("agent find");
	f = line.args;
	assert_str(f->q, "");
	good("agent find one -- --two");
	f = line.args;
	assert_str(f->q, "one --two");
	bad("agent find --q one two", "agent find: does not take the word 'two'; see 'tenfold agent find --help'");
}

static void truth_needs_no_value(void **state)
{
	const struct work_fail_in *f;

	(void)state;
	good("work fail w_01h2k3m4n5p6q t oops");
	f = line.args;
	assert_true(f->retry);
	good("work fail w_01h2k3m4n5p6q t oops --no-retry");
	f = line.args;
	assert_false(f->retry);
	good("work fail w_01h2k3m4n5p6q t oops --retry=false --json");
	f = line.args;
	assert_false(f->retry);
	assert_true(line.globals.json);
	bad("work fail w_01h2k3m4n5p6q t oops --no-retry=true",
	    "work fail: --no-retry takes no value; see 'tenfold work fail --help'");
}

static void objects_are_names_and_values_or_json(void **state)
{
	const struct work_new *w;

	(void)state;
	good("work add b --backoff kind=fixed,base_ms=2s --depends-on key=a,on_failure=ignore --depends-on "
	     "'{\"key\":\"b\"}'");
	w = line.args;
	assert_true(HAS(w, work_new, backoff));
	assert_int_equal(w->backoff.kind, BACKOFF_FIXED);
	assert_int_equal(w->backoff.base_ms, 2000);
	assert_int_equal(w->backoff.max_ms, 600000);
	assert_int_equal(w->depends_on_count, 2);
	assert_str(w->depends_on[0].key, "a");
	assert_int_equal(w->depends_on[0].on_failure, ON_FAILURE_IGNORE);
	assert_str(w->depends_on[1].key, "b");
	good("work add b --depends-on w_0000000000001 --depends-on w_0000000000002,on_failure=ignore");
	w = line.args;
	assert_int_equal(w->depends_on_count, 2);
	assert_true(HAS(&w->depends_on[0], work_dependency, id));
	assert_int_equal(w->depends_on[0].id, 1);
	assert_int_equal(w->depends_on[1].id, 2);
	assert_int_equal(w->depends_on[1].on_failure, ON_FAILURE_IGNORE);
	bad("work add b --depends-on w_1",
	    "work add: --depends-on: id: must be an id: w_ and 13 characters, not 'w_1'; "
	    "see 'tenfold work add --help'");
	bad("work add b --depends-on nightly",
	    "work add: --depends-on: must be w_…, NAME=VALUE,… or JSON, not 'nightly'; "
	    "see 'tenfold work add --help'");
	bad("work add b --backoff kind=often", "work add: --backoff: kind: must be one of exponential, fixed, "
					       "linear, not 'often'; see 'tenfold work add --help'");
	bad("work add b --backoff often",
	    "work add: --backoff: must be NAME=VALUE,… or JSON, not 'often'; see 'tenfold work add --help'");
}

static void values_may_come_from_files_where_a_verb_is_a_call(void **state)
{
	const struct work_new *w;
	const struct import_args *i;

	(void)state;
	good("work add b --payload @f.json --title - --description '@@home'");
	w = line.args;
	assert_str(w->payload, "\"of f.json\"");
	assert_str(w->title, "\"of -\"");
	assert_str(w->description, "@home");
	good("work import --format jsonl -");
	i = line.args;
	assert_str(i->file, "-");
	bad("work add b - --payload -",
	    "work add: --payload: standard input is read for another value already; see 'tenfold work add --help'");
	bad("work add b --payload @absent",
	    "work add: --payload: cannot read absent; a value that begins with @ is written @@; "
	    "see 'tenfold work add --help'");
}

static void a_command_keeps_its_flags(void **state)
{
	const struct worker_args *w;

	(void)state;
	good("worker run --type a --type b --concurrency 4 -- sh -c 'x --type' --json");
	w = line.args;
	assert_int_equal(w->type_count, 2);
	assert_int_equal(w->command_count, 4);
	assert_str(w->command[2], "x --type");
	assert_str(w->command[3], "--json");
	assert_false(line.globals.json);
	good("worker run --type a sh -c x --type b -- --json");
	w = line.args;
	assert_int_equal(w->type_count, 1);
	assert_int_equal(w->command_count, 7);
	assert_str(w->command[0], "sh");
	assert_str(w->command[5], "--");
	assert_str(w->command[6], "--json");
	assert_false(line.globals.json);
	good("worker run --type a --role polecat");  /* an agent instead */
	good("work claim alice build --max 5 test"); /* words of a call are not a command */
}

static void a_flag_of_the_verb_hides_a_global_one(void **state)
{
	const struct work_new *w;

	(void)state;
	good("--key tf_secret work add b --key mine");
	w = line.args;
	assert_str(w->key, "mine");
	assert_str(line.globals.key, "tf_secret");
	good("whoami --key tf_secret --url http://x");
	assert_str(line.globals.key, "tf_secret");
	assert_str(line.globals.url, "http://x");
}

static void the_environment_fills_what_is_not_given(void **state)
{
	const struct serve_params *s;
	const struct work_new *w;

	(void)state;
	assert_int_equal(parse_with(some_env, "work add b --url http://flag"), OK);
	w = line.args;
	assert_str(w->type, "b");
	assert_false(HAS(w, work_new, key)); /* TENFOLD_KEY is not the key of an item */
	assert_str(line.globals.url, "http://flag");
	assert_str(line.globals.key, "tf_env");
	assert_str(line.globals.data, "/env");
	assert_int_equal(parse_with(some_env, "serve --loops 3"), OK);
	s = line.args;
	assert_str(s->listen, "0.0.0.0:1");
	assert_str(s->data, "/env");
	assert_int_equal(s->loops, 3);
	assert_int_equal(parse_with(some_env, "serve"), ERR_USAGE);
	assert_string_equal(problem.detail,
			    "serve: TENFOLD_LOOPS: must be a whole number, not 'many'; see 'tenfold serve --help'");
}

static void mistakes_are_named_with_what_to_do(void **state)
{
	(void)state;
	bad("work ad", "there is no verb 'work ad', did you mean 'work add'? See 'tenfold work --help'");
	bad("wokr add", "there is no verb 'wokr', did you mean 'work'? See 'tenfold --help'");
	bad("lsit", "there is no verb 'lsit', did you mean 'work list'? See 'tenfold --help'");
	bad("watch", "there is no verb 'watch', did you mean 'work watch'? See 'tenfold --help'");
	bad("key lsit", "there is no verb 'key lsit', did you mean 'key list'? See 'tenfold key --help'");
	bad("agent update x",
	    "there is no verb 'agent update', did you mean 'agent change'? See 'tenfold agent --help'");
	bad("search x", "there is no verb 'search', did you mean 'agent find'? See 'tenfold --help'");
	bad("agents", "there is no verb 'agents', did you mean 'agent'? See 'tenfold --help'");
	bad("zzzzzzzz", "there is no verb 'zzzzzzzz'; see 'tenfold --help'");
	bad("work add b --titel x",
	    "work add: there is no flag --titel, did you mean --title? See 'tenfold work add --help'");
	bad("work add b --jsn",
	    "work add: there is no flag --jsn, did you mean --json? See 'tenfold work add --help'");
	bad("work add b -t x",
	    "work add: there is no flag -t; flags have two dashes; see 'tenfold work add --help'");
	bad("work list --limit", "work list: --limit needs a value; see 'tenfold work list --help'");
	bad("work list --limit --json", "work list: --limit needs a value; one that begins with dashes is given as "
					"--limit=--json; see 'tenfold work list --help'");
	bad("work list --limit 1 --limit 2", "work list: --limit is given twice; see 'tenfold work list --help'");
	bad("work list --limit 5000",
	    "work list: --limit: must be from 1 to 1000, not 5000; see 'tenfold work list --help'");
	bad("work add b --payload {x",
	    "work add: --payload: is not JSON: expected a member name in double quotes, not 'x' "
	    "(line 1, column 2); see 'tenfold work add --help'");
	bad("work show nonsense",
	    "work show: id: must be an id: w_ and 13 characters, not 'nonsense'; see 'tenfold work show --help'");
	bad("work import",
	    "work import: --format is missing (What it is written in); usage: tenfold work import [FILE] [FLAGS]; "
	    "see 'tenfold work import --help'");
	bad("work show", "work show: id is missing (The item); usage: tenfold work show ID [FLAGS]; "
			 "see 'tenfold work show --help'");
}

static void questions_are_answered_with_help(void **state)
{
	(void)state;
	good("");
	assert_true(line.globals.help);
	good("work");
	assert_true(line.globals.help);
	assert_str(line.group, "work");
	good("help work add");
	assert_true(line.globals.help);
	assert_string_equal(line.verb->name, "work add");
	good("work add --title x --help");
	good("work add -h");
	assert_true(line.globals.help);
	good("--version");
	assert_string_equal(line.verb->name, "version");
	good("--json work --url http://x list");
	assert_string_equal(line.verb->name, "work list");
	assert_true(line.globals.json);
}

int main(void)
{
#define TEST(name) ARENA_TEST(name, arena)
	const struct CMUnitTest tests[] = {
		TEST(flags_are_fields),
		TEST(positionals_come_in_order_and_leave_out_what_is_given),
		TEST(a_squad_is_an_id_or_a_name_to_look_up),
		TEST(words_of_a_search_are_one_text),
		TEST(truth_needs_no_value),
		TEST(objects_are_names_and_values_or_json),
		TEST(values_may_come_from_files_where_a_verb_is_a_call),
		TEST(a_command_keeps_its_flags),
		TEST(a_flag_of_the_verb_hides_a_global_one),
		TEST(the_environment_fills_what_is_not_given),
		TEST(mistakes_are_named_with_what_to_do),
		TEST(questions_are_answered_with_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
