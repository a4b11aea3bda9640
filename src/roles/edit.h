/*
 * Changes to a town's files that leave everything else as it was: order, spaces, unknown members, line ends.
 *
 * An edit is planned on the doc, applied to the text, read back and compared with what was intended, resolved to
 * see that it would run, and only then written, whole or not at all.
 */
#ifndef TENFOLD_ROLES_EDIT_H
#define TENFOLD_ROLES_EDIT_H

#include "roles/resolve.h"

/* ---- text ---- */

/* A step from an object to a member of it, found as Gas Town's reader finds it. */
struct edit_key {
	struct str name;
	bool entry; /* a key of a map, exact (a role, an agent); otherwise a field, of any case */
};

/* The text with the member at `path` (from the root) set to the JSON `value`, on one line or as it shall stand at
 * the root. Missing objects on the way are made. New lines are indented as their neighbours are. The file may be
 * missing or empty: d->text is empty and d->root NULL then. ERR_INVALID: something on the way is no object (null is
 * taken for a missing one); value is not JSON. */
enum err edit_set(const struct doc *d, const struct edit_key *path, size_t depth, struct str value, struct arena *a,
		  struct str *out, struct problem *p);
/* Without that member (every one that would be read as it), its comma and, if it stood alone on its lines, those.
 * OK with the same text when there is none. */
enum err edit_unset(const struct doc *d, const struct edit_key *path, size_t depth, struct arena *a,
		    struct str *out, struct problem *p);

/* ---- files ---- */

struct edit_report {
	const char *path;  /* of the file; NULL when it did not come to one */
	struct str *lines; /* what changed: "settings/config.json:14: role_agents.witness: claude → gemini" */
	size_t count;      /* 0: everything is as it was asked for already, and nothing was written */
};

/*
 * rig empty: the town's file. A file that is not there is made. ERR_INVALID when what would stand there does not
 * resolve, naming why; `force` writes all the same. `dry_run` writes nothing and reports as if it did.
 * ERR_NOT_FOUND: no such rig; ERR_MALFORMED: the file is no JSON and is left alone; ERR_CONFLICT: somebody else
 * changed it meanwhile. town_refresh() comes before and after. The arena holds every version of the files: a few
 * times their bytes each.
 */
struct edit_options {
	struct str rig;
	bool dry_run, force;
};
enum err role_set(struct town *t, struct str role, struct str agent, const struct edit_options *o, struct arena *a,
		  struct edit_report *out, struct problem *p);
enum err role_unset(struct town *t, struct str role, const struct edit_options *o, struct arena *a,
		    struct edit_report *out, struct problem *p);
enum err role_set_tier(struct town *t, struct str tier, const struct edit_options *o, struct arena *a,
		       struct edit_report *out, struct problem *p);
/* What the files of the rigs, or of one, say about agents moves into `rigs` of the town's file where that answers
 * the same for every role; says what stays, and what Gas Town, which does not look there, would do from then on. */
enum err role_consolidate(struct town *t, const struct edit_options *o, struct arena *a, struct edit_report *out,
			  struct problem *p);

#endif
