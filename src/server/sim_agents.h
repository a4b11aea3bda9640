/* Agents of the directory as a simulated population. */
#ifndef TENFOLD_SERVER_SIM_AGENTS_H
#define TENFOLD_SERVER_SIM_AGENTS_H

#include "cli/cli.h"

/* The handles of all agents of the caller's tenant that are not in maintenance, in alphabetical order, in the arena.
 * Which server, and which key, is as for all verbs. */
enum err sim_agents(struct cli *cli, struct arena *a, struct str **ids, uint32_t *count, struct problem *p);

#endif
