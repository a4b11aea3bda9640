/* `tenfold sim shop`. */
#ifndef TENFOLD_SERVER_SIM_SHOP_H
#define TENFOLD_SERVER_SIM_SHOP_H

#include "cli/cli.h"

enum err sim_shop(struct cli *cli, const void *args);

#endif
