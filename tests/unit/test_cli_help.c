/* Everything that is written out of the table of verbs: help, examples, completion, the manual page. */
#include "harness.h"

#include "cli/help.h"
#include "cli/man.h"

enum { WIDTH = 100, WORDS_MAX = 32 };

static const char *no_env(const char *name)
{
	(void)name;
	return NULL;
}

static enum err no_file(struct str path, size_t max, struct arena *a, struct str *out, struct problem *p)
{
	(void)max, (void)a, (void)out;
	return problem_set(p, ERR_USAGE, "%.*s is not read here", STRF(path));
}

static void write_file(const char *path, const struct buf *b)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(b->p, 1, b->n, f), b->n);
	assert_int_equal(fclose(f), 0);
}

/* A shell's idea of the words of an example. */
static int split_by_shell(const char *example, char *words, size_t size)
{
	char command[1024];
	int n = 0;
	FILE *f;

	snprintf(command, sizeof(command), "printf '%%s\\n' %s", example);
	f = popen(command, "r");
	assert_non_null(f);
	while (size > 1 && fgets(words, (int)size, f)) {
		size_t length = strlen(words);

		words[length - 1] = '\0';
		words += length;
		size -= length;
		n++;
	}
	assert_int_equal(pclose(f), 0);
	return n;
}

static void every_example_is_a_command_line(void **state)
{
	const struct cli_sources from = {no_env, no_file};
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	for (unsigned i = 0; i < cli_verb_count; i++) {
		char words[2048], *argv[WORDS_MAX], *word = words;
		int argc = split_by_shell(cli_verbs[i].example, words, sizeof(words));
		struct cli_line line;
		struct problem p = {0};

		for (int k = 0; k < argc; k++, word += strlen(word) + 1)
			argv[k] = word;
		assert_string_equal(argv[0], "tenfold");
		if (cli_parse(&from, argc, argv, arena, &line, &p) != OK)
			fail_msg("%s: %s", cli_verbs[i].example, p.detail);
		assert_ptr_equal(line.verb, &cli_verbs[i]);
	}
	arena_destroy(&arena);
}

static void every_verb_has_help_with_its_flags(void **state)
{
	struct buf b = BUF_INIT(0);

	(void)state;
	for (unsigned i = 0; i < cli_verb_count; i++) {
		const struct cli_verb *v = &cli_verbs[i];
		const struct json_type *t = cli_verb_args(v);
		struct cli_line line = {.verb = v};
		char flag[CLI_FLAG_NAME];

		buf_reset(&b);
		help_print(&line, WIDTH, &b);
		assert_true(buf_ok(&b));
		assert_non_null(strstr(buf_cstr(&b), v->example));
		for (char *c = b.p; (c = strchr(c, '\n'));)
			*c = ' '; /* sentences are wrapped */
		assert_non_null(strstr(buf_cstr(&b), v->doc));
		for (uint32_t k = 0; k < t->field_count; k++)
			assert_non_null(strstr(buf_cstr(&b), cli_flag_name(&t->fields[k], flag)));
	}
	buf_free(&b);
}

static void help_fits_its_width(void **state)
{
	static const size_t widths[] = {60, 80, 100};
	struct cli_line everything = {0};
	struct buf b = BUF_INIT(0);
	struct str rest, line;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(widths); i++) {
		buf_reset(&b);
		help_print(&everything, widths[i], &b);
		for (rest = buf_str(&b); rest.n && !str_starts(rest, STR("Exit status"));) {
			line = str_cut(rest, '\n', &rest);
			assert_true(line.n <= widths[i]);
		}
	}
	buf_free(&b);
}

/* Has a record that a flag takes a member of that name? Those are given by their own names. */
static bool is_member_too(const struct json_type *t, const char *name)
{
	for (uint32_t i = 0; i < t->field_count; i++) {
		bool has = t->fields[i].kind == JSON_OBJECTS || t->fields[i].kind == JSON_OBJECT;
		const struct json_type *of = has ? t->fields[i].of : NULL;

		for (uint32_t k = 0; of && k < of->field_count; k++)
			if (strcmp(of->fields[k].name, name) == 0)
				return true;
	}
	return false;
}

static void fields_are_called_by_their_flags(void **state)
{
	struct buf b = BUF_INIT(0);

	(void)state;
	for (unsigned i = 0; i < cli_verb_count; i++) {
		const struct json_type *t = cli_verb_args(&cli_verbs[i]);
		struct cli_line line = {.verb = &cli_verbs[i]};

		buf_reset(&b);
		help_print(&line, WIDTH, &b);
		for (uint32_t k = 0; k < t->field_count; k++)
			assert_row(t->fields[k].name, !strchr(t->fields[k].name, '_') ||
							      is_member_too(t, t->fields[k].name) ||
							      !strstr(buf_cstr(&b), t->fields[k].name));
		if (strcmp(cli_verbs[i].name, "work add") == 0)
			assert_non_null(strstr(buf_cstr(&b), "instead of --run-at."));
	}
	buf_reset(&b);
	man_print("1.2.3", &b);
	assert_non_null(strstr(buf_cstr(&b), "instead of \\-\\-run\\-at."));
	buf_free(&b);
}

