/* Passwords, from wherever a person keeps them: asked for at the terminal without showing them, a file, standard
 * input. */
#ifndef TENFOLD_CLI_SECRET_H
#define TENFOLD_CLI_SECRET_H

#include "cli/cli.h"

struct secret_source {
	struct str file; /* empty: none; its first line is taken */
	bool from_stdin; /* the next line of standard input */
};

/* Asks at the terminal when there is no source: `prompt`, such as "Password". twice: asks again and compares. In
 * the arena. ERR_USAGE: no terminal, two that differ, cancelled with Ctrl-C (cli->exit_code is then 130). */
enum err secret_read(struct cli *cli, const struct secret_source *from, const char *prompt, bool twice,
		     struct str *out);

#endif
