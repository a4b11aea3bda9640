/* `tenfold serve`, and `tenfold openapi`. */
#ifndef TENFOLD_SERVER_SERVE_H
#define TENFOLD_SERVER_SERVE_H

#include "cli/cli.h"

enum err serve(struct cli *cli, const void *args);
enum err print_openapi(struct cli *cli, const void *args);

#endif
