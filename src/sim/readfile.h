/*
 * A whole file of the user's, as text.
 */
#ifndef TENFOLD_SIM_READFILE_H
#define TENFOLD_SIM_READFILE_H

#include "base/arena.h"
#include "base/problem.h"

/* ERR_USAGE and ERR_TOO_LARGE call the file `what` and its path. ERR_NOT_FOUND, without words: there is none. */
enum err readfile(struct str path, const char *what, size_t max, struct arena *a, struct str *out,
		  struct problem *p);
/* The same, for one that must be there. */
enum err readfile_there(struct str path, const char *what, size_t max, struct arena *a, struct str *out,
			struct problem *p);

#endif
