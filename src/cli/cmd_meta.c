/*
 * Verbs about the program itself: they need no server.
 */
#include "cli/cli.h"
#include "cli/man.h"

static enum err print_buf(struct buf *b)
{
	bool good = buf_ok(b);

	fwrite(buf_cstr(b), 1, b->n, stdout);
	buf_free(b);
	return good ? OK : ERR_TOO_LARGE;
}

enum err cmd_version(struct cli *cli, const void *args)
{
	(void)args;
	printf("tenfold %s\n", cli->extra->version);
	return OK;
}

enum err cmd_completion(struct cli *cli, const void *args)
{
	const struct completion_args *a = args;
	struct buf b = BUF_INIT(0);

	(void)cli;
	switch ((enum shell_name)a->shell) {
	case SHELL_BASH:
		completion_bash(&b);
		break;
	case SHELL_ZSH:
		completion_zsh(&b);
		break;
	}
	return print_buf(&b);
}

enum err cmd_man(struct cli *cli, const void *args)
{
	struct buf b = BUF_INIT(0);

	(void)args;
	man_print(cli->extra->version, &b);
	return print_buf(&b);
}
