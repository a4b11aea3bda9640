/*
 * Squads by their names: where a verb asks for the id of one, its name does as well, as long as one squad has it. The
 * parser keeps the name (parse.h); it is looked up before the verb runs.
 */
#ifndef TENFOLD_CLI_NAMES_H
#define TENFOLD_CLI_NAMES_H

#include "cli/parse.h"

/* Puts the id into line->args for each name that was kept. One that is archived is meant where no other has the name.
 * ERR_NOT_FOUND: no squad has it; ERR_USAGE: several have. Asks the server, if there is anything to ask. */
enum err names_resolve(struct cli *cli, const struct cli_line *line);

#endif
