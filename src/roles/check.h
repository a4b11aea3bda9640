/*
 * Every mistake in every file of a town, each with file, line, column and the likely meant word; and what would not
 * run.
 */
#ifndef TENFOLD_ROLES_CHECK_H
#define TENFOLD_ROLES_CHECK_H

#include "roles/resolve.h"

struct check_report {
	struct fault *faults; /* by file and line */
	size_t count;
	size_t errors, warnings, hints;
	bool all_run; /* every spawn would run what its file says */
};

/* Reads all files of the town and of its rigs, and resolves every role of every rig. */
enum err role_check(struct town *t, struct arena *a, struct check_report *out, struct problem *p);

#endif
