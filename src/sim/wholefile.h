/*
 * Files that are there whole or not at all: written under another name in the same folder, fsynced, renamed, and the
 * folder fsynced. Whoever is killed meanwhile leaves the file that was there before.
 */
#ifndef TENFOLD_SIM_WHOLEFILE_H
#define TENFOLD_SIM_WHOLEFILE_H

#include "base/problem.h"
#include "base/str.h"

/* What the other name begins with; the name itself follows. Whoever was killed leaves such a file. */
#define WHOLEFILE_NEW ".new."

/* ERR_STORE_FULL when the disk is, else ERR_STORE_UNAVAILABLE; what was there before stays. `mode` is as of open(). */
enum err wholefile_put(struct str folder, const char *name, unsigned mode, struct str bytes, struct problem *p);

#endif
