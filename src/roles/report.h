/*
 * Answers as the types of api/types/roles.def: what the command line prints and what HTTP answers are made here,
 * once. In arena a; what is said of files is copied, so it outlives the next town_refresh().
 */
#ifndef TENFOLD_ROLES_REPORT_H
#define TENFOLD_ROLES_REPORT_H

#include "roles/command.h"
#include "spec/types.h"

/* What a spawn runs, and why: from what role_resolve() and role_command() said. For others than who may read the
 * town's files (`others`) no command, and no values of variables that by their names are secrets. */
void role_report(const struct role_query *q, const struct role_answer *answer, const struct role_command *command,
		 bool others, struct arena *a, struct role_resolved *out);

/* On a failure of role_resolve() there are steps and warnings all the same. */
void role_report_steps(const struct role_answer *answer, struct arena *a, struct role_resolved *out);

struct role_mistake role_report_fault(const struct fault *f, struct arena *a);

/* "settings/config.json:14", or `otherwise` when it is in no file. */
struct str role_place(struct origin at, const char *otherwise, struct arena *a);
/* "settings/config.json:14:3: warning: …", as compilers say it. */
void role_fault_show(const struct role_mistake *m, struct buf *b);

#endif
