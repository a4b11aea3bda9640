/*
 * Between the files that change a town: drafts of files, a town as it would be with them, and what is reported.
 */
#ifndef TENFOLD_ROLES_EDIT_PRIV_H
#define TENFOLD_ROLES_EDIT_PRIV_H

#include "base/vec.h"
#include "roles/doc.h"
#include "roles/edit.h"

/* A file that is being changed. */
struct draft {
	const char *path;  /* to open */
	const char *shown; /* as people know it */
	bool existed, is_rig;
	struct stamp stamp; /* of what was read; all zero when there was none */
	struct doc was;     /* before; root NULL when there was none */
	struct doc is;      /* after what was changed so far */
};

/* One call, from its beginning to its report. */
struct desk {
	struct town *town;
	const struct edit_options *o;
	struct arena *arena;
	struct problem *p;
	VEC(struct str) lines;
};

enum err draft_open(struct desk *k, struct str rig, struct draft *d);
/* value: JSON. */
enum err draft_set(struct desk *k, struct draft *d, const struct edit_key *path, size_t depth, struct str value);
enum err draft_unset(struct desk *k, struct draft *d, const struct edit_key *path, size_t depth);
/* A line of the report when the member is another one than it was. */
void draft_report(struct desk *k, const struct draft *d, const struct edit_key *path, size_t depth);
bool draft_changed(const struct draft *d);
enum err draft_write(struct desk *k, const struct draft *d); /* not on a dry run */

void desk_line(struct desk *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void desk_report(struct desk *k, const struct draft *d, struct edit_report *out);

/* The node at a path; NULL: there is none. */
const struct node *doc_at(const struct doc *d, const struct edit_key *path, size_t depth);
struct str json_of(struct desk *k, struct str text); /* as a JSON string */

/* ---- a town as it would be ---- */

struct overlay {
	struct files files;
	struct files *below;
	const struct draft *drafts;
	size_t count;
};

enum err overlay_town(struct desk *k, struct overlay *v, const struct draft *drafts, size_t count,
		      struct town **out);

/* Whether whoever could be asked before can be asked after: `role` (ROLE_UNKNOWN: all) in the rig of the options,
 * or in all of them. Nothing with `force`. ERR_INVALID, naming why not. */
enum err check_answers(struct desk *k, const struct draft *drafts, size_t count, enum role role);

#endif
