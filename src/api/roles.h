/*
 * The server's town: one, for every tenant. Calls about it run on COMPUTE threads, one at a time.
 */
#ifndef TENFOLD_API_ROLES_H
#define TENFOLD_API_ROLES_H

#include "base/problem.h"
#include "base/str.h"

struct town_desk;

/* data_dir: what is remembered of the town lies there (roles/state.h). ERR_NOT_FOUND: it is no town. */
enum err town_desk_open(struct str town, struct str data_dir, struct town_desk **out, struct problem *p);
void town_desk_close(struct town_desk **d);

#endif