static void what_a_command_gets_stands_in_the_help_of_its_verb_alone(void **state)
{
	struct cli_line verb = {0}, group = {.group = STR("worker")};
	struct buf b = BUF_INIT(0);

	(void)state;
	for (unsigned i = 0; i < cli_verb_count; i++)
		if (strcmp(cli_verbs[i].name, "worker run") == 0)
			verb.verb = &cli_verbs[i];
	help_print(&verb, 1000, &b);
	assert_non_null(strstr(buf_cstr(&b), "\nUsage: tenfold worker run [FLAGS] [-- COMMAND…]\n"));
	assert_non_null(strstr(buf_cstr(&b),
			       "The command gets the payload on stdin. Exit 0 completes the item, 75 tries "
			       "again after its backoff, anything else fails it. With --role an agent of a "
			       "town is started instead (docs/roles.md), with --squad and --model a model is asked "
			       "(docs/models.md).\n"));
	buf_reset(&b);
	help_print(&group, 1000, &b);
	assert_non_null(strstr(buf_cstr(&b), "  worker run  Claim items and run a command for each.\n"));
	buf_free(&b);
}

static void groups_list_their_verbs(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct buf b = BUF_INIT(0);

	(void)state;
	for (unsigned i = 0; i < cli_group_count; i++) {
		struct cli_line line = {.group = str_of(cli_groups[i].name)};
		unsigned verbs = 0;

		buf_reset(&b);
		help_print(&line, WIDTH, &b);
		for (unsigned k = 0; k < cli_verb_count; k++) {
			if (!cli_verb_in_group(&cli_verbs[k], line.group))
				continue;
			verbs++;
			assert_non_null(strstr(buf_cstr(&b), arena_z(arena, cli_verb_brief(&cli_verbs[k]))));
		}
		assert_true(verbs > 0);
	}
	arena_destroy(&arena);
	buf_free(&b);
}

static void every_verb_belongs_somewhere(void **state)
{
	(void)state;
	for (unsigned i = 0; i < cli_verb_count; i++) {
		bool grouped = !strchr(cli_verbs[i].name, ' ');

		for (unsigned k = 0; k < cli_group_count; k++)
			grouped = grouped || cli_verb_in_group(&cli_verbs[i], str_of(cli_groups[k].name));
		assert_true(grouped);
	}
}

static void positionals_and_columns_are_fields(void **state)
{
	(void)state;
	for (unsigned i = 0; i < cli_verb_count; i++) {
		const struct cli_verb *v = &cli_verbs[i];
		bool flags_end;
		struct str rest = cli_verb_positionals(v, &flags_end);

		while (rest.n)
			assert_non_null(json_field_by_name(cli_verb_args(v), str_cut(rest, ' ', &rest)));
		if (v->kind != VERB_CALL)
			continue;
		for (rest = str_of(v->columns); rest.n;) {
			const struct json_type *t = spec_routes[v->route].out;
			const struct json_field *items = json_field_by_name(t, STR("items"));

			assert_non_null(json_field_by_name(items ? items->of : t, str_cut(rest, ' ', &rest)));
		}
	}
}

static void shells_take_the_completion(void **state)
{
	char dir[] = "/tmp/tenfold-test.XXXXXX", path[64], command[512];
	struct buf b = BUF_INIT(0);

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/c.bash", dir);
	completion_bash(&b);
	write_file(path, &b);
	snprintf(
		command, sizeof(command),
		"bash -c '. %s; COMP_WORDS=(tenfold work add --pri); COMP_CWORD=3; _tenfold; echo ${COMPREPLY[*]}; "
		"COMP_WORDS=(tenfold work add --priority h); COMP_CWORD=4; _tenfold; echo ${COMPREPLY[*]}; "
		"COMP_WORDS=(tenfold work ca); COMP_CWORD=2; _tenfold; echo ${COMPREPLY[*]}' >%s/said",
		path, dir);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "printf '%%s\n' --priority high cancel | cmp - %s/said", dir);
	assert_int_equal(system(command), 0);
	buf_reset(&b);
	completion_zsh(&b);
	write_file(path, &b);
	snprintf(command, sizeof(command), "! command -v zsh >/dev/null || zsh -n %s; rm -r %s", path, dir);
	assert_int_equal(system(command), 0);
	buf_free(&b);
}

/* As roff has it: a hyphen that is no line's end. */
static const char *in_roff(const char *name, struct buf *b)
{
	buf_reset(b);
	for (; *name; name++)
		buf_fmt(b, *name == '-' ? "\\%c" : "%c", *name);
	return buf_cstr(b);
}

static void the_manual_names_every_verb(void **state)
{
	struct buf b = BUF_INIT(0), name = BUF_INIT(0);

	(void)state;
	man_print("1.2.3", &b);
	assert_non_null(strstr(buf_cstr(&b), ".TH TENFOLD 1"));
	for (unsigned i = 0; i < cli_verb_count; i++)
		assert_non_null(strstr(buf_cstr(&b), in_roff(cli_verbs[i].name, &name)));
	buf_free(&name);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_example_is_a_command_line),
		cmocka_unit_test(every_verb_has_help_with_its_flags),
		cmocka_unit_test(help_fits_its_width),
		cmocka_unit_test(fields_are_called_by_their_flags),
		cmocka_unit_test(what_a_command_gets_stands_in_the_help_of_its_verb_alone),
		cmocka_unit_test(groups_list_their_verbs),
		cmocka_unit_test(every_verb_belongs_somewhere),
		cmocka_unit_test(positionals_and_columns_are_fields),
		cmocka_unit_test(shells_take_the_completion),
		cmocka_unit_test(the_manual_names_every_verb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
