/* Files with secrets: readable by their owner alone (0600, in folders 0700), whole at every moment. */
#ifndef TENFOLD_CLI_PRIVATE_FILE_H
#define TENFOLD_CLI_PRIVATE_FILE_H

#include "base/arena.h"
#include "base/problem.h"

/* Makes the folders of the path, too. fresh: ERR_ALREADY_EXISTS, without a sentence, when there is one; else it is
 * replaced. ERR_USAGE: cannot be written. */
enum err private_file_write(const char *path, struct str text, bool fresh, struct arena *a, struct problem *p);

#endif
