/* The socket that both sides of sim/control.h know. */
#ifndef TENFOLD_SIM_CONTROL_PRIV_H
#define TENFOLD_SIM_CONTROL_PRIV_H

#include "base/str.h"

#include <sys/un.h>

/* The address of DIR/run.sock, by way of the open folder: an address holds 107 bytes, and a path may be longer. It is
 * good for as long as *folder is open, which the caller closes; false, and errno, when the folder cannot be opened. */
bool control_address(struct str dir, struct sockaddr_un *out, int *folder);

/* Connected, and never waits; -1 and errno. */
int control_connect(const struct sockaddr_un *address);

#endif
