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

	if (!e)
		print_answer(cli, &type_sim_status, &status, cli->verb->columns);
	return e;
}
