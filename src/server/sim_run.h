/* `tenfold sim run`: a simulated population, with a demo shop of its own if it has no other target. */
#ifndef TENFOLD_SERVER_SIM_RUN_H
#define TENFOLD_SERVER_SIM_RUN_H

#include "cli/cli.h"

/* Exit codes: 0 it ended as it was told to, 1 the breaker ended it (--on-open exit), 99 a --fail-if was true, 130 and
 * 143 a signal ended it; it left a checkpoint. */
enum { SIM_RUN_BROKE = 1, SIM_RUN_FAILED = 99 };

enum err sim_run(struct cli *cli, const void *args);

#endif
