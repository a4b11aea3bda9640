/*
 * Parse, run, flush, say what went wrong.
 *
 * An error is one line on stderr, "tenfold: WHAT: WHY; WHAT TO DO", and the exit code of its row in api/errors.def.
 */
#include "cli/cli.h"

#include "cli/help.h"
#include "cli/print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_MAX = 512 << 20, HELP_WIDTH = 100 };

static char tame(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f ? ' ' : c;
}

/* Sentences of problems begin with a capital on the wire, and go on after a colon here. They may quote what others
 * wrote: one line it stays. */
static void add_sentence(struct buf *b, const char *detail)
{
	size_t n = strlen(detail);
	bool lower = n > 1 && detail[0] >= 'A' && detail[0] <= 'Z' && detail[1] >= 'a' && detail[1] <= 'z';

	while (n && (detail[n - 1] == '.' || detail[n - 1] == '\n'))
		n--;
	for (size_t i = 0; i < n; i++)
		buf_c(b, lower && i == 0 ? (char)(detail[0] - 'A' + 'a') : tame(detail[i]));
}

static int tell(const struct cli *cli, enum err e)
{
	const struct problem *p = &cli->problem;
	const char *detail = p->detail[0] ? p->detail : err_info(e)->title;
	struct buf b = BUF_INIT(0);

	buf_z(&b, "tenfold: ");
	if (cli->verb) /* else the line was not understood, and the parser has named it */
		buf_fmt(&b, "%s: ", cli->verb->name);
	add_sentence(&b, detail);
	for (unsigned i = 1; i < p->field_count; i++) {
		buf_fmt(&b, ", %s: ", p->fields[i].field);
		add_sentence(&b, p->fields[i].detail);
	}
	if (!strstr(detail, "; "))
		buf_fmt(&b, "; %s", err_info(e)->advice);
	fprintf(stderr, "%s\n", buf_cstr(&b));
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
	if (v->kind != VERB_SERVER)
		return v->run;
	return str_eqz(STR("serve"), v->name) ? extra->serve : extra->openapi;
}

static int run(struct cli *cli, const struct cli_line *line)
{
	enum err e;

	cli->verb = line->verb;
	cli->globals = line->globals;
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
