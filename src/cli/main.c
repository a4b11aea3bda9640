/*
 * Parse, run, flush, say what went wrong.
 *
 * An error is one line on stderr, "tenfold: WHAT: WHY; WHAT TO DO" (print_problem.c), and the exit code of its row
 * in api/errors.def.
 */
#include "cli/cli.h"

#include "cli/help.h"
#include "cli/names.h"
#include "cli/print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_MAX = 512 << 20, HELP_WIDTH = 100 };

static int tell(const struct cli *cli, enum err e)
{
	struct buf b = BUF_INIT(0);

	print_problem(cli->verb, e, &cli->problem, &b);
	fprintf(stderr, "tenfold: %s\n", buf_cstr(&b));
	buf_free(&b);
	return err_info(e)->exit_code;
}

static int print_help(const struct cli_line *line)
{
	size_t width = print_width();
	struct buf b = BUF_INIT(0);

	help_print(line, width && width < HELP_WIDTH ? width : HELP_WIDTH, &b);
	fwrite(buf_cstr(&b), 1, b.n, stdout);
	buf_free(&b);
	return 0;
}

static cli_verb_fn *function_of(const struct cli_verb *v, const struct cli_extra *extra)
{
	if (v->run)
		return v->run;
	return *(cli_verb_fn *const *)(const void *)((const char *)extra + v->handed_in);
}

static int run(struct cli *cli, const struct cli_line *line)
{
	enum err e;

	cli->verb = line->verb;
	cli->globals = line->globals;
	cli->globals_from_env = line->globals_from_env;
	e = names_resolve(cli, line);
	if (!e)
		e = function_of(line->verb, cli->extra)(cli, line->args);
	return e ? tell(cli, e) : cli->exit_code;
}

/* What could not be written was not said: a full disk must not look like success. */
static int flush(const char *verb, int exit_code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return exit_code;
	fprintf(stderr, "tenfold: %s: cannot write the output: %s; make room or close the pipe later\n", verb,
		strerror(errno));
	return exit_code ? exit_code : 1;
}

static const char *get_env(const char *name)
{
	return getenv(name);
}

int cli_main(int argc, char **argv, const struct cli_extra *extra)
{
	const struct cli_sources sources = {get_env, cli_read_file};
	struct cli cli = {.extra = extra, .arena = arena_new(ARENA_MAX)};
	struct cli_line line;
	enum err e = cli_parse(&sources, argc, argv, cli.arena, &line, &cli.problem);
	int exit_code;

	if (e)
		exit_code = tell(&cli, e);
	else if (line.globals.help)
		exit_code = print_help(&line);
	else
		exit_code = run(&cli, &line);
	exit_code = flush(line.verb ? line.verb->name : "help", exit_code);
	arena_destroy(&cli.arena);
	return exit_code;
}
