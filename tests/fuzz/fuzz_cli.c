/*
 * A command line of any words: it is understood, or refused with one line of advice. A line feed ends a word.
 */
#include "base/magic.h"
#include "cli/help.h"

#include <string.h>

enum { ARENA_MAX = 16 << 20, WORDS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *env(const char *name)
{
	return strcmp(name, "TENFOLD_LOOPS") == 0 ? "3" : NULL;
}

static enum err read_nothing(struct str path, size_t max, struct arena *a, struct str *out, struct problem *p)
{
	(void)max, (void)a;
	*out = (struct str){0};
	return path.n % 2 ? OK : problem_set(p, ERR_USAGE, "cannot read %.*s", STRF(path));
}

static int split(struct str text, struct arena *a, char *argv[WORDS_MAX])
{
	int argc = 0;

	argv[argc++] = arena_z(a, STR("tenfold"));
	while (text.n && argc < WORDS_MAX)
		argv[argc++] = arena_z(a, str_cut(text, '\n', &text));
	return argc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cli_sources from = {env, read_nothing};
	struct arena *a = arena_new(ARENA_MAX);
	struct buf help = BUF_INIT(0);
	struct problem p = {0};
	struct cli_line line;
	char *argv[WORDS_MAX];
	int argc = split((struct str){(const char *)data, size}, a, argv);
	enum err e = cli_parse(&from, argc, argv, a, &line, &p);

	if (e)
		CHECK(p.err == e && p.detail[0]);
	else if (line.globals.help)
		help_print(&line, 80, &help);
	else
		CHECK(line.verb && line.args);
	buf_free(&help);
	arena_destroy(&a);
	return 0;
}
