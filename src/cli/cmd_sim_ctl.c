/* sim ctl: a run told what to do, and how it goes then. */
#include "cli/cli.h"

#include "cli/print.h"
#include "sim/control.h"

enum { PATIENCE_MS = 10000 };

enum err cmd_sim_ctl(struct cli *cli, const void *args)
{
	const struct sim_ctl_args *given = args;
	struct sim_status status;
	enum err e = control_tell(given->dir, (enum sim_command)given->command, PATIENCE_MS, cli->arena, &status,
				  &cli->problem);
	struct buf b = BUF_INIT(0);

	if (e)
		return e;
	if (cli->globals.json) {
		json_encode(&type_sim_status, &status, 0, &b);
		buf_c(&b, '\n');
	} else {
		print_object(&type_sim_status, &status, cli->verb->columns, print_width(), &b);
	}
	fwrite(buf_cstr(&b), 1, b.n, stdout);
	buf_free(&b);
	return OK;
}
