/*
 * What the verbs of `tenfold role` share: the town they are about, and what is remembered of it. None of them talks to
 * a server.
 */
#ifndef TENFOLD_CLI_ROLE_H
#define TENFOLD_CLI_ROLE_H

#include "cli/cli.h"
#include "roles/report.h"
#include "roles/state.h"

struct role_desk {
	struct cli *cli;
	struct str data; /* the data directory; empty: there is none */
	struct files *files;
	struct town *town;
	struct town_state *state; /* what cools down, whose turn it is, what was spent */
};

/* `town` as given; empty: the nearest one upwards of the current folder. Also for the worker. */
enum err role_open(struct cli *cli, struct str town, struct role_desk *out);
void role_close(struct role_desk *d);

/* One line on stderr. With compat in Gas Town's words. */
void role_warn(const struct cli *cli, const struct fault *f, bool compat);

#endif
